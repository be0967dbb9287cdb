/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom one talks to: certificates, names, protocols, sessions. */

#include "tls_test.h"

#include <mbedtls/x509.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string.h>
#include <unistd.h>

static struct tls_pair pair;

static void init(const struct tls_setup *client, const struct tls_setup *server)
{
	tls_pair_init_with(&pair, 0, BEV_OPT_CLOSE_ON_FREE, client, server);
}

static SSL *server_ssl(void)
{
	return bufferevent_openssl_get_ssl(pair.server.bev);
}

static SSL *client_ssl(void)
{
	return bufferevent_openssl_get_ssl(pair.client.bev);
}

/* --- Certificates ----------------------------------------------------------------------------- */

struct meeting {
	enum tls_cert cert;
	const char *host;
	int is_accepted;
};

static const struct meeting meetings[] = {
	{ TLS_CERT_GOOD, "localhost", 1 },
	{ TLS_CERT_GOOD, "LOCALHOST", 1 },
	{ TLS_CERT_GOOD, "127.0.0.1", 1 },
	{ TLS_CERT_GOOD, "127.0.0.2", 0 },
	{ TLS_CERT_GOOD, "other.example", 0 },
	{ TLS_CERT_GOOD, "localhost.example", 0 },
	{ TLS_CERT_EXPIRED, "localhost", 0 },
	{ TLS_CERT_OTHER, "localhost", 0 },
	{ TLS_CERT_SELF_SIGNED, "localhost", 0 },
	{ TLS_CERT_WILDCARD, "www.example.org", 1 },
	{ TLS_CERT_WILDCARD, "a.b.example.org", 0 },
	{ TLS_CERT_WILDCARD, "example.org", 0 },
	{ TLS_CERT_NUL, "localhost", 0 },
	{ TLS_CERT_TEXT, "127.0.0.1", 0 },
};

static void meet(const struct meeting *meeting)
{
	struct tls_setup client = { .verifies = 1 };
	struct tls_setup server = { .is_server = 1, .cert = meeting->cert };

	init(&client, &server);
	if (strchr(meeting->host, '.') != NULL && meeting->host[0] == '1' &&
	    tls_library() == &tls_mbedtls) {
		cr_assert_eq(tls_library()->verify_host(pair.client.bev, meeting->host), -1);
		tls_pair_fini(&pair);
		return;
	}
	cr_assert_eq(tls_library()->verify_host(pair.client.bev, meeting->host), 0);
	if (meeting->is_accepted) {
		tls_pair_connect(&pair);
	} else {
		support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		cr_assert_neq(pair.client.code, 0);
		if (tls_library() == &tls_openssl)
			cr_assert_eq(ERR_GET_REASON(pair.client.code),
				     SSL_R_CERTIFICATE_VERIFY_FAILED);
		else
			cr_assert_eq((int)pair.client.code, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
	}
	tls_pair_settle(&pair);
	cr_assert_eq(pair.client.connected, meeting->is_accepted, "%d as %s", meeting->cert,
		     meeting->host);
	cr_assert_eq(pair.client.events, !meeting->is_accepted);
	tls_pair_fini(&pair);
}

/* TLS-017, TLS-040, TLS-116, TLS-173, TLS-176, T12 */
Test(tls_verify, only_the_right_name_on_a_valid_certificate_will_do, .timeout = 120)
{
	for (size_t i = 0; i < sizeof(meetings) / sizeof(meetings[0]); i++)
		meet(&meetings[i]);
}

/* TLS-017 */
Test(tls_verify, nothing_is_checked_or_told_unless_asked, .timeout = 120)
{
	struct tls_setup server = { .is_server = 1, .cert = TLS_CERT_EXPIRED };

	init(NULL, &server);
	tls_pair_connect(&pair);
	if (tls_library() == &tls_openssl)
		cr_assert_null(SSL_get_servername(server_ssl(), TLSEXT_NAMETYPE_host_name));
	tls_pair_fini(&pair);
}

static void check_bad_hosts(void)
{
	const struct tls_library *library = tls_library();
	struct bufferevent *plain = bufferevent_socket_new(pair.base, -1, 0);

	cr_assert_eq(library->verify_host(pair.client.bev, ""), -1);
	cr_assert_eq(library->verify_host(pair.client.bev, NULL), -1);
	cr_assert_eq(library->verify_host(plain, "localhost"), -1);
	bufferevent_free(plain);
}

Test(tls_verify, a_check_that_cannot_be_set_up_is_refused, .timeout = 120)
{
	struct tls_setup client = { .verifies = 1 };

	init(&client, NULL);
	check_bad_hosts();
	tls_pair_fini(&pair);
	if (tls_library() != &tls_mbedtls)
		return;
	init(NULL, NULL); /* whose configuration insists on nothing */
	cr_assert_eq(tls_library()->verify_host(pair.client.bev, "localhost"), -1);
	tls_pair_fini(&pair);
}

/* TLS-005, TLS-157: settings outlive connections. */
Test(tls_verify, name_and_checks_survive_a_new_descriptor, .timeout = 120)
{
	struct tls_setup client = { .verifies = 1 };

	tls_pair_init_with(&pair, 0, 0, &client, NULL);
	cr_assert_eq(tls_library()->verify_host(pair.client.bev, "localhost"), 0);
	for (int i = 0; i < 3; i++) {
		pair.client.connected = pair.server.connected = 0;
		tls_pair_connect(&pair);
		if (tls_library() == &tls_openssl)
			cr_assert_str_eq(
				SSL_get_servername(server_ssl(), TLSEXT_NAMETYPE_host_name),
				"localhost");
		close(pair.fds[0]);
		close(pair.fds[1]);
		support_socketpair(pair.fds);
		cr_assert_eq(bufferevent_setfd(pair.client.bev, pair.fds[0]), 0);
		cr_assert_eq(bufferevent_setfd(pair.server.bev, pair.fds[1]), 0);
	}
}

/* --- Both show a certificate ------------------------------------------------------------------ */

static void show(int has_cert, enum tls_cert cert, int is_accepted)
{
	struct tls_setup client = { .verifies = 1, .has_cert = has_cert, .cert = cert };
	struct tls_setup server = { .is_server = 1, .verifies = 1 };

	init(&client, &server);
	cr_assert_eq(tls_library()->verify_host(pair.client.bev, "localhost"), 0);
	if (is_accepted) {
		tls_pair_connect(&pair);
		bufferevent_write(pair.client.bev, "it is me", 8);
		tls_pair_receive(&pair, &pair.server, 8);
	} else {
		support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.server.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
		cr_assert_eq(pair.server.connected, 0);
		bufferevent_free(pair.server.bev);
		pair.server.bev = NULL;
		support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
		cr_assert_eq(pair.client.events, 1);
	}
	tls_pair_fini(&pair);
}

/* TLS-017, TLS-040 */
Test(tls_verify, a_server_can_insist_on_a_certificate, .timeout = 120)
{
	show(1, TLS_CERT_GOOD, 1);
	show(0, TLS_CERT_GOOD, 0);
	show(1, TLS_CERT_SELF_SIGNED, 0);
	show(1, TLS_CERT_EXPIRED, 0);
}

/* --- Protocols -------------------------------------------------------------------------------- */

static const char *const web[] = { "h2", "http/1.1", NULL };
static const char *const old[] = { "http/1.1", NULL };
static const char *const chat[] = { "irc", NULL };

static void offer(const char *const *theirs, const char *const *ours)
{
	struct tls_setup client = { .protocols = tls_library() == &tls_mbedtls ? theirs : NULL };
	struct tls_setup server = { .is_server = 1, .protocols = ours };
	size_t count = 0;

	init(&client, &server);
	while (theirs != NULL && theirs[count] != NULL)
		count++;
	if (tls_library() == &tls_openssl && count > 0)
		cr_assert_eq(bufferevent_openssl_set_alpn(pair.client.bev, theirs, count), 0);
}

Test(tls_verify, the_best_protocol_that_both_know_is_chosen, .timeout = 120)
{
	char name[16];

	offer(web, web);
	cr_assert_eq(tls_library()->get_alpn(pair.client.bev, name, sizeof(name)), -1);
	tls_pair_connect(&pair);
	cr_assert_eq(tls_library()->get_alpn(pair.client.bev, name, sizeof(name)), 2);
	cr_assert_str_eq(name, "h2");
	cr_assert_eq(tls_library()->get_alpn(pair.client.bev, name, 2), -1);
	tls_pair_fini(&pair);

	offer(old, web);
	tls_pair_connect(&pair);
	cr_assert_eq(tls_library()->get_alpn(pair.server.bev, name, sizeof(name)), 8);
	cr_assert_str_eq(name, "http/1.1");
	tls_pair_fini(&pair);

	offer(NULL, web);
	tls_pair_connect(&pair);
	cr_assert_eq(tls_library()->get_alpn(pair.server.bev, name, sizeof(name)), -1);
	tls_pair_fini(&pair);
}

Test(tls_verify, no_protocol_in_common_ends_the_handshake, .timeout = 120)
{
	offer(chat, web);
	support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
	support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
	cr_assert_eq(pair.client.first_event, BEV_EVENT_READING | BEV_EVENT_ERROR);
	cr_assert_eq(pair.client.connected, 0);
	tls_pair_fini(&pair);
}

Test(tls_verify, protocols_that_cannot_be_sent_are_refused, .timeout = 120)
{
	static char big[257];
	const char *const empty[] = { "" }, *const too_long[] = { big };
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	memset(big, 'x', 256);
	init(NULL, NULL);
	cr_assert_eq(bufferevent_openssl_set_alpn(pair.client.bev, empty, 1), -1);
	cr_assert_eq(bufferevent_openssl_set_alpn(pair.client.bev, too_long, 1), -1);
	cr_assert_eq(bufferevent_openssl_ctx_select_alpn(ctx, too_long, 1), -1);
	cr_assert_eq(bufferevent_openssl_ctx_select_alpn(NULL, web, 2), -1);
	cr_assert_eq(bufferevent_openssl_ctx_select_alpn(ctx, web, 2), 0);
	cr_assert_eq(bufferevent_openssl_ctx_select_alpn(ctx, old, 1), 0); /* instead */
	SSL_CTX_free(ctx);
	tls_pair_fini(&pair);
}

/* --- Sessions --------------------------------------------------------------------------------- */

/* The client's session with the server's context, from a connection that ended well or not. */
static SSL_SESSION *make_session(SSL_CTX **ret_ctx, int says_goodbye)
{
	SSL_SESSION *session;

	init(NULL, NULL);
	tls_pair_connect(&pair);
	bufferevent_write(pair.server.bev, "x", 1); /* the tickets come before it */
	tls_pair_receive(&pair, &pair.client, 1);
	session = SSL_get1_session(client_ssl());
	*ret_ctx = SSL_get_SSL_CTX(server_ssl());
	SSL_CTX_up_ref(*ret_ctx);
	if (says_goodbye)
		cr_assert_eq(bufferevent_ssl_shutdown(pair.client.bev), 0);
	tls_pair_fini(&pair);
	return session;
}

/*
 * TLS-101, TLS-102, TLS-206, T19: and nothing is sent or taken before the handshake, which could be
 * replayed.
 */
Test(tls_verify, a_session_that_ended_well_is_resumed, .timeout = 120)
{
	if (tls_library() != &tls_openssl)
		cr_skip_test("sessions are the TLS library's own matter; one is enough to see them "
			     "pass");
	for (int is_good = 0; is_good < 2; is_good++) {
		SSL_CTX *ctx;
		SSL_SESSION *session = make_session(&ctx, is_good);

		init(NULL, NULL);
		bufferevent_free(pair.server.bev);
		support_socketpair(pair.fds);
		bufferevent_setfd(pair.client.bev, pair.fds[0]);
		tls_watch(&pair.server, bufferevent_openssl_socket_new(
						pair.base, pair.fds[1], SSL_new(ctx),
						BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE));
		cr_assert_eq(SSL_set_session(client_ssl(), session), 1);
		tls_pair_connect(&pair);
		cr_assert_eq(SSL_session_reused(client_ssl()), is_good);
		cr_assert_eq(SSL_SESSION_get_max_early_data(session), 0);
		cr_assert_neq(SSL_get_early_data_status(server_ssl()), SSL_EARLY_DATA_ACCEPTED);
		SSL_SESSION_free(session);
		SSL_CTX_free(ctx);
		tls_pair_fini(&pair);
	}
}

/* --- The thread's error queue ----------------------------------------------------------------- */

/* TLS-115, TLS-117, TLS-118, TLS-120, TLS-192, TLS-209, T14 */
Test(tls_verify, other_peoples_errors_are_not_ours, .timeout = 120)
{
	struct tls_setup client = { .verifies = 1 };

	init(NULL, NULL);
	ERR_raise(ERR_LIB_USER, 123);
	tls_pair_connect(&pair);
	ERR_raise(ERR_LIB_USER, 123);
	bufferevent_write(pair.client.bev, "ping", 4);
	tls_pair_receive(&pair, &pair.server, 4);
	cr_assert_eq(pair.client.events + pair.server.events, 0);
	cr_assert_eq(tls_library()->error_of(pair.client.bev), 0);
	tls_pair_fini(&pair);

	/* What a failure leaves in the queue is taken from it. */
	ERR_clear_error();
	init(&client, NULL);
	cr_assert_eq(tls_library()->verify_host(pair.client.bev, "other.example"), 0);
	support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
	support_run_until(pair.base, &pair.server.is_ended, TLS_TEST_WAIT_MS);
	cr_assert_neq(pair.client.code, 0);
	cr_assert_neq(pair.server.code, 0);
	for (int i = 0; i < 8; i++)
		(void)tls_library()->error_of(pair.client.bev);
	cr_assert_eq(tls_library()->error_of(pair.client.bev), 0);
	cr_assert_eq(ERR_peek_error(), 0);
	tls_pair_fini(&pair);
}
