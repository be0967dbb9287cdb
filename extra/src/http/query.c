/* SPDX-License-Identifier: BSD-3-Clause */
/* Query strings: "a=1&b=two+words". */

#include "http/escape.h"
#include "http/headers.h"
#include "http/queue.h"

#include <event2/http.h>

#include <stdlib.h>
#include <string.h>

/* One entry, its value decoded. NULL when out of memory. */
static struct evi_field *pair_new(const char *key, size_t key_len, const char *value,
				  size_t value_len)
{
	struct evi_field *field = evi_field_new(key, key_len, value, value_len);

	if (field != NULL)
		(void)evi_percent_decode(field->pair.value, value_len, EVI_PLUS_IS_SPACE,
					 field->pair.value);
	return field;
}

/* 0, also if the pair is one to skip; -1 if it is malformed, or out of memory. */
static int add_pair(struct evkeyvalq *list, const char *pair, size_t len, unsigned flags)
{
	int is_lenient = (flags & EVHTTP_URI_QUERY_NONCONFORMANT) != 0;
	const char *equals = memchr(pair, '=', len);
	size_t key_len = equals != NULL ? (size_t)(equals - pair) : len;
	const char *value = equals != NULL ? equals + 1 : pair + len;
	struct evi_field *field;

	if (key_len == 0)
		return is_lenient ? 0 : -1;
	if (equals == NULL && !is_lenient)
		return -1;
	field = pair_new(pair, key_len, value, (size_t)(pair + len - value));
	if (field == NULL)
		return -1;
	EVI_QUEUE_APPEND(list, &field->pair, next);
	return 0;
}

static int add_pairs(struct evkeyvalq *list, const char *p, unsigned flags)
{
	while (*p != '\0') {
		size_t len = strcspn(p, "&");

		if (add_pair(list, p, len, flags) < 0)
			return -1;
		p += len;
		if (*p == '&')
			p++;
	}
	return 0;
}

struct place {
	struct evkeyval *pair;
	size_t index;
};

static int by_key_then_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = evutil_ascii_strcasecmp(x->pair->key, y->pair->key);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/*
 * Of equal keys the last stays. Sorted, because who sends the query may choose how many there are.
 */
static int keep_last(struct evkeyvalq *list)
{
	struct evkeyval *pair;
	struct place *places;
	size_t n = 0;

	EVI_QUEUE_EACH (pair, list, next)
		n++;
	if (n < 2)
		return 0;
	places = evi_malloc(n * sizeof(*places));
	if (places == NULL)
		return -1;
	n = 0;
	EVI_QUEUE_EACH (pair, list, next) {
		places[n] = (struct place){ pair, n };
		n++;
	}
	qsort(places, n, sizeof(*places), by_key_then_place);
	for (size_t i = 0; i + 1 < n; i++) {
		if (evutil_ascii_strcasecmp(places[i].pair->key, places[i + 1].pair->key) != 0)
			continue;
		EVI_QUEUE_REMOVE(list, places[i].pair, next);
		evi_field_free(places[i].pair);
	}
	evi_free(places);
	return 0;
}

int evhttp_parse_query_str_flags(const char *uri, struct evkeyvalq *headers, unsigned flags)
{
	EVI_QUEUE_INIT(headers);
	if (add_pairs(headers, uri, flags) == 0 &&
	    (!(flags & EVHTTP_URI_QUERY_LAST_VAL) || keep_last(headers) == 0))
		return 0;
	evhttp_clear_headers(headers);
	return -1;
}

int evhttp_parse_query_str(const char *uri, struct evkeyvalq *headers)
{
	return evhttp_parse_query_str_flags(uri, headers, 0);
}

int evhttp_parse_query(const char *uri, struct evkeyvalq *headers)
{
	struct evhttp_uri *parsed = evhttp_uri_parse(uri);
	const char *query;
	int result;

	EVI_QUEUE_INIT(headers);
	if (parsed == NULL)
		return -1;
	query = evhttp_uri_get_query(parsed);
	result = query != NULL ? evhttp_parse_query_str(query, headers) : 0;
	evhttp_uri_free(parsed);
	return result;
}
