/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Listeners: accept connections and hand them over.
 *
 * With LEV_OPT_THREADSAFE a lock is held during callbacks, so when disable or free returns in
 * another thread no callback is running. Deleting the event under that lock must therefore not wait
 * for the event's callback, which waits for the lock.
 *
 * When accepting fails for lack of descriptors or memory the connection stays where it is and would
 * be reported again at once: the socket is left alone for a moment instead.
 */

#include "base.h"
#include "os/os_accept.h"
#include "socket.h"

#include <event2/event_struct.h>
#include <event2/listener.h>

/* Connections taken per round; the loop serves others in between. */
#define BATCH 64

#define RETRY_AFTER_US 100000

#define KEEPALIVE_S 300

#define BACKLOG_DEFAULT 128

struct evconnlistener {
	struct event_base *base;
	struct event accept; /* the socket is readable, or the acceptor has something */
	struct evi_acceptor *acceptor; /* owned; NULL: the socket is watched */
	struct event retry;  /* the pause after an error is over */
	void *lock;
	evconnlistener_cb cb;
	evconnlistener_errorcb error_cb;
	void *arg;
	evutil_socket_t fd;
	unsigned flags;
	unsigned accept_flags;
	int is_enabled;
	int is_failing;  /* errors were reported, and nothing was accepted since */
	int in_callback; /* free() is carried out when it is over */
	enum { IN_USE, FREED_IN_CALLBACK, FREED_ELSEWHERE } state;
};

static void lock(struct evconnlistener *lev)
{
	evi_lock(lev->lock);
}

static void unlock(struct evconnlistener *lev)
{
	evi_unlock(lev->lock);
}

static int is_wanted(const struct evconnlistener *lev)
{
	return lev->is_enabled && lev->cb != NULL && lev->state == IN_USE;
}

static int begin_accepting(struct evconnlistener *lev)
{
	if (lev->acceptor == NULL)
		return event_add(&lev->accept, NULL);
	evi_acceptor_start(lev->acceptor);
	return 0;
}

static void end_accepting(struct evconnlistener *lev)
{
	if (lev->acceptor != NULL)
		evi_acceptor_stop(lev->acceptor);
	(void)event_del_noblock(&lev->accept);
}

static void stop(struct evconnlistener *lev)
{
	end_accepting(lev);
	(void)event_del_noblock(&lev->retry);
}

/* Watches or leaves the socket, as the state asks for. Enabling does not cut a pause short. */
static int update(struct evconnlistener *lev)
{
	if (is_wanted(lev)) {
		if (event_pending(&lev->retry, EV_TIMEOUT, NULL))
			return 0;
		return begin_accepting(lev);
	}
	stop(lev);
	return 0;
}

static void free_acceptor(struct evconnlistener *lev)
{
	if (lev->acceptor != NULL)
		evi_acceptor_free(lev->acceptor);
	lev->acceptor = NULL;
}

static void destroy(struct evconnlistener *lev)
{
	free_acceptor(lev);
	event_debug_unassign(&lev->accept);
	event_debug_unassign(&lev->retry);
	evi_lock_free(lev->lock);
	evi_free(lev);
}

static void pause_accepting(struct evconnlistener *lev)
{
	static const struct timeval delay = { 0, RETRY_AFTER_US };

	/* Without the timer nobody would come back: then rather too early than never. */
	if (event_add(&lev->retry, &delay) == 0)
		end_accepting(lev);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct evconnlistener *lev = arg;

	(void)fd;
	(void)what;
	lock(lev);
	(void)update(lev);
	unlock(lev);
}

static void report_error(struct evconnlistener *lev, int err)
{
	int was_failing = lev->is_failing;

	lev->is_failing = 1;
	pause_accepting(lev);
	if (lev->error_cb != NULL) {
		EVUTIL_SET_SOCKET_ERROR(err);
		lev->error_cb(lev, lev->arg);
	} else if (!was_failing) {
		evi_log_socket_error(err, "accepting connections");
	}
}

static evutil_socket_t accept_socket(struct evconnlistener *lev, struct sockaddr *address,
				     ev_socklen_t *len)
{
	if (lev->acceptor != NULL)
		return evi_acceptor_take(lev->acceptor, address, len);
	return evi_socket_accept_flags(lev->fd, address, len, lev->accept_flags);
}

/* One connection; nonzero if there may be another. */
static int accept_one(struct evconnlistener *lev)
{
	struct sockaddr_storage address;
	ev_socklen_t len = sizeof(address);
	evutil_socket_t fd = accept_socket(lev, (struct sockaddr *)&address, &len);

	if (fd < 0) {
		int err = evutil_socket_geterror(lev->fd);

		if (!evi_error_is_retriable_accept(err)) {
			report_error(lev, err);
			return 0;
		}
		return !evi_error_is_retriable_rw(err);
	}
	lev->is_failing = 0;
	if (len == 0) { /* its sender is gone, and was never seen */
		(void)evutil_closesocket(fd);
		return 1;
	}
	lev->cb(lev, fd, (struct sockaddr *)&address, (int)len, lev->arg);
	return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct evconnlistener *lev = arg;
	int must_destroy;

	(void)fd;
	(void)what;
	lock(lev);
	lev->in_callback = 1;
	for (int i = 0; i < BATCH && is_wanted(lev); i++) {
		if (!accept_one(lev))
			break;
	}
	lev->in_callback = 0;
	must_destroy = lev->state == FREED_IN_CALLBACK;
	unlock(lev);
	if (must_destroy)
		destroy(lev);
}

static unsigned accept_flags_of(unsigned flags)
{
	return (flags & LEV_OPT_LEAVE_SOCKETS_BLOCKING ? 0 : EVI_SOCKET_NONBLOCK) |
	       (flags & LEV_OPT_CLOSE_ON_EXEC ? EVI_SOCKET_CLOEXEC : 0);
}

static struct evconnlistener *make(struct event_base *base, evconnlistener_cb cb, void *arg,
				   unsigned flags, evutil_socket_t fd)
{
	struct evconnlistener *lev = evi_calloc(1, sizeof(*lev));

	if (lev == NULL)
		return NULL;
	lev->base = base;
	lev->cb = cb;
	lev->arg = arg;
	lev->fd = fd;
	lev->flags = flags;
	lev->accept_flags = accept_flags_of(flags);
	lev->is_enabled = !(flags & LEV_OPT_DISABLED);
	if ((flags & LEV_OPT_THREADSAFE) && evi_threading_enabled()) {
		lev->lock = evi_lock_new();
		if (lev->lock == NULL) {
			evi_free(lev);
			return NULL;
		}
	}
	(void)event_assign(&lev->accept, base, fd, EV_READ | EV_PERSIST, on_readable, lev);
	(void)evtimer_assign(&lev->retry, base, on_retry, lev);
	lev->acceptor = evi_acceptor_new(base, fd, lev->accept_flags, &lev->accept);
	return lev;
}

struct evconnlistener *evconnlistener_new(struct event_base *base, evconnlistener_cb cb, void *ptr,
					  unsigned flags, int backlog, evutil_socket_t fd)
{
	struct evconnlistener *lev;

	if (base == NULL)
		base = evi_current_base();
	if (base == NULL || evutil_make_socket_nonblocking(fd) < 0)
		return NULL;
	if (backlog != 0 && listen(fd, backlog > 0 ? backlog : BACKLOG_DEFAULT) != 0)
		return NULL;
	lev = make(base, cb, ptr, flags, fd);
	if (lev == NULL)
		return NULL;
	if (update(lev) < 0) {
		destroy(lev);
		return NULL;
	}
	return lev;
}

static const struct {
	unsigned flag;
	int (*set)(evutil_socket_t fd);
} bind_options[] = {
	{ LEV_OPT_CLOSE_ON_EXEC, evutil_make_socket_closeonexec },
	{ LEV_OPT_REUSEABLE, evutil_make_listen_socket_reuseable },
	{ LEV_OPT_REUSEABLE_PORT, evutil_make_listen_socket_reuseable_port },
	{ LEV_OPT_DEFERRED_ACCEPT, evutil_make_tcp_listen_socket_deferred },
	{ LEV_OPT_BIND_IPV6ONLY, evutil_make_listen_socket_ipv6only },
	{ LEV_OPT_BIND_IPV4_AND_IPV6, evutil_make_listen_socket_not_ipv6only },
};

static int set_options(evutil_socket_t fd, unsigned flags, int is_unix)
{
	for (size_t i = 0; i < sizeof(bind_options) / sizeof(bind_options[0]); i++) {
		if ((flags & bind_options[i].flag) && bind_options[i].set(fd) < 0)
			return -1;
	}
	return is_unix ? 0 : evutil_set_tcp_keepalive(fd, 1, KEEPALIVE_S);
}

struct evconnlistener *evi_listener_new_bind(struct event_base *base, evconnlistener_cb cb,
					     void *ptr, unsigned flags, int backlog,
					     const struct sockaddr *sa, int socklen)
{
	struct evconnlistener *lev = NULL;
	evutil_socket_t fd;
	int err;

	if (backlog == 0 || sa == NULL)
		return NULL;
	fd = evi_socket_open_flags(
		sa->sa_family, SOCK_STREAM, 0,
		EVI_SOCKET_NONBLOCK | (flags & LEV_OPT_CLOSE_ON_EXEC ? EVI_SOCKET_CLOEXEC : 0));
	if (fd < 0)
		return NULL;
	if (set_options(fd, flags, sa->sa_family == AF_UNIX) == 0 &&
	    bind(fd, sa, (ev_socklen_t)socklen) == 0)
		lev = evconnlistener_new(base, cb, ptr, flags, backlog, fd);
	if (lev == NULL) {
		err = EVUTIL_SOCKET_ERROR();
		(void)evutil_closesocket(fd);
		EVUTIL_SET_SOCKET_ERROR(err);
	}
	return lev;
}

struct evconnlistener *evconnlistener_new_bind(struct event_base *base, evconnlistener_cb cb,
					       void *ptr, unsigned flags, int backlog,
					       const struct sockaddr *sa, int socklen)
{
	if (sa != NULL && sa->sa_family == AF_UNIX &&
	    (flags & (LEV_OPT_REUSEABLE | LEV_OPT_REUSEABLE_PORT))) {
		EVUTIL_SET_SOCKET_ERROR(EINVAL);
		return NULL;
	}
	return evi_listener_new_bind(base, cb, ptr, flags, backlog, sa, socklen);
}

void evconnlistener_free(struct evconnlistener *lev)
{
	int in_callback;

	if (lev == NULL)
		return;
	/* Who gets the lock while a callback runs is that callback. */
	lock(lev);
	in_callback = lev->in_callback;
	lev->state = in_callback ? FREED_IN_CALLBACK : FREED_ELSEWHERE;
	stop(lev);
	free_acceptor(lev);
	if (lev->flags & LEV_OPT_CLOSE_ON_FREE)
		(void)evutil_closesocket(lev->fd);
	unlock(lev);
	if (in_callback)
		return; /* on_readable() destroys it */
	/*
	 * The loop, in another thread, may be about to take the lock: wait until it is past that.
	 */
	if (lev->lock != NULL) {
		(void)event_del_block(&lev->accept);
		(void)event_del_block(&lev->retry);
	}
	destroy(lev);
}

int evconnlistener_enable(struct evconnlistener *lev)
{
	int result;

	lock(lev);
	lev->is_enabled = 1;
	result = update(lev);
	unlock(lev);
	return result;
}

int evconnlistener_disable(struct evconnlistener *lev)
{
	lock(lev);
	lev->is_enabled = 0;
	stop(lev);
	unlock(lev);
	return 0;
}

void evconnlistener_set_cb(struct evconnlistener *lev, evconnlistener_cb cb, void *arg)
{
	lock(lev);
	lev->cb = cb;
	lev->arg = arg;
	(void)update(lev);
	unlock(lev);
}

void evconnlistener_set_error_cb(struct evconnlistener *lev, evconnlistener_errorcb errorcb)
{
	lock(lev);
	lev->error_cb = errorcb;
	unlock(lev);
}

evutil_socket_t evconnlistener_get_fd(struct evconnlistener *lev)
{
	return lev->fd;
}

struct event_base *evconnlistener_get_base(struct evconnlistener *lev)
{
	return lev->base;
}
