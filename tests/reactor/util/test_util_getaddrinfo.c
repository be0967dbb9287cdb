/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocking look-ups. Nothing here asks a name server. */

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

TestSuite(util_getaddrinfo, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

static struct evutil_addrinfo hints_of(int family, int socktype, int protocol, int flags)
{
	struct evutil_addrinfo hints;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = socktype;
	hints.ai_protocol = protocol;
	hints.ai_flags = flags;
	return hints;
}

static int port_of(const struct evutil_addrinfo *ai)
{
	if (ai->ai_family == AF_INET)
		return ntohs(((struct sockaddr_in *)(void *)ai->ai_addr)->sin_port);
	return ntohs(((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_port);
}

static void expect_address(const struct evutil_addrinfo *ai, const char *text)
{
	const void *bytes =
		ai->ai_family == AF_INET
			? (void *)&((struct sockaddr_in *)(void *)ai->ai_addr)->sin_addr
			: (void *)&((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_addr;
	char buf[64];

	cr_expect_str_eq(evutil_inet_ntop(ai->ai_family, bytes, buf, sizeof(buf)), text);
}

static int count(const struct evutil_addrinfo *ai, int family, int socktype)
{
	int found = 0;

	for (; ai != NULL; ai = ai->ai_next)
		found += (family == 0 || ai->ai_family == family) &&
			 (socktype == 0 || ai->ai_socktype == socktype);
	return found;
}

/* UTIL-062, UTIL-063, UTIL-065 */
Test(util_getaddrinfo, numbers_give_exactly_one_result)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, 0), *ai = NULL;

	cr_assert_eq(evutil_getaddrinfo("1.2.3.4", "8080", &hints, &ai), 0);
	cr_expect_eq(count(ai, 0, 0), 1);
	cr_expect_eq(ai->ai_family, AF_INET);
	cr_expect_eq(ai->ai_socktype, SOCK_STREAM);
	cr_expect_eq(ai->ai_protocol, IPPROTO_TCP);
	cr_expect_eq(ai->ai_addrlen, sizeof(struct sockaddr_in));
	cr_expect_eq(port_of(ai), 8080);
	expect_address(ai, "1.2.3.4");
	evutil_freeaddrinfo(ai);

	hints = hints_of(PF_UNSPEC, 0, IPPROTO_UDP, 0);
	cr_assert_eq(evutil_getaddrinfo("1001:b0b::f00f", "4321", &hints, &ai), 0);
	cr_expect_eq(count(ai, 0, 0), 1);
	cr_expect_eq(ai->ai_socktype, SOCK_DGRAM);
	cr_expect_eq(ai->ai_protocol, IPPROTO_UDP);
	cr_expect_eq(port_of(ai), 4321);
	expect_address(ai, "1001:b0b::f00f");
	evutil_freeaddrinfo(ai);
}

/* UTIL-064, UTIL-066 */
Test(util_getaddrinfo, without_hints_every_kind_of_socket_is_told)
{
	struct evutil_addrinfo *ai = NULL;

	cr_assert_eq(evutil_getaddrinfo("1.2.3.4", "80", NULL, &ai), 0);
	cr_expect_geq(count(ai, AF_INET, SOCK_STREAM), 1);
	cr_expect_geq(count(ai, AF_INET, SOCK_DGRAM), 1);
	evutil_freeaddrinfo(ai);
	cr_assert_eq(evutil_getaddrinfo("::1", NULL, NULL, &ai), 0);
	cr_expect_geq(count(ai, AF_INET6, SOCK_STREAM), 1);
	cr_expect_eq(port_of(ai), 0);
	evutil_freeaddrinfo(ai);
}

/* UTIL-067 */
Test(util_getaddrinfo, without_node_it_is_the_wildcard_or_loopback)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_PASSIVE), *ai;

	cr_assert_eq(evutil_getaddrinfo(NULL, "9999", &hints, &ai), 0);
	cr_expect_eq(count(ai, AF_INET, 0), 1);
	cr_expect_eq(count(ai, AF_INET6, 0), 1);
	for (struct evutil_addrinfo *at = ai; at != NULL; at = at->ai_next)
		expect_address(at, at->ai_family == AF_INET ? "0.0.0.0" : "::");
	evutil_freeaddrinfo(ai);

	hints.ai_flags = 0;
	cr_assert_eq(evutil_getaddrinfo(NULL, "2", &hints, &ai), 0);
	cr_expect_eq(count(ai, 0, 0), 2);
	for (struct evutil_addrinfo *at = ai; at != NULL; at = at->ai_next)
		expect_address(at, at->ai_family == AF_INET ? "127.0.0.1" : "::1");
	evutil_freeaddrinfo(ai);

	hints.ai_family = AF_INET;
	cr_assert_eq(evutil_getaddrinfo(NULL, "2", &hints, &ai), 0);
	cr_expect_eq(count(ai, 0, 0), 1);
	evutil_freeaddrinfo(ai);
}

/* UTIL-068, UTIL-069 */
Test(util_getaddrinfo, numeric_flags_refuse_names)
{
	struct evutil_addrinfo hints, *ai = NULL;
	int result;

	hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_NUMERICHOST);
	cr_expect_eq(evutil_getaddrinfo("www.google.com", "80", &hints, &ai), EVUTIL_EAI_NONAME);
	cr_expect_null(ai);

	hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_NUMERICSERV);
	result = evutil_getaddrinfo("127.0.0.1", "smtp", &hints, &ai);
	cr_expect(result == EVUTIL_EAI_NONAME || result == EVUTIL_EAI_SERVICE, "%d", result);
	cr_expect_null(ai);

	hints.ai_flags = 0;
	if (getservbyname("http", "tcp") == NULL)
		return; /* this system knows no services */
	cr_assert_eq(evutil_getaddrinfo("127.0.0.1", "http", &hints, &ai), 0);
	cr_expect_eq(port_of(ai), 80);
	evutil_freeaddrinfo(ai);
}

/* UTIL-070; U03 */
Test(util_getaddrinfo, impossible_questions_are_errors)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, 0), *ai = NULL;

	cr_expect_eq(evutil_getaddrinfo(NULL, NULL, &hints, &ai), EVUTIL_EAI_NONAME);
	hints.ai_family = AF_UNIX;
	cr_expect_eq(evutil_getaddrinfo("127.0.0.1", "80", &hints, &ai), EVUTIL_EAI_FAMILY);
	hints.ai_family = AF_INET;
	cr_expect_neq(evutil_getaddrinfo("::1", "80", &hints, &ai), 0);
	hints.ai_family = AF_INET6;
	cr_expect_neq(evutil_getaddrinfo("127.0.0.1", "80", &hints, &ai), 0);
	cr_expect_null(ai);
}

/* UTIL-071 */
Test(util_getaddrinfo, ipv6_literals_may_carry_a_zone)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, 0), *ai = NULL;

	cr_assert_eq(evutil_getaddrinfo("fe80::1%1", "80", &hints, &ai), 0);
	cr_expect_eq(((struct sockaddr_in6 *)(void *)ai->ai_addr)->sin6_scope_id, 1);
	evutil_freeaddrinfo(ai);
}

/* UTIL-072, UTIL-141; U03 */
Test(util_getaddrinfo, sloppy_services_are_errors)
{
	static const char *const bad[] = { "65536", "-1", "+80", "80x", " 80", "80 ", "4294967376",
					   "99999999999999999999", "0x50", "nosuchservice" };
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, 0), *ai = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int result = evutil_getaddrinfo("127.0.0.1", bad[i], &hints, &ai);

		cr_expect(result == EVUTIL_EAI_SERVICE || result == EVUTIL_EAI_NONAME,
			  "%s gives %d", bad[i], result);
		cr_expect_null(ai);
	}
}

/* UTIL-073 */
Test(util_getaddrinfo, addrconfig_keeps_literals)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_ADDRCONFIG),
			       *ai;

	cr_assert_eq(evutil_getaddrinfo("1.2.3.4", "80", &hints, &ai), 0);
	cr_expect_eq(count(ai, AF_INET, 0), 1);
	evutil_freeaddrinfo(ai);
	cr_assert_eq(evutil_getaddrinfo("2001:db8::1", "80", &hints, &ai), 0);
	cr_expect_eq(count(ai, AF_INET6, 0), 1);
	evutil_freeaddrinfo(ai);
}

/* UTIL-075 */
Test(util_getaddrinfo, canonname_is_on_the_first_result)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_CANONNAME),
			       *ai;

	cr_assert_eq(evutil_getaddrinfo("127.0.0.1", "80", &hints, &ai), 0);
	cr_assert_not_null(ai->ai_canonname);
	cr_expect_str_eq(ai->ai_canonname, "127.0.0.1");
	evutil_freeaddrinfo(ai);
}

/* UTIL-076, UTIL-135 */
Test(util_getaddrinfo, lists_can_be_joined_and_freed_as_one)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, 0), *first, *second;

	cr_assert_eq(evutil_getaddrinfo("127.0.0.1", "80", &hints, &first), 0);
	cr_assert_eq(evutil_getaddrinfo("::1", "80", &hints, &second), 0);
	first->ai_next = second;
	evutil_freeaddrinfo(first);
	evutil_freeaddrinfo(NULL);
}

/* U03 */
Test(util_getaddrinfo, a_refused_allocation_is_an_error_and_leaks_nothing)
{
	struct evutil_addrinfo hints = hints_of(AF_UNSPEC, SOCK_STREAM, 0, EVUTIL_AI_CANONNAME);
	int refused = 1;

	for (long n = 0; refused; n++) {
		struct evutil_addrinfo *ai = NULL;
		int result;

		cr_assert_lt(n, 50);
		support_fail_once_after(n);
		result = evutil_getaddrinfo("127.0.0.1", "80", &hints, &ai);
		refused = support_has_refused();
		support_fail_once_after(-1);
		if (refused)
			cr_expect_eq(result, EVUTIL_EAI_MEMORY);
		else
			cr_expect_eq(result, 0);
		evutil_freeaddrinfo(ai);
	}
}

/* UTIL-077, UTIL-078 */
Test(util_getaddrinfo, every_code_has_its_text)
{
	static const int codes[] = {
		EVUTIL_EAI_ADDRFAMILY, EVUTIL_EAI_AGAIN, EVUTIL_EAI_BADFLAGS, EVUTIL_EAI_FAIL,
		EVUTIL_EAI_FAMILY, EVUTIL_EAI_MEMORY, EVUTIL_EAI_NODATA, EVUTIL_EAI_NONAME,
		EVUTIL_EAI_SERVICE, EVUTIL_EAI_SOCKTYPE, EVUTIL_EAI_SYSTEM, EVUTIL_EAI_CANCEL,
	};

	cr_expect_str_eq(evutil_gai_strerror(0), "No error");
	cr_expect_str_eq(evutil_gai_strerror(EVUTIL_EAI_CANCEL), "Request canceled");
	for (size_t a = 0; a < sizeof(codes) / sizeof(codes[0]); a++) {
		cr_expect_not_null(evutil_gai_strerror(codes[a]));
		for (size_t b = 0; b < a; b++) {
			cr_expect_neq(codes[a], codes[b]);
			cr_expect_str_neq(evutil_gai_strerror(codes[a]),
					  evutil_gai_strerror(codes[b]));
		}
	}
	cr_expect_not_null(evutil_gai_strerror(123456));
	cr_expect_not_null(evutil_gai_strerror(-123456));
}
