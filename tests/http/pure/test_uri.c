/* SPDX-License-Identifier: BSD-3-Clause */
/* URI objects: parsing, flags, setters, joining. */

#include <event2/http.h>
#include <support.h>

#include <string.h>

TestSuite(http_uri, .timeout = 20, .init = support_leak_init, .fini = support_leak_fini);

struct parts {
	const char *text;
	unsigned flags;
	const char *scheme, *userinfo, *host;
	int port;
	const char *path, *query, *fragment;
	const char *joined; /* NULL: as `text` */
};

static int
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_parts(const struct parts *want)
{
	char joined[256];
	struct evhttp_uri *uri = evhttp_uri_parse_with_flags(want->text, want->flags);

	cr_assert_not_null(uri, "%s was refused", want->text);
	cr_expect(same(evhttp_uri_get_scheme(uri), want->scheme), "scheme of %s", want->text);
	cr_expect(same(evhttp_uri_get_userinfo(uri), want->userinfo), "userinfo of %s", want->text);
	cr_expect(same(evhttp_uri_get_host(uri), want->host), "host of %s", want->text);
	cr_expect_eq(evhttp_uri_get_port(uri), want->port, "port of %s", want->text);
	cr_expect(same(evhttp_uri_get_path(uri), want->path), "path of %s", want->text);
	cr_expect(same(evhttp_uri_get_query(uri), want->query), "query of %s", want->text);
	cr_expect(same(evhttp_uri_get_fragment(uri), want->fragment), "fragment of %s", want->text);
	cr_assert_not_null(evhttp_uri_join(uri, joined, sizeof(joined)), "join of %s", want->text);
	cr_expect_str_eq(joined, want->joined ? want->joined : want->text);
	evhttp_uri_free(uri);
}

/* HTTP-317..321, HTTP-323, HTTP-325, HTTP-326, HTTP-331, HTTP-341 */
Test(http_uri, accepted)
{
	static const struct parts table[] = {
		{ "", 0, NULL, NULL, NULL, -1, "", NULL, NULL, NULL },
		{ "?", 0, NULL, NULL, NULL, -1, "", "", NULL, NULL },
		{ "#", 0, NULL, NULL, NULL, -1, "", NULL, "", NULL },
		{ "#fr?ed", 0, NULL, NULL, NULL, -1, "", NULL, "fr?ed", NULL },
		{ "bob?q=99&q2=q?33#fr?ed", 0, NULL, NULL, NULL, -1, "bob", "q=99&q2=q?33", "fr?ed",
		  NULL },
		{ "mailto:foo@bar", 0, "mailto", NULL, NULL, -1, "foo@bar", NULL, NULL, NULL },
		{ "file:///p", 0, "file", NULL, "", -1, "/p", NULL, NULL, NULL },
		{ "//", 0, NULL, NULL, "", -1, "", NULL, NULL, NULL },
		{ "http://:8000/", 0, "http", NULL, "", 8000, "/", NULL, NULL, NULL },
		{ "http://h:/", 0, "http", NULL, "h", -1, "/", NULL, NULL, "http://h/" },
		{ "HTtp://h:0065535", 0, "HTtp", NULL, "h", 65535, "", NULL, NULL,
		  "HTtp://h:65535" },
		{ "http://999.1.1.1/", 0, "http", NULL, "999.1.1.1", -1, "/", NULL, NULL, NULL },
		{ "http://%77ww.test.com", 0, "http", NULL, "%77ww.test.com", -1, "", NULL, NULL,
		  NULL },
		{ "http://[v99.not_(any:time)_soon]/", 0, "http", NULL, "[v99.not_(any:time)_soon]",
		  -1, "/", NULL, NULL, NULL },
		{ "ftp://[ff00::127.0.0.1]/", 0, "ftp", NULL, "[ff00::127.0.0.1]", -1, "/", NULL,
		  NULL, NULL },
		{ "scheme://user:pass@foo.com:42/?q=test&s=some+thing#fragment", 0, "scheme",
		  "user:pass", "foo.com", 42, "/", "q=test&s=some+thing", "fragment", NULL },
		{ "/s:ome", 0, NULL, NULL, NULL, -1, "/s:ome", NULL, NULL, NULL },
		{ "a/b:c", 0, NULL, NULL, NULL, -1, "a/b:c", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i)
		check_parts(&table[i]);
}

/* HTTP-332..335 */
Test(http_uri, flags)
{
	static const struct parts table[] = {
		{ "http://h/a b%7?q ^#f#g", EVHTTP_URI_NONCONFORMANT, "http", NULL, "h", -1,
		  "/a b%7", "q ^", "f#g", NULL },
		{ "http://[::1]:7/", EVHTTP_URI_HOST_STRIP_BRACKETS, "http", NULL, "::1", 7, "/",
		  NULL, NULL, NULL },
		{ "http://unix:/run/c.sock:/controller?x", EVHTTP_URI_UNIX_SOCKET, "http", NULL,
		  NULL, -1, "/controller", "x", NULL, NULL },
		{ "http://unix:/x", 0, "http", NULL, "unix", -1, "/x", NULL, NULL,
		  "http://unix/x" },
	};
	struct evhttp_uri *uri;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i)
		check_parts(&table[i]);
	uri = evhttp_uri_parse_with_flags("http://u@unix:/run/c.sock:/p", EVHTTP_URI_UNIX_SOCKET);
	cr_assert_not_null(uri);
	cr_expect_str_eq(evhttp_uri_get_unixsocket(uri), "/run/c.sock");
	cr_expect_str_eq(evhttp_uri_get_userinfo(uri), "u");
	evhttp_uri_free(uri);
	cr_expect_null(evhttp_uri_parse_with_flags("http://unix:/run/c", EVHTTP_URI_UNIX_SOCKET));
	cr_expect_null(evhttp_uri_parse_with_flags("http://h ost/", EVHTTP_URI_NONCONFORMANT));
}

/* HTTP-319, HTTP-322, HTTP-324, HTTP-325, HTTP-327..330; H52 */
Test(http_uri, refused)
{
	static const char *const table[] = { "http://www.%7test.com/",
					     "h%3ttp://x",
					     "http://x:999x/",
					     "http://[hello-there]/",
					     "http://[::1]]/",
					     "http://[::1/",
					     "http://[vX.foo]/",
					     "http://[v.foo]/",
					     "http://[v5.fo%o]/",
					     "http://[v5]/",
					     "http://[]/",
					     "http://f%0red@x/",
					     "://x/",
					     "http://x:65536/",
					     "http://a@b@c/",
					     "http://[fe80::1%25eth0]/",
					     "99:99/foo",
					     ":b",
					     "/a b",
					     "/a\x01",
					     "/\xc3\xa4",
					     "/a\"b",
					     "/a<b",
					     "/a\\b",
					     "/a^b",
					     "/a{b",
					     "/a|b",
					     "/a`b",
					     "/a[b]",
					     "/a%4",
					     "/a%zz",
					     "?a%4",
					     "#a#b",
					     "http://x:-1/",
					     "http://x:+1/",
					     "http://x:99999999999999999999/" };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); ++i)
		cr_expect_null(evhttp_uri_parse(table[i]), "%s was accepted", table[i]);
}

/* H52: two megabytes come out as they went in. */
Test(http_uri, a_long_one, .timeout = 60)
{
	const size_t len = 2000000;
	char *text = malloc(len + 1), *joined = malloc(len + 1);
	struct evhttp_uri *uri;

	memset(text, 'a', len);
	memcpy(text, "http://h/", 9);
	text[len / 2] = '?';
	text[len - 1000] = '#';
	text[len] = '\0';
	uri = evhttp_uri_parse(text);
	cr_assert_not_null(uri);
	cr_expect_eq(strlen(evhttp_uri_get_path(uri)), len / 2 - 8);
	cr_assert_not_null(evhttp_uri_join(uri, joined, len + 1));
	cr_expect_eq(memcmp(joined, text, len + 1), 0);
	evhttp_uri_free(uri);
	text[len / 4] = ' ';
	cr_expect_null(evhttp_uri_parse(text));
	free(joined);
	free(text);
}

/* HTTP-336..341, HTTP-343 */
Test(http_uri, setters_and_join)
{
	char joined[64];
	struct evhttp_uri *uri = evhttp_uri_new();

	cr_assert_not_null(uri);
	cr_expect_eq(evhttp_uri_get_port(uri), -1);
	cr_expect_null(evhttp_uri_get_path(uri));
	cr_assert_not_null(evhttp_uri_join(uri, joined, sizeof(joined)));
	cr_expect_str_eq(joined, "");
	cr_expect_eq(evhttp_uri_set_scheme(uri, "http"), 0);
	cr_expect_eq(evhttp_uri_set_userinfo(uri, "u"), 0);
	cr_expect_eq(evhttp_uri_set_host(uri, "h"), 0);
	cr_expect_eq(evhttp_uri_set_port(uri, 99999), 0);
	cr_expect_eq(evhttp_uri_set_path(uri, "/p"), 0);
	cr_expect_eq(evhttp_uri_set_query(uri, "q"), 0);
	cr_expect_eq(evhttp_uri_set_fragment(uri, "f"), 0);
	cr_expect_eq(evhttp_uri_set_host(uri, "[1.2.3.4]"), -1);
	cr_expect_eq(evhttp_uri_set_host(uri, "www.[foo].com"), -1);
	cr_expect_eq(evhttp_uri_set_host(uri, "::1"), -1);
	cr_expect_eq(evhttp_uri_set_host(uri, "a:80"), -1);
	cr_expect_eq(evhttp_uri_set_scheme(uri, "1a"), -1);
	cr_expect_eq(evhttp_uri_set_port(uri, -2), -1);
	cr_expect_eq(evhttp_uri_set_path(uri, "/a?b"), -1);
	cr_expect_eq(evhttp_uri_set_path(uri, "/a#b"), -1);
	cr_expect_eq(evhttp_uri_set_query(uri, "a#b"), -1);
	cr_expect_eq(evhttp_uri_set_fragment(uri, "a#b"), -1);
	cr_assert_not_null(evhttp_uri_join(uri, joined, sizeof(joined)));
	cr_expect_str_eq(joined, "http://u@h:99999/p?q#f");
	cr_expect_null(evhttp_uri_join(uri, joined, strlen("http://u@h:99999/p?q#f")));
	cr_expect_not_null(evhttp_uri_join(uri, joined, strlen("http://u@h:99999/p?q#f") + 1));
	cr_expect_null(evhttp_uri_join(uri, joined, 0));
	cr_expect_null(evhttp_uri_join(uri, NULL, sizeof(joined)));
	cr_expect_null(evhttp_uri_join(NULL, joined, sizeof(joined)));
	cr_expect_eq(evhttp_uri_set_path(uri, "p"), 0);
	cr_expect_null(evhttp_uri_join(uri, joined, sizeof(joined)));
	cr_expect_eq(evhttp_uri_set_host(uri, NULL), 0);
	cr_assert_not_null(evhttp_uri_join(uri, joined, sizeof(joined)));
	cr_expect_str_eq(joined, "http:p?q#f");
	cr_expect_eq(evhttp_uri_set_path(uri, "a b"), -1);
	evhttp_uri_set_flags(uri, EVHTTP_URI_NONCONFORMANT);
	cr_expect_eq(evhttp_uri_set_path(uri, "a b"), 0);
	cr_expect_eq(evhttp_uri_set_unixsocket(uri, "any : string"), 0);
	cr_expect_str_eq(evhttp_uri_get_unixsocket(uri), "any : string");
	evhttp_uri_free(uri);
}

/* Refused memory leaves nothing behind. HTTP-317 */
Test(http_uri, refused_memory)
{
	struct evhttp_uri *uri = NULL;

	for (long n = 0; n < 50 && uri == NULL; ++n) {
		support_fail_once_after(n);
		uri = evhttp_uri_parse("s://u@h:1/p?q#f");
		if (!support_has_refused())
			cr_assert_not_null(uri);
	}
	support_fail_once_after(-1);
	cr_assert_not_null(uri);
	evhttp_uri_free(uri);
}

/*
 * HTTP-342: parts are put side by side; that they mean the same when read again is the caller's
 * care.
 */
Test(http_uri, joining_does_not_read_its_result)
{
	struct evhttp_uri *uri = evhttp_uri_new();
	char joined[64];

	evhttp_uri_set_path(uri, "//x/y");
	cr_expect_str_eq(evhttp_uri_join(uri, joined, sizeof(joined)), "//x/y");
	evhttp_uri_set_path(uri, "a:b");
	cr_expect_str_eq(evhttp_uri_join(uri, joined, sizeof(joined)), "a:b");
	evhttp_uri_free(uri);
}

static char *resolved(const char *base, const char *reference, unsigned flags)
{
	static char joined[256];
	struct evhttp_uri *from = evhttp_uri_parse_with_flags(base, flags);
	struct evhttp_uri *uri = evhttp_uri_resolve(from, reference, flags);
	char *result = uri != NULL ? evhttp_uri_join(uri, joined, sizeof(joined)) : NULL;

	if (uri != NULL)
		evhttp_uri_free(uri);
	evhttp_uri_free(from);
	return result;
}

/* The examples of RFC 3986 sections 5.4.1 and 5.4.2, and what they leave out. */
Test(http_uri, references_are_resolved)
{
	static const char *const rows[][3] = {
#define BASE "http://a/b/c/d;p?q"
		{ BASE, "g:h", "g:h" },
		{ BASE, "g", "http://a/b/c/g" },
		{ BASE, "./g", "http://a/b/c/g" },
		{ BASE, "g/", "http://a/b/c/g/" },
		{ BASE, "/g", "http://a/g" },
		{ BASE, "//g", "http://g" },
		{ BASE, "?y", "http://a/b/c/d;p?y" },
		{ BASE, "g?y", "http://a/b/c/g?y" },
		{ BASE, "#s", "http://a/b/c/d;p?q#s" },
		{ BASE, "g#s", "http://a/b/c/g#s" },
		{ BASE, "g?y#s", "http://a/b/c/g?y#s" },
		{ BASE, ";x", "http://a/b/c/;x" },
		{ BASE, "g;x?y#s", "http://a/b/c/g;x?y#s" },
		{ BASE, "", BASE },
		{ BASE, ".", "http://a/b/c/" },
		{ BASE, "./", "http://a/b/c/" },
		{ BASE, "..", "http://a/b/" },
		{ BASE, "../", "http://a/b/" },
		{ BASE, "../g", "http://a/b/g" },
		{ BASE, "../..", "http://a/" },
		{ BASE, "../../", "http://a/" },
		{ BASE, "../../g", "http://a/g" },
		{ BASE, "../../../g", "http://a/g" },
		{ BASE, "../../../../g", "http://a/g" },
		{ BASE, "/./g", "http://a/g" },
		{ BASE, "/../g", "http://a/g" },
		{ BASE, "g.", "http://a/b/c/g." },
		{ BASE, ".g", "http://a/b/c/.g" },
		{ BASE, "g..", "http://a/b/c/g.." },
		{ BASE, "..g", "http://a/b/c/..g" },
		{ BASE, "./../g", "http://a/b/g" },
		{ BASE, "./g/.", "http://a/b/c/g/" },
		{ BASE, "g/./h", "http://a/b/c/g/h" },
		{ BASE, "g/../h", "http://a/b/c/h" },
		{ BASE, "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ BASE, "g;x=1/../y", "http://a/b/c/y" },
		{ BASE, "g?y/./x", "http://a/b/c/g?y/./x" },
		{ BASE, "g#s/../x", "http://a/b/c/g#s/../x" },
		{ BASE, "http:g", "http:g" },
		{ BASE, "http://h/a/../b", "http://h/b" },
		{ BASE, "//g/x/./y", "http://g/x/y" },
		{ "http://u@[::1]:8000", "x/y?z", "http://u@[::1]:8000/x/y?z" },
		{ "http://a?q", "", "http://a?q" },
		{ "http://a/b/..//c/", "../d", "http://a//d" },
		{ "s:a/b", "../c", "s:/c" },
		{ "s:a", "b", "s:b" },
		{ "s:a", "../..", "s:" },
		{ "http://unix:/run/s:/a/b", "c", "http://unix:/run/s:/a/c" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const unsigned flags[] = { 0, EVHTTP_URI_HOST_STRIP_BRACKETS };

		for (size_t j = 0; j < 2; j++) {
			char *got =
				resolved(rows[i][0], rows[i][1], flags[j] | EVHTTP_URI_UNIX_SOCKET);

			cr_assert_not_null(got, "%s from %s", rows[i][1], rows[i][0]);
			cr_expect_str_eq(got, rows[i][2], "%s from %s: %s", rows[i][1], rows[i][0],
					 got);
		}
	}
}

Test(http_uri, what_cannot_be_resolved)
{
	cr_expect_null(resolved("//a/b", "c", 0));
	cr_expect_null(resolved(BASE, "a b", 0));
	cr_expect_null(resolved(BASE, "//h ost/", EVHTTP_URI_NONCONFORMANT));
	cr_expect_str_eq(resolved(BASE, "a b", EVHTTP_URI_NONCONFORMANT), "http://a/b/c/a b");
}

Test(http_uri, resolving_with_refused_memory)
{
	struct evhttp_uri *base = evhttp_uri_parse("http://u@a:7/b/c");
	struct evhttp_uri *uri = NULL;
	long n;

	for (n = 0; uri == NULL; n++) {
		cr_assert_lt(n, 50);
		support_fail_once_after(n);
		uri = evhttp_uri_resolve(base, "../x?y", 0);
		cr_assert(uri != NULL || support_has_refused());
	}
	support_fail_once_after(-1);
	cr_assert_gt(n, 4);
	cr_expect_str_eq(evhttp_uri_get_path(uri), "/x");
	evhttp_uri_free(uri);
	evhttp_uri_free(base);
}
