/* SPDX-License-Identifier: BSD-3-Clause */
/* Header lists, and what may stand in them: RFC 9110 sections 5.1 and 5.5. */

#include "http/headers.h"
#include "http/queue.h"
#include "http/scan.h"

#include <event2/http.h>
#include <event2/util.h>

#include <string.h>

struct evi_field *evi_field_new(const char *name, size_t name_len, const char *value,
				size_t value_len)
{
	struct evi_field *field;

	if (name_len > SIZE_MAX / 4 || value_len > SIZE_MAX / 4)
		return NULL;
	field = evi_malloc(sizeof(*field) + name_len + value_len + 2);
	if (field == NULL)
		return NULL;
	field->in_arena = 0;
	field->pair.key = field->text;
	field->pair.value = field->text + name_len + 1;
	memcpy(field->pair.key, name, name_len);
	field->pair.key[name_len] = '\0';
	memcpy(field->pair.value, value, value_len);
	field->pair.value[value_len] = '\0';
	return field;
}

/* Most that differ do so in the first letter, and most that match are written alike. */
static int is_same_name(const char *a, const char *b)
{
	while (*a == *b) {
		if (*a == '\0')
			return 1;
		a++;
		b++;
	}
	return ((*a ^ *b) & ~0x20) == 0 && evutil_ascii_strcasecmp(a, b) == 0;
}

struct evkeyval *evi_headers_find(const struct evkeyvalq *list, const char *name)
{
	for (struct evkeyval *pair = list->tqh_first; pair != NULL; pair = pair->next.tqe_next) {
		if (is_same_name(pair->key, name))
			return pair;
	}
	return NULL;
}

const char *evhttp_find_header(const struct evkeyvalq *headers, const char *key)
{
	struct evkeyval *pair = evi_headers_find(headers, key);

	return pair != NULL ? pair->value : NULL;
}

static int is_line_break(const char *p)
{
	return *p == '\r' || *p == '\n';
}

/* The blank behind a line break that folds, or NULL if the break at `p` ends the line. */
static const char *folded_at(const char *p)
{
	p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
	return *p == ' ' || *p == '\t' ? p : NULL;
}

/* No control bytes but TAB, and no line break that the wire would take for the end. */
static int is_value(const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if (is_line_break(p)) {
			p = folded_at(p);
			if (p == NULL)
				return 0;
		} else if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f) {
			return 0;
		}
	}
	return 1;
}

/* A line break and the blanks after it become one space, in place. */
static void unfold(char *value)
{
	char *to = value;

	for (const char *from = value; *from != '\0';) {
		if (!is_line_break(from)) {
			*to++ = *from++;
			continue;
		}
		while (is_line_break(from) || *from == ' ' || *from == '\t')
			from++;
		*to++ = ' ';
	}
	*to = '\0';
}

int evhttp_add_header(struct evkeyvalq *headers, const char *key, const char *value)
{
	size_t key_len = strlen(key), value_len = strlen(value);
	size_t plain = evi_scan_text(value, value_len);
	struct evi_field *field;

	if (key_len == 0 || evi_scan_token(key, key_len) != key_len ||
	    (plain < value_len && !is_value(value + plain)))
		return -1;
	field = evi_field_new(key, key_len, value, value_len);
	if (field == NULL)
		return -1;
	if (plain < value_len)
		unfold(field->pair.value);
	EVI_QUEUE_APPEND(headers, &field->pair, next);
	return 0;
}

int evhttp_remove_header(struct evkeyvalq *headers, const char *key)
{
	struct evkeyval *pair = evi_headers_find(headers, key);

	if (pair == NULL)
		return -1;
	EVI_QUEUE_REMOVE(headers, pair, next);
	evi_field_free(pair);
	return 0;
}

void evhttp_clear_headers(struct evkeyvalq *headers)
{
	struct evkeyval *pair = headers->tqh_first;

	while (pair != NULL) {
		struct evkeyval *next = pair->next.tqe_next;

		evi_field_free(pair);
		pair = next;
	}
	EVI_QUEUE_INIT(headers);
}
