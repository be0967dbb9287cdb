/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as text and as bytes. */

#include "support.h"

#include <arpa/inet.h>
#include <locale.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

TestSuite(util_address, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* UTIL-037, UTIL-038 */
Test(util_address, ipv4_is_four_decimal_parts)
{
	static const char *const good[] = { "0.0.0.0", "1.2.3.4", "255.255.255.255", "10.0.200.9" };

	for (size_t i = 0; i < COUNT(good); i++) {
		struct in_addr ours, system;

		cr_assert_eq(evutil_inet_pton(AF_INET, good[i], &ours), 1, "%s", good[i]);
		inet_pton(AF_INET, good[i], &system);
		cr_expect_eq(ours.s_addr, system.s_addr);
	}
}

/* UTIL-038, UTIL-039, UTIL-141; U02 */
Test(util_address, anything_else_is_no_ipv4_address)
{
	static const char *const bad[] = {
		"", "1", "1.2", "1.2.3", "1.2.3.4.5", "256.0.0.0", "0.0.0.256", "1.2.3.4x",
		"1.2.3.4.", ".1.2.3.4", "1..3.4", "a.b.c.d", "1.2.3.x", " 1.2.3.4", "1.2.3.4 ",
		"+1.2.3.4", "-1.2.3.4", "01.2.3.4", "1.2.3.04", "00.0.0.0", "0177.0.0.1",
		"0x7f.0.0.1", "1.2.3.4\n", "4294967297.0.0.1", "1.2.3.4%lo", "::1",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct in_addr out;
		unsigned index = 77;

		cr_expect_eq(evutil_inet_pton(AF_INET, bad[i], &out), 0, "%s", bad[i]);
		cr_expect_eq(evutil_inet_pton_scope(AF_INET, bad[i], &out, &index), 0, "%s",
			     bad[i]);
	}
}

/* UTIL-037 */
Test(util_address, other_families_are_not_supported)
{
	char out[128];

	cr_expect_eq(evutil_inet_pton(AF_UNIX, "1.2.3.4", out), -1);
	cr_expect_eq(evutil_inet_pton(AF_UNSPEC, "1.2.3.4", out), -1);
	errno = 0;
	cr_expect_null(evutil_inet_ntop(AF_UNIX, out, out, sizeof(out)));
	cr_expect_eq(errno, EAFNOSUPPORT);
}

/* UTIL-040, UTIL-042 */
Test(util_address, ipv6_in_all_its_forms)
{
	static const char *const good[] = {
		"::", "::1", "1::", "ffff::", "ffff::1234", "1:2:3:4:5:6:7:8",
		"0001:0002:3:4:5:6:7:8", "FFFF:abcd::Ef01", "::1.2.3.4", "::ffff:1.2.3.4",
		"0102::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
		"1::3:4:5:6:7:8", "::9:c0a8:1:1", "0:0:0:0:0:0:0:0",
	};

	for (size_t i = 0; i < COUNT(good); i++) {
		struct in6_addr ours, system;

		cr_assert_eq(evutil_inet_pton(AF_INET6, good[i], &ours), 1, "%s", good[i]);
		cr_assert_eq(inet_pton(AF_INET6, good[i], &system), 1);
		cr_expect_arr_eq(ours.s6_addr, system.s6_addr, 16);
	}
}

/* UTIL-041, UTIL-042, UTIL-043, UTIL-141; U02 */
Test(util_address, anything_else_is_no_ipv6_address)
{
	static const char *const bad[] = {
		"", "ffff", "fffff::", "1:2:33333:4::", "1:2:3:4:5:6:7:8:9", "::1::2", ":::1",
		"::1.0.1.1000", "foobar", "barbie", ":1:2:3:4:5:6:7", ":1::2",
		"1:2:3:4:5:6:7:1.2.3.4", " ::1", "::1 ", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"1::8:", "::1:", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7", "::%", "::1%lo", "::1.2.3",
		"::1.2.3.4.5", "::01.2.3.4", "1.2.3.4", "::1.2.3.4:5", ":", "::g", "[::1]",
		"1:2:3:4:5:6:7:8:1.2.3.4", "00001::", "::-1", "::+1", "1:2",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct in6_addr out;

		cr_expect_eq(evutil_inet_pton(AF_INET6, bad[i], &out), 0, "%s", bad[i]);
	}
}

/* UTIL-044, UTIL-045, UTIL-047 */
Test(util_address, zones_are_numbers_or_interfaces)
{
	struct in6_addr out;
	unsigned index = 77;

	cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "2001:DB8::", &out, &index), 1);
	cr_expect_eq(index, 0);
	index = 77;
	cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "2001:DB8::%0", &out, &index), 1);
	cr_expect_eq(index, 0);
	cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "2001:DB8::%1", &out, &index), 1);
	cr_expect_eq(index, 1);
	cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "fe80::1%4294967295", &out, &index), 1);
	cr_expect_eq(index, 4294967295u);
	cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "2001:DB8::%does-not-exist", &out, &index),
		     0);
	cr_expect_eq(index, 0);
	if (if_nametoindex("lo") != 0) {
		cr_expect_eq(evutil_inet_pton_scope(AF_INET6, "fe80::1%lo", &out, &index), 1);
		cr_expect_eq(index, if_nametoindex("lo"));
	}
	index = 77;
	cr_expect_eq(evutil_inet_pton_scope(AF_INET, "1.2.3.4", &out, &index), 1);
	cr_expect_eq(index, 0);
}

/* UTIL-046; U02 */
Test(util_address, sloppy_zones_are_refused)
{
	static const char *const bad[] = {
		"::1%", "::1%-1", "::1%+1", "::1% 1", "::1%1 ", "::1%1x", "::1%4294967296",
		"::1%99999999999999999999", "::1%1%2", "%1",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct in6_addr out;
		unsigned index = 77;

		cr_expect_eq(evutil_inet_pton_scope(AF_INET6, bad[i], &out, &index), 0, "%s",
			     bad[i]);
		cr_expect_eq(index, 0, "%s", bad[i]);
	}
}

/* What comes out for what goes in; NULL: the same. */
static const struct {
	const char *in;
	const char *out;
} texts[] = {
	{ "::", NULL },
	{ "::1", NULL },
	{ "ffff:1::", NULL },
	{ "ffff::1234", NULL },
	{ "::9:c0a8:1:1", NULL },
	{ "::1.2.3.4", NULL },
	{ "::ffff:1.2.3.4", NULL },
	{ "1:2:3:4:5:6:7:8", NULL },
	{ "0001:00A0::B", "1:a0::b" },
	{ "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
	{ "1:0:0:2:3:0:0:4", "1::2:3:0:0:4" },
	{ "1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7" },
	{ "0:2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
	{ "::ffff:0.0.0.0", "::ffff:0.0.0.0" },
	{ "::2", "::2" },
	{ "::1:0", "::1:0" },
	{ "::1:1", "::0.1.0.1" },
	{ "::ffff", "::ffff" },
};

/* UTIL-048, UTIL-049, UTIL-050 */
Test(util_address, ipv6_prints_short_and_lower_case)
{
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *want = texts[i].out != NULL ? texts[i].out : texts[i].in;
		struct in6_addr addr;
		char buf[64];

		cr_assert_eq(evutil_inet_pton(AF_INET6, texts[i].in, &addr), 1);
		cr_assert_eq(evutil_inet_ntop(AF_INET6, &addr, buf, sizeof(buf)), buf);
		cr_expect_str_eq(buf, want, "%s became %s", texts[i].in, buf);
	}
}

/* UTIL-048, UTIL-051, UTIL-142; U02 */
Test(util_address, text_fits_with_its_terminator_or_not_at_all)
{
	static const char v4[] = "192.168.100.200";

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *want = texts[i].out != NULL ? texts[i].out : texts[i].in;
		struct in6_addr addr;
		char buf[64];

		evutil_inet_pton(AF_INET6, texts[i].in, &addr);
		memset(buf, 'x', sizeof(buf));
		errno = 0;
		cr_expect_null(evutil_inet_ntop(AF_INET6, &addr, buf, strlen(want)));
		cr_expect_eq(errno, ENOSPC);
		cr_expect_eq(buf[strlen(want)], 'x');
		cr_expect_not_null(evutil_inet_ntop(AF_INET6, &addr, buf, strlen(want) + 1));
	}
	for (size_t len = 0; len < 20; len++) {
		struct in_addr addr;
		char buf[32];

		memset(buf, 'x', sizeof(buf));
		evutil_inet_pton(AF_INET, v4, &addr);
		if (len <= strlen(v4))
			cr_expect_null(evutil_inet_ntop(AF_INET, &addr, buf, len));
		else
			cr_expect_str_eq(evutil_inet_ntop(AF_INET, &addr, buf, len), v4);
		cr_expect_eq(buf[len > 16 ? 16 : len], 'x');
	}
}

/* Random addresses come back, whatever the form, in any locale. UTIL-040, UTIL-049, UTIL-143 */
Test(util_address, every_address_survives_its_text)
{
	unsigned state = 12345;

	setlocale(LC_ALL, "");
	for (int i = 0; i < 20000; i++) {
		struct in6_addr addr, back;
		char buf[64];

		for (int group = 0; group < 16; group += 2) {
			state = state * 1103515245 + 12345;
			addr.s6_addr[group] = (state >> 16) % 3 ? 0 : (unsigned char)(state >> 20);
			addr.s6_addr[group + 1] =
				(state >> 28) % 3 ? 0 : (unsigned char)(state >> 8);
		}
		cr_assert_not_null(evutil_inet_ntop(AF_INET6, &addr, buf, sizeof(buf)));
		cr_assert_eq(evutil_inet_pton(AF_INET6, buf, &back), 1, "%s", buf);
		cr_assert_eq(memcmp(&addr, &back, sizeof(addr)), 0, "%s", buf);
		cr_assert_eq(inet_pton(AF_INET6, buf, &back), 1, "%s", buf);
		cr_assert_eq(memcmp(&addr, &back, sizeof(addr)), 0, "%s", buf);
	}
}

/* --- With port -------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	int family;
	const char *address;
	int port;
	unsigned scope;
} ports[] = {
	{ "[ffff::1]:1000", AF_INET6, "ffff::1", 1000, 0 },
	{ "[ffff::1]", AF_INET6, "ffff::1", 0, 0 },
	{ "::1", AF_INET6, "::1", 0, 0 },
	{ "1:2:3:4:5:6:7:8", AF_INET6, "1:2:3:4:5:6:7:8", 0, 0 },
	{ "::1:80", AF_INET6, "::1:80", 0, 0 },
	{ "1.2.3.4:56", AF_INET, "1.2.3.4", 56, 0 },
	{ "1.2.3.4", AF_INET, "1.2.3.4", 0, 0 },
	{ "1.2.3.4:65535", AF_INET, "1.2.3.4", 65535, 0 },
	{ "[fe80::1%7]:80", AF_INET6, "fe80::1", 80, 7 },
	{ "[fe80::1%7]", AF_INET6, "fe80::1", 0, 7 },
	{ "fe80::1%7", AF_INET6, "fe80::1", 0, 7 },
	{ "[::1.2.3.4]:9", AF_INET6, "::1.2.3.4", 9, 0 },
};

/* UTIL-052, UTIL-053, UTIL-055, UTIL-056, UTIL-058, UTIL-135 */
Test(util_address, addresses_with_port)
{
	for (size_t i = 0; i < COUNT(ports); i++) {
		struct sockaddr_storage out;
		struct sockaddr_in *v4 = (struct sockaddr_in *)&out, want4 = { 0 };
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out, want6 = { 0 };
		int len = (int)sizeof(out);
		size_t size = ports[i].family == AF_INET ? sizeof(*v4) : sizeof(*v6);

		memset(&out, 'x', sizeof(out));
		cr_assert_eq(
			evutil_parse_sockaddr_port(ports[i].text, (struct sockaddr *)&out, &len), 0,
			"%s", ports[i].text);
		cr_expect_eq(len, (int)size);
		cr_expect_eq(((char *)&out)[size], 'x');
		want4.sin_family = AF_INET;
		want4.sin_port = htons((ev_uint16_t)ports[i].port);
		want6.sin6_family = AF_INET6;
		want6.sin6_port = want4.sin_port;
		want6.sin6_scope_id = ports[i].scope;
		if (ports[i].family == AF_INET) {
			inet_pton(AF_INET, ports[i].address, &want4.sin_addr);
			cr_expect_eq(memcmp(v4, &want4, sizeof(want4)), 0, "%s", ports[i].text);
		} else {
			inet_pton(AF_INET6, ports[i].address, &want6.sin6_addr);
			cr_expect_eq(memcmp(v6, &want6, sizeof(want6)), 0, "%s", ports[i].text);
		}
	}
}

/* UTIL-054, UTIL-055, UTIL-057, UTIL-141; U01 */
Test(util_address, sloppy_addresses_with_port_are_refused_and_touch_nothing)
{
	static const char *const bad[] = {
		"", "[", "[]", "[::1", "[::1]:", "[::1]:0", "[::1]:-1", "[::1]:65536", "[::1]80",
		"[::1]junk", "[::1]:80x", "[::1]: 80", "[::1]:+80", "[[::1]]:80", "[1.2.3.4]:80",
		"1.2.3.4:", "1.2.3.4:0", "1.2.3.4:-1", "1.2.3.4:65536", "1.2.3.4:80abc",
		"1.2.3.4: 80", "1.2.3.4:+80", "1.2.3.4:99999999999", " 1.2.3.4:80", "1.2.3.4 :80",
		"localhost", "localhost:80", "foo.bar", ":80", "[::1%]:80", "[::1]:4294967376",
		"1.2.3.4:4294967376", "::1]:80", "[:::1]:80", "1.2.3.4:080x",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct sockaddr_storage out, before;
		int len = (int)sizeof(out);

		memset(&out, 'x', sizeof(out));
		before = out;
		cr_expect_eq(evutil_parse_sockaddr_port(bad[i], (struct sockaddr *)&out, &len), -1,
			     "%s", bad[i]);
		cr_expect_eq(len, (int)sizeof(out));
		cr_expect_eq(memcmp(&out, &before, sizeof(out)), 0);
	}
}

/* UTIL-055; U01 */
Test(util_address, the_output_never_exceeds_its_length)
{
	for (size_t i = 0; i < COUNT(ports); i++) {
		size_t size = ports[i].family == AF_INET ? sizeof(struct sockaddr_in)
							 : sizeof(struct sockaddr_in6);

		for (int len = 0; len < (int)size; len++) {
			struct sockaddr_storage out, before;
			int told = len;

			memset(&out, 'x', sizeof(out));
			before = out;
			cr_expect_eq(evutil_parse_sockaddr_port(ports[i].text,
								(struct sockaddr *)&out, &told),
				     -1);
			cr_expect_eq(told, len);
			cr_expect_eq(memcmp(&out, &before, sizeof(out)), 0);
		}
	}
}

/* U01 */
Test(util_address, very_long_input_is_just_refused)
{
	size_t len = 64u << 20;
	char *text = malloc(len + 1);
	struct sockaddr_storage out;
	int outlen = (int)sizeof(out);

	cr_assert_not_null(text);
	memset(text, '1', len);
	text[0] = '[';
	text[len] = '\0';
	cr_expect_eq(evutil_parse_sockaddr_port(text, (struct sockaddr *)&out, &outlen), -1);
	text[0] = '1';
	cr_expect_eq(evutil_parse_sockaddr_port(text, (struct sockaddr *)&out, &outlen), -1);
	text[len / 2] = ':';
	cr_expect_eq(evutil_parse_sockaddr_port(text, (struct sockaddr *)&out, &outlen), -1);
	free(text);
}

static struct sockaddr_storage parse(const char *text)
{
	struct sockaddr_storage out;
	int len = (int)sizeof(out);

	memset(&out, 0, sizeof(out));
	cr_assert_eq(evutil_parse_sockaddr_port(text, (struct sockaddr *)&out, &len), 0);
	return out;
}

static int compare(const char *a, const char *b, int with_port)
{
	struct sockaddr_storage first = parse(a), second = parse(b);

	return evutil_sockaddr_cmp((struct sockaddr *)&first, (struct sockaddr *)&second,
				   with_port);
}

/* UTIL-059, UTIL-060 */
Test(util_address, comparison_is_a_total_order)
{
	static const char *const all[] = { "1.2.3.4:80", "1.2.3.4:81", "1.2.3.5:80", "200.2.3.4:80",
					   "[::1]:80", "[::1]:81", "[::2]:80", "[ffff::]:80" };

	for (size_t a = 0; a < COUNT(all); a++)
		for (size_t b = 0; b < COUNT(all); b++) {
			int forth = compare(all[a], all[b], 1), back = compare(all[b], all[a], 1);

			cr_expect_eq(forth == 0, a == b);
			cr_expect_eq(forth > 0, back < 0);
			for (size_t c = 0; c < COUNT(all); c++)
				if (forth < 0 && compare(all[b], all[c], 1) < 0)
					cr_expect_lt(compare(all[a], all[c], 1), 0);
		}
	cr_expect_eq(compare("1.2.3.4:80", "1.2.3.4:99", 0), 0);
	cr_expect_eq(compare("[::1]:80", "[::1]:99", 0), 0);
	cr_expect_neq(compare("1.2.3.4:80", "[::1]:80", 0), 0);
	cr_expect_eq(compare("[fe80::1%1]:80", "[fe80::1%2]:80", 1), 0);
}

/* UTIL-060 */
Test(util_address, an_address_of_another_family_equals_itself)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/x" };

	cr_expect_eq(evutil_sockaddr_cmp((struct sockaddr *)&un, (struct sockaddr *)&un, 1), 0);
}
