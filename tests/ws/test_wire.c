/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients send, and the bytes an echo server answers with. */

#include "ws_test.h"

TestSuite(ws_wire, .init = ws_open, .fini = ws_close, .timeout = 60);

#define M "\x00\x00\x00\x00" /* a mask that changes nothing */
#define CLOSED_1000 CLOSED("\x03", "\xe8")
#define FAILED_1002 CLOSED("\x03", "\xea")
#define FAILED_1007 CLOSED("\x03", "\xef")
#define FAILED_1009 CLOSED("\x03", "\xf1")
#define CLOSE CLOSE_1000

struct wire {
	const char *name;
	const char *sent;
	size_t sent_len;
	const char *want;
	size_t want_len;
	int options;
};

static const struct wire table[] = {
	/* WS-005, WS-006, WS-069, WS-028, WS-055 */
	{ "text", BYTES("\x81\x82" M "hi" CLOSE), BYTES("\x81\x02hi" CLOSED_1000), 0 },
	{ "masked", BYTES("\x81\x82\x01\x02\x03\x04ik" CLOSE), BYTES("\x81\x02hi" CLOSED_1000), 0 },
	{ "empty", BYTES("\x81\x80" M "\x82\x80" M CLOSE), BYTES("\x81\x00\x82\x00" CLOSED_1000),
	  0 },
	/* WS-040, WS-044, WS-045, WS-049 */
	{ "fragments", BYTES("\x01\x81" M "a\x89\x81" M "p\x00\x80" M "\x80\x81" M "b" CLOSE),
	  BYTES("\x8a\x01p\x81\x02"
		"ab" CLOSED_1000),
	  0 },
	/* WS-041, WS-042 */
	{ "same opcode", BYTES("\x01\x81" M "a\x81\x81" M "b" CLOSE),
	  BYTES("\x81\x02"
		"ab" CLOSED_1000),
	  0 },
	{ "strict", BYTES("\x01\x81" M "a\x81\x81" M "b" CLOSE), BYTES(FAILED_1002),
	  EVWS_OPT_STRICT },
	{ "other opcode", BYTES("\x01\x81" M "a\x82\x81" M "b"), BYTES(FAILED_1002), 0 },
	/* WS-043 */
	{ "nothing to continue", BYTES("\x80\x81" M "a"), BYTES(FAILED_1002), 0 },
	{ "nothing to continue yet", BYTES("\x00\x81" M "a"), BYTES(FAILED_1002), 0 },
	/* WS-033..038 */
	{ "opcode 3", BYTES("\x82\x81" M "x\x83\x80" M "\x82\x81" M "y"),
	  BYTES("\x82\x01x" FAILED_1002), 0 },
	{ "opcode 11", BYTES("\x8b\x80" M), BYTES(FAILED_1002), 0 },
	{ "unmasked", BYTES("\x81\x02hi"), BYTES(FAILED_1002), 0 },
	{ "unmasked allowed", BYTES("\x81\x02hi" CLOSE), BYTES("\x81\x02hi" CLOSED_1000),
	  EVWS_OPT_UNMASKED_OK },
	{ "reserved", BYTES("\xc1\x80" M), BYTES(FAILED_1002), 0 },
	{ "long form", BYTES("\x82\xfe\x00\x01" M "a"), BYTES(FAILED_1002), 0 },
	{ "ping in parts", BYTES("\x09\x80" M), BYTES(FAILED_1002), 0 },
	{ "long ping", BYTES("\x89\xfe\x00\x7e" M), BYTES(FAILED_1002), 0 },
	/* WS-039: judged by the head alone */
	{ "too big", BYTES("\x82\xff\0\0\0\0\0\xa0\0\x01" M), BYTES(FAILED_1009), 0 },
	/* WS-046 */
	{ "split character", BYTES("\x01\x81" M "\xc3\x80\x81" M "\xa9" CLOSE),
	  BYTES("\x81\x02\xc3\xa9" CLOSED_1000), 0 },
	{ "not UTF-8", BYTES("\x81\x81" M "\xff"), BYTES(FAILED_1007), 0 },
	{ "half a character", BYTES("\x81\x81" M "\xc3"), BYTES(FAILED_1007), 0 },
	/* WS-047, WS-051 */
	{ "binary", BYTES("\x8a\x81" M "p\x82\x81" M "\xff" CLOSE),
	  BYTES("\x82\x01\xff" CLOSED_1000), 0 },
	/* WS-050, WS-053..057 */
	{ "empty close", BYTES("\x88\x80" M), BYTES("\x88\x00"), 0 },
	{ "close of one byte", BYTES("\x88\x81" M "\x03"), BYTES(FAILED_1002), 0 },
	{ "close 1005", BYTES("\x88\x82" M "\x03\xed"), BYTES(FAILED_1002), 0 },
	{ "close reason", BYTES("\x88\x83" M "\x03\xe8\xff"), BYTES(FAILED_1007), 0 },
	{ "after close", BYTES("\x01\x81" M "a" CLOSE "\x89\x80" M "\x81\x80" M),
	  BYTES(CLOSED_1000), 0 },
};

static void run_case(const struct wire *wire, size_t piece)
{
	int closed = ws_closed;
	struct ws_peer peer;

	ws_options = wire->options;
	ws_peer_open(&peer, NULL);
	for (size_t at = 0; at < wire->sent_len && !peer.peer->has_ended; at += piece) {
		size_t left = wire->sent_len - at;

		peer_send_bytes(peer.peer, wire->sent + at, left < piece ? left : piece);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ws_expect(&peer, wire->want, wire->want_len, wire->name);
	ws_expect_end(&peer);
	ws_peer_close(&peer);
	ws_until(&ws_closed, closed + 1);
}

/* WS-001, WS-008: the close callback is run once for each. */
Test(ws_wire, answers)
{
	size_t n = sizeof(table) / sizeof(table[0]);

	for (size_t i = 0; i < n; i++)
		run_case(&table[i], table[i].sent_len);
	cr_expect_eq(ws_closed, (int)n);
}

/* WS-032, W16: the same, however it is cut. */
Test(ws_wire, answers_to_pieces)
{
	for (size_t piece = 1; piece < 6; piece += 2) {
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
			run_case(&table[i], piece);
	}
}
