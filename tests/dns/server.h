/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_H_INCLUDED
#define SERVER_H_INCLUDED

/* A DNS server under test, and a client of bare bytes. */

#include "fake.h"

#include <errno.h>

struct served {
	struct event_base *base;
	struct evdns_server_port *udp, *tcp;
	int udp_fd;
	struct sockaddr_in addr;
	evdns_request_callback_fn_type fn; /* what the test wants done with requests */
	void *arg;
	int requests;
	struct evdns_server_request *held[64];
	int held_count;
};

static inline void on_request(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;

	s->requests++;
	s->fn(req, s->arg != NULL ? s->arg : s);
}

/* Keeps the request for later. */
static inline void hold(struct evdns_server_request *req, void *arg)
{
	struct served *s = arg;

	s->held[s->held_count++] = req;
}

/* Answers every question for A with 10.0.0.1, ttl 60. */
static inline void answer_a(struct evdns_server_request *req, void *arg)
{
	static const uint8_t ip[4] = { 10, 0, 0, 1 };

	(void)arg;
	for (int i = 0; i < req->nquestions; i++)
		cr_assert_eq(
			evdns_server_request_add_a_reply(req, req->questions[i]->name, 1, ip, 60),
			0);
	cr_assert_eq(evdns_server_request_respond(req, 0), 0);
}

static inline void serve_udp(struct served *s)
{
	memset(&s->addr, 0, sizeof(s->addr));
	s->udp_fd = loopback_socket(SOCK_DGRAM, &s->addr);
	cr_assert_geq(s->udp_fd, 0);
	s->udp = evdns_add_server_port_with_base(s->base, s->udp_fd, 0, on_request, s);
	cr_assert_not_null(s->udp);
}

static inline void serve(struct served *s, evdns_request_callback_fn_type fn)
{
	memset(s, 0, sizeof(*s));
	s->base = support_base_new();
	s->fn = fn;
	serve_udp(s);
}

static inline struct evconnlistener *listen_at(struct served *s)
{
	return evconnlistener_new_bind(s->base, NULL, NULL,
				       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE |
					       LEV_OPT_THREADSAFE | LEV_OPT_CLOSE_ON_EXEC,
				       16, (struct sockaddr *)&s->addr, sizeof(s->addr));
}

/* On the same port. Where TCP has another user for it, both move to the next that is free. */
static inline void serve_tcp(struct served *s)
{
	struct evconnlistener *listener;

	while ((listener = listen_at(s)) == NULL) {
		evdns_close_server_port(s->udp);
		serve_udp(s);
	}
	s->tcp = evdns_add_server_port_with_listener(s->base, listener, 0, on_request, s);
	cr_assert_not_null(s->tcp);
}

static inline void serve_end(struct served *s)
{
	evdns_close_server_port(s->udp);
	evdns_close_server_port(s->tcp);
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	event_base_free(s->base);
}

static inline int client_socket(struct served *s, int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (struct sockaddr *)&s->addr, sizeof(s->addr)), 0);
	evutil_make_socket_nonblocking(fd);
	return fd;
}

/* Runs the server until something can be read, or -1 after `ms`. */
static inline ssize_t receive_within(struct served *s, int fd, uint8_t *reply, int ms)
{
	double end = support_now_ms() + ms;

	for (;;) {
		int is_last = support_now_ms() >= end;
		ssize_t n;

		event_base_loop(s->base, EVLOOP_NONBLOCK);
		n = recv(fd, reply, PACKET_MAX, 0);
		if (n >= 0 || is_last)
			return n;
		run_for(s->base, 2);
	}
}

/* What must come; 0 at the end of a connection. */
static inline ssize_t receive(struct served *s, int fd, uint8_t *reply)
{
	return receive_within(s, fd, reply, LONG_MS);
}

/* Nothing comes, as far as one can wait for nothing. */
static inline void receive_nothing(struct served *s, int fd)
{
	static uint8_t reply[PACKET_MAX];

	cr_assert_eq(receive_within(s, fd, reply, 200), -1);
	cr_assert_eq(EVUTIL_SOCKET_ERROR(), support_socket_error(EAGAIN));
}

/* A query for `name`, given as wire bytes without the zero at the end, of that type. */
static inline size_t make_query(uint8_t *query, const char *labels, size_t len, unsigned type)
{
	static const uint8_t head[12] = { 0x12, 0x34, 1, 0, 0, 1 };

	memcpy(query, head, 12);
	memcpy(query + 12, labels, len);
	query[12 + len] = 0;
	put16(query + 13 + len, type);
	put16(query + 15 + len, 1);
	return 17 + len;
}

static inline size_t add_opt(uint8_t *query, size_t len, unsigned size, unsigned version)
{
	static const uint8_t opt[11] = { 0, 0, 41 };

	query[11]++;
	memcpy(query + len, opt, 11);
	put16(query + len + 3, size);
	query[len + 6] = (uint8_t)version;
	return len + 11;
}

/* Sends by UDP and waits for the reply; its length. */
static inline ssize_t exchange(struct served *s, const uint8_t *query, size_t len, uint8_t *reply)
{
	int fd = client_socket(s, SOCK_DGRAM);
	ssize_t n;

	cr_assert_eq(send(fd, query, len, 0), (ssize_t)len);
	n = receive(s, fd, reply);
	close(fd);
	return n;
}

/* Sends by UDP what must not be answered. */
static inline void exchange_nothing(struct served *s, const uint8_t *query, size_t len)
{
	int fd = client_socket(s, SOCK_DGRAM);

	cr_assert_eq(send(fd, query, len, 0), (ssize_t)len);
	receive_nothing(s, fd);
	close(fd);
}

static inline unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

#define HOST "\4host\7example"

#endif
