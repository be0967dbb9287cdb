/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * URIs: what parses joins to a text that parses to the same parts. Queries and escaping beside it.
 */

#include "fuzz.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define JOINED_MAX 16384

static int is_same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void check_uri(const char *text, unsigned flags)
{
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(text, flags), *again;
	char *joined;

	if (uri == NULL)
		return;
	joined = malloc(JOINED_MAX);
	FUZZ_REQUIRE(joined != NULL);
	FUZZ_REQUIRE(evhttp_uri_join(uri, joined, JOINED_MAX) == joined);
	again = evhttp_uri_parse_with_flags(joined, flags);
	FUZZ_REQUIRE(again != NULL);
	FUZZ_REQUIRE(is_same(evhttp_uri_get_scheme(uri), evhttp_uri_get_scheme(again)));
	FUZZ_REQUIRE(is_same(evhttp_uri_get_userinfo(uri), evhttp_uri_get_userinfo(again)));
	FUZZ_REQUIRE(is_same(evhttp_uri_get_host(uri), evhttp_uri_get_host(again)));
	FUZZ_REQUIRE(evhttp_uri_get_port(uri) == evhttp_uri_get_port(again));
	FUZZ_REQUIRE(is_same(evhttp_uri_get_path(uri), evhttp_uri_get_path(again)));
	FUZZ_REQUIRE(is_same(evhttp_uri_get_query(uri), evhttp_uri_get_query(again)));
	FUZZ_REQUIRE(is_same(evhttp_uri_get_fragment(uri), evhttp_uri_get_fragment(again)));
	free(joined);
	evhttp_uri_free(uri);
	evhttp_uri_free(again);
}

/* Seen from any base, dots go away, and nothing else is refused than by the parser. */
static void check_resolve(const char *text, unsigned flags)
{
	static const char *const bases[] = { "http://a/b/c/d;p?q", "s:a", "http://u@[::1]:1" };
	struct evhttp_uri *parsed = evhttp_uri_parse_with_flags(text, flags);

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		struct evhttp_uri *base = evhttp_uri_parse_with_flags(bases[i], flags);
		struct evhttp_uri *uri = evhttp_uri_resolve(base, text, flags);

		FUZZ_REQUIRE((uri == NULL) == (parsed == NULL));
		if (uri != NULL) {
			FUZZ_REQUIRE(strstr(evhttp_uri_get_path(uri), "/../") == NULL);
			FUZZ_REQUIRE(strstr(evhttp_uri_get_path(uri), "/./") == NULL);
			evhttp_uri_free(uri);
		}
		evhttp_uri_free(base);
	}
	if (parsed != NULL)
		evhttp_uri_free(parsed);
}

/* A failure leaves the list empty, so there is nothing to clear then. */
static void check_query(const char *text, unsigned flags)
{
	struct evkeyvalq list;
	struct evkeyval *item;

	if (evhttp_parse_query_str_flags(text, &list, flags) != 0) {
		FUZZ_REQUIRE(TAILQ_FIRST(&list) == NULL);
		return;
	}
	TAILQ_FOREACH (item, &list, next)
		FUZZ_REQUIRE(item->key != NULL && item->value != NULL);
	evhttp_clear_headers(&list);
}

static void check_escape(const char *text, size_t size)
{
	char *escaped = evhttp_uriencode(text, (ev_ssize_t)size, 1), *html, *back;
	size_t len;

	FUZZ_REQUIRE(escaped != NULL);
	back = evhttp_uridecode(escaped, 1, &len);
	FUZZ_REQUIRE(back != NULL && len == size && memcmp(back, text, size) == 0);
	free(back);
	free(escaped);
	free(evhttp_uridecode(text, 0, &len));
	html = evhttp_htmlescape(text);
	FUZZ_REQUIRE(html != NULL && strpbrk(html, "<>\"'") == NULL);
	free(html);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned uri_flags[] = {
		0, EVHTTP_URI_NONCONFORMANT, EVHTTP_URI_HOST_STRIP_BRACKETS,
	};
	struct fuzz_input in = { data, size };
	char *text = fuzz_text(&in);

	fuzz_base();
	for (size_t i = 0; i < sizeof(uri_flags) / sizeof(uri_flags[0]); i++) {
		check_uri(text, uri_flags[i]);
		check_resolve(text, uri_flags[i]);
	}
	for (unsigned flags = 0; flags < 4; flags++)
		check_query(text, flags);
	check_escape(text, size);
	free(text);
	return 0;
}
