/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names to addresses by the system's resolver (RFC 3493 section 6.1).
 *
 * Results are copied into entries of our own, so that evutil_freeaddrinfo() frees lists from here,
 * from the asynchronous resolver, and ones made of pieces of both.
 */

#include "address.h"

#include <event2/component/reactor.h>

#include <string.h>

static struct evutil_addrinfo *copy_entry(const struct addrinfo *from,
					  const struct evi_socket_kind *kind, const char *name)
{
	struct evutil_addrinfo *to =
		evi_addrinfo_new(from->ai_addr, (ev_socklen_t)from->ai_addrlen);

	if (to == NULL)
		return NULL;
	to->ai_flags = from->ai_flags;
	to->ai_socktype = kind->type;
	to->ai_protocol = kind->protocol;
	if (name != NULL) {
		to->ai_canonname = evi_strdup(name);
		if (to->ai_canonname == NULL) {
			evi_free(to);
			return NULL;
		}
	}
	return to;
}

struct evutil_addrinfo *evi_addrinfo_new(const struct sockaddr *sa, ev_socklen_t len)
{
	struct evutil_addrinfo *ai = evi_malloc(sizeof(*ai) + (size_t)len);

	if (ai == NULL)
		return NULL;
	memset(ai, 0, sizeof(*ai));
	ai->ai_family = sa->sa_family;
	ai->ai_addrlen = len;
	ai->ai_addr = (struct sockaddr *)(void *)(ai + 1);
	memcpy(ai->ai_addr, sa, (size_t)len);
	return ai;
}

void evutil_freeaddrinfo(struct evutil_addrinfo *ai)
{
	struct evutil_addrinfo *next;

	for (; ai != NULL; ai = next) {
		next = ai->ai_next;
		evi_free(ai->ai_canonname);
		evi_free(ai);
	}
}

/* Appends an entry for each kind of socket and returns where the list goes on; NULL: no memory. */
static struct evutil_addrinfo **copy_kinds(const struct addrinfo *from,
					   const struct addrinfo *hints,
					   struct evutil_addrinfo **last)
{
	struct evi_socket_kind kinds[EVI_SOCKET_KINDS];
	size_t n = evi_os_socket_kinds(from, hints, kinds);

	for (size_t i = 0; i < n; i++) {
		*last = copy_entry(from, &kinds[i], i == 0 ? from->ai_canonname : NULL);
		if (*last == NULL)
			return NULL;
		last = &(*last)->ai_next;
	}
	return last;
}

static int copy_list(const struct addrinfo *from, const struct addrinfo *hints,
		     struct evutil_addrinfo **res)
{
	struct evutil_addrinfo *first = NULL, **last = &first;

	for (; from != NULL; from = from->ai_next) {
		last = copy_kinds(from, hints, last);
		if (last == NULL) {
			evutil_freeaddrinfo(first);
			return EVUTIL_EAI_MEMORY;
		}
	}
	*res = first;
	return 0;
}

/*
 * A number is a port; others are looked up by the system, unless they look like a damaged number
 * or the caller wants numbers only, which not every system heeds.
 */
static int check_service(const char *service, int flags)
{
	uint32_t port;
	const char *end;
	char c;

	if (service == NULL || *service == '\0')
		return 0;
	c = *service;
	if (c >= '0' && c <= '9') {
		end = evi_parse_decimal(service, 65535, &port);
		return end != NULL && *end == '\0' ? 0 : EVUTIL_EAI_SERVICE;
	}
	if (flags & EVUTIL_AI_NUMERICSERV)
		return EVUTIL_EAI_NONAME;
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? 0 : EVUTIL_EAI_SERVICE;
}

struct families {
	int has_v4, has_v6;
};

/*
 * Loopback, link-local and multicast, and for IPv6 site- and unique-local addresses reach nobody
 * else.
 */
static void note_address(const struct sockaddr *sa, void *ctx)
{
	struct families *found = ctx;

	if (sa->sa_family == AF_INET) {
		uint32_t a = ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr);

		if (a != 0 && a >> 24 != 127 && a >> 16 != 0xa9fe && a >> 28 != 0xe)
			found->has_v4 = 1;
	} else if (sa->sa_family == AF_INET6) {
		const uint8_t *b =
			((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
		static const uint8_t any[15];
		int is_low = memcmp(b, any, sizeof(any)) == 0 && b[15] <= 1;
		int is_local = b[0] == 0xfe && (b[1] & 0x80) != 0;

		if (!is_low && !is_local && b[0] != 0xff && (b[0] & 0xfe) != 0xfc)
			found->has_v6 = 1;
	}
}

/* Looked at for each call: interfaces come and go. */
void evi_addrinfo_usable_families(int *ret_v4, int *ret_v6)
{
	struct families found = { 0, 0 };

	if (evi_os_each_address(note_address, &found) < 0)
		found.has_v4 = found.has_v6 = 1;
	*ret_v4 = found.has_v4;
	*ret_v6 = found.has_v6;
}

int evi_is_address_literal(const char *text)
{
	unsigned char bytes[16];
	unsigned index;

	return evutil_inet_pton(AF_INET, text, bytes) == 1 ||
	       evutil_inet_pton_scope(AF_INET6, text, bytes, &index) == 1;
}

/* The system's AI_ADDRCONFIG counts addresses that do not reach out; ours does not. */
static void apply_addrconfig(const char *node, struct addrinfo *hints)
{
	int has_v4, has_v6;

	if (!(hints->ai_flags & EVUTIL_AI_ADDRCONFIG))
		return;
	hints->ai_flags &= ~EVUTIL_AI_ADDRCONFIG;
	if (hints->ai_family != AF_UNSPEC || node == NULL || evi_is_address_literal(node))
		return;
	evi_addrinfo_usable_families(&has_v4, &has_v6);
	if (has_v4 != has_v6)
		hints->ai_family = has_v4 ? AF_INET : AF_INET6;
}

/*
 * Every system has numbers of its own for what getaddrinfo() fails with; ours are the same
 * everywhere.
 */
static const struct {
	int system, ours;
} errors[] = {
	{ EAI_AGAIN, EVUTIL_EAI_AGAIN },
	{ EAI_BADFLAGS, EVUTIL_EAI_BADFLAGS },
	{ EAI_FAIL, EVUTIL_EAI_FAIL },
	{ EAI_FAMILY, EVUTIL_EAI_FAMILY },
	{ EAI_MEMORY, EVUTIL_EAI_MEMORY },
	{ EAI_NONAME, EVUTIL_EAI_NONAME },
	{ EAI_SERVICE, EVUTIL_EAI_SERVICE },
	{ EAI_SOCKTYPE, EVUTIL_EAI_SOCKTYPE },
#ifdef EAI_ADDRFAMILY
	{ EAI_ADDRFAMILY, EVUTIL_EAI_ADDRFAMILY },
#endif
#ifdef EAI_NODATA
	{ EAI_NODATA, EVUTIL_EAI_NODATA },
#endif
#ifdef EAI_SYSTEM
	{ EAI_SYSTEM, EVUTIL_EAI_SYSTEM },
#endif
};

static int error_of(int result)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].system == result)
			return errors[i].ours;
	return EVUTIL_EAI_FAIL;
}

int evutil_getaddrinfo(const char *nodename, const char *servname,
		       const struct evutil_addrinfo *hints_in, struct evutil_addrinfo **res)
{
	struct addrinfo hints, *found = NULL;
	int result;

	*res = NULL;
	if (nodename == NULL && servname == NULL)
		return EVUTIL_EAI_NONAME;
	result = check_service(servname, hints_in != NULL ? hints_in->ai_flags : 0);
	if (result != 0)
		return result;
	memset(&hints, 0, sizeof(hints));
	if (hints_in != NULL) {
		hints.ai_flags = hints_in->ai_flags;
		hints.ai_family = hints_in->ai_family;
		hints.ai_socktype = hints_in->ai_socktype;
		hints.ai_protocol = hints_in->ai_protocol;
	}
	if (hints.ai_family != AF_UNSPEC && hints.ai_family != AF_INET &&
	    hints.ai_family != AF_INET6)
		return EVUTIL_EAI_FAMILY;
	apply_addrconfig(nodename, &hints);
	result = getaddrinfo(nodename, servname, &hints, &found);
	if (result != 0)
		return error_of(result);
	result = copy_list(found, &hints, res);
	freeaddrinfo(found);
	return result;
}

const char *evutil_gai_strerror(int err)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{ 0, "No error" },
		{ EVUTIL_EAI_CANCEL, "Request canceled" },
		{ EVUTIL_EAI_ADDRFAMILY, "address family for nodename not supported" },
		{ EVUTIL_EAI_AGAIN, "temporary failure in name resolution" },
		{ EVUTIL_EAI_BADFLAGS, "invalid value for ai_flags" },
		{ EVUTIL_EAI_FAIL, "non-recoverable failure in name resolution" },
		{ EVUTIL_EAI_FAMILY, "ai_family not supported" },
		{ EVUTIL_EAI_MEMORY, "memory allocation failure" },
		{ EVUTIL_EAI_NODATA, "no address associated with nodename" },
		{ EVUTIL_EAI_NONAME, "nodename nor servname provided, or not known" },
		{ EVUTIL_EAI_SERVICE, "servname not supported for ai_socktype" },
		{ EVUTIL_EAI_SOCKTYPE, "ai_socktype not supported" },
		{ EVUTIL_EAI_SYSTEM, "system error" },
	};
	const char *text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].code == err)
			return texts[i].text;
	}
	text = gai_strerror(err);
	return text != NULL ? text : "unknown error";
}
