/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_H_INCLUDED
#define FAKE_H_INCLUDED

/*
 * What the DNS suites share: a nameserver that answers as the test says, byte by byte if need be, and
 * records of what callbacks were told.
 */

#include "support.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <event2/listener.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX 65535

struct fake;

/* Builds a reply to `query`; its length, 0 for silence. */
typedef size_t fake_fn(struct fake *fake, const uint8_t *query, size_t len, uint8_t *reply);

/* A nameserver on bare sockets, run by the same loop. */
struct fake {
	struct event_base *base;
	int fd;
	struct sockaddr_in addr;
	struct event *readable;
	fake_fn *fn;
	void *arg;
	int queries;
	struct sockaddr_in from; /* of the last query */
	uint8_t last[1024];
	size_t last_len;
};

static inline void fake_send(struct fake *fake, const void *data, size_t len)
{
	cr_assert_eq(sendto(fake->fd, data, len, 0, (struct sockaddr *)&fake->from, sizeof(fake->from)),
		     (ssize_t)len);
}

static inline void fake_on_query(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t query[PACKET_MAX], reply[PACKET_MAX];
	struct fake *fake = arg;
	socklen_t from_len = sizeof(fake->from);
	ssize_t len = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&fake->from, &from_len);
	size_t reply_len;

	(void)what;
	if (len < 0)
		return;
	fake->queries++;
	fake->last_len = (size_t)len < sizeof(fake->last) ? (size_t)len : sizeof(fake->last);
	memcpy(fake->last, query, fake->last_len);
	reply_len = fake->fn != NULL ? fake->fn(fake, query, (size_t)len, reply) : 0;
	if (reply_len > 0)
		fake_send(fake, reply, reply_len);
}

static inline void fake_start(struct fake *fake, struct event_base *base, fake_fn *fn)
{
	socklen_t len = sizeof(fake->addr);

	memset(fake, 0, sizeof(*fake));
	fake->base = base;
	fake->fn = fn;
	fake->fd = socket(AF_INET, SOCK_DGRAM, 0);
	fake->addr.sin_family = AF_INET;
	fake->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fake->fd, (struct sockaddr *)&fake->addr, len), 0);
	cr_assert_eq(getsockname(fake->fd, (struct sockaddr *)&fake->addr, &len), 0);
	evutil_make_socket_nonblocking(fake->fd);
	fake->readable = event_new(base, fake->fd, EV_READ | EV_PERSIST, fake_on_query, fake);
	cr_assert_eq(event_add(fake->readable, NULL), 0);
}

static inline void fake_stop(struct fake *fake)
{
	event_free(fake->readable);
	close(fake->fd);
}

static inline void fake_use(struct fake *fake, struct evdns_base *dns)
{
	cr_assert_eq(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&fake->addr, sizeof(fake->addr),
							0), 0);
}

/* --- Building replies --------------------------------------------------------------------------------- */

/* Where the question of `query` ends. */
static inline size_t question_end(const uint8_t *query)
{
	size_t at = 12;

	while (query[at] != 0)
		at += 1u + query[at];
	return at + 5;
}

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
static inline size_t add_record(uint8_t *reply, size_t len, int section, unsigned type, unsigned class,
				uint32_t ttl, const void *data, size_t data_len)
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
static inline size_t add_record_of(uint8_t *reply, size_t len, const char *owner, size_t owner_len, unsigned type,
				   uint32_t ttl, const void *data, size_t data_len)
{
	size_t start = len;

	len = add_record(reply, len, 1, type, 1, ttl, data, data_len);
	memmove(reply + start + owner_len, reply + start + 2, len - start - 2);
	memcpy(reply + start, owner, owner_len);
	return len + owner_len - 2;
}

#define REPLY_OK 0x8180u

/* --- What callbacks were told --------------------------------------------------------------------------- */

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
		       (size_t)count * (type == DNS_IPv4_A ? 4 : 16) < sizeof(t->addresses) ?
			       (size_t)count * (type == DNS_IPv4_A ? 4 : 16) : sizeof(t->addresses));
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

/* Options that make failures quick. */
static inline struct evdns_base *quick_dns(struct event_base *base)
{
	struct evdns_base *dns = evdns_base_new(base, 0);

	cr_assert_not_null(dns);
	cr_assert_eq(evdns_base_set_option(dns, "timeout", "0.05"), 0);
	return dns;
}

#endif
