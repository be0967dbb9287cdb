/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels through proxies. The proxy is connected to with a bufferevent of its own; once it has
 * agreed, in whatever protocol, the descriptor moves to the connection's, which shakes hands on it
 * if it is one of TLS. So any transport can go through a proxy.
 */

#include "http/client_tunnel.h"

#include "http/scan.h"

#include <event2/bufferevent_ssl.h>
#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

#define HOST_MAX 255 /* bytes: a name in DNS, and in SOCKS */

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

/* --- The answer ---------------------------------------------------------------------------------
 */

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

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evhttp_connection *c = arg;
	int status = 0;
	const char *text = NULL;

	(void)bev;
	evi_connection_enter(c);
	switch (c->client->proxy_ops->take(c->client, &status, &text)) {
	case EVI_TUNNEL_READY:
		enter_tunnel(c);
		break;
	case EVI_TUNNEL_REFUSED:
		fail(c, 0, status, text);
		break;
	case EVI_TUNNEL_NONSENSE:
		fail(c, EPROTO, 0, text);
		break;
	case EVI_TUNNEL_MEMORY:
		fail(c, ENOMEM, 0, "no memory to ask the proxy");
		break;
	case EVI_TUNNEL_MORE:
		break;
	}
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
	if (c->client->proxy_ops->ask(c->client) != 0 ||
	    bufferevent_enable(bev, EV_READ | EV_WRITE) != 0)
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
	if (tunnel->bev == NULL) {
		evi_tunnel_close(c->client);
		return -ENOMEM;
	}
	bufferevent_setcb(tunnel->bev, on_read, NULL, on_event, c);
	return 0;
}

/* --- Public -------------------------------------------------------------------------------------
 */

/* What cannot stand in a request line. */
static int is_good_host(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && len <= HOST_MAX && evi_scan_text(host, len) == len &&
	       strpbrk(host, " \t/@") == NULL;
}

static int set_proxy(struct evhttp_connection *c, const struct evi_proxy_ops *ops,
		     const char *address, ev_uint16_t port, const char *credentials)
{
	struct evi_client *client = c->client;
	char *proxy = NULL, *encoded = NULL;

	if (client == NULL || client->address == NULL || c->state != EVI_CLIENT_DOWN)
		return -1;
	if (address != NULL) {
		if (!is_good_host(address) || !is_good_host(client->address))
			return -1;
		proxy = evi_strdup(address);
		encoded = credentials != NULL ? ops->encode(credentials) : NULL;
		if (proxy == NULL || (credentials != NULL && encoded == NULL)) {
			evi_free(proxy);
			evi_free(encoded);
			return -1;
		}
	}
	evi_free(client->proxy);
	evi_free(client->proxy_credentials);
	client->proxy = proxy;
	client->proxy_port = port;
	client->proxy_ops = ops;
	client->proxy_credentials = encoded;
	c->address.is_known = 0;
	return 0;
}

int evhttp_connection_set_proxy(struct evhttp_connection *c, const char *address, ev_uint16_t port,
				const char *credentials)
{
	return set_proxy(c, &evi_proxy_http, address, port, credentials);
}

int evhttp_connection_set_socks_proxy(struct evhttp_connection *c, const char *address,
				      ev_uint16_t port, const char *credentials)
{
	return set_proxy(c, &evi_proxy_socks, address, port, credentials);
}
