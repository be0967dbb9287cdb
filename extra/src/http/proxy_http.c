/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking an HTTP proxy for a tunnel: RFC 9110 section 9.3.6, RFC 7617. */

#include "http/client_tunnel.h"

#include "http/writer.h"
#include "ws/sha1.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

#define HEAD_FIXED  128
#define HEAD_MAX    65536 /* bytes of what the proxy says */
#define INTERIM_MAX 100   /* heads before the answer */

static char *encode(const char *credentials)
{
	static const char scheme[] = "Basic ";
	size_t len = strlen(credentials);
	char *value = evi_malloc(sizeof(scheme) + (len + 2) / 3 * 4);

	if (value == NULL)
		return NULL;
	memcpy(value, scheme, sizeof(scheme) - 1);
	evi_base64_encode((const uint8_t *)credentials, len, value + sizeof(scheme) - 1);
	return value;
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

static int ask(struct evi_client *client)
{
	struct evi_tunnel *tunnel = client->tunnel;
	const char *credentials = client->proxy_credentials;
	struct evi_writer w;
	size_t max = HEAD_FIXED + 2 * strlen(client->address) +
		     (credentials != NULL ? strlen(credentials) : 0);

	tunnel->r = evi_request_make(EVI_CLIENT_BLOCK);
	if (tunnel->r == NULL || evi_writer_open(&w, bufferevent_get_output(tunnel->bev), max) != 0)
		return -ENOMEM;
	evi_request_start_head(tunnel->r, EVI_HEAD_RESPONSE, HEAD_MAX);
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

static enum evi_tunnel_verdict take(struct evi_client *client, int *ret_status,
				    const char **ret_text)
{
	struct evi_tunnel *tunnel = client->tunnel;
	const struct evi_head *head = &tunnel->r->head;
	enum evi_head_step step;

	for (;;) {
		step = take_head(tunnel);
		if (step != EVI_HEAD_DONE || head->code / 100 != 1)
			break;
		if (++tunnel->step > INTERIM_MAX) {
			*ret_text = "the proxy does not come to an answer";
			return EVI_TUNNEL_NONSENSE;
		}
		evi_request_start_head(tunnel->r, EVI_HEAD_RESPONSE, HEAD_MAX);
	}
	if (step == EVI_HEAD_MORE)
		return EVI_TUNNEL_MORE;
	if (step == EVI_HEAD_BAD) {
		*ret_text = evi_head_error_text((enum evi_head_error)head->error);
		return EVI_TUNNEL_NONSENSE;
	}
	*ret_status = head->code;
	*ret_text = "the proxy refused";
	return head->code / 100 == 2 ? EVI_TUNNEL_READY : EVI_TUNNEL_REFUSED;
}

const struct evi_proxy_ops evi_proxy_http = {
	.encode = encode,
	.ask = ask,
	.take = take,
};
