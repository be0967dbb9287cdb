/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS engine: where records come from and go to, a socket or another bufferevent. */

#include "evbuffer.h"
#include "os/os_io.h"
#include "tls/tls.h"

#include <errno.h>

/* A peer that is gone is an error to return, not a signal. */
#ifdef MSG_NOSIGNAL
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

static ev_ssize_t failed(struct evi_tls *tls, int err)
{
	if (evi_error_is_retriable_rw(err))
		return -EAGAIN;
	tls->transport_err = err;
	if (evi_error_is_reset(err))
		tls->is_transport_ended = 1;
	return -err;
}

static ev_ssize_t note(struct evi_tls *tls, ev_ssize_t n)
{
	return n >= 0 ? n : failed(tls, EVUTIL_SOCKET_ERROR());
}

/*
 * A read that got less than it asked for has emptied the socket: the next one would be for nothing.
 */
static ev_ssize_t recv_socket(struct evi_tls *tls, evutil_socket_t fd, void *data, size_t len)
{
	ev_ssize_t n;

	if (fd < 0 || tls->is_drained)
		return -EAGAIN;
	n = note(tls, recv(fd, data, len, 0));
	tls->is_drained = n == -EAGAIN || (n > 0 && (size_t)n < len);
	return n;
}

static ev_ssize_t recv_below(struct evi_tls *tls, struct bufferevent *transport, void *data,
			     size_t len)
{
	int n = evbuffer_remove(transport->input, data, len);

	if (n > 0)
		return n;
	/* what the user has frozen is still to come */
	return tls->is_transport_ended && evi_evbuffer_len(transport->input) == 0 ? 0 : -EAGAIN;
}

ev_ssize_t evi_tls_recv(struct evi_tls *tls, void *data, size_t len)
{
	struct bufferevent *transport = evi_bev_transport(tls->bev);
	ev_ssize_t n;

	if (transport != NULL)
		n = recv_below(tls, transport, data, len);
	else
		n = recv_socket(tls, evi_bev_fd(tls->bev), data, len);
	if (n == 0)
		tls->is_transport_ended = 1;
	if (n > 0) {
		tls->received += (size_t)n;
		tls->has_received = 1;
	}
	return n;
}

int evi_tls_may_recv(const struct evi_tls *tls)
{
	const struct bufferevent *transport = evi_bev_transport(tls->bev);

	if (transport == NULL)
		return !tls->is_drained;
	return tls->is_transport_ended || evi_evbuffer_len(transport->input) > 0;
}

/* Not more is put into what is below than its high mark allows. */
static ev_ssize_t send_below(struct bufferevent *transport, const void *data, size_t len)
{
	size_t high = transport->wm_write.high, held = evbuffer_get_length(transport->output);

	if (high != 0 && held >= high)
		return -EAGAIN;
	if (high != 0 && len > high - held)
		len = high - held;
	if (transport->output->flags & EVI_BUF_FROZEN_END)
		return -EAGAIN;
	return evbuffer_add(transport->output, data, len) == 0 ? (ev_ssize_t)len : -ENOMEM;
}

ev_ssize_t evi_tls_send(struct evi_tls *tls, const void *data, size_t len)
{
	struct bufferevent *transport = evi_bev_transport(tls->bev);
	ev_ssize_t n;

	if (transport != NULL)
		n = send_below(transport, data, len);
	else if (evi_bev_fd(tls->bev) < 0)
		n = -EAGAIN;
	else
		n = note(tls, send(evi_bev_fd(tls->bev), data, len, SEND_FLAGS));
	if (n > 0)
		tls->sent += (size_t)n;
	return n;
}

ev_ssize_t evi_tls_send_by(struct evi_tls *tls, ev_ssize_t (*call)(void *arg), void *arg)
{
	ev_ssize_t n = evi_io_call_quietly(call, arg);

	if (n == -EINVAL || n == -ENOSYS)
		return n;
	if (n < 0)
		return failed(tls, (int)-n);
	tls->sent += (size_t)n;
	return n;
}

int evi_tls_is_on_socket(const struct evi_tls *tls)
{
	return evi_bev_is(tls->bev, &evi_tls_socket_ops);
}

evutil_socket_t evi_tls_fd(const struct evi_tls *tls)
{
	struct bufferevent *transport = evi_bev_transport(tls->bev);

	return transport != NULL ? bufferevent_getfd(transport) : evi_bev_fd(tls->bev);
}

void evi_tls_charge(struct evi_tls *tls)
{
	size_t received = tls->received, sent = tls->sent;

	tls->received = tls->sent = 0;
	if (received > 0)
		evi_bev_moved(tls->bev, EV_READ, received);
	if (sent > 0)
		evi_bev_moved(tls->bev, EV_WRITE, sent);
}
