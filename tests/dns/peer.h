/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEER_H_INCLUDED
#define PEER_H_INCLUDED

/* c-ares asking the servers of the suites, and both sides' results as text that can be compared. */

#include "script.h"

#include <ares.h>
#include <netdb.h>

/* Our names of codes, c-ares' as the specification says they correspond. */
static inline const char *our_code(int result)
{
	switch (result) {
	case DNS_ERR_NONE:
		return "NONE";
	case DNS_ERR_FORMAT:
		return "FORMAT";
	case DNS_ERR_SERVERFAILED:
		return "SERVERFAILED";
	case DNS_ERR_NOTEXIST:
		return "NOTEXIST";
	case DNS_ERR_NOTIMPL:
		return "NOTIMPL";
	case DNS_ERR_REFUSED:
		return "REFUSED";
	case DNS_ERR_TRUNCATED:
		return "TRUNCATED";
	case DNS_ERR_TIMEOUT:
		return "TIMEOUT";
	case DNS_ERR_SHUTDOWN:
		return "SHUTDOWN";
	case DNS_ERR_CANCEL:
		return "CANCEL";
	case DNS_ERR_NODATA:
		return "NODATA";
	default:
		return "UNKNOWN";
	}
}

static inline const char *their_code(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return "NONE";
	case ARES_ENODATA:
		return "NODATA";
	case ARES_EFORMERR:
		return "FORMAT";
	case ARES_ESERVFAIL:
		return "SERVERFAILED";
	case ARES_ENOTFOUND:
		return "NOTEXIST";
	case ARES_ENOTIMP:
		return "NOTIMPL";
	case ARES_EREFUSED:
		return "REFUSED";
	case ARES_EBADRESP:
		return "UNKNOWN";
	case ARES_ETIMEOUT:
		return "TIMEOUT";
	case ARES_ECANCELLED:
		return "CANCEL";
	case ARES_EDESTRUCTION:
		return "SHUTDOWN";
	case ARES_EBADNAME:
		return "NULL";
	case ARES_ECONNREFUSED:
		return "CONNREFUSED";
	case ARES_ESERVICE:
		return "SERVICE";
	default:
		return ares_strerror(status);
	}
}

static inline void add_address(char *text, size_t size, int family, const void *address)
{
	char one[64];

	inet_ntop(family, address, one, sizeof(one));
	snprintf(text + strlen(text), size - strlen(text), " %s", one);
}

static inline void add_ttl(char *text, size_t size, int ttl)
{
	snprintf(text + strlen(text), size - strlen(text), " ttl %d", ttl);
}

#define RESULT_MAX 4096

/* What the callback of either side was told. */
struct outcome {
	int calls;
	int type;
	char text[RESULT_MAX];
};

static inline void our_result(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	struct outcome *o = arg;
	int family = type == DNS_IPv4_A ? AF_INET : AF_INET6, size = type == DNS_IPv4_A ? 4 : 16;

	o->calls++;
	snprintf(o->text, RESULT_MAX, "%s", our_code(result));
	if (result != DNS_ERR_NONE)
		return;
	if (type == DNS_PTR) {
		snprintf(o->text, RESULT_MAX, "NONE '%s'", *(char **)addresses);
		return;
	}
	for (int i = 0; i < count; i++)
		add_address(o->text, RESULT_MAX, family, (char *)addresses + i * size);
	add_ttl(o->text, RESULT_MAX, ttl);
}

static inline int parse_a(struct outcome *o, const unsigned char *bytes, int len)
{
	struct ares_addrttl list[128];
	int count = 128, ttl = 0, status = ares_parse_a_reply(bytes, len, NULL, list, &count);

	if (status != ARES_SUCCESS || count == 0)
		return status != ARES_SUCCESS ? status : ARES_ENODATA;
	for (int i = 0; i < count; i++) {
		add_address(o->text, RESULT_MAX, AF_INET, &list[i].ipaddr);
		ttl = i == 0 || list[i].ttl < ttl ? list[i].ttl : ttl;
	}
	add_ttl(o->text, RESULT_MAX, ttl);
	return status;
}

static inline int parse_aaaa(struct outcome *o, const unsigned char *bytes, int len)
{
	struct ares_addr6ttl list[128];
	int count = 128, ttl = 0, status = ares_parse_aaaa_reply(bytes, len, NULL, list, &count);

	if (status != ARES_SUCCESS || count == 0)
		return status != ARES_SUCCESS ? status : ARES_ENODATA;
	for (int i = 0; i < count; i++) {
		add_address(o->text, RESULT_MAX, AF_INET6, &list[i].ip6addr);
		ttl = i == 0 || list[i].ttl < ttl ? list[i].ttl : ttl;
	}
	add_ttl(o->text, RESULT_MAX, ttl);
	return status;
}

static inline int parse_ptr(struct outcome *o, const unsigned char *bytes, int len)
{
	struct hostent *host = NULL;
	int status = ares_parse_ptr_reply(bytes, len, NULL, 0, AF_INET, &host);

	if (status != ARES_SUCCESS)
		return status;
	snprintf(o->text + 4, RESULT_MAX - 4, " '%s'", host->h_name);
	ares_free_hostent(host);
	return status;
}

static inline void their_result(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct outcome *o = arg;

	(void)timeouts;
	o->calls++;
	snprintf(o->text, RESULT_MAX, "NONE");
	if (status == ARES_SUCCESS)
		status = o->type == 1 ? parse_a(o, bytes, len) :
			 o->type == 28 ? parse_aaaa(o, bytes, len) : parse_ptr(o, bytes, len);
	if (status != ARES_SUCCESS)
		snprintf(o->text, RESULT_MAX, "%s", their_code(status));
}

struct peer_options {
	int flags; /* ARES_FLAG_* */
	int timeout_ms;
	char *domains[4];
	int domain_count;
	int edns_size; /* 0: none */
	char lookups[4];
};

/* c-ares with those servers, as the specification's set-up says; nothing comes from this system. */
static inline ares_channel peer_start(const char *servers, const struct peer_options *o)
{
	struct ares_options options = { .flags = o->flags | (o->edns_size > 0 ? ARES_FLAG_EDNS : 0),
		.timeout = o->timeout_ms, .tries = 3, .ndots = 1, .ndomains = o->domain_count,
		.domains = (char **)(uintptr_t)o->domains, .lookups = (char *)(uintptr_t)o->lookups,
		.ednspsz = o->edns_size };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_NOROTATE |
		   (o->edns_size > 0 ? ARES_OPT_EDNSPSZ : 0);
	ares_channel channel;

	cr_assert_eq(ares_library_init(ARES_LIB_INIT_ALL), ARES_SUCCESS);
	cr_assert_eq(ares_init_options(&channel, &options, mask), ARES_SUCCESS);
	cr_assert_eq(ares_set_servers_ports_csv(channel, servers), ARES_SUCCESS);
	return channel;
}

static inline void peer_stop(ares_channel channel)
{
	ares_destroy(channel);
	ares_library_cleanup();
}

/* Runs the servers and c-ares until *calls is nonzero. */
static inline void peer_run(ares_channel channel, struct event_base *base, const int *calls)
{
	while (!*(volatile const int *)calls) {
		struct timeval most = { 0, 2000 };
		fd_set readable, writable;
		int n;

		event_base_loop(base, EVLOOP_NONBLOCK);
		FD_ZERO(&readable);
		FD_ZERO(&writable);
		n = ares_fds(channel, &readable, &writable);
		(void)select(n, &readable, &writable, NULL, &most);
		ares_process(channel, &readable, &writable);
	}
}

/* The results are stated for 1.18; with another version only ours are certain. */
static inline int peer_is_known(void)
{
	return strncmp(ares_version(NULL), "1.18.", 5) == 0;
}

#endif
