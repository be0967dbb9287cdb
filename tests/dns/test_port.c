/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports of the DNS server: opening, closing, TCP connections, whose address answers. */

#include "server.h"

#include <fcntl.h>

TestSuite(dns_port, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static uint8_t query[1024], reply[2 * PACKET_MAX];

/* DNS-222, DNS-224 */
Test(dns_port, unusable_ones_are_refused)
{
	struct event_base *base = support_base_new();
	struct sockaddr_in addr = { 0 };
	int fd = loopback_socket(SOCK_DGRAM, &addr);

	cr_assert_null(evdns_add_server_port_with_base(base, -1, 0, answer_a, NULL));
	cr_assert_null(evdns_add_server_port_with_base(base, fd, 1, answer_a, NULL));
	cr_assert_null(evdns_add_server_port_with_base(NULL, fd, 0, answer_a, NULL),
		       "no current base");
	cr_assert_null(evdns_add_server_port_with_listener(base, NULL, 0, answer_a, NULL));
	cr_assert_geq(fcntl(fd, F_GETFD), 0, "the socket is still the caller's");
	close(fd);
	event_base_free(base);
}

/* DNS-222, DNS-234, DNS-256 */
Test(dns_port, queries_reach_the_callback_and_replies_the_client)
{
	struct served s;
	size_t len = make_query(query, HOST, 13, 1);

	serve(&s, answer_a);
	cr_assert_eq(exchange(&s, query, len, reply), (ssize_t)len + 16);
	cr_assert_eq(s.requests, 1);
	cr_assert_eq(get16(reply), 0x1234);
	cr_assert_eq(get16(reply + 2), 0x8100);
	cr_assert_eq(get16(reply + 4), 1);
	cr_assert_eq(get16(reply + 6), 1);
	cr_assert(memcmp(reply + len, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1", 16) == 0);
	serve_end(&s);
}

/* DNS-222 */
Test(dns_port, without_a_callback_queries_are_dropped)
{
	struct served s;
	struct evdns_server_port *port;
	struct sockaddr_in addr = { 0 };
	int fd;

	serve(&s, answer_a);
	fd = loopback_socket(SOCK_DGRAM, &addr);
	port = evdns_add_server_port_with_base(s.base, fd, 0, NULL, NULL);
	cr_assert_not_null(port);
	s.addr = addr;
	exchange_nothing(&s, query, make_query(query, HOST, 13, 1));
	evdns_close_server_port(port);
	serve_end(&s);
}

/* DNS-223 */
Test(dns_port, a_blocking_socket_does_not_block_the_loop)
{
	struct event_base *base = support_base_new();
	struct served s = { .base = base, .fn = answer_a };
	struct sockaddr_in addr = { 0 };
	int fd = loopback_socket(SOCK_DGRAM, &addr);

	cr_assert_eq(fcntl(fd, F_SETFL, 0), 0);
	s.addr = addr;
	s.udp = evdns_add_server_port_with_base(base, fd, 0, on_request, &s);
	cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	for (int i = 0; i < 2; i++)
		cr_assert_gt(exchange(&s, query, make_query(query, HOST, 13, 1), reply), 0);
	serve_end(&s);
}

/* DNS-223 */
Test(dns_port, ipv6_is_served_alike)
{
	struct event_base *base = support_base_new();
	struct served s = { .base = base, .fn = answer_a };
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), client;

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		close(fd);
		event_base_free(base);
		cr_skip_test("no IPv6");
	}
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	s.udp = evdns_add_server_port_with_base(base, fd, 0, on_request, &s);
	client = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_gt(send(client, query, make_query(query, HOST, 13, 1), 0), 0);
	cr_assert_gt(receive(&s, client, reply), 0);
	close(client);
	serve_end(&s);
}

/* DNS-225 */
Test(dns_port, it_keeps_the_loop_running)
{
	struct served s;

	serve(&s, answer_a);
	cr_assert_eq(event_base_get_num_events(s.base, EVENT_BASE_COUNT_ADDED), 1);
	evdns_close_server_port(s.udp);
	s.udp = NULL;
	cr_assert_eq(event_base_loop(s.base, 0), 1);
	serve_end(&s);
}

/* DNS-225: a burst is read in few passes. */
Test(dns_port, waiting_queries_are_read_together)
{
	struct served s;
	int fd, replies = 0, before, most = 0;

	serve(&s, answer_a);
	fd = client_socket(&s, SOCK_DGRAM);
	for (int i = 0; i < 200; i++)
		cr_assert_gt(send(fd, query, make_query(query, HOST, 13, 1), 0), 0);
	while (s.requests < 200) {
		before = s.requests;
		event_base_loop(s.base, EVLOOP_ONCE);
		most = s.requests - before > most ? s.requests - before : most;
	}
	cr_assert_gt(most, 1);
	cr_assert_lt(most, 200, "bounded per pass");
	while (replies < 200) {
		cr_assert_gt(receive(&s, fd, reply), 0);
		replies++;
	}
	close(fd);
	serve_end(&s);
}

/* DNS-226 */
Test(dns_port, it_owns_the_socket)
{
	struct event_base *base = support_base_new();
	struct sockaddr_in addr = { 0 };
	int fd = loopback_socket(SOCK_DGRAM, &addr);
	struct evdns_server_port *port = evdns_add_server_port_with_base(base, fd, 0, NULL, NULL);

	evdns_close_server_port(port);
	cr_assert_eq(close(fd), -1);
	cr_assert_eq(errno, EBADF);
	event_base_free(base);
}

static void close_in_callback(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;

	evdns_close_server_port(s->udp);
	s->udp = NULL;
	answer_a(req, NULL);
}

static void answer_then_close(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;

	answer_a(req, NULL);
	evdns_close_server_port(s->udp);
	s->udp = NULL;
}

/* DNS-228, DNS-229, DNS-292 */
Test(dns_port, may_be_closed_in_its_own_callback)
{
	static evdns_request_callback_fn_type const fns[] = {
		close_in_callback, answer_then_close,
	};

	for (int i = 0; i < 2; i++) {
		struct served s;
		int fd;

		serve(&s, fns[i]);
		fd = client_socket(&s, SOCK_DGRAM);
		for (int k = 0; k < 3; k++)
			cr_assert_gt(send(fd, query, make_query(query, HOST, 13, 1), 0), 0);
		cr_assert_gt(receive(&s, fd, reply), 0);
		run_for(s.base, 20);
		cr_assert_eq(s.requests, 1, "never again once closed");
		close(fd);
		serve_end(&s);
	}
}

/* DNS-228, DNS-229, D52 */
Test(dns_port, requests_outlive_it)
{
	struct served s;
	int fd;

	serve(&s, hold);
	fd = client_socket(&s, SOCK_DGRAM);
	for (int i = 0; i < 2; i++)
		cr_assert_gt(send(fd, query, make_query(query, HOST, 13, 1), 0), 0);
	while (s.held_count < 2)
		event_base_loop(s.base, EVLOOP_ONCE);
	evdns_close_server_port(s.udp);
	s.udp = NULL;
	cr_assert_gt(send(fd, query, make_query(query, HOST, 13, 1), 0), 0);
	run_for(s.base, 20);
	cr_assert_eq(s.requests, 2);
	answer_a(s.held[0], NULL);
	cr_assert_gt(receive(&s, fd, reply), 0);
	cr_assert_geq(fcntl(s.udp_fd, F_GETFD), 0, "needed by the other");
	cr_assert_eq(evdns_server_request_drop(s.held[1]), 0);
	cr_assert_eq(fcntl(s.udp_fd, F_GETFD), -1, "the socket is closed now");
	close(fd);
	serve_end(&s);
}

/* --- TCP -------------------------------------------------------------------------------------- */

/* A message with its length in front. */
static size_t framed(uint8_t *out, const uint8_t *message, size_t len)
{
	put16(out, (unsigned)len);
	memcpy(out + 2, message, len);
	return len + 2;
}

static uint8_t stream[4096];

/* DNS-227, DNS-264, DNS-265, D53 */
Test(dns_port, tcp_serves_several_queries_however_they_are_cut)
{
	struct served s;
	int fd;
	size_t len, n;
	ssize_t got = 0;

	serve(&s, answer_a);
	serve_tcp(&s);
	fd = client_socket(&s, SOCK_STREAM);
	len = make_query(query, HOST, 13, 1);
	n = framed(stream, query, len);
	query[0] = 0x55;
	n += framed(stream + n, query, len);
	cr_assert_eq(send(fd, stream, n, 0), (ssize_t)n);
	while (got < 2 * ((ssize_t)len + 18)) {
		ssize_t part = receive(&s, fd, reply + got);

		cr_assert_gt(part, 0);
		got += part;
	}
	cr_assert_eq(got, 2 * ((ssize_t)len + 18));
	cr_assert_eq(get16(reply), len + 16);
	cr_assert_eq(get16(reply + 2), 0x1234);
	cr_assert_eq(get16(reply + len + 20), 0x5534);
	for (size_t i = 0; i < n / 2; i++) {
		cr_assert_eq(send(fd, stream + i, 1, 0), 1);
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	}
	cr_assert_eq(receive(&s, fd, reply), (ssize_t)len + 18);
	close(fd);
	serve_end(&s);
}

/* DNS-265, D53 */
Test(dns_port, tcp_skips_a_malformed_query_and_closes_on_a_zero_length)
{
	struct served s;
	int fd;
	size_t len, n;

	serve(&s, answer_a);
	serve_tcp(&s);
	fd = client_socket(&s, SOCK_STREAM);
	len = make_query(query, HOST, 13, 1);
	n = framed(stream, query, 14);
	n += framed(stream + n, query, len);
	cr_assert_eq(send(fd, stream, n, 0), (ssize_t)n);
	cr_assert_eq(receive(&s, fd, reply), (ssize_t)len + 18);
	cr_assert_eq(send(fd, "\0", 2, 0), 2);
	cr_assert_eq(receive(&s, fd, reply), 0);
	close(fd);
	serve_end(&s);
}

/* DNS-265: replies come in the order of answering, and after the client said its last. */
Test(dns_port, tcp_answers_in_the_order_of_responding)
{
	struct served s;
	int fd;
	size_t len, n;

	serve(&s, hold);
	serve_tcp(&s);
	fd = client_socket(&s, SOCK_STREAM);
	len = make_query(query, HOST, 13, 1);
	n = framed(stream, query, len);
	query[0] = 0x55;
	n += framed(stream + n, query, len);
	cr_assert_eq(send(fd, stream, n, 0), (ssize_t)n);
	while (s.held_count < 2)
		event_base_loop(s.base, EVLOOP_ONCE);
	answer_a(s.held[1], NULL);
	cr_assert_eq(receive(&s, fd, reply), (ssize_t)len + 18);
	cr_assert_eq(get16(reply + 2), 0x5534);
	shutdown(fd, SHUT_WR);
	run_for(s.base, 30);
	answer_a(s.held[0], NULL);
	cr_assert_eq(receive(&s, fd, reply), (ssize_t)len + 18);
	cr_assert_eq(get16(reply + 2), 0x1234);
	cr_assert_eq(receive(&s, fd, reply), 0);
	close(fd);
	serve_end(&s);
}

/* DNS-230, DNS-292 */
Test(dns_port, answers_to_a_connection_that_is_gone_are_discarded)
{
	for (int who = 0; who < 2; who++) {
		struct served s;
		int fd;
		size_t n;

		serve(&s, hold);
		serve_tcp(&s);
		fd = client_socket(&s, SOCK_STREAM);
		n = framed(stream, query, make_query(query, HOST, 13, 1));
		n += framed(stream + n, query, n - 2);
		cr_assert_eq(send(fd, stream, n, 0), (ssize_t)n);
		while (s.held_count < 2)
			event_base_loop(s.base, EVLOOP_ONCE);
		cr_assert_eq(s.held_count, 2);
		if (who == 0) {
			struct linger abort_it = { 1, 0 };

			setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
			close(fd);
			run_for(s.base, 50);
		} else {
			evdns_close_server_port(s.tcp);
			s.tcp = NULL;
			cr_assert_eq(receive(&s, fd, reply), 0);
			close(fd);
		}
		cr_assert_eq(evdns_server_request_respond(s.held[0], 0), 0);
		cr_assert_eq(evdns_server_request_drop(s.held[1]), 0);
		serve_end(&s);
	}
}

/* DNS-231 */
Test(dns_port, options_are_for_tcp)
{
	static const size_t values[] = { 0, 1, 100 };
	struct served s;

	serve(&s, answer_a);
	serve_tcp(&s);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(
			evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_MAX_CLIENTS, values[i]),
			0);
		cr_assert_eq(
			evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_IDLE_TIMEOUT, values[i]),
			0);
		cr_assert_eq(
			evdns_server_port_set_option(s.udp, EVDNS_SOPT_TCP_MAX_CLIENTS, values[i]),
			-1);
	}
	cr_assert_eq(evdns_server_port_set_option(s.tcp, (enum evdns_server_option)77, 1), -1);
	cr_assert_eq(evdns_server_port_set_option(NULL, EVDNS_SOPT_TCP_MAX_CLIENTS, 1), -1);
	serve_end(&s);
}

/* Makes `n` connections; how many of them are served, the others are closed without a word. */
static int connections(struct served *s, int *fds, int n)
{
	size_t len = framed(stream, query, make_query(query, HOST, 13, 1));
	int served = 0;

	for (int i = 0; i < n; i++) {
		fds[i] = client_socket(s, SOCK_STREAM);
		(void)send(fds[i], stream, len, MSG_NOSIGNAL); /* perhaps closed already */
		served += receive(s, fds[i], reply) > 0;
	}
	return served;
}

/* Ends them, and sees the server's end closed as well. */
static void close_all(struct served *s, int *fds, int n)
{
	for (int i = 0; i < n; i++) {
		(void)shutdown(fds[i], SHUT_WR);
		cr_assert_leq(receive(s, fds[i], reply), 0);
		close(fds[i]);
	}
}

/* DNS-232, D53 */
Test(dns_port, the_number_of_connections_is_limited)
{
	struct served s;
	int fds[15], more[5];

	serve(&s, answer_a);
	serve_tcp(&s);
	cr_assert_eq(connections(&s, fds, 15), 10);
	cr_assert_eq(evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_MAX_CLIENTS, 3), 0);
	cr_assert_eq(connections(&s, more, 5), 0, "none until below");
	close_all(&s, more, 5);
	close_all(&s, fds, 15);
	cr_assert_eq(connections(&s, more, 5), 3);
	close_all(&s, more, 5);
	cr_assert_eq(evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_MAX_CLIENTS, 0), 0);
	cr_assert_eq(connections(&s, more, 5), 0);
	close_all(&s, more, 5);
	serve_end(&s);
}

/* DNS-233, D53 */
Test(dns_port, idle_connections_go_unless_an_answer_is_due)
{
	struct served s;
	int idle, busy;
	size_t n;
	double start;

	serve(&s, hold);
	serve_tcp(&s);
	cr_assert_eq(evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_IDLE_TIMEOUT, 1), 0);
	busy = client_socket(&s, SOCK_STREAM);
	n = framed(stream, query, make_query(query, HOST, 13, 1));
	cr_assert_eq(send(busy, stream, n, 0), (ssize_t)n);
	while (s.held_count < 1)
		event_base_loop(s.base, EVLOOP_ONCE);
	start = support_now_ms();
	idle = client_socket(&s, SOCK_STREAM);
	cr_assert_eq(receive(&s, idle, reply), 0);
	cr_assert_geq(support_now_ms() - start, 990);
	run_for(s.base, 1200); /* so that it would have gone twice */
	answer_a(s.held[0], NULL);
	cr_assert_gt(receive(&s, busy, reply), 0);
	cr_assert_eq(receive(&s, busy, reply), 0);
	close(idle);
	close(busy);
	serve_end(&s);
}

/* DNS-233: a time of 0 is none at all. */
Test(dns_port, without_an_idle_time_connections_stay)
{
	struct served s;
	int fd, before;

	serve(&s, answer_a);
	serve_tcp(&s);
	before = event_base_get_num_events(s.base, EVENT_BASE_COUNT_ADDED);
	cr_assert_eq(evdns_server_port_set_option(s.tcp, EVDNS_SOPT_TCP_IDLE_TIMEOUT, 0), 0);
	cr_assert_eq(connections(&s, &fd, 1), 1);
	cr_assert_eq(event_base_get_num_events(s.base, EVENT_BASE_COUNT_ADDED), before + 1);
	receive_nothing(&s, fd);
	close_all(&s, &fd, 1);
	serve_end(&s);
}

/* Far beyond what a server that waits for its client takes, sockets included. */
#define FLOOD (64u << 20)

/* Asks until the server takes no more; how many bytes went. */
static size_t flood(struct served *s, int fd, size_t query_len)
{
	size_t sent = 0;

	for (int stuck = 0; sent < FLOOD && stuck < 100;) {
		size_t at = sent % query_len;
		ssize_t part = send(fd, stream + at, query_len - at, MSG_NOSIGNAL);
		int before = s->requests;

		if (part > 0) {
			sent += (size_t)part;
			stuck = 0;
			continue;
		}
		run_for(s->base, 2);
		stuck = s->requests != before ? 0 : stuck + 1;
	}
	return sent;
}

/* DNS-293: a client that asks on and on and does not read has to wait, and loses nothing. */
Test(dns_port, a_client_cannot_pile_up_work)
{
	struct served s;
	int fd;
	size_t n, sent, total = 0;

	serve(&s, answer_a);
	serve_tcp(&s);
	fd = client_socket(&s, SOCK_STREAM);
	n = framed(stream, query, make_query(query, HOST, 13, 1));
	sent = flood(&s, fd, n);
	cr_assert_lt(sent, FLOOD, "it was stopped");
	while (total < sent / n * (n + 16)) {
		ssize_t part = receive(&s, fd, reply);

		cr_assert_gt(part, 0);
		total += (size_t)part;
	}
	receive_nothing(&s, fd);
	cr_assert_eq((size_t)s.requests, sent / n, "all are answered in the end");
	close(fd);
	serve_end(&s);
}

/* DNS-244, DNS-267 */
Test(dns_port, replies_come_from_the_address_that_was_asked)
{
	struct event_base *base = support_base_new();
	struct served s = { .base = base, .fn = answer_a };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	s.udp = evdns_add_server_port_with_base(base, fd, 0, on_request, &s);
	s.addr = addr;
	s.addr.sin_addr.s_addr = htonl(0x7f000009);
	cr_assert_gt(exchange(&s, query, make_query(query, HOST, 13, 1), reply), 0,
		     "the socket is connected");
	serve_end(&s);
}

static void check_peer(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;
	struct sockaddr_in peer;

	cr_assert_eq(evdns_server_request_get_requesting_addr(req, (struct sockaddr *)&peer, 4),
		     -1);
	cr_assert_eq(evdns_server_request_get_requesting_addr(req, (struct sockaddr *)&peer,
							      sizeof(peer)),
		     (int)sizeof(peer));
	cr_assert_eq(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	s->addr.sin_port = peer.sin_port;
	answer_a(req, NULL);
}

static in_port_t own_port(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return in.sin_port;
}

/* DNS-244 */
Test(dns_port, the_client_is_known_by_address)
{
	struct served s;
	int udp, tcp;
	size_t n;

	serve(&s, check_peer);
	serve_tcp(&s);
	udp = client_socket(&s, SOCK_DGRAM);
	tcp = client_socket(&s, SOCK_STREAM);
	cr_assert_gt(send(udp, query, make_query(query, HOST, 13, 1), 0), 0);
	cr_assert_gt(receive(&s, udp, reply), 0);
	cr_assert_eq(s.addr.sin_port, own_port(udp));
	n = framed(stream, query, make_query(query, HOST, 13, 1));
	cr_assert_gt(send(tcp, stream, n, 0), 0);
	cr_assert_gt(receive(&s, tcp, reply), 0);
	cr_assert_eq(s.addr.sin_port, own_port(tcp));
	close(udp);
	close(tcp);
	serve_end(&s);
}
