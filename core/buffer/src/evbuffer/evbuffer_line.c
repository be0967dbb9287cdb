/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: lines.
 *
 * A search that finds no terminator leaves a mark, so a line that arrives in many pieces is scanned
 * once; see marks.h.
 */

#include "chain/chain.h"
#include "chain/memory_search.h"
#include "evbuffer/store.h"

#include <event2/buffer_compat.h>

#include <errno.h>
#include <string.h>

/* Where a line ends: the terminator's place, its position and length. */
struct line_end {
	struct evi_place place;
	size_t position;
	size_t len;
};

/* A scan: where it is, and the chain it came from, whose last byte is the one before. */
struct scan {
	struct evi_place place;
	size_t position;
	const struct evi_chain *before;
};

static void next_chain(struct scan *s)
{
	s->position += s->place.chain->len - s->place.offset;
	s->before = s->place.chain;
	s->place.chain = s->place.chain->next;
	s->place.offset = 0;
}

/* Moves to the first `byte`; 0 if there is none. */
static int find_byte(struct scan *s, int byte)
{
	for (; s->place.chain != NULL; next_chain(s)) {
		const unsigned char *at = s->place.chain->data + s->place.offset;
		const unsigned char *hit =
			memchr(at, byte, s->place.chain->len - s->place.offset);

		if (hit != NULL) {
			s->place.offset += (size_t)(hit - at);
			s->position += (size_t)(hit - at);
			return 1;
		}
	}
	return 0;
}

/* Whether the byte before the scan's, not before `start`, is a CR; then *ret_place is its place. */
static int is_after_cr(const struct scan *s, size_t start, struct evi_place *ret_place)
{
	if (s->position == start)
		return 0;
	if (s->place.offset > 0)
		*ret_place = (struct evi_place){ s->place.chain, s->place.offset - 1 };
	else
		*ret_place =
			(struct evi_place) { (struct evi_chain *)s->before, s->before->len - 1 };
	return ret_place->chain->data[ret_place->offset] == '\r';
}

static int find_single(struct scan *s, int byte, struct line_end *ret_end)
{
	if (!find_byte(s, byte))
		return 0;
	*ret_end = (struct line_end){ s->place, s->position, 1 };
	return 1;
}

static int find_lf(struct scan *s, struct line_end *ret_end)
{
	return find_single(s, '\n', ret_end);
}

static int find_nul(struct scan *s, struct line_end *ret_end)
{
	return find_single(s, '\0', ret_end);
}

static int find_crlf(struct scan *s, struct line_end *ret_end)
{
	size_t start = s->position;
	struct evi_place cr;

	if (!find_byte(s, '\n'))
		return 0;
	if (is_after_cr(s, start, &cr))
		*ret_end = (struct line_end){ cr, s->position - 1, 2 };
	else
		*ret_end = (struct line_end){ s->place, s->position, 1 };
	return 1;
}

static void step(struct scan *s)
{
	s->position++;
	s->place.offset++;
	if (s->place.offset == s->place.chain->len) {
		s->before = s->place.chain;
		s->place.chain = s->place.chain->next;
		s->place.offset = 0;
	}
}

static int find_crlf_strict(struct scan *s, struct line_end *ret_end)
{
	size_t start = s->position;
	struct evi_place cr;

	for (; find_byte(s, '\n'); step(s)) {
		if (is_after_cr(s, start, &cr)) {
			*ret_end = (struct line_end){ cr, s->position - 1, 2 };
			return 1;
		}
	}
	return 0;
}

/* How many CR and LF bytes follow each other from a place on. */
static size_t run_of_crlf(struct evi_place place)
{
	size_t n = 0;

	for (; place.chain != NULL; place.chain = place.chain->next, place.offset = 0) {
		const unsigned char *at = place.chain->data + place.offset;
		const unsigned char *end = evi_chain_tail(place.chain);

		for (; at < end; at++, n++)
			if (*at != '\r' && *at != '\n')
				return n;
	}
	return n;
}

static int find_any(struct scan *s, struct line_end *ret_end)
{
	for (; s->place.chain != NULL; next_chain(s)) {
		const unsigned char *at = s->place.chain->data + s->place.offset;
		const unsigned char *hit =
			evi_memory_find_crlf(at, s->place.chain->len - s->place.offset);

		if (hit != NULL) {
			s->place.offset += (size_t)(hit - at);
			s->position += (size_t)(hit - at);
			*ret_end =
				(struct line_end) { s->place, s->position, run_of_crlf(s->place) };
			return 1;
		}
	}
	return 0;
}

enum cr { CR_IS_DATA, CR_MAY_PRECEDE, CR_MUST_PRECEDE };

#define NO_BYTE (-1)

/*
 * By style: the byte that ends a line, if it is one, and what a CR before it means. `kept` is how
 * many bytes at the end may belong to a terminator that is not whole yet.
 */
static const struct {
	int (*find)(struct scan *s, struct line_end *ret_end);
	int byte;
	enum cr cr;
	size_t kept;
} styles[] = {
	[EVBUFFER_EOL_ANY] = { find_any, NO_BYTE, CR_IS_DATA, 0 },
	[EVBUFFER_EOL_CRLF] = { find_crlf, '\n', CR_MAY_PRECEDE, 1 },
	[EVBUFFER_EOL_CRLF_STRICT] = { find_crlf_strict, '\n', CR_MUST_PRECEDE, 1 },
	[EVBUFFER_EOL_LF] = { find_lf, '\n', CR_IS_DATA, 0 },
	[EVBUFFER_EOL_NUL] = { find_nul, '\0', CR_IS_DATA, 0 },
};

static int is_style(enum evbuffer_eol_style style)
{
	return (size_t)style < sizeof(styles) / sizeof(styles[0]);
}

/* Skips what an earlier search has been through. */
static void skip_scanned(struct evbuffer *buf, enum evbuffer_eol_style style, struct scan *s)
{
	const struct evi_marks *marks = buf->marks;

	if (marks == NULL || marks->line_epoch != buf->epoch || marks->line_style != style ||
	    marks->line_scanned <= s->position)
		return;
	s->position = marks->line_scanned;
	s->place = evi_evbuffer_locate(buf, s->position);
}

static void remember_scanned(struct evbuffer *buf, enum evbuffer_eol_style style)
{
	struct evi_marks *marks = evi_evbuffer_marks(buf);

	if (marks == NULL)
		return;
	marks->line_epoch = buf->epoch;
	marks->line_style = style;
	marks->line_scanned = buf->len - styles[style].kept;
}

/* Whether a line that begins at the position ends in the buffer. */
static int find_end(struct evbuffer *buf, struct evi_place place, size_t position,
		    enum evbuffer_eol_style style, struct line_end *ret_end)
{
	struct scan s = { .place = place, .position = position };

	if (buf->flags & EVI_BUF_UNLOADED) {
		if (evi_evbuffer_load(buf, position, buf->len - position) < 0)
			return 0;
		s.place = evi_evbuffer_locate(buf, position);
	}
	skip_scanned(buf, style, &s);
	if (styles[style].find(&s, ret_end))
		return 1;
	if (position == 0 && buf->len > 0)
		remember_scanned(buf, style);
	return 0;
}

/*
 * Looks in the first chain only, where most lines end: the length of the line there, and as result
 * that of its terminator. 0: that did not decide it. Bytes that an earlier search has been through
 * are left to find_end().
 */
static inline size_t find_in_first(const struct evbuffer *buf, enum evbuffer_eol_style style,
				   size_t *ret_line_len)
{
	struct evi_chain *first = buf->first;
	int byte = styles[style].byte;
	const unsigned char *hit;

	if (first == NULL || buf->flags & EVI_BUF_UNLOADED ||
	    (buf->marks != NULL && buf->marks->line_epoch == buf->epoch))
		return 0;
	hit = byte != NO_BYTE ? memchr(first->data, byte, first->len)
			      : evi_memory_find_crlf(first->data, first->len);
	if (hit == NULL)
		return 0;
	*ret_line_len = (size_t)(hit - first->data);
	if (byte == NO_BYTE)
		return run_of_crlf((struct evi_place){ first, *ret_line_len });
	if (styles[style].cr == CR_IS_DATA)
		return 1;
	if (hit != first->data && hit[-1] == '\r') {
		--*ret_line_len;
		return 2;
	}
	return styles[style].cr == CR_MAY_PRECEDE;
}

static int search_locked(struct evbuffer *buf, const struct evbuffer_ptr *start,
			 enum evbuffer_eol_style style, struct line_end *ret_end)
{
	struct evi_place place;
	size_t position;

	if (start == NULL && is_style(style)) {
		ret_end->len = find_in_first(buf, style, &position);
		if (ret_end->len > 0) {
			ret_end->place = (struct evi_place){ buf->first, position };
			ret_end->position = position;
			return 1;
		}
	}
	return is_style(style) && evi_evbuffer_place_of(buf, start, &position, &place) == 0 &&
	       find_end(buf, place, position, style, ret_end);
}

struct evbuffer_ptr evbuffer_search_eol(struct evbuffer *buf, struct evbuffer_ptr *start,
					size_t *eol_len, enum evbuffer_eol_style style)
{
	struct evbuffer_ptr found = evi_evbuffer_ptr_none();
	struct line_end end = { .len = 0 };

	evi_evbuffer_lock(buf);
	if (search_locked(buf, start, style, &end))
		found = evi_evbuffer_ptr_at(buf, end.position, end.place);
	evi_evbuffer_unlock(buf);
	if (eol_len != NULL)
		*eol_len = end.len;
	return found;
}

/* The same for a line from the front, wherever it ends. */
static evi_noinline size_t find_from_front(struct evbuffer *buf, enum evbuffer_eol_style style,
					   size_t *ret_line_len)
{
	struct line_end end;

	if (!find_end(buf, (struct evi_place){ .chain = buf->first }, 0, style, &end))
		return 0;
	*ret_line_len = end.position;
	return end.len;
}

/* The first bytes, as a string that the caller owns; NULL: no memory. */
static inline char *copy_line(const struct evbuffer *buf, size_t len)
{
	char *line = evi_malloc(len + 1);

	if (line == NULL)
		return NULL;
	if (evi_likely(len <= buf->first->len))
		memcpy(line, buf->first->data, len);
	else
		evi_store_copy((struct evi_place){ .chain = buf->first }, (unsigned char *)line,
			       len);
	line[len] = '\0';
	return line;
}

/* Returns owned memory, or NULL with nothing changed. */
static inline char *take_line(struct evbuffer *buf, enum evbuffer_eol_style style, size_t *ret_len,
			      size_t *ret_taken)
{
	size_t len, eol_len = find_in_first(buf, style, &len);
	char *line;

	if (eol_len == 0)
		eol_len = find_from_front(buf, style, &len);
	if (eol_len == 0)
		return NULL;
	line = copy_line(buf, len);
	if (line == NULL)
		return NULL;
	*ret_len = len;
	*ret_taken = len + eol_len;
	evi_store_skip(buf, len + eol_len);
	return line;
}

char *evbuffer_readln(struct evbuffer *buf, size_t *ret_len, enum evbuffer_eol_style style)
{
	size_t len = 0, taken = 0;
	char *line = NULL;

	evi_evbuffer_lock(buf);
	if (is_style(style) && !(buf->flags & EVI_BUF_FROZEN_FRONT))
		line = take_line(buf, style, &len, &taken);
	evi_evbuffer_finish(buf, 0, taken);
	if (ret_len != NULL)
		*ret_len = len;
	return line;
}

char *evbuffer_readline(struct evbuffer *buf)
{
	return evbuffer_readln(buf, NULL, EVBUFFER_EOL_ANY);
}
