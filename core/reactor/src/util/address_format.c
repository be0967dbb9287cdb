/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses to text (RFC 5952), and their order. */

#include "address.h"

#include <event2/component/reactor.h>

#include <string.h>

#define GROUPS 8

/* "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255" and its end. */
#define TEXT_MAX 46

static char *put_text(char *p, const char *text)
{
	size_t len = strlen(text);

	memcpy(p, text, len);
	return p + len;
}

static char *put_number(char *p, unsigned value, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	char reversed[8];
	int n = 0;

	do {
		reversed[n++] = digits[value % base];
		value /= base;
	} while (value != 0);
	while (n > 0)
		*p++ = reversed[--n];
	return p;
}

static char *put_ipv4(char *p, const uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*p++ = '.';
		p = put_number(p, bytes[i], 10);
	}
	return p;
}

/* The first longest run of at least two zero groups; its length, 0 if there is none. */
static int longest_zeros(const uint16_t group[GROUPS], int *ret_start)
{
	int best = 1;

	for (int i = 0, run = 0; i < GROUPS; i++) {
		run = group[i] == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*ret_start = i - run + 1;
		}
	}
	return best > 1 ? best : 0;
}

/* IPv4-mapped, or IPv4-compatible with both last groups in use. */
static int has_ipv4_tail(const uint16_t group[GROUPS])
{
	for (int i = 0; i < 5; i++) {
		if (group[i] != 0)
			return 0;
	}
	return group[5] == 0xffff || (group[5] == 0 && group[6] != 0 && group[7] != 0);
}

static char *put_ipv6(char *p, const uint8_t bytes[16])
{
	uint16_t group[GROUPS];
	int zeros, start = GROUPS, end;

	for (int i = 0; i < GROUPS; i++)
		group[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	if (has_ipv4_tail(group)) {
		p = put_text(p, group[5] == 0xffff ? "::ffff:" : "::");
		return put_ipv4(p, bytes + 12);
	}
	zeros = longest_zeros(group, &start);
	end = start + zeros;
	for (int i = 0; i < GROUPS; i++) {
		if (i == start)
			p = put_text(p, "::");
		if (i >= start && i < end)
			continue;
		if (i > 0 && i != end)
			*p++ = ':';
		p = put_number(p, group[i], 16);
	}
	return p;
}

const char *evutil_inet_ntop(int af, const void *src, char *dst, size_t len)
{
	char text[TEXT_MAX], *end;

	if (af != AF_INET && af != AF_INET6) {
		errno = EAFNOSUPPORT;
		return NULL;
	}
	end = af == AF_INET ? put_ipv4(text, src) : put_ipv6(text, src);
	if ((size_t)(end - text) >= len) {
		errno = ENOSPC;
		return NULL;
	}
	*end = '\0';
	memcpy(dst, text, (size_t)(end - text) + 1);
	return dst;
}

static int order(int difference)
{
	return (difference > 0) - (difference < 0);
}

int evutil_sockaddr_cmp(const struct sockaddr *sa1, const struct sockaddr *sa2, int include_port)
{
	const struct sockaddr_in *in1 = (const void *)sa1, *in2 = (const void *)sa2;
	const struct sockaddr_in6 *six1 = (const void *)sa1, *six2 = (const void *)sa2;
	int result;

	if (sa1 == sa2)
		return 0;
	if (sa1->sa_family != sa2->sa_family)
		return order((int)sa1->sa_family - (int)sa2->sa_family);
	switch (sa1->sa_family) {
	case AF_INET:
		result = memcmp(&in1->sin_addr, &in2->sin_addr, sizeof(in1->sin_addr));
		if (result == 0 && include_port)
			result = (int)ntohs(in1->sin_port) - (int)ntohs(in2->sin_port);
		return order(result);
	case AF_INET6:
		result = memcmp(&six1->sin6_addr, &six2->sin6_addr, sizeof(six1->sin6_addr));
		if (result == 0 && include_port)
			result = (int)ntohs(six1->sin6_port) - (int)ntohs(six2->sin6_port);
		return order(result);
	default:
		return sa1 < sa2 ? -1 : 1; /* no order is known, but they are not the same */
	}
}
