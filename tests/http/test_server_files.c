/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies made of files: the kernel copies them, whatever stands around them and however slowly the
 * client reads. For Linux with glibc: this program's sendfile() stands before glibc's and counts.
 */

#include "server_test.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_sendfile64
#define SENDFILE SYS_sendfile64
#else
#define SENDFILE SYS_sendfile
#endif

TestSuite(http_server_files, .init = http_open, .fini = http_close, .timeout = 60);

static size_t copied; /* bytes by sendfile() */

ssize_t sendfile(int to, int from, off_t *offset, size_t length)
{
	ssize_t n = syscall(SENDFILE, to, from, offset, length);

	if (n > 0)
		copied += (size_t)n;
	return n;
}

/* What the handlers send of a file that has no name. */
static struct {
	int fd;
	ev_off_t offset, length;
} part;

#define SIZE  (1 << 20)
#define LARGE (64 << 20)

static char content[SIZE];

static int open_file(void)
{
	char name[] = "/tmp/http-file-XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	unlink(name);
	return fd;
}

static void make_file(ev_off_t offset, ev_off_t length)
{
	for (size_t i = 0; i < SIZE; i++)
		content[i] = (char)('a' + i * i % 25);
	part.fd = open_file();
	part.offset = offset;
	part.length = length;
	cr_assert_eq(write(part.fd, content, SIZE), SIZE);
}

static void send_part(struct evhttp_request *req, void *arg)
{
	struct evbuffer *body = evbuffer_new();

	(void)arg;
	cr_assert_eq(evbuffer_add_file(body, part.fd, part.offset, part.length), 0);
	evhttp_send_reply(req, 200, "OK", body);
	evbuffer_free(body);
}

/* How many bytes the kernel copied. */
static size_t ask_for_part(ev_off_t offset, ev_off_t length)
{
	struct peer *peer = peer_open(port);

	make_file(offset, length);
	evhttp_set_gencb(http, send_part, NULL);
	peer_send(peer, GET("/"));
	peer_finish(peer);
	peer_until_end(peer);
	cr_assert_eq(code_of(peer->got), 200);
	cr_assert_eq(peer->got + peer->len - body_of(peer->got), length);
	cr_assert_eq(memcmp(body_of(peer->got), content + offset, (size_t)length), 0);
	peer_close(peer);
	return copied;
}

/* HTTP-088 */
Test(http_server_files, the_kernel_copies_a_file)
{
	cr_assert_eq(ask_for_part(0, SIZE), SIZE);
}

Test(http_server_files, the_kernel_copies_part_of_a_file)
{
	cr_assert_eq(ask_for_part(12345, 654321), 654321);
}

/* A copy costs less than another system call. */
Test(http_server_files, a_small_file_goes_with_its_head)
{
	cr_assert_eq(ask_for_part(23456, 4000), 0);
}

/* HTTP-104: what frames the chunk is written, what is in it is not. */
static void send_chunk(struct evhttp_request *req, void *arg)
{
	struct evbuffer *chunk = evbuffer_new();

	(void)arg;
	evhttp_send_reply_start(req, 200, "OK");
	cr_assert_eq(evbuffer_add_file(chunk, part.fd, part.offset, part.length), 0);
	evhttp_send_reply_chunk(req, chunk);
	cr_assert_eq(evbuffer_get_length(chunk), 0);
	evhttp_send_reply_end(req);
	evbuffer_free(chunk);
}

Test(http_server_files, the_kernel_copies_a_chunk)
{
	struct peer *peer = peer_open(port);
	const char *body;

	make_file(0, SIZE);
	evhttp_set_gencb(http, send_chunk, NULL);
	peer_send(peer, GET("/"));
	peer_finish(peer);
	peer_until_end(peer);
	body = body_of(peer->got);
	cr_assert_eq(strncmp(body, "100000\r\n", 8), 0);
	cr_assert_eq(memcmp(body + 8, content, SIZE), 0);
	cr_assert_str_eq(body + 8 + SIZE, "\r\n0\r\n\r\n");
	cr_assert_eq(copied, SIZE, "%zu copied", copied);
	peer_close(peer);
}

/* A client with a small window, without the library, so that all allocations are the server's. */
static int ask_slowly(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), window = 65536;
	const char *text = REQUEST("GET /", "Connection: close\r\n");

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	return fd;
}

/* All of what comes, the server working between two reads. */
static size_t read_slowly(int fd)
{
	static char bytes[65536];
	size_t total = 0;
	ssize_t n;

	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			total += (size_t)n;
		else
			cr_assert(n == 0 || errno == EAGAIN, "%s", strerror(errno));
	} while (n != 0);
	return total;
}

/* HTTP-077, H43: sixty-four megabytes to a client that first does not read, then slowly. */
Test(http_server_files, a_slow_reader_costs_no_memory)
{
	size_t before = 0;
	long allocations;
	int fd = ask_slowly();

	part.fd = open_file();
	part.offset = 0;
	part.length = LARGE;
	cr_assert_eq(ftruncate(part.fd, LARGE), 0);
	evhttp_set_gencb(http, send_part, NULL);
	while (copied == 0 || copied != before) {
		before = copied;
		for (int i = 0; i < 50; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	cr_assert_lt(copied, LARGE);
	allocations = support_allocations();
	cr_assert_gt(read_slowly(fd), LARGE);
	cr_assert_eq(copied, LARGE);
	cr_assert_leq(support_allocations() - allocations, 8);
	close(fd);
}
