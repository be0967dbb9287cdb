/* SPDX-License-Identifier: BSD-3-Clause */
/* The cases of the well-known conformance suites for WebSocket servers, in their order. */

#include "ws_test.h"

#include <stdlib.h>
#include <time.h>

TestSuite(ws_conformance, .init = ws_open, .fini = ws_close, .timeout = 100);

#define TEXT (WS_FINAL | WS_TEXT_FRAME)
#define BINARY (WS_FINAL | WS_BINARY_FRAME)
#define PING (WS_FINAL | WS_PING)
#define PONG (WS_FINAL | WS_PONG)
#define CLOSE (WS_FINAL | WS_CLOSE)

static void wait_for_end(struct ws_peer *peer, int *closed)
{
	ws_expect_end(peer);
	ws_peer_close(peer);
	ws_until(&ws_closed, ++*closed);
}

/* Sends frames, and expects the session to fail with `code`. */
static void expect_failure(const void *bytes, size_t len, unsigned code, const char *what)
{
	int closed = ws_closed;
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	peer_send_bytes(peer.peer, bytes, len);
	ws_expect_close(&peer, code);
	cr_expect_not_null(what);
	wait_for_end(&peer, &closed);
}

/* WS-084, WS-006, WS-068, WS-069: lengths around each form, both types, at once and in chops. */
Test(ws_conformance, framing)
{
	static const size_t lens[] = { 0, 1, 125, 126, 127, 128, 65535, 65536, 100000 };
	static char data[100000];
	struct ws_peer peer;

	memset(data, '*', sizeof(data));
	ws_peer_open(&peer, NULL);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ws_send(&peer, TEXT, data, lens[i]);
		ws_expect_frame(&peer, TEXT, data, lens[i]);
		ws_send(&peer, BINARY, data, lens[i]);
		ws_expect_frame(&peer, BINARY, data, lens[i]);
	}
	ws_peer_close(&peer);
}

static void send_in_chops(struct ws_peer *peer, struct evbuffer *bytes, size_t chop)
{
	char piece[4096];
	int len;

	while ((len = evbuffer_remove(bytes, piece, chop)) > 0) {
		peer_send_bytes(peer->peer, piece, (size_t)len);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
}

/* WS-032, WS-084 */
Test(ws_conformance, chops)
{
	static const size_t chops[] = { 1, 7, 997 };
	static char data[65536];
	struct evbuffer *bytes = evbuffer_new();
	struct ws_peer peer;

	memset(data, '*', sizeof(data));
	ws_peer_open(&peer, NULL);
	for (size_t i = 0; i < sizeof(chops) / sizeof(chops[0]); i++) {
		size_t len = i == 0 ? 300 : sizeof(data);

		ws_add_frame(bytes, TEXT, data, len, 1);
		send_in_chops(&peer, bytes, chops[i]);
		ws_expect_frame(&peer, TEXT, data, len);
	}
	evbuffer_free(bytes);
	ws_peer_close(&peer);
}

/* WS-049, WS-051, WS-085, W05 */
Test(ws_conformance, pings)
{
	struct ws_peer peer;
	char data[125];

	memset(data, 0xfe, sizeof(data));
	ws_peer_open(&peer, NULL);
	ws_send(&peer, PING, NULL, 0);
	ws_expect_frame(&peer, PONG, NULL, 0);
	ws_send(&peer, PING, data, sizeof(data));
	ws_expect_frame(&peer, PONG, data, sizeof(data));
	ws_send(&peer, PONG, "unasked", 7);
	ws_send(&peer, PING, "asked", 5);
	ws_expect_frame(&peer, PONG, "asked", 5);
	for (int i = 0; i < 10; i++)
		ws_send(&peer, PING, &i, sizeof(i));
	for (int i = 0; i < 10; i++)
		ws_expect_frame(&peer, PONG, &i, sizeof(i));
	cr_expect_eq(ws_messages, 0);
	ws_peer_close(&peer);
	expect_failure(BYTES("\x89\xfe\x00\x7e\0\0\0\0"), 1002, "126 bytes");
}

/* WS-035, WS-038, WS-086, W04: what came before is answered, what comes behind is not. */
Test(ws_conformance, reserved_bits)
{
	static const unsigned firsts[] = { TEXT, BINARY, PING, PONG, CLOSE, WS_FINAL };
	int closed = 0;

	for (unsigned bits = 1; bits < 8; bits++) {
		for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
			struct ws_peer peer;

			ws_peer_open(&peer, NULL);
			ws_send(&peer, TEXT, "one", 3);
			ws_send(&peer, firsts[i] | bits << 4, "two", 3);
			ws_send(&peer, TEXT, "three", 5);
			ws_expect_frame(&peer, TEXT, "one", 3);
			ws_expect_close(&peer, 1002);
			wait_for_end(&peer, &closed);
		}
	}
}

/* WS-033, WS-038, WS-086, W04 */
Test(ws_conformance, opcodes)
{
	static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
	int closed = 0;

	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct ws_peer peer;

		ws_peer_open(&peer, NULL);
		ws_send(&peer, TEXT, "one", 3);
		ws_send(&peer, WS_FINAL | opcodes[i], NULL, 0);
		ws_send(&peer, PING, NULL, 0);
		ws_expect_frame(&peer, TEXT, "one", 3);
		ws_expect_close(&peer, 1002);
		wait_for_end(&peer, &closed);
	}
}

/* WS-034, W03: of any type, and without payload too. */
Test(ws_conformance, unmasked)
{
	expect_failure(BYTES("\x81\x00"), 1002, "text");
	expect_failure(BYTES("\x82\x01x"), 1002, "binary");
	expect_failure(BYTES("\x89\x00"), 1002, "ping");
	expect_failure(BYTES("\x8a\x00"), 1002, "pong");
	expect_failure(BYTES("\x88\x02\x03\xe8"), 1002, "close");
}

/* WS-036, W06 */
Test(ws_conformance, lengths_not_shortest)
{
	expect_failure(BYTES("\x82\xfe\x00\x00\0\0\0\0"), 1002, "0 in 16 bits");
	expect_failure(BYTES("\x82\xfe\x00\x7d\0\0\0\0"), 1002, "125 in 16 bits");
	expect_failure(BYTES("\x82\xff\0\0\0\0\0\0\0\x7d\0\0\0\0"), 1002, "125 in 64 bits");
	expect_failure(BYTES("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"), 1002, "65535 in 64 bits");
	expect_failure(BYTES("\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"), 1002, "2^63");
	expect_failure(BYTES("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), 1002, "2^64-1");
}

/* WS-037, W05: judged by the head, not when the payload has come. */
Test(ws_conformance, control_frames)
{
	expect_failure(BYTES("\x09\x80\0\0\0\0"), 1002, "ping not final");
	expect_failure(BYTES("\x0a\x80\0\0\0\0"), 1002, "pong not final");
	expect_failure(BYTES("\x08\x80\0\0\0\0"), 1002, "close not final");
	expect_failure(BYTES("\x89\xfe\x00\x7e\0\0\0\0"), 1002, "ping of 126");
	expect_failure(BYTES("\x88\xfe\x00\x7e\0\0\0\0"), 1002, "close of 126");
	expect_failure(BYTES("\x8a\xff\0\0\0\0\0\x01\0\0\0\0\0\0"), 1002, "pong of 65536");
}

/* WS-040, WS-044, WS-045, WS-049, WS-087, W05 */
Test(ws_conformance, fragments)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "frag", 4);
	ws_send(&peer, PING, "p", 1);
	ws_expect_frame(&peer, PONG, "p", 1);
	cr_expect_eq(ws_messages, 0);
	ws_send(&peer, WS_CONTINUATION, "ment", 4);
	ws_send(&peer, PONG, "q", 1);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, "s", 1);
	ws_expect_frame(&peer, TEXT, "fragments", 9);
	ws_send(&peer, WS_BINARY_FRAME, NULL, 0);
	ws_send(&peer, WS_CONTINUATION, NULL, 0);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, NULL, 0);
	ws_expect_frame(&peer, BINARY, NULL, 0);
	ws_send(&peer, WS_TEXT_FRAME, NULL, 0);
	ws_send(&peer, WS_CONTINUATION, "middle", 6);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, NULL, 0);
	ws_expect_frame(&peer, TEXT, "middle", 6);
	cr_expect_str_eq(http_log, "session text:fragments binary-0 text:middle");
	ws_peer_close(&peer);
}

/* WS-043, WS-087, W07 */
Test(ws_conformance, nothing_to_continue)
{
	expect_failure(BYTES("\x80\x81\0\0\0\0a"), 1002, "final");
	expect_failure(BYTES("\x00\x81\0\0\0\0a"), 1002, "not final");
	expect_failure(BYTES("\x80\x80\0\0\0\0"), 1002, "empty");
}

/* WS-041, WS-042, W07 */
Test(ws_conformance, repeated_opcode)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "Client:", 7);
	ws_send(&peer, WS_TEXT_FRAME, " ", 1);
	ws_send(&peer, TEXT, "hello", 5);
	ws_expect_frame(&peer, TEXT, "Client: hello", 13);
	cr_expect_eq(ws_messages, 1);
	ws_peer_close(&peer);
	expect_failure(BYTES("\x01\x81\0\0\0\0a\x82\x81\0\0\0\0b"), 1002, "another opcode");
	ws_options = EVWS_OPT_STRICT;
	expect_failure(BYTES("\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b"), 1002, "the same, strict");
	expect_failure(BYTES("\x01\x81\0\0\0\0a\x82\x81\0\0\0\0b"), 1002, "another opcode, strict");
}

static const char *const valid[] = { "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
				     "\xc2\x80",
				     "\xdf\xbf",
				     "\xe0\xa0\x80",
				     "\xef\xbf\xbf",
				     "\xf0\x90\x80\x80",
				     "\xf4\x8f\xbf\xbf",
				     "\xed\x9f\xbf",
				     "\xee\x80\x80",
				     "\xef\xbf\xbd",
				     "\xef\xb7\x90",
				     "\xf0\x9f\xbf\xbe" };

static const char *const invalid[] = { "\x80",
				       "\xbf",
				       "\xc0\xaf",
				       "\xe0\x80\xaf",
				       "\xc1\xbf",
				       "\xe0\x9f\xbf",
				       "\xf0\x8f\xbf\xbf",
				       "\xf8\x88\x80\x80\x80",
				       "\xfc\x84\x80\x80\x80\x80",
				       "\xed\xa0\x80",
				       "\xed\xaf\xbf",
				       "\xed\xbf\xbf",
				       "\xf4\x90\x80\x80",
				       "\xf7\xbf\xbf\xbf",
				       "\xfe",
				       "\xff",
				       "\xc2",
				       "\xe1\x80",
				       "\xf1\x80\x80",
				       "\xce\xba\xed\xa0\x80\x65" };

/* WS-046, WS-088, W09: whole, and in frames of one byte. */
Test(ws_conformance, valid_utf8)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		size_t len = strlen(valid[i]);

		ws_send_text(&peer, valid[i]);
		ws_expect_frame(&peer, TEXT, valid[i], len);
		for (size_t k = 0; k < len; k++)
			ws_send(&peer, k == 0 ? WS_TEXT_FRAME : WS_CONTINUATION, valid[i] + k, 1);
		ws_send(&peer, WS_FINAL | WS_CONTINUATION, NULL, 0);
		ws_expect_frame(&peer, TEXT, valid[i], len);
	}
	ws_send(&peer, TEXT, "a\0b", 3);
	ws_expect_frame(&peer, TEXT, "a", 1); /* it came whole: our echo sends strings */
	ws_peer_close(&peer);
}

/* WS-046, WS-088, W09 */
Test(ws_conformance, invalid_utf8)
{
	int closed = 0;

	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		struct ws_peer peer;

		ws_peer_open(&peer, NULL);
		ws_send(&peer, WS_TEXT_FRAME, "good", 4);
		ws_send(&peer, WS_FINAL | WS_CONTINUATION, invalid[i], strlen(invalid[i]));
		ws_expect_close(&peer, 1007);
		wait_for_end(&peer, &closed);
	}
	cr_expect_eq(ws_messages, 0);
}

/* WS-046, WS-088: as soon as nothing can make it valid, in the middle of a frame. */
Test(ws_conformance, invalid_utf8_fails_fast)
{
	expect_failure(BYTES("\x01\x83\0\0\0\0a\xc0\x80"), 1007, "first of several frames");
	expect_failure(BYTES("\x81\xfe\x03\xe8\0\0\0\0" "abc\xff"), 1007, "4 of 1000 bytes");
}

/* WS-047 */
Test(ws_conformance, binary_is_not_checked)
{
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		ws_send(&peer, BINARY, invalid[i], strlen(invalid[i]));
		ws_expect_frame(&peer, BINARY, invalid[i], strlen(invalid[i]));
	}
	ws_peer_close(&peer);
}

static void close_with(const void *payload, size_t len, const void *answer, size_t answer_len)
{
	int closed = ws_closed;
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, CLOSE, payload, len);
	ws_expect_frame(&peer, CLOSE, answer, answer_len);
	wait_for_end(&peer, &closed);
}

/* WS-053, WS-054, WS-055, WS-065, WS-089, W10 */
Test(ws_conformance, close_codes)
{
	static const unsigned good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
					 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
	static const unsigned bad[] = { 0,    1,    999,  1004, 1005, 1006, 1015,
					1016, 1100, 2000, 2999, 5000, 65535 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t code[2] = { (uint8_t)(good[i] >> 8), (uint8_t)good[i] };
		char word[32];

		http_log[0] = '\0';
		close_with(code, 2, code, 2);
		snprintf(word, sizeof(word), "session closed-%u", good[i]);
		cr_expect_str_eq(http_log, word);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t code[2] = { (uint8_t)(bad[i] >> 8), (uint8_t)bad[i] };

		close_with(code, 2, "\x03\xea", 2);
	}
}

/* WS-037, WS-053, WS-055, WS-065, WS-089, W10 */
Test(ws_conformance, close_payloads)
{
	char longest[125] = "\x03\xe8";

	memset(longest + 2, 'x', sizeof(longest) - 2);
	close_with("", 0, "", 0);
	cr_expect_str_eq(http_log, "session closed-1005");
	close_with("\x03", 1, "\x03\xea", 2);
	close_with(BYTES("\x03\xe8"), "\x03\xe8", 2);
	close_with(BYTES("\x03\xe8" "bye"), "\x03\xe8", 2);
	close_with(longest, sizeof(longest), "\x03\xe8", 2);
	close_with(BYTES("\x03\xe8\xff"), "\x03\xef", 2);
	close_with(BYTES("\x03\xe8\xce\xba\xed\xa0\x80"), "\x03\xef", 2);
	close_with(BYTES("\x03\xe8\xc3"), "\x03\xef", 2);
}

/* WS-050, WS-056, WS-057, WS-089, W10 */
Test(ws_conformance, nothing_behind_close)
{
	int closed = 0;
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "part of a message", 17);
	ws_send(&peer, CLOSE, "\x03\xe8", 2);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, "end", 3);
	ws_send(&peer, PING, "p", 1);
	ws_send(&peer, TEXT, "late", 4);
	ws_send(&peer, CLOSE, "\x03\xe9", 2);
	ws_expect_close(&peer, 1000);
	wait_for_end(&peer, &closed);
	cr_expect_str_eq(http_log, "session closed-1000");
}

/* WS-089: the message goes out before the answer to the close frame. */
Test(ws_conformance, long_message_then_close)
{
	static char data[1 << 18];
	int closed = 0;
	struct ws_peer peer;

	memset(data, 'x', sizeof(data));
	ws_peer_open(&peer, NULL);
	ws_send(&peer, TEXT, data, sizeof(data));
	ws_send(&peer, CLOSE, "\x03\xe8", 2);
	ws_expect_frame(&peer, TEXT, data, sizeof(data));
	ws_expect_close(&peer, 1000);
	wait_for_end(&peer, &closed);
}

/* WS-039, W06: by the head alone, 10485760 bytes being allowed. */
Test(ws_conformance, default_limit)
{
	struct ws_peer peer;

	expect_failure(BYTES("\x82\xff\0\0\0\0\0\xa0\0\x01\0\0\0\0"), 1009, "10 MiB and one");
	expect_failure(BYTES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), 1009, "2^63-1");
	ws_peer_open(&peer, NULL);
	peer_send_bytes(peer.peer, BYTES("\x82\xff\0\0\0\0\0\xa0\0\0\0\0\0\0x"));
	ws_wait(50);
	cr_expect_not_null(ws_session);
	ws_peer_close(&peer);
}

/* WS-039, W08: of the whole message. */
Test(ws_conformance, limit_of_fragments)
{
	int closed = 0;
	struct ws_peer peer;

	ws_max = 10;
	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "12345", 5);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, "67890", 5);
	ws_expect_frame(&peer, TEXT, "1234567890", 10);
	ws_send(&peer, WS_TEXT_FRAME, "12345", 5);
	ws_send(&peer, WS_FINAL | WS_CONTINUATION, "678901", 6);
	ws_expect_close(&peer, 1009);
	wait_for_end(&peer, &closed);
	cr_expect_str_eq(http_log, "session text:1234567890 closed-1009");
}

/* WS-039: made smaller in the middle of a message. */
Test(ws_conformance, limit_made_smaller)
{
	int closed = 0;
	struct ws_peer peer;

	ws_peer_open(&peer, NULL);
	ws_send(&peer, WS_TEXT_FRAME, "12345", 5);
	ws_send(&peer, PING, NULL, 0);
	ws_expect_frame(&peer, PONG, NULL, 0);
	evws_connection_set_max_message(ws_session, 4);
	ws_send(&peer, WS_CONTINUATION, NULL, 0);
	ws_expect_close(&peer, 1009);
	wait_for_end(&peer, &closed);
}

/* WS-090 */
Test(ws_conformance, sixteen_mebibytes)
{
	size_t len = 16u << 20;
	char *data = malloc(len);
	struct ws_peer peer;

	memset(data, 0xfe, len);
	ws_max = len;
	ws_peer_open(&peer, NULL);
	ws_send(&peer, BINARY, data, len);
	ws_expect_frame(&peer, BINARY, data, len);
	ws_peer_close(&peer);
	free(data);
}

/* Milliseconds of this process alone: others do not make a test fail. */
static double work_ms(void)
{
	return (double)clock() * 1000 / CLOCKS_PER_SEC;
}

/* For a message of `n` fragments. */
static double work_on_fragments(struct ws_peer *peer, int n)
{
	double start;

	for (int i = 0; i < n; i++)
		ws_send(peer, i == 0 ? WS_BINARY_FRAME : WS_CONTINUATION, "x", i & 1);
	ws_send(peer, PING, NULL, 0);
	start = work_ms();
	ws_expect_frame(peer, PONG, NULL, 0);
	ws_send(peer, WS_FINAL | WS_CONTINUATION, NULL, 0);
	ws_until(&ws_messages, ws_messages + 1);
	return work_ms() - start;
}

/* WS-090, W08: eight times the fragments may not be 64 times the work. */
Test(ws_conformance, many_fragments)
{
	struct ws_peer peer;
	double few = 0, many = 1e9;

	ws_echoes = 0;
	ws_peer_open(&peer, NULL);
	work_on_fragments(&peer, 20000);
	for (int i = 0; i < 3 && many > 24 * few + 200; i++) {
		few = work_on_fragments(&peer, 20000);
		many = work_on_fragments(&peer, 160000);
		cr_log_info("20000 fragments: %.1f ms, 160000: %.1f ms", few, many);
	}
	cr_expect_lt(many, 24 * few + 200);
	ws_peer_close(&peer);
}
