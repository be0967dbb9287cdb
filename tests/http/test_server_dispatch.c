/* SPDX-License-Identifier: BSD-3-Clause */
/* Which callback serves a path. */

#include "server_test.h"

TestSuite(http_server_dispatch, .init = http_open, .fini = http_close, .timeout = 60);

static void serve(const char *path)
{
	cr_assert_eq(evhttp_set_cb(http, path, answer_text, (void *)(uintptr_t)path), 0);
}

/* HTTP-022, HTTP-023 */
Test(http_server_dispatch, paths_are_registered_once)
{
	char path[] = "/a";

	cr_assert_eq(evhttp_set_cb(http, path, http_hello, NULL), 0);
	path[1] = 'x';
	cr_assert_eq(code_of(get("/a")), 200);
	cr_assert_eq(evhttp_set_cb(http, "/a", http_echo, NULL), -1);
	cr_assert_eq(evhttp_del_cb(http, "/b"), -1);
	cr_assert_eq(evhttp_del_cb(http, "/a"), 0);
	cr_assert_eq(evhttp_del_cb(http, "/a"), -1);
	cr_assert_eq(code_of(get("/a")), 404);
	serve("/a");
	check_reply(get("/a"), 200, "/a");
	support_fail_all_after(0);
	cr_assert_lt(evhttp_set_cb(http, "/c", http_hello, NULL), -1);
	support_fail_all_after(-1);
}

/* HTTP-024, HTTP-026 */
Test(http_server_dispatch, paths_match_whole_after_decoding)
{
	serve("/a/b");
	serve("/plus+x");
	check_reply(get("/a/b"), 200, "/a/b");
	check_reply(get("/%61%2fb"), 200, "/a/b");
	check_reply(get("/a/b?x=/c"), 200, "/a/b");
	check_reply(get("/a/b#f"), 200, "/a/b");
	check_reply(get("/plus+x"), 200, "/plus+x");
	check_reply(get("/plus%2bx"), 200, "/plus+x");
	cr_expect_eq(code_of(get("/plus x")), 404);
	cr_expect_eq(code_of(get("/A/b")), 404);
	cr_expect_eq(code_of(get("/a")), 404);
	cr_expect_eq(code_of(get("/a/")), 404);
	cr_expect_eq(code_of(get("/a/b/")), 404);
	cr_expect_eq(code_of(get("/a/./b")), 404);
	cr_expect_eq(code_of(get("/a/x/../b")), 404);
}

/* HTTP-025 */
Test(http_server_dispatch, spaces_encoded_or_not)
{
	serve("/test nonconformant");
	check_reply(get("/test%20nonconformant"), 200, "/test nonconformant");
	check_reply(get("/test nonconformant"), 200, "/test nonconformant");
}

/* HTTP-027, H23 */
Test(http_server_dispatch, an_encoded_nul_cuts_nothing_off)
{
	serve("/a");
	cr_expect_eq(code_of(get("/a%00b")), 404);
	cr_expect_eq(code_of(get("/a%00")), 404);
	cr_expect_eq(code_of(get("/a")), 200);
}

/* HTTP-024: longer than any buffer on a stack. */
Test(http_server_dispatch, long_encoded_paths)
{
	char path[1000] = "/A";
	char target[1002] = "/%41";

	memset(path + 2, 'b', sizeof(path) - 3);
	memset(target + 4, 'b', sizeof(target) - 5);
	cr_expect_eq(code_of(get(target)), 404);
	serve(path);
	cr_expect_eq(code_of(get(target)), 200);
}

/* HTTP-028, HTTP-099, HTTP-100 */
Test(http_server_dispatch, the_generic_callback_comes_last)
{
	static const char page[] =
		"<html><head><title>404 Not Found</title></head><body><h1>404 Not "
		"Found</h1><p>The requested URL /missing was not found on this "
		"server.</p></body></html>";
	const char *got;

	serve("/a");
	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"any");
	check_reply(get("/a"), 200, "/a");
	check_reply(get("/missing"), 200, "any");
	evhttp_set_gencb(http, NULL, NULL);
	got = get("/missing");
	check_reply(got, 404, page);
	cr_assert_eq(strlen(page), 152);
	cr_assert_eq(strncmp(got, "HTTP/1.1 404 Not Found\r\n", 24), 0);
}

/* HTTP-099, H51 */
Test(http_server_dispatch, the_404_page_escapes_the_target)
{
	const char *got = get("/<b>&\"'");

	cr_assert_not_null(strstr(body_of(got), "URL /&lt;b&gt;&amp;&quot;&#039; was"));
	cr_assert_null(strstr(got, "<b>"));
}

/* HTTP-029 */
static void change(struct evhttp_request *req, void *arg)
{
	(void)arg;
	evhttp_set_gencb(http, answer_text, (void *)(uintptr_t)"later");
	cr_expect_eq(evhttp_del_cb(http, "/once"), 0);
	http_hello(req, NULL);
}

Test(http_server_dispatch, callbacks_may_change_callbacks)
{
	const char *got;

	cr_assert_eq(evhttp_set_cb(http, "/once", change, NULL), 0);
	got = talk(GET("/once") GET("/once"));
	cr_assert_eq(times(got, "HTTP/1.1 200 OK"), 2);
	cr_assert_eq(times(got, "later"), 1);
}

/* HTTP-030, HTTP-200, HTTP-201: whatever the pieces, the callback sees all of the body. */
Test(http_server_dispatch, the_callback_runs_when_the_request_is_complete)
{
	static const char text[] =
		"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
		"GET /second HTTP/1.1\r\nHost: a\r\n\r\n";

	cr_assert_eq(evhttp_set_cb(http, "/echo", http_echo, NULL), 0);
	serve("/second");
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct peer *peer = peer_open(port);

		peer_send_bytes(peer, text, cut);
		event_base_loop(base, EVLOOP_NONBLOCK);
		event_base_loop(base, EVLOOP_NONBLOCK);
		peer_send_bytes(peer, text + cut, sizeof(text) - 1 - cut);
		peer_finish(peer);
		peer_until_end(peer);
		cr_assert_eq(times(peer->got, "\r\n\r\nhelloHTTP/1.1 200 OK"), 1, "cut at %zu: %s",
			     cut, peer->got);
		cr_assert_eq(times(peer->got, "\r\n\r\n/second"), 1);
		peer_close(peer);
	}
}

/* HTTP-030: not before its last byte. */
Test(http_server_dispatch, an_incomplete_body_calls_nobody)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	peer_send(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
	until_connections(1);
	settle();
	cr_assert_str_eq(http_log, "");
	peer_send(peer, "o");
	log_wait("handler");
	evhttp_send_reply(kept, 200, NULL, NULL);
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* HTTP-198 */
Test(http_server_dispatch, every_ordinary_method_may_have_a_body)
{
	static const char *const methods[] = {
		"GET", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK",
		"COPY", "MOVE", "PATCH", "PUT", "POST",
	};
	char text[256];

	evhttp_set_allowed_methods(http, 0xffff);
	evhttp_set_gencb(http, http_echo, NULL);
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		evutil_snprintf(text, sizeof(text),
				"%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
				methods[i]);
		check_reply(talk(text), 200, "body");
	}
}
