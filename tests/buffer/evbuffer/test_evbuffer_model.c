/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random operations on two buffers, and on plain arrays of bytes beside them: both must always
 * agree. EVBUFFER_SEED chooses another sequence than the time would.
 */

#include "evbuffer_test.h"

#include <time.h>

#define MODEL_MAX 40000
#define STEPS     30000

struct model {
	struct evbuffer *buf;
	unsigned char *bytes;
	size_t len;
};

static uint32_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static void seed(void)
{
	const char *given = getenv("EVBUFFER_SEED");

	state = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)time(NULL);
	state |= 1;
	cr_log_info("EVBUFFER_SEED=%u", state);
}

static unsigned char source[5000];

static size_t some_bytes(void)
{
	size_t len = draw(draw(8) == 0 ? sizeof(source) : 100);

	for (size_t i = 0; i < len; i++)
		source[i] = (unsigned char)(draw(20) == 0 ? '\n' : draw(256));
	return len;
}

static void model_insert(struct model *m, size_t at, const void *bytes, size_t len)
{
	memmove(m->bytes + at + len, m->bytes + at, m->len - at);
	memcpy(m->bytes + at, bytes, len);
	m->len += len;
}

static void model_drain(struct model *m, size_t len)
{
	m->len -= len;
	memmove(m->bytes, m->bytes + len, m->len);
}

static void free_copy(const void *data, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	free((void *)(uintptr_t)data);
}

static void do_add(struct model *m, struct model *other)
{
	size_t len = some_bytes();

	(void)other;
	cr_assert_eq(evbuffer_add(m->buf, source, len), 0);
	model_insert(m, m->len, source, len);
}

static void do_prepend(struct model *m, struct model *other)
{
	size_t len = some_bytes();

	(void)other;
	cr_assert_eq(evbuffer_prepend(m->buf, source, len), 0);
	model_insert(m, 0, source, len);
}

static void do_reference(struct model *m, struct model *other)
{
	size_t len = some_bytes();
	void *copy = malloc(len + 1);

	(void)other;
	memcpy(copy, source, len);
	cr_assert_eq(evbuffer_add_reference(m->buf, copy, len, free_copy, NULL), 0);
	model_insert(m, m->len, source, len);
}

static void do_drain(struct model *m, struct model *other)
{
	size_t len = draw((uint32_t)m->len + 10);

	(void)other;
	cr_assert_eq(evbuffer_drain(m->buf, len), 0);
	model_drain(m, len < m->len ? len : m->len);
}

static void do_remove(struct model *m, struct model *other)
{
	static unsigned char out[MODEL_MAX];
	size_t len = draw((uint32_t)m->len + 10), expected = len < m->len ? len : m->len;

	(void)other;
	cr_assert_eq(evbuffer_remove(m->buf, out, len), (int)expected);
	cr_assert(memcmp(out, m->bytes, expected) == 0);
	model_drain(m, expected);
}

static void do_pullup(struct model *m, struct model *other)
{
	size_t len = draw((uint32_t)m->len + 1);
	const unsigned char *at = evbuffer_pullup(m->buf, (ev_ssize_t)len);

	(void)other;
	cr_assert_eq(at == NULL, len == 0);
	if (at != NULL)
		cr_assert(memcmp(at, m->bytes, len) == 0);
}

static void do_move_all(struct model *m, struct model *other)
{
	if (m->len + other->len > MODEL_MAX)
		return;
	cr_assert_eq(evbuffer_add_buffer(m->buf, other->buf), 0);
	model_insert(m, m->len, other->bytes, other->len);
	other->len = 0;
}

static void do_prepend_buffer(struct model *m, struct model *other)
{
	if (m->len + other->len > MODEL_MAX)
		return;
	cr_assert_eq(evbuffer_prepend_buffer(m->buf, other->buf), 0);
	model_insert(m, 0, other->bytes, other->len);
	other->len = 0;
}

static void do_move_some(struct model *m, struct model *other)
{
	size_t len = draw((uint32_t)other->len + 10),
	       expected = len < other->len ? len : other->len;

	if (m->len + expected > MODEL_MAX)
		return;
	cr_assert_eq(evbuffer_remove_buffer(other->buf, m->buf, len), (int)expected);
	model_insert(m, m->len, other->bytes, expected);
	model_drain(other, expected);
}

static void do_reserve(struct model *m, struct model *other)
{
	struct evbuffer_iovec vec[2];
	size_t len = some_bytes(), left = len;
	int n = evbuffer_reserve_space(m->buf, (ev_ssize_t)len, vec, 1 + (int)draw(2));

	(void)other;
	cr_assert_geq(n, 0);
	for (int i = 0; i < n; i++) {
		size_t part = left < vec[i].iov_len ? left : vec[i].iov_len;

		memcpy(vec[i].iov_base, source + len - left, part);
		vec[i].iov_len = part;
		left -= part;
	}
	cr_assert_eq(left, 0);
	cr_assert_eq(evbuffer_commit_space(m->buf, vec, n), 0);
	model_insert(m, m->len, source, len);
}

static void do_line(struct model *m, struct model *other)
{
	const unsigned char *end = memchr(m->bytes, '\n', m->len);
	size_t len;
	char *line = evbuffer_readln(m->buf, &len, EVBUFFER_EOL_LF);

	(void)other;
	cr_assert_eq(line == NULL, m->len == 0 || end == NULL);
	if (line == NULL)
		return;
	cr_assert_eq(len, (size_t)(end - m->bytes));
	cr_assert(memcmp(line, m->bytes, len) == 0);
	free(line);
	model_drain(m, len + 1);
}

static void do_search(struct model *m, struct model *other)
{
	size_t from = draw((uint32_t)m->len + 1), len = 1 + draw(3);
	struct evbuffer_ptr start, found;
	const unsigned char *expected;

	(void)other;
	if (m->len < len + 1)
		return;
	memcpy(source, m->bytes + draw((uint32_t)(m->len - len)), len);
	cr_assert_eq(evbuffer_ptr_set(m->buf, &start, from, EVBUFFER_PTR_SET), 0);
	found = evbuffer_search(m->buf, (const char *)source, len, &start);
	expected = memmem(m->bytes + from, m->len - from, source, len);
	cr_assert_eq(found.pos, expected != NULL ? (ev_ssize_t)(expected - m->bytes) : -1);
}

static void (*const operations[])(struct model *m, struct model *other) = {
	do_add, do_add, do_prepend, do_reference, do_drain, do_remove, do_pullup, do_move_all,
	do_prepend_buffer, do_move_some, do_reserve, do_line, do_search,
};

static void check(const struct model *m)
{
	static unsigned char out[MODEL_MAX];

	cr_assert_eq(evbuffer_get_length(m->buf), m->len);
	cr_assert_eq(evbuffer_copyout(m->buf, out, MODEL_MAX), (ev_ssize_t)m->len);
	cr_assert(memcmp(out, m->bytes, m->len) == 0);
}

/* BUF-043, BUF-060, BUF-159, BUF-215 */
Test(evbuffer_model, random_operations_agree_with_plain_arrays, .timeout = 60)
{
	struct model models[2];

	seed();
	for (int i = 0; i < 2; i++)
		models[i] = (struct model){ evbuffer_new(), malloc(MODEL_MAX + sizeof(source)), 0 };
	for (int step = 0; step < STEPS; step++) {
		struct model *m = &models[draw(2)];
		size_t op = draw(sizeof(operations) / sizeof(operations[0]));

		if (m->len > MODEL_MAX - sizeof(source))
			op = 4; /* make room */
		operations[op](m, m == &models[0] ? &models[1] : &models[0]);
		check(&models[0]);
		check(&models[1]);
	}
	for (int i = 0; i < 2; i++) {
		evbuffer_free(models[i].buf);
		free(models[i].bytes);
	}
}

/* Text of few different letters is full of places that nearly match. */
static void search_few_letters(struct evbuffer *buf, unsigned letters)
{
	static unsigned char text[20000], what[600];
	size_t len = 1 + draw(sizeof(text)), what_len, from;
	const unsigned char *expected;
	struct evbuffer_ptr start;

	for (size_t i = 0; i < len; i++)
		text[i] = (unsigned char)('a' + draw(letters));
	for (size_t at = 0; at < len;) {
		size_t n = 1 + draw(draw(3) ? 50 : 9000);

		n = n < len - at ? n : len - at;
		cr_assert_eq(evbuffer_add_reference(buf, text + at, n, NULL, NULL), 0);
		at += n;
	}
	what_len = 1 + draw(draw(3) ? 20 : sizeof(what));
	what_len = what_len < len ? what_len : len;
	memcpy(what, text + draw((uint32_t)(len - what_len + 1)), what_len);
	if (draw(2))
		what[draw((uint32_t)what_len)] = (unsigned char)('a' + draw(letters + 1));
	from = draw((uint32_t)len + 1);
	cr_assert_eq(evbuffer_ptr_set(buf, &start, from, EVBUFFER_PTR_SET), 0);
	expected = memmem(text + from, len - from, what, what_len);
	cr_assert_eq(evbuffer_search(buf, (const char *)what, what_len, &start).pos,
		     expected != NULL ? (ev_ssize_t)(expected - text) : -1);
	cr_assert_eq(evbuffer_drain(buf, len), 0);
}

/* BUF-210, BUF-213, BUF-215 */
Test(evbuffer_model, searching_agrees_with_plain_search, .timeout = 60)
{
	struct evbuffer *buf = evbuffer_new();

	seed();
	for (int i = 0; i < 2000; i++)
		search_few_letters(buf, 1 + draw(4));
	evbuffer_free(buf);
}
