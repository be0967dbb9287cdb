/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens to the TLS object, its transport and its settings. */

#include "tls_test.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <openssl/ssl.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct tls_pair pair;
static mbedtls_net_context net;

/* Gives the object a descriptor of its own, to be closed with it where the library can say so. */
static void attach_fd(void *object, evutil_socket_t fd)
{
	if (tls_library() == &tls_openssl) {
		BIO *bio = BIO_new_socket((int)fd, BIO_CLOSE);

		SSL_set_bio(object, bio, bio);
	} else {
		net.fd = (int)fd;
		mbedtls_ssl_set_bio(object, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
	}
}

static int is_open(evutil_socket_t fd)
{
	return send(fd, "", 0, MSG_NOSIGNAL) == 0;
}

/* TLS-001, TLS-002, TLS-008, TLS-174 */
Test(tls_object, its_descriptor_is_found_and_compared, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();
	evutil_socket_t fds[2];

	support_socketpair(fds);
	for (int i = 0; i < 2; i++) {
		void *object = library->object_new(0);
		struct bufferevent *bev;

		attach_fd(object, fds[0]);
		cr_assert_null(
			library->socket_new(base, fds[1], object, BUFFEREVENT_SSL_CONNECTING, 0));
		bev = library->socket_new(base, i ? fds[0] : -1, object, BUFFEREVENT_SSL_CONNECTING,
					  0);
		cr_assert_not_null(bev);
		cr_assert_eq(bufferevent_getfd(bev), fds[0]);
		bufferevent_free(bev);
		library->object_free(object);
		cr_assert(is_open(fds[0])); /* though it was to be closed with the object */
	}
	{
		void *object = library->object_new(0);

		attach_fd(object, fds[0]);
		cr_assert_null(library->socket_new(base, fds[1], object, BUFFEREVENT_SSL_CONNECTING,
						   BEV_OPT_CLOSE_ON_FREE)); /* frees the object */
		cr_assert(is_open(fds[0]));
		cr_assert(is_open(fds[1]));
	}
	close(fds[0]);
	close(fds[1]);
	event_base_free(base);
}

/* TLS-007, TLS-010 */
Test(tls_object, the_option_decides_what_is_closed, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();

	for (int is_closing = 0; is_closing < 2; is_closing++) {
		void *object = library->object_new(0);
		struct bufferevent *bev;
		evutil_socket_t fds[2];

		support_socketpair(fds);
		attach_fd(object, fds[0]);
		bev = library->socket_new(base, -1, object, BUFFEREVENT_SSL_CONNECTING,
					  is_closing ? BEV_OPT_CLOSE_ON_FREE : 0);
		bufferevent_free(bev);
		cr_assert_eq(is_open(fds[0]), !is_closing);
		if (!is_closing) {
			library->object_free(object);
			cr_assert(is_open(fds[0]));
			close(fds[0]);
		}
		close(fds[1]);
	}
	event_base_free(base);
}

/* TLS-174 */
Test(tls_object, a_strange_transport_goes_with_no_descriptor, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new();
	void *object = library->object_new(0);
	struct bufferevent *bev;
	evutil_socket_t fds[2];

	if (library != &tls_mbedtls)
		cr_skip_test("a BIO can be asked for its descriptor");
	support_socketpair(fds);
	mbedtls_ssl_set_bio(object, &net, NULL, NULL, NULL);
	cr_assert_null(library->socket_new(base, fds[0], object, BUFFEREVENT_SSL_CONNECTING, 0));
	bev = library->socket_new(base, -1, object, BUFFEREVENT_SSL_CONNECTING,
				  BEV_OPT_CLOSE_ON_FREE);
	cr_assert_eq(bufferevent_getfd(bev), -1);
	bufferevent_free(bev);
	close(fds[0]);
	close(fds[1]);
	event_base_free(base);
}

/* TLS-003, TLS-012 */
Test(tls_object, what_is_below_gives_its_callbacks_and_marks, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct event_base *base = support_base_new(), *other = support_base_new();
	struct bufferevent *below = bufferevent_socket_new(base, -1, 0), *bev;
	void *object = library->object_new(0);
	size_t low = 1, high = 1;
	bufferevent_data_cb read_cb;
	void *arg;

	attach_fd(object, 0); /* is replaced */
	bufferevent_setwatermark(below, EV_READ, 10, 20);
	cr_assert_null(library->filter_new(other, below, object, BUFFEREVENT_SSL_CONNECTING, 0));
	bev = library->filter_new(base, below, object, BUFFEREVENT_SSL_CONNECTING, 0);
	cr_assert_not_null(bev);
	bufferevent_getwatermark(below, EV_READ, &low, &high);
	cr_assert_eq(low, 0);
	cr_assert_eq(high, 0);
	cr_assert_eq(bufferevent_get_enabled(below), EV_READ | EV_WRITE);
	bufferevent_getcb(below, &read_cb, NULL, NULL, &arg);
	cr_assert_not_null(read_cb);
	bufferevent_free(bev);
	bufferevent_getcb(below, &read_cb, NULL, NULL, &arg);
	cr_assert_null(read_cb);
	bufferevent_free(below);
	library->object_free(object);
	event_base_free(base);
	event_base_free(other);
}

/* TLS-006, TLS-012: in state OPEN what is below reads only once the user does. */
Test(tls_object, an_open_one_reads_when_told, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	struct bufferevent *below;
	void *object;

	tls_pair_init(&pair, 1, 0);
	tls_pair_connect(&pair);
	object = library->object_of(pair.client.bev);
	below = pair.client.below;
	bufferevent_free(pair.client.bev);
	tls_watch(&pair.client,
		  library->filter_new(pair.base, below, object, BUFFEREVENT_SSL_OPEN, 0));
	bufferevent_write(pair.server.bev, "hello", 5);
	tls_pair_settle(&pair);
	cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.client.bev)), 0);
	bufferevent_enable(pair.client.bev, EV_READ);
	tls_pair_receive(&pair, &pair.client, 5);
	cr_assert_eq(pair.client.connected, 1); /* the first one's */
	bufferevent_write(pair.client.bev, "hello", 5);
	tls_pair_receive(&pair, &pair.server, 5);
}

/* TLS-004, TLS-005, TLS-172: a used object begins anew, in the role that is asked for. */
Test(tls_object, a_used_one_shakes_hands_again, .timeout = 120)
{
	const struct tls_library *library = tls_library();
	void *objects[2];

	tls_pair_init(&pair, 0, 0);
	tls_pair_connect(&pair);
	objects[0] = library->object_of(pair.client.bev);
	objects[1] = library->object_of(pair.server.bev);
	bufferevent_free(pair.client.bev);
	bufferevent_free(pair.server.bev);
	close(pair.fds[0]);
	close(pair.fds[1]);
	support_socketpair(pair.fds);
	if (library == &tls_openssl)
		SSL_set_fd(objects[0], (int)pair.fds[0]); /* it had the old one, freed or not */
	if (library == &tls_openssl)
		SSL_set_fd(objects[1], (int)pair.fds[1]);
	tls_watch(&pair.client,
		  library->socket_new(pair.base, pair.fds[0], objects[0],
				      BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE));
	tls_watch(&pair.server,
		  library->socket_new(pair.base, pair.fds[1], objects[1], BUFFEREVENT_SSL_ACCEPTING,
				      BEV_OPT_CLOSE_ON_FREE));
	bufferevent_enable(pair.server.bev, EV_READ);
	pair.client.connected = pair.server.connected = 0;
	tls_pair_connect(&pair);
	bufferevent_write(pair.client.bev, "again", 5);
	tls_pair_receive(&pair, &pair.server, 5);
	tls_pair_fini(&pair);
}

/* TLS-011, TLS-014 */
Test(tls_object, other_settings_stay_the_users, .timeout = 120)
{
	SSL *ssl;

	if (tls_library() != &tls_openssl)
		cr_skip_test("the other library has no such modes");
	tls_pair_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	ssl = bufferevent_openssl_get_ssl(pair.client.bev);
	cr_assert(SSL_get_mode(ssl) & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	cr_assert_eq(SSL_get_mode(ssl) & SSL_MODE_ENABLE_PARTIAL_WRITE, 0);
	cr_assert_eq(SSL_get_fd(ssl), pair.fds[0]);
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_tlsext_host_name(ssl, "name.example");
	tls_pair_connect(&pair);
	cr_assert_str_eq(SSL_get_servername(bufferevent_openssl_get_ssl(pair.server.bev),
					    TLSEXT_NAMETYPE_host_name), "name.example");
	tls_write_pattern(pair.client.bev, 500000); /* in parts, as asked for */
	tls_pair_receive(&pair, &pair.server, 500000);
	tls_check_pattern(pair.server.bev, 500000);
	tls_pair_fini(&pair);
}

/* Touches both buffers of the bufferevent while a record of it is read or written. */
static void meddle(int is_write, int version, int type, const void *data, size_t len, SSL *ssl,
		   void *arg)
{
	struct bufferevent *bev = arg;

	(void)version;
	(void)data;
	(void)len;
	(void)ssl;
	if (type != SSL3_RT_HEADER)
		return;
	if (is_write)
		(void)evbuffer_drain(bufferevent_get_output(bev), 1);
	else
		(void)evbuffer_add(bufferevent_get_input(bev), "x", 1);
}

/* TLS-055, TLS-073: what the user does when OpenSSL calls him back changes no byte on its way. */
Test(tls_object, its_callbacks_disturb_no_data, .timeout = 120)
{
	if (tls_library() != &tls_openssl)
		cr_skip_test("the other library has no such callback");
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		tls_pair_connect(&pair);
		for (int i = 0; i < 2; i++) {
			struct bufferevent *bev = i ? pair.server.bev : pair.client.bev;
			SSL *ssl = bufferevent_openssl_get_ssl(bev);

			SSL_set_msg_callback(ssl, meddle);
			SSL_set_msg_callback_arg(ssl, bev);
		}
		tls_write_pattern(pair.client.bev, 700); /* records that share a chain */
		for (int i = 0; i < 20; i++)
			evbuffer_add_reference(bufferevent_get_output(pair.client.bev), "0123456789", 10,
					       NULL, NULL);
		tls_write_pattern(pair.server.bev, 100000);
		tls_pair_receive(&pair, &pair.server, 900);
		tls_pair_receive(&pair, &pair.client, 100000);
		tls_check_pattern(pair.client.bev, 100000);
		evbuffer_drain(bufferevent_get_input(pair.server.bev), 700);
		for (int i = 0; i < 20; i++) {
			char part[10];

			cr_assert_eq(bufferevent_read(pair.server.bev, part, 10), 10);
			cr_assert_arr_eq(part, "0123456789", 10);
		}
		cr_assert_eq(evbuffer_get_length(bufferevent_get_input(pair.server.bev)), 0);
		tls_pair_fini(&pair);
	}
}

/* TLS-007: who holds a reference of his own keeps an object that reaches nothing any more. */
Test(tls_object, one_that_is_held_elsewhere_is_harmless, .timeout = 120)
{
	SSL *ssl;
	char byte;

	if (tls_library() != &tls_openssl)
		cr_skip_test("the other library does not count references");
	tls_pair_init(&pair, 0, BEV_OPT_CLOSE_ON_FREE);
	tls_pair_connect(&pair);
	ssl = bufferevent_openssl_get_ssl(pair.client.bev);
	SSL_up_ref(ssl);
	bufferevent_free(pair.client.bev);
	pair.client.bev = NULL;
	event_base_loop(pair.base, EVLOOP_NONBLOCK);
	cr_assert_leq(SSL_write(ssl, "x", 1), 0);
	cr_assert_leq(SSL_read(ssl, &byte, 1), 0);
	cr_assert_leq(SSL_shutdown(ssl), 0);
	SSL_free(ssl);
	tls_pair_fini(&pair);
}

static int free_in_verify(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	bufferevent_free(pair.client.bev);
	pair.client.bev = NULL;
	return 1;
}

/* TLS-007, TLS-036, T17: from inside the library, which the object must outlive. */
Test(tls_object, it_may_be_given_up_inside_a_call, .timeout = 120)
{
	if (tls_library() != &tls_openssl)
		cr_skip_test("checked with the other library");
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
		SSL_set_verify(bufferevent_openssl_get_ssl(pair.client.bev), SSL_VERIFY_PEER,
			       free_in_verify);
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_null(pair.client.bev);
		cr_assert_eq(pair.client.connected, 0);
		tls_pair_fini(&pair);
	}
}

/* TLS-170, TLS-171 */
Test(tls_object, contexts_of_mbedtls_are_made_and_freed, .timeout = 120)
{
	cr_assert_null(bufferevent_mbedtls_dyncontext_new(NULL));
	bufferevent_mbedtls_dyncontext_free(NULL);
	for (int i = 0; i < 4; i++) {
		void *object = tls_mbedtls.object_new(i & 1);

		cr_assert_not_null(object);
		tls_mbedtls.object_free(object);
	}
}

/* TLS-180, TLS-190: both in one program, even in one connection. */
Test(tls_object, the_libraries_understand_each_other, .timeout = 120)
{
	struct event_base *base = support_base_new();
	evutil_socket_t fds[2];

	for (int i = 0; i < 2; i++) {
		const struct tls_library *ends[2] = { i ? &tls_mbedtls : &tls_openssl,
						      i ? &tls_openssl : &tls_mbedtls };
		struct tls_side sides[2] = { { 0 }, { 0 } };

		support_socketpair(fds);
		for (int j = 0; j < 2; j++) {
			tls_watch(&sides[j],
				  ends[j]->socket_new(base, fds[j], ends[j]->object_new(j),
						      j ? BUFFEREVENT_SSL_ACCEPTING
							: BUFFEREVENT_SSL_CONNECTING,
						      BEV_OPT_CLOSE_ON_FREE));
			cr_assert_eq(bufferevent_ssl_set_flags(sides[j].bev,
							       BUFFEREVENT_SSL_BATCH_WRITE),
				     0);
			cr_assert_null(ends[!j]->object_of(sides[j].bev));
		}
		support_run_until(base, &sides[0].connected, TLS_TEST_WAIT_MS);
		support_run_until(base, &sides[1].connected, TLS_TEST_WAIT_MS);
		bufferevent_free(sides[0].bev);
		bufferevent_free(sides[1].bev);
	}
	event_base_free(base);
}
