/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses in text: what the system's own parser takes we take, and what we print parses again. */

#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Scope ids stand behind a '%', which the system's parser does not know. */
static void check_numeric(const char *text, int family, size_t size)
{
	unsigned char ours[16], theirs[16], again[16];
	char printed[64];

	if (strchr(text, '%') != NULL)
		return;
	FUZZ_REQUIRE(evutil_inet_pton(family, text, ours) == inet_pton(family, text, theirs));
	if (inet_pton(family, text, theirs) != 1)
		return;
	FUZZ_REQUIRE(memcmp(ours, theirs, size) == 0);
	FUZZ_REQUIRE(evutil_inet_ntop(family, ours, printed, sizeof(printed)) != NULL);
	FUZZ_REQUIRE(evutil_inet_pton(family, printed, again) == 1);
	FUZZ_REQUIRE(memcmp(ours, again, size) == 0);
}

static void check_scope(const char *text)
{
	unsigned char address[16];
	unsigned scope;

	evutil_inet_pton_scope(AF_INET6, text, address, &scope);
}

static void check_with_port(const char *text)
{
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&ss, &len) != 0)
		return;
	FUZZ_REQUIRE(len > 0 && (size_t)len <= sizeof(ss));
	FUZZ_REQUIRE(ss.ss_family == AF_INET || ss.ss_family == AF_INET6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	char *text = fuzz_text(&in);

	check_numeric(text, AF_INET, 4);
	check_numeric(text, AF_INET6, 16);
	check_with_port(text);
	check_scope(text);
	free(text);
	return 0;
}
