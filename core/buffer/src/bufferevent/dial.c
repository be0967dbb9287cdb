/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connecting by host name: look the name up, then try its addresses.
 *
 * As RFC 8305 (Happy Eyeballs) has it, the families take turns, the next address is tried when the
 * one before has failed or has not answered within a quarter of a second, and the first connection
 * to stand wins. The first attempt is the bufferevent's own descriptor, which it connects as
 * usual (bev_connect.c); attempts beside it are kept here and take its place if they win.
 *
 * Threads: all under the bufferevent's lock. A lookup whose bufferevent lost interest, and an
 * attempt that was given up, live on by themselves until their callback or finalizer has come.
 */

#include "bufferevent.h"

#include <event2/util.h>

#include <stdio.h>
#include <string.h>

/* RFC 8305, 8: the recommended Connection Attempt Delay. */
#define ATTEMPT_DELAY_MS 250
#define BOTH (EV_READ | EV_WRITE)

/* The argument of the resolver's callback. */
struct lookup {
	struct evi_bev *b;           /* NULL: nobody is interested */
	struct evi_bev_lock *shared; /* counted; guards `b`; NULL: one thread only */
	const struct evi_resolver *resolver;
	void *handle; /* NULL until known */
};

/* An attempt beside the bufferevent's own. */
struct attempt {
	struct attempt *next;
	struct evi_bev *b; /* there as long as the callback can come */
	struct event ev;
	evutil_socket_t fd; /* -1: given up */
};

struct evi_dial {
	struct lookup *lookup; /* NULL: none under way */
	struct evutil_addrinfo *found; /* owned */
	const struct evutil_addrinfo **order; /* owned; into `found` */
	size_t n, tried;
	struct attempt *attempts; /* owned */
	struct event delay;
	int dns_error;       /* EVUTIL_EAI_* of the last lookup */
	int last_error;      /* of the last attempt that failed */
	int is_active;       /* addresses are being tried */
	int is_users_fd;     /* one address only, and never close it */
	int is_in_call;      /* bufferevent_socket_connect_hostname() is on the stack */
};

/* --- The order of addresses ------------------------------------------------------------------- */

/* The next one of `family` (or of any other, if `is_other`) from `ai` on. */
static const struct evutil_addrinfo *find(const struct evutil_addrinfo *ai, int family,
					  int is_other)
{
	while (ai != NULL && (ai->ai_family == family) == is_other)
		ai = ai->ai_next;
	return ai;
}

static size_t count(const struct evutil_addrinfo *ai)
{
	size_t n = 0;

	for (; ai != NULL; ai = ai->ai_next)
		n++;
	return n;
}

/* RFC 8305, 4: the resolver's order within each family, and the families by turns. */
static void interleave(struct evi_dial *dial)
{
	int family = dial->found->ai_family, is_other = 0;
	const struct evutil_addrinfo *next[2] = { find(dial->found, family, 0),
						  find(dial->found, family, 1) };

	for (dial->n = 0; next[0] != NULL || next[1] != NULL; is_other = !is_other) {
		const struct evutil_addrinfo *ai = next[is_other];

		if (ai == NULL)
			continue;
		dial->order[dial->n++] = ai;
		next[is_other] = find(ai->ai_next, family, is_other);
	}
}

/* --- Giving up -------------------------------------------------------------------------------- */

static void attempt_free(struct event *ev, void *arg)
{
	(void)ev;
	evi_free(arg);
}

/* The descriptor is closed, or the winner's already. */
static void attempt_end(struct attempt *attempt)
{
	attempt->fd = EVUTIL_INVALID_SOCKET;
	(void)event_finalize(0, &attempt->ev, attempt_free); /* it has a base */
}

static void end_attempts(struct evi_dial *dial)
{
	while (dial->attempts != NULL) {
		struct attempt *attempt = dial->attempts;

		dial->attempts = attempt->next;
		(void)event_del_noblock(&attempt->ev);
		if (attempt->fd >= 0)
			(void)evutil_closesocket(attempt->fd); /* nobody to tell */
		attempt_end(attempt);
	}
}

/* Addresses are no longer tried. */
static void stop(struct evi_dial *dial)
{
	(void)event_del_noblock(&dial->delay);
	end_attempts(dial);
	if (dial->found != NULL)
		evutil_freeaddrinfo(dial->found);
	dial->found = NULL;
	evi_free(dial->order);
	dial->order = NULL;
	dial->is_active = 0;
}

/* Cancelling may run the callback, which then releases the lookup. */
static void cancel(struct evi_dial *dial)
{
	struct lookup *lookup = dial->lookup;

	dial->lookup = NULL;
	lookup->b = NULL;
	dial->dns_error = EVUTIL_EAI_CANCEL;
	if (lookup->handle != NULL)
		lookup->resolver->cancel(lookup->handle);
}

void evi_dial_abandon(struct evi_bev *b)
{
	if (b->dial == NULL)
		return;
	if (b->dial->lookup != NULL)
		cancel(b->dial);
	stop(b->dial);
}

void evi_dial_free(struct evi_bev *b)
{
	evi_free(b->dial);
}

/* --- Trying addresses ------------------------------------------------------------------------- */

static void report(struct evi_bev *b, int err)
{
	evi_bev_notify_event(&b->pub, BEV_EVENT_ERROR, err,
			     b->dial->is_in_call ? BEV_TRIG_DEFER_CALLBACKS : 0);
}

/* All have failed: the last descriptor stays, as after any other connection that failed. */
static void give_up(struct evi_bev *b)
{
	int err = b->dial->last_error;

	stop(b->dial);
	evi_bev_connect_abandon(b);
	report(b, err);
}

static void close_own(struct evi_bev *b)
{
	evutil_socket_t fd = evi_bev_fd(&b->pub);

	evi_bev_connect_use(b, EVUTIL_INVALID_SOCKET);
	if (fd >= 0)
		(void)evutil_closesocket(fd); /* it has failed, or lost */
}

static void try_next(struct evi_bev *b);

static void attempt_unlink(struct evi_dial *dial, struct attempt *attempt)
{
	struct attempt **link = &dial->attempts;

	while (*link != attempt)
		link = &(*link)->next;
	*link = attempt->next;
	(void)event_del_noblock(&attempt->ev);
}

/* The attempt takes the place of the bufferevent's own, and is the last. */
static void win(struct evi_bev *b, struct attempt *attempt)
{
	evutil_socket_t fd = attempt->fd;

	attempt_unlink(b->dial, attempt);
	attempt_end(attempt);
	stop(b->dial);
	close_own(b);
	evi_bev_connect_use(b, fd);
	evi_bev_connect_done(b);
}

static void lose(struct evi_bev *b, struct attempt *attempt, int err)
{
	(void)evutil_closesocket(attempt->fd); /* it has failed anyway */
	attempt_unlink(b->dial, attempt);
	attempt_end(attempt);
	b->dial->last_error = err;
	try_next(b);
}

static void on_attempt(evutil_socket_t fd, short what, void *arg)
{
	struct attempt *attempt = arg;
	struct evi_bev *b = attempt->b;
	int err;

	(void)what;
	if (!evi_bev_try_enter(b))
		return;
	if (attempt->fd >= 0) {
		err = evi_bev_connect_error(fd);
		if (err == 0)
			win(b, attempt);
		else if (!evi_error_is_retriable_connect(err))
			lose(b, attempt, err);
	}
	evi_bev_leave(&b->pub);
}

static int attempt_add(struct evi_bev *b, evutil_socket_t fd)
{
	struct attempt *attempt = evi_calloc(1, sizeof(*attempt));

	if (attempt == NULL)
		return -ENOMEM;
	attempt->b = b;
	attempt->fd = fd;
	event_assign(&attempt->ev, b->pub.ev_base, fd, EV_WRITE | EV_PERSIST | EV_FINALIZE,
		     on_attempt, attempt);
	if (event_add(&attempt->ev, NULL) < 0) {
		evi_free(attempt);
		return -ENOMEM;
	}
	attempt->next = b->dial->attempts;
	b->dial->attempts = attempt;
	return 0;
}

static int is_own_under_way(const struct evi_bev *b)
{
	return evi_bev_waits(&b->pub, EV_WRITE) && evi_bev_fd(&b->pub) >= 0;
}

/* Connects the next address, beside the bufferevent's own descriptor or as that. */
static int try_one(struct evi_bev *b, const struct evutil_addrinfo *ai)
{
	struct evi_dial *dial = b->dial;
	evutil_socket_t fd = evi_bev_fd(&b->pub);
	int err;

	if (!dial->is_users_fd)
		fd = evi_socket_open(ai->ai_family, SOCK_STREAM, 0);
	if (fd < 0)
		return -EVUTIL_SOCKET_ERROR();
	err = evi_bev_connect_begin(fd, ai->ai_addr, (ev_socklen_t)ai->ai_addrlen);
	if (err == 0 && is_own_under_way(b)) {
		err = attempt_add(b, fd);
	} else if (err == 0) {
		if (!dial->is_users_fd)
			close_own(b);
		err = evi_bev_connect_watch(b, fd);
	}
	if (err < 0 && !dial->is_users_fd && fd != evi_bev_fd(&b->pub))
		(void)evutil_closesocket(fd); /* the first error is the one to tell */
	return err;
}

/* A delay that fails to start costs time: the next address waits for this one to fail. */
static void start_delay(struct evi_dial *dial)
{
	const struct timeval delay = { .tv_usec = ATTEMPT_DELAY_MS * 1000 };

	if (dial->tried < dial->n)
		(void)event_add(&dial->delay, &delay);
}

static void try_next(struct evi_bev *b)
{
	struct evi_dial *dial = b->dial;

	(void)event_del_noblock(&dial->delay);
	while (dial->tried < dial->n) {
		int err = try_one(b, dial->order[dial->tried++]);

		if (err == 0) {
			start_delay(dial);
			return;
		}
		dial->last_error = -err;
	}
	if (dial->attempts == NULL && !is_own_under_way(b))
		give_up(b);
}

static void on_delay(evutil_socket_t fd, short what, void *arg)
{
	struct evi_bev *b = arg;

	(void)fd;
	(void)what;
	if (!evi_bev_try_enter(b))
		return;
	if (b->dial->is_active)
		try_next(b);
	evi_bev_leave(&b->pub);
}

int evi_dial_own_failed(struct evi_bev *b, int err)
{
	if (b->dial == NULL || !b->dial->is_active)
		return 0;
	b->dial->last_error = err;
	evi_bev_unwait(&b->pub, EV_WRITE);
	try_next(b);
	return 1;
}

void evi_dial_own_done(struct evi_bev *b)
{
	if (b->dial != NULL)
		stop(b->dial);
}

/* --- Looking up ------------------------------------------------------------------------------- */

static int start_trying(struct evi_bev *b, struct evutil_addrinfo *found)
{
	struct evi_dial *dial = b->dial;

	dial->order = evi_calloc(count(found), sizeof(*dial->order));
	if (dial->order == NULL) {
		evutil_freeaddrinfo(found);
		return -ENOMEM;
	}
	dial->found = found;
	interleave(dial);
	dial->is_users_fd = evi_bev_fd(&b->pub) >= 0;
	if (dial->is_users_fd)
		dial->n = 1;
	dial->tried = 0;
	dial->is_active = 1;
	try_next(b);
	return 0;
}

/* Connecting takes over from looking up as what holds the directions. */
static void resolved(struct evi_bev *b, int result, struct evutil_addrinfo *found)
{
	int err;

	b->dial->lookup = NULL;
	b->dial->dns_error = result;
	evi_bev_hold(&b->pub, BOTH, EVI_BEV_HELD_CONNECT);
	evi_bev_unhold(&b->pub, BOTH, EVI_BEV_HELD_LOOKUP);
	if (result == 0 && found == NULL)
		b->dial->dns_error = result = EVUTIL_EAI_NONAME;
	if (result != 0) {
		report(b, 0);
		return;
	}
	err = start_trying(b, found);
	if (err < 0)
		report(b, -err);
}

static void lookup_free(struct lookup *lookup)
{
	evi_bev_lock_unref(lookup->shared);
	evi_free(lookup);
}

static void on_resolved(int result, struct evutil_addrinfo *found, void *arg)
{
	struct lookup *lookup = arg;
	struct evi_bev *b;

	evi_lock(lookup->shared != NULL ? lookup->shared->lock : NULL);
	b = lookup->b;
	if (b != NULL) {
		evi_bev_enter(&b->pub);
		resolved(b, result, found);
		evi_bev_leave(&b->pub);
	} else if (found != NULL) {
		evutil_freeaddrinfo(found);
	}
	evi_unlock(lookup->shared != NULL ? lookup->shared->lock : NULL);
	lookup_free(lookup);
}

/* The callback may come inside; the lookup is gone then. */
static int ask_resolver(struct evi_bev *b, struct evdns_base *dns, const char *name,
			const char *service, const struct evutil_addrinfo *hints)
{
	const struct evi_resolver *resolver = evi_resolver_get();
	struct lookup *lookup = evi_calloc(1, sizeof(*lookup));
	void *handle;

	if (lookup == NULL)
		return -ENOMEM;
	if (resolver == NULL) {
		evi_free(lookup);
		resolved(b, EVUTIL_EAI_FAIL, NULL);
		return 0;
	}
	lookup->b = b;
	lookup->shared = evi_bev_lock_ref(b->shared);
	lookup->resolver = resolver;
	b->dial->lookup = lookup;
	handle = resolver->getaddrinfo(dns, name, service, hints, on_resolved, lookup);
	if (handle != NULL)
		lookup->handle = handle;
	return 0;
}

static void ask_system(struct evi_bev *b, const char *name, const char *service,
		       const struct evutil_addrinfo *hints)
{
	struct evutil_addrinfo *found = NULL;
	int result = evutil_getaddrinfo(name, service, hints, &found);

	resolved(b, result, found);
}

static struct evi_dial *dial_of(struct evi_bev *b)
{
	struct evi_dial *dial = b->dial;

	if (dial != NULL)
		return dial;
	dial = evi_calloc(1, sizeof(*dial));
	if (dial == NULL)
		return NULL;
	event_assign(&dial->delay, b->pub.ev_base, -1, EV_FINALIZE, on_delay, b);
	b->dial = dial;
	return dial;
}

/* The name without the brackets that an IPv6 literal may stand in; owned by the caller. */
static char *bare_name(const char *name)
{
	size_t len = strlen(name);
	char *copy = evi_strdup(name);

	if (copy == NULL || len < 2 || name[0] != '[' || name[len - 1] != ']')
		return copy;
	memmove(copy, copy + 1, len - 2);
	copy[len - 2] = '\0';
	return copy;
}

static int dial_name(struct evi_bev *b, struct evdns_base *dns, const struct evutil_addrinfo *hints,
		     const char *name, int port)
{
	struct evi_dial *dial = dial_of(b);
	char *host, service[8];
	int err = 0;

	if (dial == NULL)
		return -ENOMEM;
	host = bare_name(name);
	if (host == NULL)
		return -ENOMEM;
	(void)snprintf(service, sizeof(service), "%d", port); /* at most five digits */
	evi_dial_abandon(b);
	evi_bev_connect_abandon(b);
	dial->dns_error = 0;
	dial->is_in_call = 1;
	evi_bev_hold(&b->pub, BOTH, EVI_BEV_HELD_LOOKUP);
	if (dns != NULL)
		err = ask_resolver(b, dns, host, service, hints);
	else
		ask_system(b, host, service, hints);
	dial->is_in_call = 0;
	if (err < 0)
		evi_bev_unhold(&b->pub, BOTH, EVI_BEV_HELD_LOOKUP);
	evi_free(host);
	return err;
}

/* --- The API ---------------------------------------------------------------------------------- */

static int is_good_family(int family)
{
	return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

int bufferevent_socket_connect_hostname_hints(struct bufferevent *bev,
					      struct evdns_base *evdns_base,
					      const struct evutil_addrinfo *hints_in,
					      const char *hostname, int port)
{
	struct evi_bev *b = evi_bev_of(bev);
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC };
	int result = -1;

	if (hints_in != NULL)
		hints = *hints_in;
	if (hostname == NULL || !is_good_family(hints.ai_family) || port < 1 || port > 65535)
		return -1;
	if (hints.ai_socktype == 0)
		hints.ai_socktype = SOCK_STREAM;
	if (hints.ai_protocol == 0)
		hints.ai_protocol = IPPROTO_TCP;
	evi_bev_enter(bev);
	if (bev->be_ops->traits & EVI_BEV_DESCRIPTOR)
		result = dial_name(b, evdns_base, &hints, hostname, port) < 0 ? -1 : 0;
	else if (b->transport != NULL)
		result = bufferevent_socket_connect_hostname_hints(
			&b->transport->pub, evdns_base, &hints, hostname, port);
	evi_bev_leave(bev);
	return result;
}

int bufferevent_socket_connect_hostname(struct bufferevent *bev, struct evdns_base *evdns_base,
					int family, const char *hostname, int port)
{
	struct evutil_addrinfo hints = { .ai_family = family };

	return bufferevent_socket_connect_hostname_hints(bev, evdns_base, &hints, hostname, port);
}

int bufferevent_socket_get_dns_error(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);
	int result;

	evi_bev_enter(bev);
	if (b->dial == NULL && b->transport != NULL)
		result = bufferevent_socket_get_dns_error(&b->transport->pub);
	else
		result = b->dial != NULL ? b->dial->dns_error : 0;
	evi_bev_leave(bev);
	return result;
}
