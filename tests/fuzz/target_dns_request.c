/* SPDX-License-Identifier: BSD-3-Clause */
/* What clients send to a DNS server: never more comes back than one datagram for each of theirs. */

#include "fuzz.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Every question gets an answer of its kind, so that the writer is exercised too. */
static void on_request(struct evdns_server_request *request, void *arg)
{
	static const unsigned char address[16] = { 10, 0, 0, 1 };

	(void)arg;
	for (int i = 0; i < request->nquestions; i++) {
		const struct evdns_server_question *question = request->questions[i];

		FUZZ_REQUIRE(strlen(question->name) < 1024);
		if (question->type == EVDNS_TYPE_A)
			evdns_server_request_add_a_reply(request, question->name, 1, address, 60);
		else if (question->type == EVDNS_TYPE_AAAA)
			evdns_server_request_add_aaaa_reply(request, question->name, 1, address,
							    60);
		else if (question->type == EVDNS_TYPE_PTR)
			evdns_server_request_add_ptr_reply(request, NULL, question->name,
							   "a.example", 60);
		else
			evdns_server_request_add_cname_reply(request, question->name, "b.example",
							     60);
	}
	evdns_server_request_respond(request, 0);
}

static int client;

static void start(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	FUZZ_REQUIRE(bind(fd, (struct sockaddr *)&address, len) == 0);
	FUZZ_REQUIRE(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	FUZZ_REQUIRE(evdns_add_server_port_with_base(fuzz_base(), fd, 0, on_request, NULL) != NULL);
	client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	FUZZ_REQUIRE(connect(client, (struct sockaddr *)&address, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char reply[65536];
	int replies = 0;

	if (client == 0)
		start();
	if (send(client, data, size, 0) < 0)
		return 0;
	fuzz_settle();
	while (recv(client, reply, sizeof(reply), 0) >= 0)
		replies++;
	FUZZ_REQUIRE(replies <= 1);
	return 0;
}
