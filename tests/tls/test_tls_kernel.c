/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel TLS (OpenSSL): where the kernel makes the records, all is as ever, and files go by
 * SSL_sendfile().
 *
 * Each test runs to its end everywhere, and says so by skipping itself if the kernel did not take
 * part.
 */

#include "tls_test.h"

#include <openssl/ssl.h>

#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_LEN (1 << 20)

static struct tls_pair pair;
static SSL *server_ssl;
static size_t sent_by_kernel;

/* Takes the place of OpenSSL's for this program, and counts. */
ossl_ssize_t SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size, int flags)
{
	ossl_ssize_t (*real)(SSL *, int, off_t, size_t, int);
	ossl_ssize_t n;

	*(void **)&real = dlsym(RTLD_NEXT, "SSL_sendfile");
	n = real(ssl, fd, offset, size, flags);
	if (n > 0)
		sent_by_kernel += (size_t)n;
	return n;
}

/* The kernel's TLS needs TCP. */
static void connect_tcp(evutil_socket_t fds[2])
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(listener, (struct sockaddr *)&sin, len), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(connect(fds[0], (struct sockaddr *)&sin, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	cr_assert_geq(fds[1], 0);
	close(listener);
	for (int i = 0; i < 2; i++)
		evutil_make_socket_nonblocking(fds[i]);
}

/* The server, whose kernel may encrypt, keeps its object and its socket. */
static void start(void)
{
	const struct tls_library *library = tls_library();

	if (library != &tls_openssl)
		cr_skip_test("only OpenSSL has kernel TLS");
	connect_tcp(pair.fds);
	pair.base = support_base_new();
	server_ssl = library->object_new(1);
	SSL_set_options(server_ssl, SSL_OP_ENABLE_KTLS);
	tls_watch(&pair.client,
		  library->socket_new(pair.base, pair.fds[0], library->object_new(0),
				      BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE));
	tls_watch(&pair.server, library->socket_new(pair.base, pair.fds[1], server_ssl,
						    BUFFEREVENT_SSL_ACCEPTING, 0));
	bufferevent_enable(pair.client.bev, EV_READ | EV_WRITE);
	bufferevent_enable(pair.server.bev, EV_READ | EV_WRITE);
	tls_pair_connect(&pair);
}

static void end(void)
{
	int was_kernel = BIO_get_ktls_send(SSL_get_wbio(server_ssl)) > 0;

	tls_pair_fini(&pair);
	SSL_free(server_ssl);
	close(pair.fds[1]);
	if (!was_kernel)
		cr_skip_test("the kernel or OpenSSL has no kernel TLS (modprobe tls)");
}

static int make_file(void)
{
	char name[] = "/tmp/tls-kernel-XXXXXX", *bytes = malloc(FILE_LEN);
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	cr_assert_not_null(bytes);
	unlink(name);
	for (int i = 0; i < FILE_LEN; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	cr_assert_eq(write(fd, bytes, FILE_LEN), FILE_LEN);
	free(bytes);
	return fd;
}

static void check_file(struct evbuffer *input)
{
	const unsigned char *bytes = evbuffer_pullup(input, FILE_LEN);

	for (int i = 0; i < FILE_LEN; i++)
		cr_assert_eq(bytes[i], (unsigned char)(i * 7 + i / 251),
			     "byte %d of the file differs", i);
	evbuffer_drain(input, FILE_LEN);
}

static void settle(struct tls_side *side)
{
	support_run_until(pair.base, &side->is_ended, TLS_TEST_WAIT_MS);
}

static void finish(struct bufferevent *bev, void *arg)
{
	(void)arg;
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		cr_assert_eq(bufferevent_ssl_shutdown(bev), 0);
}

/* TLS-077, TLS-090: data, a file, data, and the goodbye, which is a record of another kind. */
Test(tls_kernel, files_go_by_the_kernel_in_their_place, .timeout = 120)
{
	struct evbuffer *input, *output;

	start();
	input = bufferevent_get_input(pair.client.bev);
	output = bufferevent_get_output(pair.server.bev);
	evbuffer_add(output, "head", 4);
	cr_assert_eq(evbuffer_add_file(output, make_file(), 0, FILE_LEN), 0);
	evbuffer_add(output, "tail", 4);
	bufferevent_setcb(pair.server.bev, NULL, finish, NULL, NULL);
	settle(&pair.client);
	cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_EOF);
	cr_assert_eq(evbuffer_get_length(input), FILE_LEN + 8);
	cr_assert_arr_eq(evbuffer_pullup(input, 4), "head", 4);
	evbuffer_drain(input, 4);
	check_file(input);
	cr_assert_arr_eq(evbuffer_pullup(input, 4), "tail", 4);
	cr_assert_eq(sent_by_kernel, BIO_get_ktls_send(SSL_get_wbio(server_ssl)) > 0
					     ? (size_t)FILE_LEN
					     : (size_t)0);
	end();
}

/*
 * TLS-006, TLS-062: the next bufferevent knows that the kernel has the keys; both ways still work.
 */
Test(tls_kernel, a_new_bufferevent_takes_the_connection_over, .timeout = 120)
{
	start();
	tls_write_pattern(pair.server.bev, 50000);
	tls_pair_receive(&pair, &pair.client, 50000);
	bufferevent_free(pair.server.bev);
	tls_check_pattern(pair.client.bev, 50000);
	evbuffer_drain(bufferevent_get_input(pair.client.bev), 50000);
	tls_watch(&pair.server, tls_library()->socket_new(pair.base, -1, server_ssl,
							  BUFFEREVENT_SSL_OPEN, 0));
	cr_assert_not_null(pair.server.bev);
	bufferevent_enable(pair.server.bev, EV_READ | EV_WRITE);
	tls_write_pattern(pair.server.bev, 50000);
	tls_write_pattern(pair.client.bev, 30000);
	tls_pair_receive(&pair, &pair.client, 50000);
	tls_pair_receive(&pair, &pair.server, 30000);
	tls_check_pattern(pair.client.bev, 50000);
	tls_check_pattern(pair.server.bev, 30000);
	end();
}

/*
 * The keys stay with the old socket: what the kernel was to encrypt must not be sent plain on
 * another.
 */
Test(tls_kernel, nothing_goes_out_plain_on_another_descriptor, .timeout = 120)
{
	evutil_socket_t others[2];
	struct bufferevent *bev;
	char bytes[64];
	int was_kernel;

	start();
	was_kernel = BIO_get_ktls_send(SSL_get_wbio(server_ssl)) > 0;
	bufferevent_free(pair.server.bev);
	bev = tls_library()->socket_new(pair.base, -1, server_ssl, BUFFEREVENT_SSL_OPEN, 0);
	tls_watch(&pair.server, bev);
	support_socketpair(others);
	cr_assert_eq(bufferevent_setfd(bev, others[0]), 0);
	bufferevent_enable(bev, EV_WRITE);
	bufferevent_write(bev, "secret", 6);
	for (int i = 0; i < 10; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
	if (was_kernel) {
		cr_assert_eq(pair.server.first_event, BEV_EVENT_WRITING | BEV_EVENT_ERROR);
		cr_assert_lt(recv(others[1], bytes, sizeof(bytes), MSG_DONTWAIT), 1);
	}
	bufferevent_setfd(bev, -1);
	close(others[0]);
	close(others[1]);
	tls_pair_fini(&pair);
	SSL_free(server_ssl);
	close(pair.fds[1]);
	if (!was_kernel)
		cr_skip_test("the kernel or OpenSSL has no kernel TLS (modprobe tls)");
}
