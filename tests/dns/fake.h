/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_H_INCLUDED
#define FAKE_H_INCLUDED

/*
 * What the DNS suites share: a nameserver that answers as the test says, byte by byte if need be,
 * and records of what callbacks were told.
 */

#include "support.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX 65535

/* Far more than anything takes that must happen, however loaded the machine is. */
#define LONG_MS 30000

/* A time as an option's value that never passes: where it counts, waiting for it fails the test. */
#define NEVER "3600"

struct fake;

static inline void await(struct event_base *base, const int *flag)
{
	support_run_until(base, flag, LONG_MS);
}

/*
 * Builds a reply to `query`; its length, 0 for silence, HANG_UP to close the connection it came by.
 */
typedef size_t fake_fn(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply);

#define HANG_UP ((size_t)-1)

#define SEEN_MAX 256

/* A query that came: its name in lower case, and where from. */
struct seen {
	char name[256];
	unsigned id, type, port;
	int by_tcp;
	double at; /* milliseconds */
};

struct fake_conn {
	struct fake_conn *next;
	struct fake *fake;
	int fd;
	struct event *readable;
	uint8_t in[4096];
	size_t len;
};

/* A nameserver on bare sockets, run by the same loop. UDP, and TCP too after fake_listen(). */
struct fake {
	struct event_base *base;
	int fd;
	struct sockaddr_in addr;
	struct event *readable;
	fake_fn *fn;
	void *arg;
	int queries, tcp_queries, tcp_conns; /* queries by UDP; by TCP; connections ever accepted */
	struct sockaddr_in from;             /* of the last query */
	uint8_t last[1024];
	size_t last_len;
	struct seen seen[SEEN_MAX];
	int seen_count;
	int listener;
	struct event *acceptable;
	struct fake_conn *conns, *conn; /* conn: the one being answered, NULL: UDP */
};

/* Where the question of `query` ends. */
static inline size_t question_end(const uint8_t *query)
{
	size_t at = 12;

	while (query[at] != 0)
		at += 1u + query[at];
	return at + 5;
}

/* The question's name as text, in lower case; "" for the root. */
static inline void question_name(const uint8_t *query, char name[256])
{
	size_t at = 12, n = 0;

	while (query[at] != 0) {
		if (n > 0)
			name[n++] = '.';
		for (size_t i = 1; i <= query[at]; i++)
			name[n++] = (char)(query[at + i] >= 'A' && query[at + i] <= 'Z'
						   ? query[at + i] + 32
						   : query[at + i]);
		at += 1u + query[at];
	}
	name[n] = '\0';
}

static inline unsigned question_type(const uint8_t *query)
{
	size_t end = question_end(query);

	return (unsigned)query[end - 4] << 8 | query[end - 3];
}

static inline void fake_note(struct fake *fake, const uint8_t *query, size_t len)
{
	struct seen *seen = &fake->seen[fake->seen_count % SEEN_MAX];

	fake->last_len = len < sizeof(fake->last) ? len : sizeof(fake->last);
	memcpy(fake->last, query, fake->last_len);
	fake->seen_count++;
	question_name(query, seen->name);
	seen->id = (unsigned)query[0] << 8 | query[1];
	seen->type = question_type(query);
	seen->port = ntohs(fake->from.sin_port);
	seen->by_tcp = fake->conn != NULL;
	seen->at = support_now_ms();
}

static inline void fake_send(struct fake *fake, const void *data, size_t len)
{
	if (fake->conn != NULL) {
		/* in one piece, or it would wait for an ACK */
		static uint8_t message[PACKET_MAX + 2];

		message[0] = (uint8_t)(len >> 8);
		message[1] = (uint8_t)len;
		memcpy(message + 2, data, len);
		cr_assert_eq(send(fake->conn->fd, message, len + 2, MSG_NOSIGNAL),
			     (ssize_t)len + 2);
		return;
	}
	cr_assert_eq(
		sendto(fake->fd, data, len, 0, (struct sockaddr *)&fake->from, sizeof(fake->from)),
		(ssize_t)len);
}

static inline void fake_on_query(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t query[PACKET_MAX], reply[PACKET_MAX];
	struct fake *fake = arg;
	socklen_t from_len = sizeof(fake->from);
	ssize_t len =
		recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&fake->from, &from_len);
	size_t reply_len;

	(void)what;
	if (len < 0)
		return;
	fake->conn = NULL;
	fake->queries++;
	fake_note(fake, query, (size_t)len);
	reply_len = fake->fn != NULL ? fake->fn(fake, query, (size_t)len, reply) : 0;
	if (reply_len > 0)
		fake_send(fake, reply, reply_len);
}

static inline int loopback_socket(int type, struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (type == SOCK_STREAM)
		cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	if (bind(fd, (struct sockaddr *)addr, len) != 0) {
		close(fd);
		return -1;
	}
	cr_assert_eq(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static inline void fake_start(struct fake *fake, struct event_base *base, fake_fn *fn)
{
	memset(fake, 0, sizeof(*fake));
	fake->base = base;
	fake->fn = fn;
	fake->listener = -1;
	fake->fd = loopback_socket(SOCK_DGRAM, &fake->addr);
	cr_assert_geq(fake->fd, 0);
	fake->readable = event_new(base, fake->fd, EV_READ | EV_PERSIST, fake_on_query, fake);
	cr_assert_eq(event_add(fake->readable, NULL), 0);
}

static inline void fake_conn_close(struct fake_conn *conn)
{
	struct fake_conn **link = &conn->fake->conns;

	while (*link != conn)
		link = &(*link)->next;
	*link = conn->next;
	if (conn->fake->conn == conn)
		conn->fake->conn = NULL;
	event_free(conn->readable);
	close(conn->fd);
	free(conn);
}

/* The messages that have come whole; 0 once the connection is closed. */
static inline int fake_conn_answer(struct fake_conn *conn)
{
	static uint8_t reply[PACKET_MAX];
	struct fake *fake = conn->fake;

	for (;;) {
		size_t len = (size_t)conn->in[0] << 8 | conn->in[1], reply_len;

		if (conn->len < 2 || conn->len < len + 2)
			return 1;
		fake->conn = conn;
		fake->tcp_queries++;
		fake_note(fake, conn->in + 2, len);
		reply_len = fake->fn != NULL ? fake->fn(fake, conn->in + 2, len, reply) : 0;
		if (reply_len == HANG_UP) {
			fake_conn_close(conn);
			return 0;
		}
		if (reply_len > 0)
			fake_send(fake, reply, reply_len);
		memmove(conn->in, conn->in + len + 2, conn->len - len - 2);
		conn->len -= len + 2;
	}
}

static inline void fake_on_bytes(evutil_socket_t fd, short what, void *arg)
{
	struct fake_conn *conn = arg;
	ssize_t n = recv(fd, conn->in + conn->len, sizeof(conn->in) - conn->len, 0);

	(void)what;
	if (n <= 0) {
		fake_conn_close(conn);
		return;
	}
	conn->len += (size_t)n;
	(void)fake_conn_answer(conn);
}

static inline void fake_on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct fake *fake = arg;
	struct fake_conn *conn = calloc(1, sizeof(*conn));

	(void)what;
	conn->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert_geq(conn->fd, 0);
	conn->fake = fake;
	conn->next = fake->conns;
	fake->conns = conn;
	fake->tcp_conns++;
	conn->readable = event_new(fake->base, conn->fd, EV_READ | EV_PERSIST, fake_on_bytes, conn);
	cr_assert_eq(event_add(conn->readable, NULL), 0);
}

/* Take TCP connections on the same port, which may take another port to find. */
static inline void fake_listen(struct fake *fake)
{
	while ((fake->listener = loopback_socket(SOCK_STREAM, &fake->addr)) < 0) {
		event_free(fake->readable);
		close(fake->fd);
		memset(&fake->addr, 0, sizeof(fake->addr));
		fake->fd = loopback_socket(SOCK_DGRAM, &fake->addr);
		fake->readable =
			event_new(fake->base, fake->fd, EV_READ | EV_PERSIST, fake_on_query, fake);
		cr_assert_eq(event_add(fake->readable, NULL), 0);
	}
	cr_assert_eq(listen(fake->listener, 16), 0);
	fake->acceptable =
		event_new(fake->base, fake->listener, EV_READ | EV_PERSIST, fake_on_accept, fake);
	cr_assert_eq(event_add(fake->acceptable, NULL), 0);
}

static inline void fake_stop(struct fake *fake)
{
	while (fake->conns != NULL)
		fake_conn_close(fake->conns);
	if (fake->listener >= 0) {
		event_free(fake->acceptable);
		close(fake->listener);
	}
	event_free(fake->readable);
	close(fake->fd);
}

static inline void fake_use(struct fake *fake, struct evdns_base *dns)
{
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&fake->addr,
							sizeof(fake->addr), 0),
		     0);
}

/* Runs the loop until so many queries have come, by UDP or TCP, or the test's time is up. */
static inline void fake_await(struct fake *fake, int n)
{
	while (fake->seen_count < n)
		cr_assert_eq(event_base_loop(fake->base, EVLOOP_ONCE), 0);
}

/*
 * A port where nobody is and that nobody else can get: the socket is connected to elsewhere, so
 * what comes is refused. To be closed at the end of the test.
 */
static inline int closed_port(struct sockaddr_in *addr)
{
	struct sockaddr_in elsewhere = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd;

	memset(addr, 0, sizeof(*addr));
	fd = loopback_socket(SOCK_DGRAM, addr);
	cr_assert_geq(fd, 0);
	elsewhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&elsewhere, sizeof(elsewhere)), 0);
	return fd;
}

/* --- Building replies ------------------------------------------------------------------------- */

/* Head and question of a reply, without records yet. */
static inline size_t begin_reply(const uint8_t *query, uint8_t *reply, unsigned flags)
{
	size_t len = question_end(query);

	memcpy(reply, query, len);
	reply[2] = (uint8_t)(flags >> 8);
	reply[3] = (uint8_t)flags;
	memset(reply + 6, 0, 6);
	return len;
}

static inline size_t put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return 2;
}

/* A record owned by the name of the question; section 1 answer, 2 authority, 3 additional. */
static inline size_t add_record(uint8_t *reply, size_t len, int section, unsigned type,
				unsigned class, uint32_t ttl, const void *data, size_t data_len)
{
	unsigned count = (unsigned)reply[4 + 2 * section] << 8 | reply[5 + 2 * section];

	put16(reply + 4 + 2 * section, count + 1);
	len += put16(reply + len, 0xc00c);
	len += put16(reply + len, type);
	len += put16(reply + len, class);
	len += put16(reply + len, ttl >> 16);
	len += put16(reply + len, ttl & 0xffff);
	len += put16(reply + len, (unsigned)data_len);
	memcpy(reply + len, data, data_len);
	return len + data_len;
}

/* The same with an owner of its own, as wire bytes. */
static inline size_t add_record_of(uint8_t *reply, size_t len, const char *owner, size_t owner_len,
				   unsigned type, uint32_t ttl, const void *data, size_t data_len)
{
	size_t start = len;

	len = add_record(reply, len, 1, type, 1, ttl, data, data_len);
	memmove(reply + start + owner_len, reply + start + 2, len - start - 2);
	memcpy(reply + start, owner, owner_len);
	return len + owner_len - 2;
}

#define REPLY_OK 0x8180u

/* --- What callbacks were told ----------------------------------------------------------------- */

struct told {
	int calls, aliases;
	int result, type, count, ttl;
	uint8_t addresses[2048];
	char name[300];
	char alias[300];
};

static inline void tell(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct told *t = arg;

	if (type == DNS_CNAME) {
		t->aliases++;
		snprintf(t->alias, sizeof(t->alias), "%s", (char *)addresses);
		return;
	}
	t->calls++;
	t->result = result;
	t->type = type;
	t->count = count;
	t->ttl = ttl;
	if (result != DNS_ERR_NONE)
		return;
	if (type == DNS_PTR)
		snprintf(t->name, sizeof(t->name), "%s", *(char **)addresses);
	else
		memcpy(t->addresses, addresses,
		       (size_t)count * (type == DNS_IPv4_A ? 4 : 16) < sizeof(t->addresses)
			       ? (size_t)count * (type == DNS_IPv4_A ? 4 : 16)
			       : sizeof(t->addresses));
}

struct found {
	int calls, result, entries;
	struct evutil_addrinfo *list;
};

static inline void find(int result, struct evutil_addrinfo *list, void *arg)
{
	struct found *f = arg;

	f->calls++;
	f->result = result;
	f->list = list;
	f->entries = 0;
	for (; list != NULL; list = list->ai_next)
		f->entries++;
}

static inline void forget(struct found *f)
{
	evutil_freeaddrinfo(f->list);
	memset(f, 0, sizeof(*f));
}

static inline void set_option(struct evdns_base *dns, const char *name, const char *value)
{
	cr_assert_eq(evdns_base_set_option(dns, name, value), 0);
}

/*
 * Nothing times out by itself: what is late on a loaded machine must not look like silence. Tests
 * of timeouts set their own, as short as the order of events allows.
 */
static inline struct evdns_base *patient_dns(struct event_base *base)
{
	struct evdns_base *dns = evdns_base_new(base, 0);

	cr_assert_not_null(dns);
	set_option(dns, "timeout", NEVER);
	set_option(dns, "getaddrinfo-allow-skew", NEVER);
	set_option(dns, "tcp-idle-timeout", NEVER);
	return dns;
}

/*
 * A name for one of several lookups at a time, which would share one query if they asked for the
 * same.
 */
static inline const char *host(int number)
{
	static _Thread_local char name[24];

	snprintf(name, sizeof(name), "host%d", number);
	return name;
}

/* --- A resolver with one server --------------------------------------------------------------- */

struct asked {
	struct event_base *base;
	struct fake fake;
	struct evdns_base *dns;
	struct told told;
};

static inline void set_up(struct asked *a, fake_fn *fn)
{
	memset(a, 0, sizeof(*a));
	a->base = support_base_new();
	fake_start(&a->fake, a->base, fn);
	fake_listen(&a->fake);
	a->dns = patient_dns(a->base);
	fake_use(&a->fake, a->dns);
}

static inline void tear_down(struct asked *a)
{
	evdns_base_free(a->dns, 0);
	event_base_loop(a->base, EVLOOP_NONBLOCK);
	fake_stop(&a->fake);
	event_base_free(a->base);
}

/* Starts an A query for `name` and waits for its result. */
static inline void ask_for(struct asked *a, const char *name, int flags)
{
	memset(&a->told, 0, sizeof(a->told));
	cr_assert_not_null(evdns_base_resolve_ipv4(a->dns, name, flags, tell, &a->told));
	cr_assert_eq(a->told.calls, 0);
	await(a->base, &a->told.calls);
}

/* A for 10.0.0.1 (type A) or 2001:db8::7 (AAAA), ttl 300. */
static inline size_t answer_address(struct fake *fake, const uint8_t *query, size_t len,
				    uint8_t *reply)
{
	static const uint8_t v4[4] = { 10, 0, 0, 1 }, v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 7 };
	size_t n = begin_reply(query, reply, REPLY_OK);

	(void)fake;
	(void)len;
	if (question_type(query) == 28)
		return add_record(reply, n, 1, 28, 1, 300, v6, 16);
	return add_record(reply, n, 1, 1, 1, 300, v4, 4);
}

/*
 * Names that begin with "nx" do not exist, "none" have no records, "fail" is SERVFAIL, "silent"
 * nothing.
 */
static inline size_t answer_by_name(struct fake *fake, const uint8_t *query, size_t len,
				    uint8_t *reply)
{
	static const struct {
		const char *prefix;
		unsigned flags;
	} kinds[] = { { "nx", 0x8183 },	     { "none", 0x8180 },   { "fail", 0x8182 },
		      { "refused", 0x8185 }, { "notimp", 0x8184 }, { "format", 0x8181 },
		      { "odd", 0x8186 },     { "cut", 0x8380 } };
	char name[256] = "";

	question_name(query, name);
	if (memcmp(name, "silent", 6) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (memcmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return begin_reply(query, reply, kinds[i].flags);
	}
	return answer_address(fake, query, len, reply);
}

/* A file with that content, in a place of its own; removed by file_done(). */
struct text_file {
	char name[64];
	char directory[32];
};

static inline struct text_file file_with(const void *text, size_t len)
{
	struct text_file file = { .directory = "/tmp/dns-test-XXXXXX" };
	FILE *out;

	cr_assert_not_null(mkdtemp(file.directory));
	snprintf(file.name, sizeof(file.name), "%s/file", file.directory);
	out = fopen(file.name, "wb");
	cr_assert_not_null(out);
	cr_assert_eq(fwrite(text, 1, len, out), len);
	cr_assert_eq(fclose(out), 0);
	return file;
}

static inline void file_done(struct text_file *file)
{
	cr_assert_eq(unlink(file->name), 0);
	cr_assert_eq(rmdir(file->directory), 0);
}

/*
 * The addresses of a list, joined by blanks: "10.0.0.1:80/1 ...", with the type of socket behind.
 */
static inline const char *list_text(const struct evutil_addrinfo *list)
{
	static char text[4096];

	text[0] = '\0';
	for (; list != NULL && strlen(text) < sizeof(text) - 128; list = list->ai_next) {
		char host[64];
		const void *in =
			list->ai_family == AF_INET
				? (const void *)&(
					  (const struct sockaddr_in *)(const void *)list->ai_addr)
					  ->sin_addr
				: (const void *)&(
					  (const struct sockaddr_in6 *)(const void *)list->ai_addr)
					  ->sin6_addr;

		cr_assert_eq(list->ai_addr->sa_family, list->ai_family);
		cr_assert_eq((size_t)list->ai_addrlen, list->ai_family == AF_INET ?
							     sizeof(struct sockaddr_in) :
							     sizeof(struct sockaddr_in6));
		inet_ntop(list->ai_family, in, host, sizeof(host));
		snprintf(text + strlen(text), 128, "%s%s:%d/%d", text[0] != '\0' ? " " : "", host,
			 ntohs(((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_port),
			 list->ai_socktype);
	}
	return text;
}

/* Lets the loop run for `ms`, whatever happens. */
static inline void run_for(struct event_base *base, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

#endif
