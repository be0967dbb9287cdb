/* SPDX-License-Identifier: BSD-3-Clause */
/* Names: how often they are looked up, and what becomes of several addresses. */

#include "http_test.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>

#include <netinet/in.h>
#include <sys/socket.h>

#define OK_CLOSE "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

static struct evdns_base *dns;
static struct evdns_server_port *name_server;
static int lookups;
static int fails;                /* the name server knows nothing */
static unsigned char answer[12]; /* IPv4 addresses */
static int answers;

static void on_query(struct evdns_server_request *req, void *arg)
{
	(void)arg;
	for (int i = 0; i < req->nquestions; i++) {
		const struct evdns_server_question *question = req->questions[i];

		if (question->type != EVDNS_TYPE_A)
			continue;
		lookups++;
		if (!fails)
			evdns_server_request_add_a_reply(req, question->name, answers, answer, 0);
	}
	evdns_server_request_respond(req, fails ? 3 : 0);
}

static void open_all(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	ev_socklen_t len = sizeof(name);
	evutil_socket_t fd;

	http_open();
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	name_server = evdns_add_server_port_with_base(base, fd, 0, on_query, NULL);
	dns = evdns_base_new(base, 0);
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&name, len, 0), 0);
	evdns_base_set_option(dns, "randomize-case", "0");
}

static void close_all(void)
{
	evdns_base_free(dns, 0);
	evdns_close_server_port(name_server);
	http_close();
}

TestSuite(http_client_lookup, .init = open_all, .fini = close_all, .timeout = 60);

static void set_answer(int n, const unsigned char *last_bytes)
{
	answers = n;
	for (int i = 0; i < n; i++)
		memcpy(answer + i * 4, (const unsigned char[]){ 127, 0, 0, last_bytes[i] }, 4);
}

static void ask_twice(int flags)
{
	struct canned canned;
	struct evhttp_connection *evcon;

	canned_open(&canned, OK_CLOSE, CANNED_KEEP);
	evcon = evhttp_connection_base_new(base, dns, "some.example", canned.port);
	evhttp_connection_set_family(evcon, AF_INET);
	cr_assert_eq(evhttp_connection_set_flags(evcon, flags), 0);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "done-200 done-200");
	cr_assert_eq(canned.connections, 2);
	evhttp_connection_free(evcon);
	canned_close(&canned);
}

/* HTTP-244 */
Test(http_client_lookup, each_connection_looks_the_name_up)
{
	set_answer(1, (const unsigned char[]){ 1 });
	ask_twice(0);
	cr_assert_eq(lookups, 2);
}

/* HTTP-244 */
Test(http_client_lookup, unless_the_last_address_is_to_be_used_again)
{
	set_answer(1, (const unsigned char[]){ 1 });
	ask_twice(EVHTTP_CON_REUSE_CONNECTED_ADDR);
	cr_assert_eq(lookups, 1);
}

/* Our server listens at 127.0.0.1 alone: the other addresses refuse. HTTP-152 */
Test(http_client_lookup, every_address_is_tried)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, dns, "some.example", port);
	const struct sockaddr_in *peer;

	set_answer(3, (const unsigned char[]){ 2, 3, 1 });
	evhttp_connection_set_family(evcon, AF_INET);
	evhttp_set_gencb(http, http_hello, NULL);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-200");
	peer = (const struct sockaddr_in *)evhttp_connection_get_addr(evcon);
	cr_assert_eq(ntohl(peer->sin_addr.s_addr), INADDR_LOOPBACK);
	evhttp_connection_free(evcon);
}

/* HTTP-265 */
Test(http_client_lookup, only_when_all_refuse_it_is_refused)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, dns, "some.example", port);

	set_answer(2, (const unsigned char[]){ 2, 3 });
	evhttp_connection_set_family(evcon, AF_INET);
	client_get(evcon, "/");
	client_wait(1);
	cr_assert_str_eq(http_log, "done-0");
	evhttp_connection_free(evcon);
}

/* HTTP-286: also where the lookup does not block. */
Test(http_client_lookup, a_name_that_is_not_known_is_an_eof_for_each_request)
{
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(base, dns, "some.example", port);

	fails = 1;
	evhttp_connection_set_family(evcon, AF_INET);
	evhttp_connection_set_retries(evcon, 3);
	client_get(evcon, "/1");
	client_get(evcon, "/2");
	client_wait(2);
	cr_assert_str_eq(http_log, "error-1 done-null error-1 done-null");
	evhttp_connection_free(evcon);
}
