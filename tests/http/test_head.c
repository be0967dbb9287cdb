/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser of heads, alone: every split of every sample gives the same result. */

#include "support.h"

#include "http/field.h"
#include "http/head.h"
#include "http/queue.h"

#include <stdio.h>
#include <string.h>

#define NAMELESS 64

static struct evi_arena arena;
static struct evkeyvalq list;
static struct evi_head head;
static char block[128]; /* small, so that the arena has to grow */
static char result[8192];

static void start(enum evi_head_kind kind, size_t size_max, unsigned fields_max)
{
	EVI_QUEUE_INIT(&list);
	evi_arena_init(&arena, block, sizeof(block));
	evi_head_init(&head, kind, &arena, &list, size_max, fields_max);
}

/* Takes `text` in pieces of `piece` bytes, the first of `first`. Returns the last step. */
static enum evi_head_step take(const char *text, size_t len, size_t first, size_t piece,
			       size_t *ret_used)
{
	enum evi_head_step step = EVI_HEAD_MORE;
	size_t at = 0;
	size_t n = first;

	while (at < len && step == EVI_HEAD_MORE) {
		size_t used;

		if (n > len - at)
			n = len - at;
		step = evi_head_take(&head, text + at, n, &used);
		at += used;
		n = piece;
	}
	*ret_used = at;
	return step;
}

/* Writes what the parser found into `result`. */
static void describe(enum evi_head_step step, size_t used)
{
	const struct evkeyval *pair;
	/* How far a refused head was read is nobody's business. */
	int len = snprintf(result, sizeof(result), "%d %zu %d|", (int)step,
			   step == EVI_HEAD_BAD ? 0 : used, head.error);

	if (step != EVI_HEAD_DONE)
		return;
	if (head.kind == EVI_HEAD_REQUEST)
		len += snprintf(result + len, sizeof(result) - (size_t)len, "%s|%s|%d.%d|",
				head.method, head.target, head.major, head.minor);
	else
		len += snprintf(result + len, sizeof(result) - (size_t)len, "%d|%s|%d.%d|",
				head.code, head.phrase, head.major, head.minor);
	EVI_QUEUE_EACH(pair, &list, next)
		len += snprintf(result + len, sizeof(result) - (size_t)len, "%s=%s;", pair->key,
				pair->value);
}

static const char *parse_in(enum evi_head_kind kind, const char *text, size_t first, size_t piece)
{
	size_t used;
	enum evi_head_step step;

	start(kind, 4096, NAMELESS);
	step = take(text, strlen(text), first, piece, &used);
	describe(step, used);
	evi_arena_done(&arena);
	return result;
}

static const char *parse(enum evi_head_kind kind, const char *text)
{
	return parse_in(kind, text, strlen(text), 1);
}

static const char *const samples[] = {
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"\r\n\r\nGET /a b?c#d HTTP/1.0  \r\nHost:\ta \t\r\nX-Empty:\r\n\r\nrest",
	"POST /x HTTP/1.1\nHost: a\nX: one\r\n two\n\t three \r\n \r\nY: z\n\n",
	"GET / HTTP/1.1\r\nA: "
	"0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789\r\nB: \xff\xfe\r\n\r\n",
	"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
	"GET / HTTP/2.0\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
};

#define N_SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* HTTP-201 */
Test(http_head, every_split_gives_the_same_result, .timeout = 60)
{
	for (size_t i = 0; i < N_SAMPLES; i++) {
		char whole[8192];

		strcpy(whole, parse(EVI_HEAD_REQUEST, samples[i]));
		for (size_t first = 1; first <= strlen(samples[i]); first++)
			for (size_t piece = 1; piece < 4; piece++)
				cr_assert_str_eq(
					parse_in(EVI_HEAD_REQUEST, samples[i], first, piece), whole,
					"sample %zu first %zu", i, first);
	}
}

/* HTTP-157, HTTP-158, HTTP-167, HTTP-177, HTTP-180, HTTP-181 */
Test(http_head, takes_a_request_apart, .timeout = 10)
{
	cr_assert_str_eq(parse(EVI_HEAD_REQUEST, samples[1]),
			 "1 52 0|GET|/a b?c#d|1.0|Host=a;X-Empty=;");
}

/* HTTP-183, HTTP-186 */
Test(http_head, unfolds_with_one_space, .timeout = 10)
{
	cr_assert_str_eq(parse(EVI_HEAD_REQUEST, samples[2]),
			 "1 57 0|POST|/x|1.1|Host=a;X=one two three;Y=z;");
	cr_assert_str_eq(parse(EVI_HEAD_REQUEST, "GET / HTTP/1.1\r\nA: aaaaaaaa\r\n   a  \r\n"
						 "\tEND\r\nL: libevent\r\n 2.1\r\n\r\n"),
			 "1 64 0|GET|/|1.1|A=aaaaaaaa a END;L=libevent 2.1;");
}

struct refusal {
	const char *text;
	enum evi_head_error error;
};

/* HTTP-159..165, HTTP-178, HTTP-179, HTTP-182, HTTP-184, HTTP-185 */
Test(http_head, says_why_it_refuses, .timeout = 10)
{
	static const struct refusal refusals[] = {
		{ "GET  / HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ " GET / HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET\t/ HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET /\t HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET /\x7f HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_BYTE },
		{ "GET /\r HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_LINE_END },
		{ "G(T / HTTP/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET /\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET\r\n\r\n", EVI_HEAD_ERR_START },
		{ "illegal request\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET / HTTP/1.10\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET / http/1.1\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET / HTTP/1.\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET / HTTP/0.9\r\n\r\n", EVI_HEAD_ERR_START },
		{ "GET / HTTP/3.0\r\n\r\n", EVI_HEAD_ERR_VERSION },
		{ "GET / HTTP/1.1\r\nNo colon\r\n\r\n", EVI_HEAD_ERR_NAME },
		{ "GET / HTTP/1.1\r\n: x\r\n\r\n", EVI_HEAD_ERR_NAME },
		{ "GET / HTTP/1.1\r\nHost : x\r\n\r\n", EVI_HEAD_ERR_NAME },
		{ "GET / HTTP/1.1\r\nX(y: x\r\n\r\n", EVI_HEAD_ERR_NAME },
		{ "GET / HTTP/1.1\r\nX\xe9: x\r\n\r\n", EVI_HEAD_ERR_NAME },
		{ "GET / HTTP/1.1\r\nX: a\x07\r\n\r\n", EVI_HEAD_ERR_BYTE },
		{ "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", EVI_HEAD_ERR_LINE_END },
		{ "GET / HTTP/1.1\r\nX: a\r\n\rb", EVI_HEAD_ERR_LINE_END },
		{ "GET / HTTP/1.1\r\n x\r\n\r\n", EVI_HEAD_ERR_FOLD },
		{ "GET / HTTP/1.1\r\nContent-Length: 1\r\n 2\r\n\r\n", EVI_HEAD_ERR_FOLD },
		{ "GET / HTTP/1.1\r\ntransfer-encoding:\r\n chunked\r\n\r\n", EVI_HEAD_ERR_FOLD },
		{ "GET / HTTP/1.1\r\nHOST: a\r\n\tb\r\n\r\n", EVI_HEAD_ERR_FOLD },
		{ "GET / HTTP/1.1\r\nConnection: a\r\n close\r\n\r\n", EVI_HEAD_ERR_FOLD },
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		parse(EVI_HEAD_REQUEST, refusals[i].text);
		cr_assert_eq(head.error, refusals[i].error, "%s: %s", refusals[i].text,
			     evi_head_error_text((enum evi_head_error)head.error));
	}
}

/* HTTP-182 */
Test(http_head, never_cuts_at_a_nul, .timeout = 10)
{
	static const char in_value[] = "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n";
	static const char in_line[] = "GET /\0 HTTP/1.1\r\n\r\n";
	size_t used;

	start(EVI_HEAD_REQUEST, 4096, NAMELESS);
	cr_assert_eq(take(in_value, sizeof(in_value) - 1, 100, 1, &used), EVI_HEAD_BAD);
	start(EVI_HEAD_REQUEST, 4096, NAMELESS);
	cr_assert_eq(take(in_line, sizeof(in_line) - 1, 100, 1, &used), EVI_HEAD_BAD);
	evi_arena_done(&arena);
}

/* HTTP-058, HTTP-188 */
Test(http_head, counts_all_but_line_ends, .timeout = 10)
{
	static const char text[] = "GET / HTTP/1.1\r\nAB: cd\r\n\r\n"; /* 14 + 6 */
	size_t used;

	start(EVI_HEAD_REQUEST, 20, 1);
	cr_assert_eq(take(text, sizeof(text) - 1, 3, 3, &used), EVI_HEAD_DONE);
	cr_assert_eq(head.size, 20);
	start(EVI_HEAD_REQUEST, 19, 1);
	cr_assert_eq(take(text, sizeof(text) - 1, 3, 3, &used), EVI_HEAD_BAD);
	cr_assert_eq(head.error, EVI_HEAD_ERR_TOO_LONG);
	start(EVI_HEAD_REQUEST, 4096, 0);
	cr_assert_eq(take(text, sizeof(text) - 1, 3, 3, &used), EVI_HEAD_BAD);
	cr_assert_eq(head.error, EVI_HEAD_ERR_TOO_MANY);
	evi_arena_done(&arena);
}

/* HTTP-288, HTTP-289 */
Test(http_head, takes_a_status_line_apart, .timeout = 10)
{
	cr_assert_str_eq(parse(EVI_HEAD_RESPONSE, "HTTP/1.1 200 All right\r\nA: b\r\n\r\n"),
			 "1 32 0|200|All right|1.1|A=b;");
	cr_assert_str_eq(parse(EVI_HEAD_RESPONSE, "HTTP/1.0 404\r\n\r\n"), "1 16 0|404||1.0|");
	cr_assert_str_eq(parse(EVI_HEAD_RESPONSE, "HTTP/1.0 999 \r\n\r\n"), "1 17 0|999||1.0|");
	static const char *const bad[] = {
		"HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 -5 OK\r\n\r\n", "HTTP/1.1 99999 OK\r\n\r\n",
		"HTTP/1.1 0\r\n\r\n", "HTTP/1.1 000 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n", "HTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n", "HTTP/1.1\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		parse(EVI_HEAD_RESPONSE, bad[i]);
		cr_assert_neq(head.error, EVI_HEAD_OK, "%s", bad[i]);
	}
}

/* HTTP-218, HTTP-372 */
Test(http_head, reads_lists_by_their_elements, .timeout = 10)
{
	parse(EVI_HEAD_REQUEST, "GET / HTTP/1.1\r\nConnection: te , Close\r\n\r\n");
	cr_assert_eq(head.connection, EVI_CONNECTION_CLOSE);
	parse(EVI_HEAD_REQUEST,
	      "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: upgrade\r\n\r\n");
	cr_assert_eq(head.connection, EVI_CONNECTION_KEEP_ALIVE | EVI_CONNECTION_UPGRADE);
	parse(EVI_HEAD_REQUEST, "GET / HTTP/1.1\r\nConnection: closed, xclose\r\n\r\n");
	cr_assert_eq(head.connection, 0);
}
