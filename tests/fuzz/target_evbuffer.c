/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two byte queues and two plain arrays under the operations that the input names: all must agree.
 */

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_MAX 8192

struct model {
	struct evbuffer *buf;
	uint8_t bytes[MODEL_MAX];
	size_t len;
};

static struct model models[2];

static int insert(struct model *m, size_t at, const void *bytes, size_t len)
{
	if (m->len + len > MODEL_MAX)
		return 0;
	memmove(m->bytes + at + len, m->bytes + at, m->len - at);
	memcpy(m->bytes + at, bytes, len);
	m->len += len;
	return 1;
}

static void drop(struct model *m, size_t len)
{
	m->len -= len;
	memmove(m->bytes, m->bytes + len, m->len);
}

static size_t at_most(const struct model *m, size_t len)
{
	return len < m->len ? len : m->len;
}

static void add(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len;
	const uint8_t *bytes = fuzz_bytes(in, fuzz_byte(in), &len);

	(void)other;
	if (insert(m, m->len, bytes, len))
		FUZZ_REQUIRE(evbuffer_add(m->buf, bytes, len) == 0);
}

static void prepend(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len;
	const uint8_t *bytes = fuzz_bytes(in, fuzz_byte(in), &len);

	(void)other;
	if (insert(m, 0, bytes, len))
		FUZZ_REQUIRE(evbuffer_prepend(m->buf, bytes, len) == 0);
}

static void add_much(struct model *m, struct model *other, struct fuzz_input *in)
{
	static uint8_t bytes[4096];
	size_t len = fuzz_u16(in) % sizeof(bytes);

	(void)other;
	memset(bytes, (int)fuzz_byte(in), len);
	if (insert(m, m->len, bytes, len))
		FUZZ_REQUIRE(evbuffer_add(m->buf, bytes, len) == 0);
}

static void release(const void *data, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	free((void *)(uintptr_t)data);
}

static void add_reference(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len;
	const uint8_t *bytes = fuzz_bytes(in, fuzz_byte(in), &len);
	void *copy = malloc(len + 1);

	(void)other;
	memcpy(copy, bytes, len);
	if (insert(m, m->len, bytes, len))
		FUZZ_REQUIRE(evbuffer_add_reference(m->buf, copy, len, release, NULL) == 0);
	else
		free(copy);
}

static void drain(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len = fuzz_u16(in);

	(void)other;
	FUZZ_REQUIRE(evbuffer_drain(m->buf, len) == 0);
	drop(m, at_most(m, len));
}

static void take(struct model *m, struct model *other, struct fuzz_input *in)
{
	static uint8_t out[MODEL_MAX];
	size_t len = fuzz_u16(in) % MODEL_MAX, expected = at_most(m, len);

	(void)other;
	FUZZ_REQUIRE(evbuffer_remove(m->buf, out, len) == (int)expected);
	FUZZ_REQUIRE(memcmp(out, m->bytes, expected) == 0);
	drop(m, expected);
}

static void move_all(struct model *m, struct model *other, struct fuzz_input *in)
{
	(void)in;
	if (!insert(m, m->len, other->bytes, other->len))
		return;
	FUZZ_REQUIRE(evbuffer_add_buffer(m->buf, other->buf) == 0);
	other->len = 0;
}

static void move_front(struct model *m, struct model *other, struct fuzz_input *in)
{
	(void)in;
	if (!insert(m, 0, other->bytes, other->len))
		return;
	FUZZ_REQUIRE(evbuffer_prepend_buffer(m->buf, other->buf) == 0);
	other->len = 0;
}

static void move_some(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len = at_most(other, fuzz_u16(in));

	if (!insert(m, m->len, other->bytes, len))
		return;
	FUZZ_REQUIRE(evbuffer_remove_buffer(other->buf, m->buf, len) == (int)len);
	drop(other, len);
}

static void pull(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len = at_most(m, fuzz_u16(in));
	const uint8_t *at = evbuffer_pullup(m->buf, (ev_ssize_t)len);

	(void)other;
	FUZZ_REQUIRE(len == 0 || (at != NULL && memcmp(at, m->bytes, len) == 0));
}

static void commit(struct model *m, struct model *other, struct fuzz_input *in)
{
	struct evbuffer_iovec vec[2];
	size_t len = fuzz_u16(in) % 3000, used = 0;
	int n;

	(void)other;
	if (m->len + len > MODEL_MAX || len == 0)
		return;
	n = evbuffer_reserve_space(m->buf, (ev_ssize_t)len, vec, 2);
	FUZZ_REQUIRE(n > 0);
	for (int i = 0; i < n; i++) {
		if (vec[i].iov_len > len - used)
			vec[i].iov_len = len - used;
		memset(vec[i].iov_base, 'r', vec[i].iov_len);
		used += vec[i].iov_len;
	}
	FUZZ_REQUIRE(evbuffer_commit_space(m->buf, vec, n) == 0);
	memset(m->bytes + m->len, 'r', used);
	m->len += used;
}

static void search(struct model *m, struct model *other, struct fuzz_input *in)
{
	size_t len;
	const uint8_t *what = fuzz_bytes(in, fuzz_byte(in) % 8 + 1, &len), *hit;
	struct evbuffer_ptr at;

	(void)other;
	if (what == NULL || len == 0)
		return;
	hit = memmem(m->bytes, m->len, what, len);
	at = evbuffer_search(m->buf, (const char *)what, len, NULL);
	FUZZ_REQUIRE(at.pos == (hit != NULL ? hit - m->bytes : -1));
}

static void read_line(struct model *m, struct model *other, struct fuzz_input *in)
{
	static const enum evbuffer_eol_style styles[] = {
		EVBUFFER_EOL_ANY, EVBUFFER_EOL_CRLF, EVBUFFER_EOL_CRLF_STRICT, EVBUFFER_EOL_LF,
		EVBUFFER_EOL_NUL,
	};
	size_t len, before = m->len;
	char *line = evbuffer_readln(m->buf, &len, styles[fuzz_byte(in) % 5]);

	(void)other;
	if (line == NULL)
		return;
	FUZZ_REQUIRE(len < before && memcmp(line, m->bytes, len) == 0);
	drop(m, before - evbuffer_get_length(m->buf));
	free(line);
}

static void (*const operations[])(struct model *m, struct model *other, struct fuzz_input *in) = {
	add,	  prepend,  add_much, add_reference, drain,  take,  move_all,
	move_front, move_some, pull,  commit,	   search, read_line,
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void compare(struct model *m)
{
	static uint8_t out[MODEL_MAX];

	FUZZ_REQUIRE(evbuffer_get_length(m->buf) == m->len);
	FUZZ_REQUIRE(evbuffer_copyout(m->buf, out, m->len) == (ev_ssize_t)m->len);
	FUZZ_REQUIRE(memcmp(out, m->bytes, m->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	fuzz_base();
	for (int i = 0; i < 2; i++) {
		models[i].buf = evbuffer_new();
		models[i].len = 0;
	}
	while (in.left > 0) {
		unsigned what = fuzz_byte(&in);
		struct model *m = &models[what >> 7];

		operations[what % OPERATIONS](m, &models[!(what >> 7)], &in);
		compare(&models[0]);
		compare(&models[1]);
	}
	evbuffer_free(models[0].buf);
	evbuffer_free(models[1].buf);
	return 0;
}
