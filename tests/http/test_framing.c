/* SPDX-License-Identifier: BSD-3-Clause */
/* How bodies are framed: lengths, codings, chunks. Pure, without connections. */

#include "support.h"

#include "http/chunk.h"
#include "http/framing.h"
#include "http/queue.h"

#include <stdio.h>
#include <string.h>

static struct evi_arena arena;
static struct evkeyvalq list;
static struct evi_head head;
static char block[4096];

static void parse(enum evi_head_kind kind, const char *line, const char *fields)
{
	char text[1024];
	size_t used;

	EVI_QUEUE_INIT(&list);
	evi_arena_init(&arena, block, sizeof(block));
	evi_head_init(&head, kind, &arena, &list, 4096, 64);
	snprintf(text, sizeof(text), "%s\r\n%s\r\n", line, fields);
	cr_assert_eq(evi_head_take(&head, text, strlen(text), &used), EVI_HEAD_DONE, "%s", fields);
}

struct sample {
	const char *fields;
	int code; /* or 0 */
	enum evi_body body;
	uint64_t length;
};

/* HTTP-190..197, HTTP-372, HTTP-376 */
Test(http_framing, of_requests, .timeout = 10)
{
	static const struct sample samples[] = {
		{ "", 0, EVI_BODY_NONE, 0 },
		{ "Content-Length: 0\r\n", 0, EVI_BODY_NONE, 0 },
		{ "Content-Length: 3\r\n", 0, EVI_BODY_LENGTH, 3 },
		{ "Content-Length: 03\r\n", 0, EVI_BODY_LENGTH, 3 },
		{ "Content-Length: 9223372036854775807\r\n", 0, EVI_BODY_LENGTH, INT64_MAX },
		{ "Content-Length: 9223372036854775808\r\n", 400, 0, 0 },
		{ "Content-Length: 99999999999999999999999\r\n", 400, 0, 0 },
		{ "Content-Length:\r\n", 400, 0, 0 },
		{ "Content-Length: -1\r\n", 400, 0, 0 },
		{ "Content-Length: +3\r\n", 400, 0, 0 },
		{ "Content-Length: 3x\r\n", 400, 0, 0 },
		{ "Content-Length: 0x3\r\n", 400, 0, 0 },
		{ "Content-Length: 3 4\r\n", 400, 0, 0 },
		{ "Content-Length: 3, 3\r\n", 400, 0, 0 },
		{ "Content-Length: 3\r\nContent-Length: 3\r\n", 400, 0, 0 },
		{ "Content-Length: 3\r\nContent-Length: 4\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked\r\n", 0, EVI_BODY_CHUNKED, 0 },
		{ "Transfer-Encoding:\t CHUNKED \r\n", 0, EVI_BODY_CHUNKED, 0 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400, 0, 0 },
		{ "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400, 0, 0 },
		{ "Content-Length: 3\r\nTransfer-Encoding: gzip\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: gzip, chunked\r\n", 501, 0, 0 },
		{ "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501, 0, 0 },
		{ "Transfer-Encoding: chunked, gzip\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked, chunked\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked,\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: ,chunked\r\n", 400, 0, 0 },
		{ "Transfer-Encoding:\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: identity\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: xchunked\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked x\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: chunked;q=1\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: \"chunked\"\r\n", 400, 0, 0 },
		{ "Transfer-Encoding: \xa0" "chunked\r\n", 400, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct evi_framing framing;
		int code;

		parse(EVI_HEAD_REQUEST, "POST / HTTP/1.1", samples[i].fields);
		code = evi_framing_of_request(&head, 0, &framing);
		cr_assert_eq(code, samples[i].code, "%s: %d", samples[i].fields, code);
		if (code != 0)
			continue;
		cr_assert_eq(framing.body, samples[i].body, "%s", samples[i].fields);
		cr_assert_eq(framing.length, samples[i].length, "%s", samples[i].fields);
	}
}

/* HTTP-195, HTTP-197 */
Test(http_framing, by_version_and_option, .timeout = 10)
{
	struct evi_framing framing;

	parse(EVI_HEAD_REQUEST, "POST / HTTP/1.0", "Transfer-Encoding: chunked\r\n");
	cr_assert_eq(evi_framing_of_request(&head, 0, &framing), 400);
	parse(EVI_HEAD_REQUEST, "POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n");
	cr_assert_eq(evi_framing_of_request(&head, 1, &framing), 0);
	cr_assert_eq(framing.body, EVI_BODY_CHUNKED);
}

/* HTTP-290, HTTP-291, HTTP-293..295, HTTP-373 */
Test(http_framing, of_responses, .timeout = 10)
{
	static const struct sample samples[] = {
		{ "", 0, EVI_BODY_CLOSE, 0 },
		{ "Connection: keep-alive\r\n", 0, EVI_BODY_CLOSE, 0 },
		{ "Content-Length: 5\r\n", 0, EVI_BODY_LENGTH, 5 },
		{ "Content-Length: -5\r\n", -1, 0, 0 },
		{ "Content-Length: x\r\n", -1, 0, 0 },
		{ "Content-Length: 5\r\nContent-Length: 5\r\n", -1, 0, 0 },
		{ "Transfer-Encoding: chunked\r\n", 0, EVI_BODY_CHUNKED, 0 },
		{ "Transfer-Encoding: gzip, chunked\r\n", 0, EVI_BODY_CHUNKED, 0 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", -1, 0, 0 },
		{ "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", 0, EVI_BODY_CLOSE, 0 },
		{ "Transfer-Encoding: chunked, gzip\r\n", -1, 0, 0 },
	};
	struct evi_framing framing;

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		parse(EVI_HEAD_RESPONSE, "HTTP/1.1 200 OK", samples[i].fields);
		cr_assert_eq(evi_framing_of_response(&head, 0, &framing) != 0, samples[i].code != 0,
			     "%s", samples[i].fields);
		if (samples[i].code != 0)
			continue;
		cr_assert_eq(framing.body, samples[i].body, "%s", samples[i].fields);
		cr_assert_eq(framing.length, samples[i].length, "%s", samples[i].fields);
	}
	parse(EVI_HEAD_RESPONSE, "HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n");
	cr_assert_eq(evi_framing_of_response(&head, 0, &framing), 0);
	cr_assert_eq(framing.body, EVI_BODY_NONE);
	parse(EVI_HEAD_RESPONSE, "HTTP/1.1 200 OK", "Content-Length: 5\r\n");
	cr_assert_eq(evi_framing_of_response(&head, 1, &framing), 0);
	cr_assert_eq(framing.body, EVI_BODY_NONE);
}

/* HTTP-187 */
Test(http_framing, host_fields, .timeout = 10)
{
	static const char *const good[] = { "a", "a:80", "a:", "[::1]", "[::1]:8080", "1.2.3.4:1",
					    "a-b.c_d", "%41", "a:65535" };
	static const char *const bad[] = { "",	  ":80",     "a b",	"a/b", "u@a",
					   "a:b", "a:65536", "a,b c",	"::1", "[::1",
					   "[]",  "[::1]x",  "a:80:80", "a?b", "a#b" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(evi_host_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!evi_host_is_valid(bad[i]), "%s", bad[i]);
}

/* --- Chunks ----------------------------------------------------------------------------------- */

static struct evi_chunk chunk;
static char data[256];
static size_t data_len;

/* Decodes `text` in pieces. 1: complete, 0: more wanted, -1: refused. */
static int decode(const char *text, size_t piece, size_t *ret_used)
{
	size_t len = strlen(text);
	size_t at = 0;

	evi_arena_init(&arena, block, sizeof(block));
	evi_chunk_init(&chunk, &arena, 64, 4);
	data_len = 0;
	while (at < len) {
		size_t n = piece < len - at ? piece : len - at;
		enum evi_chunk_step step;
		size_t used;

		if (chunk.left > 0) {
			n = n < chunk.left ? n : (size_t)chunk.left;
			memcpy(data + data_len, text + at, n);
			data_len += n;
			at += n;
			evi_chunk_passed(&chunk, n);
			continue;
		}
		step = evi_chunk_take(&chunk, text + at, n, &used);
		at += used;
		*ret_used = at;
		if (step == EVI_CHUNK_END)
			return 1;
		if (step == EVI_CHUNK_BAD)
			return -1;
	}
	return 0;
}

/* HTTP-201, HTTP-203, HTTP-204, HTTP-208 */
Test(http_chunk, good_bodies_in_every_split, .timeout = 10)
{
	static const char *const good[] = {
		"3\r\nabc\r\n0\r\n\r\nNEXT",
		"0003\r\nabc\r\n000\r\n\r\nNEXT",
		"3;a=b\r\nabc\r\n0;last\r\n\r\nNEXT",
		"3 \r\nabc\r\n0 ;x=\"y\"\r\n\r\nNEXT",
		"1\r\na\r\n2\r\nbc\r\n0\r\nTrailer: x\r\nOther:\r\n\r\nNEXT",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (size_t piece = 1; piece < 40; piece++) {
			size_t used;

			cr_assert_eq(decode(good[i], piece, &used), 1, "%s", good[i]);
			cr_assert_eq(used, strlen(good[i]) - 4);
			cr_assert_eq(data_len, 3);
			cr_assert_arr_eq(data, "abc", 3);
		}
	}
	evi_arena_done(&arena);
}

/* HTTP-202, HTTP-204..207, HTTP-209 */
Test(http_chunk, bad_bodies, .timeout = 10)
{
	static const char *const bad[] = {
		"\r\n",
		"0x3\r\nabc",
		"0X3\r\nabc",
		"+3\r\nabc",
		"-3\r\nabc",
		" 3\r\nabc",
		"zz\r\n",
		"3 junk\r\n",
		"3\t\r\n",
		"3\nabc",
		"3\r\nabcX",
		"3\r\nabc\nX",
		"3\r\nabc\r\n\r\n",
		"11111111111111111\r\n",
		"8000000000000000\r\n",
		"ffffffffffffffff\r\n",
		"000000000000000000000000000000001\r\n",
		"3;a=\x01\r\n",
		"3;a\n",
		"0\r\nbad trailer\r\n",
		"0\r\nA: b\n",
		"0\r\nA: b\r\n folded\r\n",
		"0\r\n\n",
		"3\r\r\n",
		"0\r\nA: "
		"0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
		"0\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\n",
		"3_\r\nabc",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t piece = 1; piece < 8; piece++) {
			size_t used;

			cr_assert_eq(decode(bad[i], piece, &used), -1, "%s", bad[i]);
		}
	}
	evi_arena_done(&arena);
}

/* HTTP-204 */
Test(http_chunk, bounds_extensions_over_the_whole_body, .timeout = 10)
{
	static const char one[] = "1;0123456789\r\n";
	size_t used;
	int n = 0;
	enum evi_chunk_step step;

	evi_arena_init(&arena, block, sizeof(block));
	evi_chunk_init(&chunk, &arena, 64, 4);
	while ((step = evi_chunk_take(&chunk, one, sizeof(one) - 1, &used)) == EVI_CHUNK_DATA) {
		evi_chunk_passed(&chunk, 1);
		evi_chunk_take(&chunk, "\r\n", 2, &used);
		cr_assert_lt(++n, 10000);
	}
	cr_assert_eq(step, EVI_CHUNK_BAD);
	cr_assert_gt(n, 100);
}
