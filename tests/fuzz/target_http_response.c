/* SPDX-License-Identifier: BSD-3-Clause */
/* What a server answers: the client's callback runs exactly once, however the bytes are split. */

#include "fuzz.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_storage address;
static ev_socklen_t address_len;
static int listener;
static int is_done;
static int code;
static size_t body_len;

static void on_done(struct evhttp_request *req, void *arg)
{
	struct evkeyval *field;

	(void)arg;
	FUZZ_REQUIRE(!is_done);
	is_done = 1;
	code = req != NULL ? evhttp_request_get_response_code(req) : -1;
	if (req == NULL)
		return;
	body_len = evbuffer_get_length(evhttp_request_get_input_buffer(req));
	TAILQ_FOREACH (field, evhttp_request_get_input_headers(req), next)
		FUZZ_REQUIRE(strpbrk(field->value, "\r\n") == NULL);
}

static struct evhttp_connection *ask(enum evhttp_cmd_type type)
{
	const struct sockaddr_in *sin = (struct sockaddr_in *)&address;
	struct evhttp_connection *evcon =
		evhttp_connection_base_new(fuzz_base(), NULL, "127.0.0.1", ntohs(sin->sin_port));
	struct evhttp_request *req = evhttp_request_new(on_done, NULL);

	evhttp_connection_set_max_headers_size(evcon, 4096);
	evhttp_connection_set_max_body_size(evcon, 4096);
	evhttp_connection_set_retries(evcon, 0);
	evhttp_connection_set_timeout(evcon, 30);
	is_done = 0;
	code = 0;
	body_len = 0;
	FUZZ_REQUIRE(evhttp_make_request(evcon, req, type, "/") == 0);
	return evcon;
}

static int accepted(void)
{
	const struct linger linger = { .l_onoff = 1 };
	int fd = -1;

	for (int i = 0; fd < 0; i++) {
		FUZZ_REQUIRE(i < 10000);
		event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	fuzz_settle();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

static int talk(const uint8_t *data, size_t size, size_t piece, enum evhttp_cmd_type type)
{
	struct evhttp_connection *evcon = ask(type);
	int fd = accepted();

	for (size_t at = 0; at < size; at += piece) {
		size_t len = piece < size - at ? piece : size - at;

		if (send(fd, data + at, len, MSG_NOSIGNAL) < 0)
			break;
		fuzz_settle();
	}
	shutdown(fd, SHUT_WR);
	fuzz_run_until(&is_done);
	evhttp_connection_free(evcon);
	close(fd);
	fuzz_settle();
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum evhttp_cmd_type type;
	size_t whole_len;
	int whole;

	if (address_len == 0)
		listener = fuzz_listen(&address, &address_len);
	if (size < 1)
		return 0;
	type = data[0] & 0x80 ? EVHTTP_REQ_HEAD : EVHTTP_REQ_GET;
	whole = talk(data + 1, size - 1, size, type);
	whole_len = body_len;
	FUZZ_REQUIRE(talk(data + 1, size - 1, data[0] % 64 + 1, type) == whole);
	FUZZ_REQUIRE(body_len == whole_len);
	return 0;
}
