/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WebSocket frames from a client. The first byte chooses the size of the pieces and whether
 * compression was agreed; messages must come out the same however the bytes are split.
 */

#include "fuzz.h"

#include <event2/http.h>
#include <event2/ws.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFLATES = 0x80 };

static struct sockaddr_storage address;
static ev_socklen_t address_len;
static uint64_t seen;
static int is_closed;

static void fold(const unsigned char *at, size_t len)
{
	while (len-- > 0)
		seen = (seen ^ *at++) * 0x100000001b3ULL;
	seen = (seen ^ 0xff) * 0x100000001b3ULL;
}

static void on_message(struct evws_connection *evws, int type, const unsigned char *data,
		       size_t len, void *arg)
{
	const unsigned char kind = (unsigned char)type;

	(void)arg;
	fold(&kind, 1);
	fold(data, len);
	if (len < 100)
		evws_send_binary(evws, (const char *)data, len);
}

static void on_close(struct evws_connection *evws, void *arg)
{
	(void)evws;
	(void)arg;
	is_closed = 1;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evws_connection *evws = evws_new_session(req, on_message, NULL, EVWS_OPT_DEFLATE);

	(void)arg;
	FUZZ_REQUIRE(evws != NULL);
	evws_connection_set_max_message(evws, 1 << 16);
	evws_connection_set_closecb(evws, on_close, NULL);
}

static void start(void)
{
	struct evhttp *http = evhttp_new(fuzz_base());

	evhttp_set_gencb(http, on_request, NULL);
	FUZZ_REQUIRE(evhttp_accept_socket(http, fuzz_listen(&address, &address_len)) == 0);
}

static int drain(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && errno == EAGAIN;
}

static int open_session(int deflates)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
				   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
	static const char extension[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
	int fd = fuzz_connect(&address, address_len);
	char bytes[1024];

	send(fd, head, sizeof(head) - 1, MSG_NOSIGNAL);
	if (deflates)
		send(fd, extension, sizeof(extension) - 1, MSG_NOSIGNAL);
	send(fd, "\r\n", 2, MSG_NOSIGNAL);
	for (int i = 0; recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) <= 0; i++) {
		FUZZ_REQUIRE(i < 10000);
		event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
	}
	return fd;
}

static uint64_t talk(const uint8_t *data, size_t size, size_t piece, int deflates)
{
	int fd = open_session(deflates);

	seen = 0;
	is_closed = 0;
	for (size_t at = 0; at < size; at += piece) {
		size_t len = piece < size - at ? piece : size - at;

		if (send(fd, data + at, len, MSG_NOSIGNAL) < 0)
			break;
		fuzz_settle();
		drain(fd);
	}
	shutdown(fd, SHUT_WR);
	for (int i = 0; drain(fd); i++) {
		FUZZ_REQUIRE(i < 10000);
		event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
	}
	close(fd);
	fuzz_run_until(&is_closed);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int deflates;
	uint64_t whole;

	if (address_len == 0)
		start();
	if (size < 1)
		return 0;
	deflates = (data[0] & DEFLATES) != 0;
	whole = talk(data + 1, size - 1, size, deflates);
	FUZZ_REQUIRE(talk(data + 1, size - 1, data[0] % 64 + 1, deflates) == whole);
	return 0;
}
