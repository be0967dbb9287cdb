/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text to addresses: RFC 4291 section 2.2, RFC 4007 section 11, and "address:port".
 *
 * Strict: what one platform's parser takes for another address than the next one's is refused, such
 * as leading zeros (octal or decimal?), blanks and signs.
 */

#include "address.h"

#include <event2/component/reactor.h>

#include <string.h>

#define GROUPS 8

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

static int hex_digit_of(char c)
{
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : digit_of(c);
}

const char *evi_parse_decimal(const char *text, uint32_t max, uint32_t *ret_value)
{
	uint64_t value = 0;
	const char *p = text;

	for (; digit_of(*p) >= 0; p++) {
		value = value * 10 + (uint64_t)digit_of(*p);
		if (value > max)
			return NULL;
	}
	if (p == text)
		return NULL;
	*ret_value = (uint32_t)value;
	return p;
}

/* Four decimal parts; the end of them, or NULL. */
static const char *parse_ipv4(const char *p, uint8_t out[4])
{
	for (int i = 0; i < 4; i++) {
		uint32_t part;

		if (i > 0 && *p++ != '.')
			return NULL;
		if (*p == '0' && digit_of(p[1]) >= 0)
			return NULL;
		p = evi_parse_decimal(p, 255, &part);
		if (p == NULL)
			return NULL;
		out[i] = (uint8_t)part;
	}
	return p;
}

/* Up to four hexadecimal digits; the end of them, or NULL. */
static const char *parse_group(const char *p, uint16_t *ret_group)
{
	unsigned group = 0;
	int digits = 0;

	for (; hex_digit_of(*p) >= 0; p++) {
		if (++digits > 4)
			return NULL;
		group = group << 4 | (unsigned)hex_digit_of(*p);
	}
	*ret_group = (uint16_t)group;
	return digits > 0 ? p : NULL;
}

/* Nonzero if the part that begins here is an IPv4 tail: a dot comes before any colon. */
static int is_ipv4_tail(const char *p)
{
	while (digit_of(*p) >= 0)
		p++;
	return *p == '.';
}

struct groups {
	uint16_t of[GROUPS];
	int count;
	int gap; /* where "::" was, or -1 */
};

static const char *parse_tail(const char *p, struct groups *g)
{
	uint8_t bytes[4];

	if (g->count > GROUPS - 2)
		return NULL;
	p = parse_ipv4(p, bytes);
	if (p == NULL)
		return NULL;
	g->of[g->count++] = (uint16_t)(bytes[0] << 8 | bytes[1]);
	g->of[g->count++] = (uint16_t)(bytes[2] << 8 | bytes[3]);
	return p;
}

/* The groups, and the end of the text that they came from; NULL if it is no address. */
static const char *parse_groups(const char *p, struct groups *g)
{
	g->count = 0;
	g->gap = -1;
	if (p[0] == ':' && p[1] != ':')
		return NULL;
	if (p[0] == ':') {
		g->gap = 0;
		p += 2;
		if (hex_digit_of(*p) < 0)
			return p;
	}
	for (;;) {
		if (is_ipv4_tail(p))
			return parse_tail(p, g);
		if (g->count == GROUPS)
			return NULL;
		p = parse_group(p, &g->of[g->count]);
		if (p == NULL)
			return NULL;
		g->count++;
		if (*p != ':')
			return p;
		p++;
		if (*p != ':')
			continue;
		if (g->gap >= 0)
			return NULL;
		g->gap = g->count;
		p++;
		if (hex_digit_of(*p) < 0)
			return p;
	}
}

/* "::" stands for one group at least. */
static int spread_groups(struct groups *g)
{
	int after = g->count - g->gap, missing = GROUPS - g->count;

	if (g->gap < 0)
		return missing == 0 ? 0 : -1;
	if (missing < 1)
		return -1;
	memmove(&g->of[g->gap + missing], &g->of[g->gap], (size_t)after * sizeof(g->of[0]));
	memset(&g->of[g->gap], 0, (size_t)missing * sizeof(g->of[0]));
	return 0;
}

static const char *parse_ipv6(const char *text, uint8_t out[16])
{
	struct groups g;
	const char *end = parse_groups(text, &g);

	if (end == NULL || spread_groups(&g) < 0)
		return NULL;
	for (int i = 0; i < GROUPS; i++) {
		out[2 * i] = (uint8_t)(g.of[i] >> 8);
		out[2 * i + 1] = (uint8_t)g.of[i];
	}
	return end;
}

int evutil_inet_pton(int af, const char *src, void *dst)
{
	uint8_t bytes[16];
	const char *end;

	if (af != AF_INET && af != AF_INET6)
		return -1;
	end = af == AF_INET ? parse_ipv4(src, bytes) : parse_ipv6(src, bytes);
	if (end == NULL || *end != '\0')
		return 0;
	memcpy(dst, bytes, af == AF_INET ? 4 : 16);
	return 1;
}

/* A zone is an interface's name, or its number. */
static int parse_zone(const char *zone, unsigned *ret_index)
{
	uint32_t number;
	const char *end;

	*ret_index = evi_os_interface_index(zone);
	if (*ret_index != 0)
		return 1;
	end = evi_parse_decimal(zone, UINT32_MAX, &number);
	if (end == NULL || *end != '\0')
		return 0;
	*ret_index = number;
	return 1;
}

int evutil_inet_pton_scope(int af, const char *src, void *dst, unsigned *indexp)
{
	uint8_t bytes[16];
	const char *end;
	unsigned index;

	*indexp = 0;
	if (af != AF_INET6)
		return evutil_inet_pton(af, src, dst);
	end = parse_ipv6(src, bytes);
	if (end == NULL || (*end != '\0' && *end != '%'))
		return 0;
	if (*end == '%') {
		if (end[1] == '\0' || !parse_zone(end + 1, &index))
			return 0;
		*indexp = index;
	}
	memcpy(dst, bytes, sizeof(bytes));
	return 1;
}

struct split {
	char host[80]; /* longer than any address with a zone */
	const char *port; /* NULL: none given */
	int is_ipv6;
};

static int copy_host(struct split *split, const char *host, size_t len)
{
	if (len == 0 || len >= sizeof(split->host))
		return -1;
	memcpy(split->host, host, len);
	split->host[len] = '\0';
	return 0;
}

/* "[v6]:port", "[v6]", "v6", "v4:port" or "v4". */
static int split_host_port(const char *text, struct split *split)
{
	const char *colon = strchr(text, ':'), *close;

	split->port = NULL;
	if (*text == '[') {
		close = strchr(text, ']');
		if (close == NULL || (close[1] != ':' && close[1] != '\0'))
			return -1;
		split->is_ipv6 = 1;
		split->port = close[1] == ':' ? close + 2 : NULL;
		return copy_host(split, text + 1, (size_t)(close - text) - 1);
	}
	split->is_ipv6 = colon != NULL && strchr(colon + 1, ':') != NULL;
	if (split->is_ipv6 || colon == NULL)
		return copy_host(split, text, strlen(text));
	split->port = colon + 1;
	return copy_host(split, text, (size_t)(colon - text));
}

int evutil_parse_sockaddr_port(const char *str, struct sockaddr *out, int *outlen)
{
	union evi_sockaddr sa;
	struct split split;
	uint32_t port = 0;
	const char *end;
	unsigned index;
	int len;

	if (split_host_port(str, &split) < 0)
		return -1;
	if (split.port != NULL) {
		end = evi_parse_decimal(split.port, 65535, &port);
		if (end == NULL || *end != '\0' || port == 0)
			return -1;
	}
	memset(&sa, 0, sizeof(sa));
	if (split.is_ipv6) {
		if (evutil_inet_pton_scope(AF_INET6, split.host, &sa.in6.sin6_addr, &index) != 1)
			return -1;
		sa.in6.sin6_port = htons((uint16_t)port);
		sa.in6.sin6_scope_id = index;
	} else {
		if (evutil_inet_pton(AF_INET, split.host, &sa.in.sin_addr) != 1)
			return -1;
		sa.in.sin_port = htons((uint16_t)port);
	}
	len = evi_sockaddr_set_family(&sa, split.is_ipv6 ? AF_INET6 : AF_INET);
	if (*outlen < len)
		return -1;
	memcpy(out, &sa, (size_t)len);
	*outlen = len;
	return 0;
}
