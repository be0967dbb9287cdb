/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client that is short of memory: whichever allocation is refused, each request ends once,
 * nothing is lost, and the connection works afterwards. The server is a process of its own, on bare
 * calls.
 */

#include "http_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(http_client_memory, .init = http_open, .fini = http_close, .timeout = 120);

static const char reply[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
			    "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n";

/*
 * What the client says when it has nothing to add before it hears from us: a request, or what is
 * said to a proxy, which we are as well. The length of the answer, 0: there is more to come.
 */
static size_t answer_to(const char *said, size_t len, const char **ret_answer)
{
	static const char method[] = "\5\0", granted[] = "\5\0\0\1\0\0\0\0\0\0";
	static const char connected[] = "HTTP/1.1 200 Connected\r\n\r\n";

	if (said[0] == 5) {
		*ret_answer = len == 3 ? method : granted;
		return len == 3 ? sizeof(method) - 1 : len == 10 ? sizeof(granted) - 1 : 0;
	}
	if (strstr(said, "\r\n\r\n") == NULL)
		return 0;
	*ret_answer = strncmp(said, "CONNECT", 7) == 0 ? connected : reply;
	return strlen(*ret_answer);
}

/* One connection after the other. */
static void serve(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		char got[4096];
		const char *answer;
		size_t len = 0, answer_len;
		ssize_t n;

		while ((n = read(fd, got + len, sizeof(got) - 1 - len)) > 0) {
			len += (size_t)n;
			got[len] = '\0';
			answer_len = answer_to(got, len, &answer);
			if (answer_len == 0)
				continue;
			len = 0;
			if (write(fd, answer, answer_len) < 0)
				break;
		}
		close(fd);
	}
}

static pid_t start_server(ev_uint16_t *ret_port)
{
	evutil_socket_t fd = support_listen(ret_port);
	pid_t child;

	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0)
		serve(fd);
	evutil_closesocket(fd);
	return child;
}

static void stop_server(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Makes a request with headers; -1 if that failed, in which case nothing may be called. */
static int ask(struct evhttp_connection *evcon)
{
	struct evhttp_request *req = evhttp_request_new(http_on_done, NULL);

	if (req == NULL)
		return -1;
	evhttp_request_set_error_cb(req, http_on_error);
	if (evhttp_add_header(evhttp_request_get_output_headers(req), "X", "y") != 0) {
		evhttp_request_free(req);
		return -1;
	}
	return evhttp_make_request(evcon, req, EVHTTP_REQ_GET, "/path");
}

typedef int set_proxy_fn(struct evhttp_connection *, const char *, ev_uint16_t, const char *);

/* `set_proxy` NULL: without. */
static void each_refused_allocation(set_proxy_fn *set_proxy)
{
	ev_uint16_t to;
	pid_t child = start_server(&to);
	int refused = 1;
	long n;

	support_capture_log();
	for (n = 0; refused; n++) {
		struct evhttp_connection *evcon;
		int asked = 0;

		cr_assert_lt(n, 300);
		http_log[0] = '\0';
		http_done = 0;
		support_fail_once_after(n);
		evcon = evhttp_connection_base_new(base, NULL, "127.0.0.1", to);
		if (evcon != NULL && set_proxy != NULL &&
		    set_proxy(evcon, "127.0.0.1", to, NULL) != 0) {
			evhttp_connection_free(evcon);
			evcon = NULL;
		}
		if (evcon != NULL)
			asked = ask(evcon) == 0;
		while (asked && http_done == 0)
			event_base_loop(base, EVLOOP_ONCE); /* a watchdog would need memory */
		refused = support_has_refused();
		support_fail_once_after(-1);
		cr_expect_eq(http_done, asked, "refused %ld: %s", n, http_log);
		if (evcon == NULL)
			continue;
		cr_assert_eq(ask(evcon), 0);
		client_wait(asked + 1);
		cr_assert_not_null(strstr(http_log, "done-200"), "refused %ld: %s", n, http_log);
		cr_assert_str_eq(http_body, "hellohello");
		evhttp_connection_free(evcon);
	}
	cr_assert_gt(n, 8);
	stop_server(child);
}

/* HTTP-249, HTTP-228, HTTP-382 */
Test(http_client_memory, each_refused_allocation_ends_the_request_once)
{
	each_refused_allocation(NULL);
}

Test(http_client_memory, each_refused_allocation_with_a_proxy)
{
	each_refused_allocation(evhttp_connection_set_proxy);
	each_refused_allocation(evhttp_connection_set_socks_proxy);
}

/* HTTP-239, HTTP-242: setters that need memory, and a Unix socket. */
Test(http_client_memory, setting_up_fails_cleanly)
{
	int refused = 1;

	support_capture_log();
	for (long n = 0; refused; n++) {
		struct evhttp_connection *evcon;

		cr_assert_lt(n, 50);
		support_fail_once_after(n);
		evcon = evhttp_connection_base_bufferevent_unix_new(base, NULL, "/tmp/x");
		if (evcon != NULL) {
			evhttp_connection_set_local_address(evcon, "127.0.0.1");
			evhttp_connection_free(evcon);
		}
		refused = support_has_refused();
		support_fail_once_after(-1);
	}
}
