/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asking a SOCKS proxy for a connection: RFC 1928, and RFC 1929 for user name and password.
 *
 * client                          proxy
 *   5 N METHOD*N            ->
 *                           <-      5 METHOD
 *   1 LEN USER LEN PASSWORD ->                         if the method is 2
 *                           <-      1 STATUS
 *   5 1 0 TYPE ADDRESS PORT ->
 *                           <-      5 REPLY 0 TYPE ADDRESS PORT
 */

#include "http/client_tunnel.h"

#include <event2/component/reactor.h>

#include <errno.h>
#include <string.h>

enum { VERSION = 5, AUTH_VERSION = 1, METHOD_NONE = 0, METHOD_PASSWORD = 2, COMMAND_CONNECT = 1 };
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };
enum { STEP_METHOD, STEP_AUTH, STEP_REPLY };

#define TEXT_MAX 255 /* a length is one byte */

/* Kept as they are; both parts must fit. */
static char *encode(const char *credentials)
{
	const char *colon = strchr(credentials, ':');

	if (colon == NULL || colon == credentials || colon - credentials > TEXT_MAX ||
	    colon[1] == '\0' || strlen(colon + 1) > TEXT_MAX)
		return NULL;
	return evi_strdup(credentials);
}

static int send_bytes(struct evi_client *client, const uint8_t *bytes, size_t len)
{
	return evbuffer_add(bufferevent_get_output(client->tunnel->bev), bytes, len) == 0 ? 0
											  : -ENOMEM;
}

static int ask(struct evi_client *client)
{
	const uint8_t with[] = { VERSION, 2, METHOD_NONE, METHOD_PASSWORD };
	const uint8_t without[] = { VERSION, 1, METHOD_NONE };

	client->tunnel->step = STEP_METHOD;
	return client->proxy_credentials != NULL ? send_bytes(client, with, sizeof(with))
						 : send_bytes(client, without, sizeof(without));
}

/* A byte of length, then the text. Where the next byte goes. */
static uint8_t *put_text(uint8_t *at, const char *text, size_t len)
{
	*at++ = (uint8_t)len;
	memcpy(at, text, len);
	return at + len;
}

static int send_password(struct evi_client *client)
{
	uint8_t bytes[1 + 2 * (1 + TEXT_MAX)];
	const char *user = client->proxy_credentials;
	const char *colon = strchr(user, ':');
	uint8_t *at = bytes;

	*at++ = AUTH_VERSION;
	at = put_text(at, user, (size_t)(colon - user));
	at = put_text(at, colon + 1, strlen(colon + 1));
	client->tunnel->step = STEP_AUTH;
	return send_bytes(client, bytes, (size_t)(at - bytes));
}

static int send_connect(struct evi_client *client)
{
	uint8_t bytes[4 + 1 + TEXT_MAX + 2] = { VERSION, COMMAND_CONNECT, 0, TYPE_IPV4 };
	uint8_t *at = bytes + 4;

	if (evutil_inet_pton(AF_INET, client->address, at) == 1) {
		at += 4;
	} else if (evutil_inet_pton(AF_INET6, client->address, at) == 1) {
		bytes[3] = TYPE_IPV6;
		at += 16;
	} else {
		size_t len = strlen(client->address);

		bytes[3] = TYPE_NAME;
		at = put_text(at, client->address, len < TEXT_MAX ? len : TEXT_MAX);
	}
	*at++ = (uint8_t)(client->port >> 8);
	*at++ = (uint8_t)client->port;
	client->tunnel->step = STEP_REPLY;
	return send_bytes(client, bytes, (size_t)(at - bytes));
}

/* The length of the reply, as far as `have` bytes of it tell; 0 if its address is of no known type.
 */
static size_t reply_len(const uint8_t *reply, size_t have)
{
	if (have < 5)
		return 5;
	switch (reply[3]) {
	case TYPE_IPV4:
		return 4 + 4 + 2;
	case TYPE_IPV6:
		return 4 + 16 + 2;
	case TYPE_NAME:
		return 4 + 1 + (size_t)reply[4] + 2;
	default:
		return 0;
	}
}

static const char *reply_text(int reply)
{
	static const char *const texts[] = {
		[1] = "the proxy failed",
		[2] = "the proxy does not allow that",
		[3] = "the proxy finds the network unreachable",
		[4] = "the proxy finds the host unreachable",
		[5] = "the server refused the proxy's connection",
		[6] = "the proxy gave up after a while",
		[7] = "the proxy makes no connections",
		[8] = "the proxy does not know that kind of address",
	};

	return reply > 0 && reply < (int)(sizeof(texts) / sizeof(texts[0])) ? texts[reply]
									   : "the proxy refused";
}

static enum evi_tunnel_verdict nonsense(const char **ret_text)
{
	*ret_text = "the proxy does not speak SOCKS 5";
	return EVI_TUNNEL_NONSENSE;
}

static enum evi_tunnel_verdict next(int err)
{
	return err == 0 ? EVI_TUNNEL_MORE : EVI_TUNNEL_MEMORY;
}

/* The two bytes that answer the first two messages. */
static enum evi_tunnel_verdict take_short(struct evi_client *client, const uint8_t *bytes,
					  int *ret_status, const char **ret_text)
{
	int is_method = client->tunnel->step == STEP_METHOD;

	if (bytes[0] != (is_method ? VERSION : AUTH_VERSION))
		return nonsense(ret_text);
	if (bytes[1] == 0)
		return next(send_connect(client));
	if (is_method && bytes[1] == METHOD_PASSWORD && client->proxy_credentials != NULL)
		return next(send_password(client));
	*ret_status = bytes[1];
	*ret_text = is_method ? "the proxy wants other credentials"
			      : "the proxy does not accept the credentials";
	return EVI_TUNNEL_REFUSED;
}

static enum evi_tunnel_verdict take(struct evi_client *client, int *ret_status,
				    const char **ret_text)
{
	struct evbuffer *in = bufferevent_get_input(client->tunnel->bev);
	enum evi_tunnel_verdict verdict = EVI_TUNNEL_MORE;
	uint8_t bytes[4 + 1 + TEXT_MAX + 2];

	while (client->tunnel->step != STEP_REPLY) {
		if (evbuffer_get_length(in) < 2)
			return EVI_TUNNEL_MORE;
		(void)evbuffer_remove(in, bytes, 2);
		verdict = take_short(client, bytes, ret_status, ret_text);
		if (verdict != EVI_TUNNEL_MORE)
			return verdict;
	}
	for (size_t have = 0, want = 5; have < want;) {
		ev_ssize_t got = evbuffer_copyout(in, bytes, want);

		have = got > 0 ? (size_t)got : 0;
		if (have > 0 && bytes[0] != VERSION)
			return nonsense(ret_text);
		if (have > 1 && bytes[1] != 0) {
			*ret_status = bytes[1];
			*ret_text = reply_text(bytes[1]);
			return EVI_TUNNEL_REFUSED;
		}
		if (have < want)
			return EVI_TUNNEL_MORE;
		want = reply_len(bytes, have);
		if (want == 0)
			return nonsense(ret_text);
		if (have == want)
			(void)evbuffer_drain(in, want);
	}
	return EVI_TUNNEL_READY;
}

const struct evi_proxy_ops evi_proxy_socks = {
	.encode = encode,
	.ask = ask,
	.take = take,
};
