/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Getting and losing the transport: connecting, retrying, closing.
 */

#include "http/client.h"
#include "os/os_net.h"

#include <event2/bufferevent_ssl.h>
#include <event2/component/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DELAY_MAX_SECONDS 3600

/* --- Timer ------------------------------------------------------------------------------------ */

static void failed(struct evhttp_connection *c, int err);

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct evhttp_connection *c = arg;

	(void)fd;
	(void)what;
	c->client->is_timing = 0;
	evi_connection_enter(c);
	switch (c->state) {
	case EVI_CLIENT_WAIT:
		c->state = EVI_CLIENT_DOWN;
		evi_client_pump(c);
		break;
	case EVI_CLIENT_CONNECT:
		failed(c, EVI_NET_TIMED_OUT);
		break;
	case EVI_CLIENT_HEAD:
		/* No 100 (Continue) after all (RFC 9110 10.1.1): the body goes out unasked. */
		if (evi_client_send_body(c, c->current) != 0)
			evi_client_fail(c, EVREQ_HTTP_BUFFER_ERROR);
		break;
	default:
		break;
	}
	evi_connection_leave(c);
}

void evi_client_start_timer(struct evhttp_connection *c, const struct timeval *after)
{
	struct evi_client *client = c->client;

	if (!evi_timeval_is_set(after)) {
		evi_client_stop_timer(c);
		return;
	}
	if (!client->has_timer)
		client->has_timer = evtimer_assign(&client->timer, c->base, on_timer, c) == 0;
	if (client->has_timer)
		client->is_timing = evtimer_add(&client->timer, after) == 0;
}

void evi_client_stop_timer(struct evhttp_connection *c)
{
	if (!c->client->is_timing)
		return;
	c->client->is_timing = 0;
	(void)evtimer_del(&c->client->timer);
}

void evi_client_apply_timeouts(struct evhttp_connection *c, int is_sending)
{
	struct evi_client *client = c->client;

	/*
	 * A request that follows another finds them as they are; enabling the transport starts
	 * them.
	 */
	if (client->has_timeouts && client->is_mute == (is_sending != 0))
		return;
	client->has_timeouts = 1;
	client->is_mute = is_sending != 0;
	(void)bufferevent_set_timeouts(
		c->bev, is_sending ? NULL : evi_timeval_or_none(&client->read_timeout),
		evi_timeval_or_none(&client->write_timeout));
}

/* --- Losing it -------------------------------------------------------------------------------- */

/* Empties what the last transport left behind. The front of the output is the transport's own. */
static void empty_buffers(struct bufferevent *bev)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer *out = bufferevent_get_output(bev);

	evbuffer_drain(in, evbuffer_get_length(in));
	evbuffer_unfreeze(out, 1);
	evbuffer_drain(out, evbuffer_get_length(out));
	evbuffer_freeze(out, 1);
}

static void close_transport(struct evhttp_connection *c)
{
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
	(void)bufferevent_ssl_shutdown(c->bev); /* there may be no TLS, or nothing to say it on */
	(void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	(void)bufferevent_set_timeouts(c->bev, NULL, NULL);
	c->client->has_timeouts = 0;
	(void)bufferevent_setfd(c->bev, -1);
	if (fd >= 0)
		evutil_closesocket(fd);
	empty_buffers(c->bev);
}

void evi_client_down(struct evhttp_connection *c)
{
	if (c->state == EVI_CLIENT_DOWN || c->is_freed)
		return;
	evi_client_stop_timer(c);
	evi_tunnel_close(c->client);
	c->state = EVI_CLIENT_DOWN;
	c->client->has_write_error = 0;
	close_transport(c);
	evi_connection_tell_closed(c);
}

/* --- Getting it ------------------------------------------------------------------------------- */

static struct timeval delay_of(const struct evi_client *client)
{
	struct timeval delay = client->first_delay;

	for (int i = 1; i < client->retries && delay.tv_sec < DELAY_MAX_SECONDS; i++)
		evutil_timeradd(&delay, &delay, &delay);
	if (delay.tv_sec >= DELAY_MAX_SECONDS)
		delay = (struct timeval){ DELAY_MAX_SECONDS, 0 };
	return delay;
}

static void wait_to_retry(struct evhttp_connection *c)
{
	struct timeval delay;

	c->client->retries++;
	delay = delay_of(c->client);
	if (!evi_timeval_is_set(&delay))
		delay.tv_usec = 1;
	c->state = EVI_CLIENT_WAIT;
	evi_client_start_timer(c, &delay);
}

/* Only "nobody answers" is worth another attempt. */
void evi_client_connect_failed(struct evhttp_connection *c, int err,
			       const struct evhttp_failure *failure)
{
	struct evi_client *client = c->client;
	int is_silence =
		failure->lookup_error == 0 && (evi_error_is_refused(err) || err == EVI_NET_TIMED_OUT);
	int may_retry = client->address != NULL || client->path != NULL;

	client->socket_error = err;
	evi_client_down(c);
	if (c->is_freed)
		return;
	if (is_silence && may_retry &&
	    (client->retries_max < 0 || client->retries < client->retries_max)) {
		wait_to_retry(c);
		return;
	}
	client->retries = 0;
	if (is_silence)
		evi_client_report_refused(c, failure);
	else
		evi_client_report_unreachable(c, failure);
	if (!c->is_freed)
		evi_client_pump(c);
}

/* How far an attempt has come. A TLS bufferevent shakes hands once its descriptor is connected. */
static enum evhttp_failure_stage stage_of(const struct evhttp_connection *c)
{
	struct bufferevent *bev = evi_client_dialled(c);
	struct sockaddr_storage peer;
	ev_socklen_t len = sizeof(peer);

	if (c->client->lookup_error != 0)
		return EVHTTP_STAGE_LOOKUP;
	if (getpeername(bufferevent_getfd(bev), (struct sockaddr *)&peer, &len) != 0)
		return EVHTTP_STAGE_CONNECT;
	return c->client->tunnel != NULL ? EVHTTP_STAGE_PROXY : EVHTTP_STAGE_TLS;
}

static void failed(struct evhttp_connection *c, int err)
{
	const int lookup_error = c->client->lookup_error;
	char text[EVI_FAILURE_TEXT];
	struct evhttp_failure failure = {
		.stage = stage_of(c),
		.reason = err == EVI_NET_TIMED_OUT ? EVREQ_HTTP_TIMEOUT : EVREQ_HTTP_EOF,
		.socket_error = err,
		.lookup_error = lookup_error,
		.text = lookup_error != 0 ? evutil_gai_strerror(lookup_error)
					  : evutil_socket_error_to_string(err),
	};

	if (err == 0 && failure.stage >= EVHTTP_STAGE_TLS)
		failure.text = "the connection ended before it was ready";
	evi_failure_note_tls(&failure, c->bev, text);
	evi_client_connect_failed(c, err, &failure);
}

static void note_address(struct evhttp_connection *c)
{
	struct sockaddr_storage peer = { 0 };
	ev_socklen_t len = sizeof(peer);

	if (getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&peer, &len) == 0)
		(void)evi_address_set(&c->address, (struct sockaddr *)&peer, len);
}

void evi_client_connected(struct evhttp_connection *c)
{
	evi_client_stop_timer(c);
	c->client->retries = 0;
	c->client->socket_error = 0;
	c->is_established = 1;
	c->state = EVI_CLIENT_IDLE;
	note_address(c);
	evi_client_apply_timeouts(c, 0);
	if (bufferevent_enable(c->bev, EV_READ | EV_WRITE) != 0) {
		evi_client_down(c);
		if (c->is_freed)
			return;
	}
	evi_client_pump(c);
}

void evi_client_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evhttp_connection *c = arg;
	int err = EVUTIL_SOCKET_ERROR();

	evi_connection_enter(c);
	if (c->state != EVI_CLIENT_CONNECT) {
		evi_client_on_end(c, what);
	} else if ((what & BEV_EVENT_CONNECTED) != 0) {
		evi_client_connected(c);
	} else {
		c->client->lookup_error = bufferevent_socket_get_dns_error(bev);
		if ((what & BEV_EVENT_TIMEOUT) != 0)
			err = EVI_NET_TIMED_OUT;
		else if ((what & BEV_EVENT_EOF) != 0)
			err = 0;
		failed(c, err);
	}
	evi_connection_leave(c);
}

/* A socket bound to the source address the program wants. -1: there is none. */
static evutil_socket_t bind_source(const struct evi_client *client)
{
	struct evutil_addrinfo hints = {
		.ai_family = client->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = EVUTIL_AI_PASSIVE | EVUTIL_AI_NUMERICSERV,
	};
	struct evutil_addrinfo *found = NULL;
	evutil_socket_t fd = -1;
	char port[8];
	int on = 1;

	(void)snprintf(port, sizeof(port), "%u", (unsigned)client->local_port);
	if (client->local_address == NULL && client->family == AF_UNSPEC)
		hints.ai_family = AF_INET;
	if (evutil_getaddrinfo(client->local_address, port, &hints, &found) != 0)
		return -1;
	fd = evi_socket_open(found->ai_family, SOCK_STREAM, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)&on, sizeof(on));
		if (evutil_make_listen_socket_reuseable(fd) != 0 ||
		    bind(fd, found->ai_addr, (ev_socklen_t)found->ai_addrlen) != 0) {
			evutil_closesocket(fd);
			fd = -1;
		}
	}
	evutil_freeaddrinfo(found);
	return fd;
}

static int start_unix(struct evhttp_connection *c)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	memcpy(name.sun_path, c->client->path, strlen(c->client->path) + 1);
	return bufferevent_socket_connect(c->bev, (struct sockaddr *)&name, sizeof(name));
}

static int start(struct evhttp_connection *c)
{
	const struct evi_client *client = c->client;
	struct evi_address *known = &c->address;
	struct bufferevent *bev = evi_client_dialled(c);

	if (client->path != NULL)
		return start_unix(c);
	if (client->address == NULL) {
		EVUTIL_SET_SOCKET_ERROR(EVI_NET_REFUSED);
		return -1;
	}
	if ((c->flags & EVHTTP_CON_REUSE_CONNECTED_ADDR) != 0 && known->is_known)
		return bufferevent_socket_connect(bev, &known->socket.any,
						  known->socket.any.sa_family == AF_INET
							  ? (int)sizeof(known->socket.v4)
							  : (int)sizeof(known->socket.v6));
	if (client->proxy != NULL)
		return bufferevent_socket_connect_hostname(bev, client->dnsbase, client->family,
							   client->proxy, client->proxy_port);
	return bufferevent_socket_connect_hostname(bev, client->dnsbase, client->family,
						   client->address, client->port);
}

/* A numeric address is known before it is connected to. */
static void note_target(struct evhttp_connection *c)
{
	const struct evi_client *client = c->client;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(client->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(client->port) };

	if (client->address == NULL || client->proxy != NULL)
		return;
	if (evutil_inet_pton(AF_INET, client->address, &v4.sin_addr) == 1)
		(void)evi_address_set(&c->address, (struct sockaddr *)&v4, sizeof(v4));
	else if (evutil_inet_pton(AF_INET6, client->address, &v6.sin6_addr) == 1)
		(void)evi_address_set(&c->address, (struct sockaddr *)&v6, sizeof(v6));
}

/* Give what is to be connected a socket of that source address. 0 or -EADDRNOTAVAIL. */
static int use_source(struct evhttp_connection *c)
{
	const struct evi_client *client = c->client;
	evutil_socket_t fd;

	if (client->local_address == NULL && client->local_port == 0)
		return 0;
	fd = bind_source(client);
	if (fd >= 0 && bufferevent_setfd(evi_client_dialled(c), fd) == 0)
		return 0;
	if (fd >= 0)
		evutil_closesocket(fd);
	return -EADDRNOTAVAIL;
}

int evi_client_connect(struct evhttp_connection *c)
{
	struct evi_client *client = c->client;
	int err = client->proxy != NULL ? evi_tunnel_open(c) : 0;

	if (err == 0)
		err = use_source(c);
	if (err != 0) {
		evi_tunnel_close(client);
		return err;
	}
	client->has_tried = 1;
	client->lookup_error = 0;
	c->state = EVI_CLIENT_CONNECT;
	note_target(c);
	if (client->tunnel == NULL)
		bufferevent_setcb(c->bev, evi_client_on_read, evi_client_on_write,
				  evi_client_on_event, c);
	/* As when it was new: a TLS transport whose directions are all disabled shakes no hands. */
	(void)bufferevent_enable(c->bev, EV_WRITE);
	evi_client_start_timer(c, &client->connect_timeout);
	if (start(c) != 0 && !c->is_freed && c->state == EVI_CLIENT_CONNECT)
		failed(c, EVUTIL_SOCKET_ERROR());
	return 0;
}
