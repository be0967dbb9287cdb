/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a client sends to a server. However the bytes are split, the handler must see the same
 * requests; the server must close the connection in the end, and keep nothing.
 */

#include "fuzz.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_storage address;
static ev_socklen_t address_len;

/* What the handler saw, folded to a number. */
static uint64_t seen;

static void fold(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	while (len-- > 0)
		seen = (seen ^ *at++) * 0x100000001b3ULL;
	seen = (seen ^ 0xff) * 0x100000001b3ULL;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	struct evkeyval *field;

	(void)arg;
	fold(evhttp_request_get_uri(req), strlen(evhttp_request_get_uri(req)));
	evhttp_request_get_evhttp_uri(req);
	evhttp_request_get_host(req);
	TAILQ_FOREACH (field, evhttp_request_get_input_headers(req), next) {
		FUZZ_REQUIRE(strpbrk(field->key, "\r\n: ") == NULL);
		FUZZ_REQUIRE(strpbrk(field->value, "\r\n") == NULL);
		fold(field->key, strlen(field->key));
		fold(field->value, strlen(field->value));
	}
	fold(evbuffer_pullup(body, -1), evbuffer_get_length(body));
	evhttp_send_reply(req, HTTP_OK, NULL, NULL);
}

static void start(void)
{
	struct evhttp *http = evhttp_new(fuzz_base());

	evhttp_set_gencb(http, on_request, NULL);
	evhttp_set_allowed_methods(http, 0xffff);
	evhttp_set_max_headers_size(http, 4096);
	evhttp_set_max_body_size(http, 4096);
	evhttp_set_timeout(http, 30);
	FUZZ_REQUIRE(evhttp_accept_socket(http, fuzz_listen(&address, &address_len)) == 0);
}

/* Takes what the server says; 0 when it has closed. */
static int drain(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && errno == EAGAIN;
}

/*
 * Sends the bytes in pieces, with the loop in between, and waits until the server has had enough.
 */
static uint64_t talk(const uint8_t *data, size_t size, size_t piece)
{
	int fd = fuzz_connect(&address, address_len);

	seen = 0;
	for (size_t at = 0; at < size; at += piece) {
		size_t len = piece < size - at ? piece : size - at;

		if (send(fd, data + at, len, MSG_NOSIGNAL) < 0)
			break;
		fuzz_settle();
	}
	shutdown(fd, SHUT_WR);
	for (int i = 0; drain(fd); i++) {
		FUZZ_REQUIRE(i < 10000);
		event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
	}
	close(fd);
	fuzz_settle();
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole;

	if (address_len == 0)
		start();
	if (size < 1)
		return 0;
	whole = talk(data + 1, size - 1, size);
	FUZZ_REQUIRE(talk(data + 1, size - 1, data[0] % 64 + 1) == whole);
	return 0;
}
