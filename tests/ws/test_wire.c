/* SPDX-License-Identifier: BSD-3-Clause */
/* An echo server, and the bytes it answers with. */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/ws.h>
#include <support.h>

#include <arpa/inet.h>
#include <string.h>

TestSuite(ws_wire, .timeout = 40, .init = support_leak_init, .fini = support_leak_fini);

#define M "\x00\x00\x00\x00"                  /* a mask that changes nothing */
#define CLOSE "\x88\x82" M "\x03\xe8"         /* a client closes with 1000, and the answer to that */
#define CLOSED "\x88\x02\x03\xe8"
#define FAILED_1002 "\x88\x02\x03\xea"
#define FAILED_1007 "\x88\x02\x03\xef"
#define BYTES(s) s, sizeof(s) - 1

static const char request[] = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n"
	"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct wire {
	const char *name;
	const char *sent;
	size_t sent_len;
	const char *want;
	size_t want_len;
	int options;
};

struct world {
	int closed, done, options;
};

static void
echo(struct evws_connection *evws, int type, const unsigned char *data, size_t len, void *arg)
{
	(void)arg;
	if (type == WS_BINARY_FRAME) {
		evws_send_binary(evws, (const char *)data, len);
	} else {
		char text[256];

		cr_assert_lt(len, sizeof(text));
		memcpy(text, data, len);
		text[len] = '\0';
		evws_send_text(evws, text);
	}
}

static void
count_close(struct evws_connection *evws, void *arg)
{
	struct world *world = arg;

	(void)evws;
	++world->closed;
}

static void
upgrade(struct evhttp_request *req, void *arg)
{
	struct world *world = arg;
	struct evws_connection *evws = evws_new_session(req, echo, world, world->options);

	cr_assert_not_null(evws);
	evws_connection_set_closecb(evws, count_close, world);
}

static void
client_event(struct bufferevent *bev, short what, void *arg)
{
	struct world *world = arg;

	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		world->done = 1;
}

static void
run_case(const struct wire *wire)
{
	struct world world = { .options = wire->options };
	struct event_base *base = support_base_new();
	struct evhttp *http = evhttp_new(base);
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ev_uint16_t port;
	evutil_socket_t fd = support_listen(&port);
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	struct evbuffer *input = bufferevent_get_input(bev);
	struct evbuffer_ptr end;

	cr_assert_eq(evhttp_accept_socket(http, fd), 0);
	evhttp_set_cb(http, "/ws", upgrade, &world);
	sin.sin_port = htons(port);
	bufferevent_setcb(bev, NULL, NULL, client_event, &world);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_write(bev, request, sizeof(request) - 1);
	bufferevent_write(bev, wire->sent, wire->sent_len);
	cr_assert_eq(bufferevent_socket_connect(bev, (struct sockaddr *)&sin, sizeof(sin)), 0);
	support_run_until(base, &world.done, 5000);
	end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
	cr_assert_geq(end.pos, 0, "%s: no head", wire->name);
	evbuffer_drain(input, (size_t)end.pos + 4);
	cr_expect_eq(evbuffer_get_length(input), wire->want_len, "%s: %zu bytes", wire->name,
		evbuffer_get_length(input));
	cr_expect_arr_eq(evbuffer_pullup(input, -1), wire->want, wire->want_len);
	bufferevent_free(bev);
	evhttp_free(http);
	cr_expect_eq(world.closed, 1, "%s: close callback", wire->name);
	event_base_free(base);
}

static const struct wire table[] = {
	/* WS-005, WS-006, WS-069, WS-028, WS-055 */
	{ "text", BYTES("\x81\x82" M "hi" CLOSE), BYTES("\x81\x02hi" CLOSED), 0 },
	{ "masked", BYTES("\x81\x82\x01\x02\x03\x04ik" CLOSE), BYTES("\x81\x02hi" CLOSED), 0 },
	{ "empty", BYTES("\x81\x80" M "\x82\x80" M CLOSE), BYTES("\x81\x00\x82\x00" CLOSED), 0 },
	/* WS-040, WS-044, WS-045, WS-049 */
	{ "fragments", BYTES("\x01\x81" M "a\x89\x81" M "p\x00\x80" M "\x80\x81" M "b" CLOSE),
		BYTES("\x8a\x01p\x81\x02" "ab" CLOSED), 0 },
	/* WS-041, WS-042 */
	{ "same opcode", BYTES("\x01\x81" M "a\x81\x81" M "b" CLOSE), BYTES("\x81\x02" "ab" CLOSED), 0 },
	{ "strict", BYTES("\x01\x81" M "a\x81\x81" M "b" CLOSE), BYTES(FAILED_1002), EVWS_OPT_STRICT },
	{ "other opcode", BYTES("\x01\x81" M "a\x82\x81" M "b"), BYTES(FAILED_1002), 0 },
	/* WS-043 */
	{ "nothing to continue", BYTES("\x80\x81" M "a"), BYTES(FAILED_1002), 0 },
	{ "nothing to continue yet", BYTES("\x00\x81" M "a"), BYTES(FAILED_1002), 0 },
	/* WS-033..038 */
	{ "opcode 3", BYTES("\x82\x81" M "x\x83\x80" M "\x82\x81" M "y"),
		BYTES("\x82\x01x" FAILED_1002), 0 },
	{ "opcode 11", BYTES("\x8b\x80" M), BYTES(FAILED_1002), 0 },
	{ "unmasked", BYTES("\x81\x02hi"), BYTES(FAILED_1002), 0 },
	{ "unmasked allowed", BYTES("\x81\x02hi" CLOSE), BYTES("\x81\x02hi" CLOSED),
		EVWS_OPT_UNMASKED_OK },
	{ "reserved", BYTES("\xc1\x80" M), BYTES(FAILED_1002), 0 },
	{ "long form", BYTES("\x82\xfe\x00\x01" M "a"), BYTES(FAILED_1002), 0 },
	{ "ping in parts", BYTES("\x09\x80" M), BYTES(FAILED_1002), 0 },
	{ "long ping", BYTES("\x89\xfe\x00\x7e" M), BYTES(FAILED_1002), 0 },
	/* WS-039: judged by the head alone */
	{ "too big", BYTES("\x82\xff\0\0\0\0\0\xa0\0\x01" M), BYTES("\x88\x02\x03\xf1"), 0 },
	/* WS-046 */
	{ "split character", BYTES("\x01\x81" M "\xc3\x80\x81" M "\xa9" CLOSE),
		BYTES("\x81\x02\xc3\xa9" CLOSED), 0 },
	{ "not UTF-8", BYTES("\x81\x81" M "\xff"), BYTES(FAILED_1007), 0 },
	{ "half a character", BYTES("\x81\x81" M "\xc3"), BYTES(FAILED_1007), 0 },
	/* WS-047, WS-051 */
	{ "binary", BYTES("\x8a\x81" M "p\x82\x81" M "\xff" CLOSE), BYTES("\x82\x01\xff" CLOSED), 0 },
	/* WS-050, WS-053..057 */
	{ "empty close", BYTES("\x88\x80" M), BYTES("\x88\x00"), 0 },
	{ "close of one byte", BYTES("\x88\x81" M "\x03"), BYTES(FAILED_1002), 0 },
	{ "close 1005", BYTES("\x88\x82" M "\x03\xed"), BYTES(FAILED_1002), 0 },
	{ "close reason", BYTES("\x88\x83" M "\x03\xe8\xff"), BYTES(FAILED_1007), 0 },
	{ "after close", BYTES("\x01\x81" M "a" CLOSE "\x89\x80" M "\x81\x80" M), BYTES(CLOSED), 0 },
};

/* WS-001, WS-008, WS-012, WS-017, WS-028, WS-031..057 */
Test(ws_wire, answers)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i)
		run_case(&table[i]);
}
