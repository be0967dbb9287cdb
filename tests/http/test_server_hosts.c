/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual hosts and aliases. */

#include "server_test.h"

#include <stdio.h>

static struct evhttp *foo, *bar, *deep;

static void hosts_open(void)
{
	http_open();
	foo = evhttp_new(NULL);
	bar = evhttp_new(base);
	deep = evhttp_new(NULL);
	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"main");
	evhttp_set_gencb(foo, answer_text, (void *)(uintptr_t)"foo");
	evhttp_set_gencb(bar, answer_text, (void *)(uintptr_t)"bar");
	evhttp_set_gencb(deep, answer_text, (void *)(uintptr_t)"deep");
}

TestSuite(http_server_hosts, .init = hosts_open, .fini = http_close, .timeout = 60);

static void free_unused(void)
{
	evhttp_free(foo);
	evhttp_free(bar);
	evhttp_free(deep);
}

static const char *ask(const char *host)
{
	char text[512];

	snprintf(text, sizeof(text), "GET /x HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	return body_of(talk(text));
}

/* HTTP-032, HTTP-033 */
Test(http_server_hosts, adding_and_removing)
{
	char pattern[] = "*.foo.com";

	cr_assert_eq(evhttp_add_virtual_host(http, pattern, foo), 0);
	pattern[2] = 'x';
	cr_expect_eq(evhttp_add_virtual_host(http, "again", foo), -1);
	cr_expect_eq(evhttp_add_virtual_host(bar, "again", foo), -1);
	cr_expect_eq(evhttp_remove_virtual_host(bar, foo), -1);
	cr_expect_eq(evhttp_remove_virtual_host(http, bar), -1);
	cr_expect_str_eq(ask("a.foo.com"), "foo");
	cr_assert_eq(evhttp_remove_virtual_host(http, foo), 0);
	cr_expect_str_eq(ask("a.foo.com"), "main");
	cr_expect_eq(evhttp_remove_virtual_host(http, foo), -1);

	cr_assert_eq(evhttp_bind_socket(bar, "127.0.0.1", 0), 0);
	cr_expect_eq(evhttp_add_virtual_host(http, "bar", bar), -1);
	support_fail_all_after(0);
	cr_expect_eq(evhttp_add_virtual_host(http, "deep", deep), -1);
	support_fail_all_after(-1);
	free_unused();
}

/* HTTP-033, HTTP-017: what is still attached goes with its parent, at any depth. */
Test(http_server_hosts, freeing_the_parent_frees_all_below)
{
	cr_assert_eq(evhttp_add_virtual_host(http, "foo", foo), 0);
	cr_assert_eq(evhttp_add_virtual_host(foo, "bar", bar), 0);
	cr_assert_eq(evhttp_add_virtual_host(bar, "deep", deep), 0);
	cr_assert_eq(evhttp_add_server_alias(deep, "alias"), 0);
	evhttp_free(http);
	http = NULL;
}

/* HTTP-033: a virtual host that is freed leaves its parent. */
Test(http_server_hosts, a_freed_host_leaves_its_parent)
{
	cr_assert_eq(evhttp_add_virtual_host(http, "*", foo), 0);
	evhttp_free(foo);
	cr_expect_str_eq(ask("a"), "main");
	evhttp_free(bar);
	evhttp_free(deep);
}

/* HTTP-034, HTTP-036: aliases, whole and in any case. */
Test(http_server_hosts, aliases)
{
	char name[] = "Bonkers.Org";

	cr_assert_eq(evhttp_add_virtual_host(http, "*.foo.com", foo), 0);
	cr_assert_eq(evhttp_add_virtual_host(http, "*.bar.com", bar), 0);
	cr_assert_eq(evhttp_add_virtual_host(bar, "*.deep.com", deep), 0);
	cr_assert_eq(evhttp_add_server_alias(http, "x.foo.com"), 0);
	cr_assert_eq(evhttp_add_server_alias(foo, name), 0);
	cr_assert_eq(evhttp_add_server_alias(bar, "BONKERS.org"), 0);
	cr_assert_eq(evhttp_add_server_alias(deep, "down.there"), 0);
	memset(name, 'x', 3);
	cr_expect_str_eq(ask("bonkers.org"), "foo");
	cr_expect_str_eq(ask("x.foo.com"), "main");
	cr_expect_str_eq(ask("y.foo.com"), "foo");
	cr_expect_str_eq(ask("down.there"), "deep");
	cr_expect_str_eq(ask("down.there2"), "main");
	cr_expect_eq(evhttp_remove_server_alias(foo, "nobody"), -1);
	cr_expect_eq(evhttp_remove_server_alias(foo, "bonkers.ORG"), 0);
	cr_expect_str_eq(ask("bonkers.org"), "bar");
	support_fail_all_after(0);
	cr_expect_eq(evhttp_add_server_alias(http, "y"), -1);
	support_fail_all_after(-1);
}

/* HTTP-037: the first that matches is entered, and no other after that. */
Test(http_server_hosts, patterns_are_tried_in_order_and_depth)
{
	cr_assert_eq(evhttp_add_virtual_host(http, "*.com", foo), 0);
	cr_assert_eq(evhttp_add_virtual_host(http, "*.bar.com", bar), 0);
	cr_assert_eq(evhttp_add_virtual_host(foo, "deep.*", deep), 0);
	cr_expect_str_eq(ask("a.bar.com"), "foo");
	cr_expect_str_eq(ask("deep.bar.com"), "deep");
	cr_expect_str_eq(ask("deep.bar.org"), "main");
}

/* HTTP-038, HTTP-039, HTTP-040, HTTP-381 */
Test(http_server_hosts, patterns)
{
	static const struct {
		const char *pattern, *host;
		int matches;
	} samples[] = {
		{ "bar.*.foo.com", "bar.magic.foo.com", 1 },
		{ "bar.*.foo.com", "BAR.a.b.Foo.com", 1 },
		{ "bar.*.foo.com", "bar..foo.com", 1 },
		{ "bar.*.foo.com", "bar.foo.com", 0 },
		{ "*foo.com", "foo.com", 1 },
		{ "foo.com", "a.foo.com", 0 },
		{ "foo.com", "foo.com.au", 0 },
		{ "foo.*", "foo.anything.at.all", 1 },
		{ "*", "whatever", 1 },
		{ "f?o", "foo", 0 },
		{ "a*b*c", "axxbyyc", 1 },
		{ "a*b*c", "axxbyy", 0 },
		{ "*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaac", 0 },
		{ "", "a", 0 },
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		cr_assert_eq(evhttp_add_virtual_host(http, samples[i].pattern, foo), 0);
		cr_expect_str_eq(ask(samples[i].host), samples[i].matches ? "foo" : "main", "%s %s",
				 samples[i].pattern, samples[i].host);
		cr_assert_eq(evhttp_remove_virtual_host(http, foo), 0);
	}
	free_unused();
}

/* HTTP-035, HTTP-043, HTTP-044, H24 */
Test(http_server_hosts, where_the_name_comes_from)
{
	cr_assert_eq(evhttp_add_server_alias(foo, "bonkers.org"), 0);
	cr_assert_eq(evhttp_add_virtual_host(http, "none", foo), 0);
	cr_expect_str_eq(ask("bonkers.org:8000"), "foo");
	check_reply(talk("GET http://bonkers.org/x HTTP/1.1\r\nHost: other\r\n\r\n"), 200, "foo");
	check_reply(talk("GET http://bonkers.org:9/x HTTP/1.1\r\nHost: other\r\n\r\n"), 200, "foo");
	check_reply(talk("GET http://other/x HTTP/1.1\r\nHost: bonkers.org\r\n\r\n"), 200, "main");
	check_reply(talk("GET /x HTTP/1.0\r\n\r\n"), 200, "main");
	evhttp_free(bar);
	evhttp_free(deep);
}

/* HTTP-035: for each request anew. */
Test(http_server_hosts, one_connection_may_ask_many_hosts)
{
	cr_assert_eq(evhttp_add_virtual_host(http, "foo", foo), 0);
	talk("GET / HTTP/1.1\r\nHost: foo\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
	     "GET / HTTP/1.1\r\nHost: foo\r\n\r\n");
	cr_expect_str_eq(http_log, "foo main foo");
	evhttp_free(bar);
	evhttp_free(deep);
}

/* HTTP-041 */
Test(http_server_hosts, a_selected_host_decides_alone)
{
	cr_assert_eq(evhttp_add_virtual_host(http, "foo", foo), 0);
	cr_assert_eq(evhttp_set_cb(http, "/x", http_hello, NULL), 0);
	evhttp_set_gencb(foo, NULL, NULL);
	cr_expect_eq(code_of(talk("GET /x HTTP/1.1\r\nHost: foo\r\n\r\n")), 404);
	cr_assert_eq(evhttp_set_cb(foo, "/x", answer_text, (void *)(uintptr_t)"mine"), 0);
	cr_expect_str_eq(ask("foo"), "mine");
	evhttp_free(bar);
	evhttp_free(deep);
}

/* HTTP-042: settings of connections are those of the server that listens. */
static int own_page(struct evhttp_request *req, struct evbuffer *buffer, int code,
		    const char *reason, void *arg)
{
	(void)req;
	(void)code;
	(void)reason;
	evbuffer_add(buffer, arg, strlen(arg));
	return 0;
}

static int count_new(struct evhttp_request *req, void *arg)
{
	(void)req;
	http_note("%s", (const char *)arg);
	return 0;
}

Test(http_server_hosts, settings_come_from_the_server)
{
	const char *got;

	cr_assert_eq(evhttp_add_virtual_host(http, "foo", foo), 0);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_PATCH);
	evhttp_set_allowed_methods(foo, EVHTTP_REQ_GET);
	evhttp_set_default_content_type(http, "a/main");
	evhttp_set_default_content_type(foo, "a/foo");
	evhttp_set_errorcb(http, own_page, (void *)(uintptr_t)"main page");
	evhttp_set_errorcb(foo, own_page, (void *)(uintptr_t)"foo page");
	evhttp_set_newreqcb(http, count_new, (void *)(uintptr_t)"new-main");
	evhttp_set_newreqcb(foo, count_new, (void *)(uintptr_t)"new-foo");
	evhttp_set_max_body_size(foo, 0);
	evhttp_set_max_headers_size(foo, 0);

	got = talk("PATCH / HTTP/1.1\r\nHost: foo\r\nContent-Length: 1\r\n\r\nx");
	check_reply(got, 200, "foo");
	cr_expect_eq(has_line(got, "Content-Type: a/main"), 1);
	check_reply(talk("GET / HTTP/1.1\r\nHost: foo\r\n\r\n"), 501, "main page");
	cr_expect_null(strstr(http_log, "new-foo"));
	cr_expect_not_null(strstr(http_log, "new-main"));
	evhttp_free(bar);
	evhttp_free(deep);
}
