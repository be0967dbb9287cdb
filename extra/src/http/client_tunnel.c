/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels through proxies: RFC 9110 section 9.3.6. The proxy is connected to with a bufferevent of its
 * own; once it has agreed, the descriptor moves to the connection's, which shakes hands on it if it is
 * one of TLS. So any transport can go through a proxy.
 */

#include "http/client.h"
#include "http/scan.h"
#include "http/writer.h"
#include "ws/sha1.h"

#include <event2/bufferevent_ssl.h>
#include <event2/component/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_FIXED 128
#define HEAD_MAX   65536 /* bytes of what the proxy says */

struct evi_tunnel {
	struct bufferevent *bev; /* to the proxy; closes its descriptor */
	struct evi_request *r;   /* for the head of its answer */
};

struct bufferevent *evi_client_dialled(const struct evhttp_connection *c)
{
	return c->client->tunnel != NULL ? c->client->tunnel->bev : c->bev;
}

void evi_tunnel_close(struct evi_client *client)
{
	struct evi_tunnel *tunnel = client->tunnel;

	if (tunnel == NULL)
		return;
	client->tunnel = NULL;
	if (tunnel->bev != NULL)
		bufferevent_free(tunnel->bev);
	if (tunnel->r != NULL)
		evi_request_destroy(tunnel->r);
	evi_free(tunnel);
}

/* --- Asking ------------------------------------------------------------------------------------- */

static void fail(struct evhttp_connection *c, int err, int status, const char *text)
{
	const struct evhttp_failure failure = {
		.stage = EVHTTP_STAGE_PROXY,
		.reason = status != 0 ? EVREQ_HTTP_EOF : EVREQ_HTTP_INVALID_HEADER,
		.socket_error = err,
		.proxy_status = status,
		.text = text,
	};

	evi_client_connect_failed(c, err, &failure);
}

static void write_target(struct evi_writer *w, const struct evi_client *client)
{
	int is_bracketed = strchr(client->address, ':') != NULL;

	EVI_WRITE(w, " ");
	if (is_bracketed)
		EVI_WRITE(w, "[");
	evi_write_text(w, client->address);
	if (is_bracketed)
		EVI_WRITE(w, "]");
	EVI_WRITE(w, ":");
	evi_write_number(w, client->port);
}

static int ask(struct evhttp_connection *c)
{
	const struct evi_client *client = c->client;
	const char *credentials = client->proxy_credentials;
	struct evi_writer w;
	size_t max = HEAD_FIXED + 2 * strlen(client->address) +
		     (credentials != NULL ? strlen(credentials) : 0);

	if (evi_writer_open(&w, bufferevent_get_output(client->tunnel->bev), max) != 0)
		return -ENOMEM;
	EVI_WRITE(&w, "CONNECT");
	write_target(&w, client);
	EVI_WRITE(&w, " HTTP/1.1\r\nHost:");
	write_target(&w, client);
	EVI_WRITE(&w, "\r\n");
	if (credentials != NULL) {
		EVI_WRITE(&w, "Proxy-Authorization: ");
		evi_write_text(&w, credentials);
		EVI_WRITE(&w, "\r\n");
	}
	EVI_WRITE(&w, "\r\n");
	return evi_writer_close(&w);
}

/* --- The answer --------------------------------------------------------------------------------- */

/* The tunnel stands: its descriptor becomes the connection's. */
static void enter_tunnel(struct evhttp_connection *c)
{
	struct bufferevent *bev = c->client->tunnel->bev;
	evutil_socket_t fd = bufferevent_getfd(bev);

	if (evbuffer_get_length(bufferevent_get_input(bev)) > 0) {
		/* Nobody has spoken to the server yet. */
		fail(c, EPROTO, 0, "the proxy sent more than its answer");
		return;
	}
	(void)bufferevent_disable(bev, EV_READ | EV_WRITE);
	(void)bufferevent_setfd(bev, EVUTIL_INVALID_SOCKET);
	evi_tunnel_close(c->client);
	bufferevent_setcb(c->bev, evi_client_on_read, evi_client_on_write, evi_client_on_event, c);
	if (bufferevent_setfd(c->bev, fd) != 0) {
		evutil_closesocket(fd);
		fail(c, ENOMEM, 0, "the tunnel could not be used");
	} else if (bufferevent_ssl_get_flags(c->bev) == EV_UINT64_MAX) {
		evi_client_connected(c);
	}
}

static enum evi_head_step take_head(struct evi_tunnel *tunnel)
{
	struct evbuffer *in = bufferevent_get_input(tunnel->bev);
	struct evbuffer_iovec span;
	enum evi_head_step step = EVI_HEAD_MORE;

	while (step == EVI_HEAD_MORE && evbuffer_peek(in, -1, NULL, &span, 1) > 0) {
		size_t used;

		step = evi_head_take(&tunnel->r->head, span.iov_base, span.iov_len, &used);
		evbuffer_drain(in, used);
	}
	return step;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;
	struct evi_tunnel *tunnel = c->client->tunnel;
	const struct evi_head *head = &tunnel->r->head;
	enum evi_head_step step;

	(void)bev;
	evi_connection_enter(c);
	for (;;) {
		step = take_head(tunnel);
		if (step != EVI_HEAD_DONE || head->code / 100 != 1)
			break;
		evi_request_start_head(tunnel->r, EVI_HEAD_RESPONSE, HEAD_MAX);
	}
	if (step == EVI_HEAD_BAD)
		fail(c, EPROTO, 0, evi_head_error_text((enum evi_head_error)head->error));
	else if (step == EVI_HEAD_DONE && head->code / 100 != 2)
		fail(c, 0, head->code, "the proxy refused");
	else if (step == EVI_HEAD_DONE)
		enter_tunnel(c);
	evi_connection_leave(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct evhttp_connection *c = arg;

	if ((what & BEV_EVENT_CONNECTED) == 0) {
		evi_client_on_event(bev, what, c);
		return;
	}
	evi_connection_enter(c);
	if (ask(c) != 0 || bufferevent_enable(bev, EV_READ | EV_WRITE) != 0)
		fail(c, ENOMEM, 0, "no memory to ask the proxy");
	evi_connection_leave(c);
}

int evi_tunnel_open(struct evhttp_connection *c)
{
	struct evi_tunnel *tunnel = evi_calloc(1, sizeof(*tunnel));

	evi_tunnel_close(c->client);
	if (tunnel == NULL)
		return -ENOMEM;
	c->client->tunnel = tunnel;
	tunnel->bev = bufferevent_socket_new(c->base, EVUTIL_INVALID_SOCKET, BEV_OPT_CLOSE_ON_FREE);
	tunnel->r = evi_request_make();
	if (tunnel->bev == NULL || tunnel->r == NULL) {
		evi_tunnel_close(c->client);
		return -ENOMEM;
	}
	evi_request_start_head(tunnel->r, EVI_HEAD_RESPONSE, HEAD_MAX);
	bufferevent_setcb(tunnel->bev, on_read, NULL, on_event, c);
	return 0;
}

/* --- Public ------------------------------------------------------------------------------------- */

/* RFC 7617. NULL when out of memory. */
static char *encode_credentials(const char *text)
{
	static const char scheme[] = "Basic ";
	size_t len = strlen(text);
	char *value = evi_malloc(sizeof(scheme) + (len + 2) / 3 * 4);

	if (value == NULL)
		return NULL;
	memcpy(value, scheme, sizeof(scheme) - 1);
	evi_base64_encode((const uint8_t *)text, len, value + sizeof(scheme) - 1);
	return value;
}

/* What cannot stand in a request line. */
static int is_good_host(const char *host)
{
	return *host != '\0' && evi_scan_text(host, strlen(host)) == strlen(host) &&
	       strpbrk(host, " \t/@") == NULL;
}

int evhttp_connection_set_proxy(struct evhttp_connection *c, const char *address, ev_uint16_t port,
				const char *credentials)
{
	struct evi_client *client = c->client;
	char *proxy = NULL, *value = NULL;

	if (client == NULL || client->address == NULL || c->state != EVI_CLIENT_DOWN)
		return -1;
	if (address != NULL) {
		if (!is_good_host(address) || !is_good_host(client->address))
			return -1;
		proxy = evi_strdup(address);
		value = credentials != NULL ? encode_credentials(credentials) : NULL;
		if (proxy == NULL || (credentials != NULL && value == NULL)) {
			evi_free(proxy);
			evi_free(value);
			return -1;
		}
	}
	evi_free(client->proxy);
	evi_free(client->proxy_credentials);
	client->proxy = proxy;
	client->proxy_port = port;
	client->proxy_credentials = value;
	c->address.is_known = 0;
	return 0;
}
