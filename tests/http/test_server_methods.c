/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods: which are known, which are allowed, and those a program adds. */

#include "server_test.h"

#include <stdio.h>

TestSuite(http_server_methods, .init = http_open, .fini = http_close, .timeout = 60);

#define CUSTOM (EVHTTP_REQ_MAX << 1)
#define OTHER  (EVHTTP_REQ_MAX << 2)

static const char *ask(const char *method)
{
	char text[256];

	snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
		 method);
	return talk(text);
}

static ev_uint32_t last_command;

static void note_command(struct evhttp_request *req, void *arg)
{
	(void)arg;
	last_command = evhttp_request_get_command(req);
	http_echo(req, NULL);
}

/* HTTP-045, HTTP-049, HTTP-056: sixteen methods, sixteen bits, and the mask decides alone. */
Test(http_server_methods, built_in_ones)
{
	static const char *const names[] = {
		"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH",
		"PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK", "COPY", "MOVE",
	};

	evhttp_set_gencb(http, note_command, NULL);
	for (unsigned i = 0; i < 16; i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", names[i],
			 strcmp(names[i], "CONNECT") == 0 ? "a:1" : "/");
		evhttp_set_allowed_methods(http, 1u << i);
		last_command = 0;
		cr_expect_eq(code_of(talk(text)), 200, "%s", names[i]);
		cr_expect_eq(last_command, 1u << i, "%s", names[i]);
		evhttp_set_allowed_methods(http, 0xffffffffu & ~(1u << i));
		last_command = 0;
		cr_expect_eq(code_of(talk(text)), 501, "%s", names[i]);
		cr_expect_eq(last_command, 0, "%s", names[i]);
	}
}

/* HTTP-046, HTTP-047: after the body, and before any host or path is looked for. */
Test(http_server_methods, a_method_not_allowed_is_refused_at_the_end)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, http_keep, NULL);
	peer_send(peer, "PATCH / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbod");
	until_connections(1);
	settle();
	cr_assert_eq(peer->len, 0);
	peer_send(peer, "y");
	peer_until_end(peer);
	cr_assert_eq(strncmp(peer->got, "HTTP/1.1 501 Not Implemented\r\n", 30), 0);
	cr_assert_eq(has_line(peer->got, "Connection: close"), 1);
	cr_assert_str_eq(http_log, "");
	peer_close(peer);
}

/* HTTP-098 */
Test(http_server_methods, the_page_of_501_has_101_bytes)
{
	cr_assert_eq(strlen(body_of(ask("FLOOP"))), 101);
}

static ev_uint16_t custom_flags;

static int custom(struct evhttp_ext_method *method)
{
	if (method->method != NULL) {
		if (strcmp(method->method, "CUSTOM") == 0)
			method->type = CUSTOM;
		else if (strcmp(method->method, "RENAME") == 0)
			method->method = "CUSTOM";
		else
			return -1;
		http_note("name:%s", method->method);
		method->flags = custom_flags;
		return 0;
	}
	if (method->type != CUSTOM)
		return -1;
	method->method = "CUSTOM";
	return 0;
}

/* HTTP-050, HTTP-051, HTTP-052 */
Test(http_server_methods, custom_ones_have_to_be_allowed)
{
	custom_flags = EVHTTP_METHOD_HAS_BODY;
	evhttp_set_gencb(http, note_command, NULL);
	cr_expect_eq(code_of(ask("CUSTOM")), 501);
	evhttp_set_ext_method_cmp(http, custom);
	cr_expect_eq(code_of(ask("CUSTOM")), 501);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | CUSTOM);
	check_reply(ask("CUSTOM"), 200, "body");
	cr_expect_eq(last_command, CUSTOM);
	cr_expect_eq(code_of(ask("UNKNOWN")), 501);
	http_log[0] = '\0';
	check_reply(ask("GET"), 200, "body");
	cr_expect_str_eq(http_log, "");
}

/* HTTP-050: the connection has the callback it was accepted with. */
Test(http_server_methods, a_connection_keeps_its_callback)
{
	struct peer *peer = peer_open(port);

	evhttp_set_gencb(http, note_command, NULL);
	evhttp_set_allowed_methods(http, CUSTOM);
	evhttp_set_ext_method_cmp(http, custom);
	until_connections(1);
	evhttp_set_ext_method_cmp(http, NULL);
	peer_send(peer, REQUEST("CUSTOM /", ""));
	peer_until(peer, "200 OK");
	peer_close(peer);
}

/* HTTP-053 */
Test(http_server_methods, changing_the_name_is_malformed)
{
	evhttp_set_ext_method_cmp(http, custom);
	evhttp_set_allowed_methods(http, CUSTOM);
	cr_expect_eq(code_of(ask("RENAME")), 400);
}

/* HTTP-054, HTTP-055, HTTP-199: flags count; without them the body is read and thrown away. */
Test(http_server_methods, flags_say_whether_there_is_a_body)
{
	const char *got;

	evhttp_set_gencb(http, http_echo, NULL);
	evhttp_set_ext_method_cmp(http, custom);
	evhttp_set_allowed_methods(http, CUSTOM | EVHTTP_REQ_GET);
	got = talk("CUSTOM / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\n" GET("/smuggled"));
	cr_expect_eq(times(got, "HTTP/1.1"), 1);
	check_reply(got, 200, "");
	custom_flags = EVHTTP_METHOD_HAS_BODY;
	check_reply(ask("CUSTOM"), 200, "body");
}

/* HTTP-199, H13, H30: HEAD and TRACE, sized and chunked; the connection stays in step. */
Test(http_server_methods, bodies_nobody_asked_for_are_passed_over)
{
	static const char *const methods[] = { "HEAD", "TRACE" };
	char text[512];

	evhttp_set_allowed_methods(http, 0xffff);
	evhttp_set_gencb(http, http_hello, NULL);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\n" GET("/smuggle")
			 "%s / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "5\r\nGET /\r\n0\r\n\r\n" GET("/last"),
			 methods[i], methods[i]);
		cr_expect_eq(times(talk(text), "HTTP/1.1 200 OK"), 3, "%s", methods[i]);
	}
}
