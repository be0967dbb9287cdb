/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bufferevent: descriptors, and connecting them.
 *
 * While connecting both directions are held, and ev_write waits for the outcome, with the write
 * timeout if EV_WRITE is enabled. A connection that stands at once takes the same way, so that its
 * event comes from the loop, before anything else.
 */

#include "bufferevent.h"

#define BOTH (EV_READ | EV_WRITE)

evutil_socket_t evi_bev_fd(const struct bufferevent *bev)
{
	return event_get_fd(&bev->ev_read);
}

void evi_bev_connect_abandon(struct evi_bev *b)
{
	if (!(b->flags & EVI_BEV_IS_CONNECTING))
		return;
	evi_bev_unwait(&b->pub, EV_WRITE);
	b->flags &= (uint8_t)~EVI_BEV_IS_CONNECTING;
}

void evi_bev_connect_use(struct evi_bev *b, evutil_socket_t fd)
{
	evi_bev_unwait(&b->pub, BOTH);
	b->flags &= (uint8_t)~EVI_BEV_IS_UNWATCHED;
	evi_bev_assign(b, fd);
	b->output.plain_fd = -1;
}

void evi_bev_unwatch(struct evi_bev *b)
{
	evi_bev_unwait(&b->pub, BOTH);
	b->flags |= EVI_BEV_IS_UNWATCHED;
	evi_bev_assign(b, evi_bev_fd(&b->pub));
}

/* What was under way on the old descriptor is over, and `fd` takes its place; nothing runs yet. */
static void replace_fd(struct evi_bev *b, evutil_socket_t fd)
{
	evi_dial_abandon(b);
	evi_bev_connect_abandon(b);
	evi_bev_connect_use(b, fd);
}

void evi_bev_adopt_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	evi_bev_assign(evi_bev_of(bev), fd);
}

int evi_bev_set_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_bev *b = evi_bev_of(bev);
	const unsigned reasons = EVI_BEV_HELD_CONNECT | EVI_BEV_HELD_LOOKUP;

	replace_fd(b, fd);
	b->held_read &= (uint8_t)~reasons;
	b->held_write &= (uint8_t)~reasons;
	evi_evbuffer_unfreeze(&b->input, EVI_BUF_FROZEN_END);
	evi_evbuffer_unfreeze(&b->output, EVI_BUF_FROZEN_FRONT);
	evi_bev_start(b, evi_bev_active(bev, BOTH), EVI_BEV_ATTACHED);
	return 0;
}

/* --- Connecting ------------------------------------------------------------------------------- */

int evi_bev_connect_begin(evutil_socket_t fd, const struct sockaddr *sa, ev_socklen_t len)
{
	int err;

	if (connect(fd, sa, len) == 0)
		return 0;
	err = evutil_socket_geterror(fd);
	return evi_error_is_retriable_connect(err) ? 0 : -err;
}

int evi_bev_connect_error(evutil_socket_t fd)
{
	int err = 0;
	ev_socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, (void *)&err, &len) < 0)
		return evutil_socket_geterror(fd);
	return err;
}

/* What is active starts first: the callback may add to that, and starting moves no byte. */
void evi_bev_connect_done(struct evi_bev *b)
{
	b->flags &= (uint8_t)~EVI_BEV_IS_CONNECTING;
	evi_bev_unwait(&b->pub, EV_WRITE);
	evi_bev_release(b, BOTH, EVI_BEV_HELD_CONNECT, EVI_BEV_CONNECTED);
	if (b->pub.be_ops->connected != NULL)
		b->pub.be_ops->connected(&b->pub);
	else
		evi_bev_notify_event(&b->pub, BEV_EVENT_CONNECTED, 0, 0);
}

void evi_bev_connect_failed(struct evi_bev *b, int err)
{
	evi_bev_connect_abandon(b);
	evi_bev_notify_event(&b->pub, BEV_EVENT_ERROR, err, 0);
}

void evi_bev_connect_end(struct evi_bev *b, int err)
{
	if (err == 0) {
		evi_dial_own_done(b);
		evi_bev_connect_done(b);
	} else if (!evi_dial_own_failed(b, err)) {
		evi_bev_connect_failed(b, err);
	}
}

void evi_bev_connect_ready(struct evi_bev *b)
{
	int err = evi_bev_connect_error(evi_bev_fd(&b->pub));

	if (!evi_error_is_retriable_connect(err))
		evi_bev_connect_end(b, err);
}

/* Both directions are held from now on, also if this fails. */
static int watch(struct evi_bev *b)
{
	int err;

	b->flags |= EVI_BEV_IS_CONNECTING;
	evi_bev_hold(&b->pub, BOTH, EVI_BEV_HELD_CONNECT);
	err = evi_bev_wait(&b->pub, EV_WRITE);
	if (err < 0)
		b->flags &= (uint8_t)~EVI_BEV_IS_CONNECTING;
	return err;
}

int evi_bev_connect_watch(struct evi_bev *b, evutil_socket_t fd)
{
	if (evi_bev_fd(&b->pub) != fd)
		evi_bev_connect_use(b, fd);
	return watch(b);
}

static void report_refusal(struct evi_bev *b, int err)
{
	evi_bev_hold(&b->pub, BOTH, EVI_BEV_HELD_CONNECT);
	evi_bev_disable(&b->pub, BOTH);
	evi_bev_notify_event(&b->pub, BEV_EVENT_ERROR, err, BEV_TRIG_DEFER_CALLBACKS);
}

static int begin(struct evi_bev *b, const struct sockaddr *sa, ev_socklen_t len)
{
	if (sa == NULL)
		return 0; /* the user has begun */
	if (b->pub.be_ops->connect != NULL)
		return b->pub.be_ops->connect(&b->pub, sa, (int)len);
	return evi_bev_connect_begin(evi_bev_fd(&b->pub), sa, len);
}

/* Connects the descriptor that `b` has, or declares it connecting if `sa` is NULL. */
static int connect_own(struct evi_bev *b, const struct sockaddr *sa, ev_socklen_t len)
{
	int err = begin(b, sa, len);

	if (err == 0)
		return watch(b);
	if (!evi_error_is_refused(-err))
		return err;
	report_refusal(b, -err);
	return 0;
}

static int connect_new(struct evi_bev *b, const struct sockaddr *sa, ev_socklen_t len)
{
	evutil_socket_t fd = evi_socket_open(sa->sa_family, SOCK_STREAM, 0);
	int err;

	if (fd < 0)
		return -EVUTIL_SOCKET_ERROR();
	replace_fd(b, fd);
	err = connect_own(b, sa, len);
	if (err < 0) {
		replace_fd(b, EVUTIL_INVALID_SOCKET);
		evi_bev_release(b, BOTH, EVI_BEV_HELD_CONNECT, EVI_BEV_RESUMED);
		(void)evutil_closesocket(fd); /* the first error is the one to tell */
	}
	return err;
}

static int connect_socket(struct evi_bev *b, const struct sockaddr *sa, int len)
{
	if (len < 0 || (sa == NULL && evi_bev_fd(&b->pub) < 0))
		return -EINVAL;
	evi_dial_abandon(b);
	evi_bev_connect_abandon(b);
	if (evi_bev_fd(&b->pub) < 0)
		return connect_new(b, sa, (ev_socklen_t)len);
	return connect_own(b, sa, (ev_socklen_t)len);
}

/* --- The API ---------------------------------------------------------------------------------- */

int bufferevent_socket_connect(struct bufferevent *bev, const struct sockaddr *addr, int socklen)
{
	struct evi_bev *b = evi_bev_of(bev);
	int result = -1, err;

	evi_bev_enter(bev);
	if (bev->be_ops->traits & EVI_BEV_DESCRIPTOR) {
		err = connect_socket(b, addr, socklen);
		if (err < 0)
			EVUTIL_SET_SOCKET_ERROR(-err);
		result = err < 0 ? -1 : 0;
	} else if (b->transport != NULL) {
		result = bufferevent_socket_connect(&b->transport->pub, addr, socklen);
	}
	evi_bev_leave(bev);
	return result;
}

static int set_fd(struct bufferevent *bev, evutil_socket_t fd)
{
	struct evi_bev *b = evi_bev_of(bev);

	if (bev->be_ops->set_fd != NULL)
		return bev->be_ops->set_fd(bev, fd);
	if (bev->be_ops->traits & EVI_BEV_DESCRIPTOR)
		return evi_bev_set_fd(bev, fd);
	if (b->transport != NULL)
		return bufferevent_setfd(&b->transport->pub, fd);
	return -ENOTSUP;
}

int bufferevent_setfd(struct bufferevent *bev, evutil_socket_t fd)
{
	int err;

	evi_bev_enter(bev);
	err = set_fd(bev, fd < 0 ? EVUTIL_INVALID_SOCKET : fd);
	evi_bev_leave(bev);
	return err < 0 ? -1 : 0;
}

/* Stops waiting before the close: the number may be another thread's right afterwards. */
int bufferevent_replacefd(struct bufferevent *bev, evutil_socket_t fd)
{
	evutil_socket_t old;
	int result = -1;

	evi_bev_enter(bev);
	old = bufferevent_getfd(bev);
	if (old < 0 || set_fd(bev, EVUTIL_INVALID_SOCKET) == 0) {
		result = old < 0 ? 0 : evutil_closesocket(old);
		if (set_fd(bev, result == 0 ? fd : old) < 0)
			result = -1;
	}
	evi_bev_leave(bev);
	return result;
}

evutil_socket_t bufferevent_getfd(struct bufferevent *bev)
{
	struct evi_bev *b = evi_bev_of(bev);
	evutil_socket_t fd;

	if (b->transport != NULL)
		return bufferevent_getfd(&b->transport->pub);
	evi_bev_enter(bev);
	fd = evi_bev_fd(bev);
	evi_bev_leave(bev);
	return fd;
}
