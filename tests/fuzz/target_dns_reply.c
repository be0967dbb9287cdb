/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a nameserver answers. The input replaces all of the reply but its id, and its first byte
 * says what is asked for and whether the question is repeated before it, as an honest server does.
 */

#include "fuzz.h"

#include <event2/dns.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPEATS_QUESTION = 0x80 };

static int is_answered;

static void on_answer(int result, char type, int count, int ttl, void *addresses, void *arg)
{
	static volatile unsigned char sink;
	size_t size = type == DNS_IPv4_A ? 4 : type == DNS_IPv6_AAAA ? 16 : 0;

	(void)ttl;
	(void)arg;
	for (size_t i = 0; result == DNS_ERR_NONE && i < size * (size_t)count; i++)
		sink = ((const unsigned char *)addresses)[i];
	if (result == DNS_ERR_NONE && type == DNS_PTR)
		sink = (unsigned char)strlen(*(char **)addresses);
	(void)sink;
	if (type != DNS_CNAME)
		is_answered++;
}

static int server(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	FUZZ_REQUIRE(bind(fd, (struct sockaddr *)address, len) == 0);
	FUZZ_REQUIRE(getsockname(fd, (struct sockaddr *)address, &len) == 0);
	return fd;
}

static void ask(struct evdns_base *dns, unsigned what)
{
	const struct in_addr v4 = { .s_addr = htonl(INADDR_LOOPBACK) };
	const int flags = DNS_QUERY_NO_SEARCH | DNS_CNAME_CALLBACK;
	struct evdns_request *request;

	is_answered = 0;
	if (what % 3 == 0)
		request = evdns_base_resolve_ipv4(dns, "name.example.com", flags, on_answer, NULL);
	else if (what % 3 == 1)
		request = evdns_base_resolve_ipv6(dns, "name.example.com", flags, on_answer, NULL);
	else
		request = evdns_base_resolve_reverse(dns, &v4, flags, on_answer, NULL);
	FUZZ_REQUIRE(request != NULL);
}

/* Takes the query, answers with the input. */
static void answer(int fd, const uint8_t *data, size_t size, int repeats)
{
	unsigned char query[512], reply[8192];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len);
	size_t head = repeats && size >= 10 && len > 12 ? (size_t)len : 2;

	if (len < 12)
		return;
	if (size > 4096)
		size = 4096;
	memcpy(reply, query, head);
	if (head > 2) { /* flags and counts are the input's, the question is the query's */
		memcpy(reply + 2, data, 10);
		data += 10;
		size -= 10;
	}
	memcpy(reply + head, data, size);
	sendto(fd, reply, head + size, MSG_DONTWAIT, (struct sockaddr *)&from, from_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sockaddr_in address;
	static int fd = -1;
	struct evdns_base *dns;

	if (size < 2)
		return 0;
	if (fd < 0)
		fd = server(&address);
	dns = evdns_base_new(fuzz_base(), 0);
	FUZZ_REQUIRE(dns != NULL);
	evdns_base_set_option(dns, "randomize-case:", "0");
	FUZZ_REQUIRE(evdns_base_nameserver_sockaddr_add(dns, (struct sockaddr *)&address,
							sizeof(address), 0) == 0);
	ask(dns, data[0] & 0x7f);
	fuzz_settle();
	answer(fd, data + 1, size - 1, (data[0] & REPEATS_QUESTION) != 0);
	fuzz_settle();
	evdns_base_free(dns, 1);
	fuzz_settle();
	FUZZ_REQUIRE(is_answered == 1);
	return 0;
}
