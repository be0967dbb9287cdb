/* SPDX-License-Identifier: BSD-3-Clause */
/* Fixtures the suites share; see support.h. */

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- allocator ------------------------------------------------------------------------------ */

static pthread_mutex_t alloc_lock = PTHREAD_MUTEX_INITIALIZER;
static long live_blocks, requests;
static long allowed = -1; /* requests that still succeed; -1: no limit */
static int refuse_all, refused;
static int fds_at_start;

static int may_allocate(void)
{
	int ok = 1;

	pthread_mutex_lock(&alloc_lock);
	requests++;
	if (allowed == 0) {
		ok = 0;
		refused = 1;
		if (!refuse_all)
			allowed = -1;
	} else if (allowed > 0) {
		allowed--;
	}
	pthread_mutex_unlock(&alloc_lock);
	return ok;
}

static void count_block(int delta)
{
	pthread_mutex_lock(&alloc_lock);
	live_blocks += delta;
	pthread_mutex_unlock(&alloc_lock);
}

static void *counting_malloc(size_t size)
{
	void *block;

	cr_assert(size > 0, "malloc(0) reached the replacement");
	if (!may_allocate())
		return NULL;
	block = malloc(size);
	if (block != NULL)
		count_block(1);
	return block;
}

static void counting_free(void *block)
{
	cr_assert(block != NULL, "free(NULL) reached the replacement");
	count_block(-1);
	free(block);
}

void support_free(void *block)
{
	if (block != NULL)
		counting_free(block);
}

static void *counting_realloc(void *block, size_t size)
{
	void *grown;

	if (block == NULL)
		return counting_malloc(size);
	if (size == 0) {
		counting_free(block);
		return NULL;
	}
	grown = may_allocate() ? realloc(block, size) : NULL;
	return grown;
}

void support_count_allocations(void)
{
	live_blocks = requests = 0;
	allowed = -1;
	event_set_mem_functions(counting_malloc, counting_realloc, counting_free);
}

long support_live_blocks(void)
{
	return live_blocks;
}

long support_allocations(void)
{
	return requests;
}

static void set_limit(long n, int all)
{
	pthread_mutex_lock(&alloc_lock);
	allowed = n;
	refuse_all = all;
	refused = 0;
	pthread_mutex_unlock(&alloc_lock);
}

void support_fail_once_after(long n)
{
	set_limit(n, 0);
}

void support_fail_all_after(long n)
{
	set_limit(n, 1);
}

int support_has_refused(void)
{
	return refused;
}

/* --- log ------------------------------------------------------------------------------------ */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int messages[EVENT_LOG_ERR + 1];
static char last_message[1100];

static void keep_message(int severity, const char *text)
{
	pthread_mutex_lock(&log_lock);
	messages[severity]++;
	strncpy(last_message, text, sizeof(last_message) - 1);
	pthread_mutex_unlock(&log_lock);
}

void support_capture_log(void)
{
	memset(messages, 0, sizeof(messages));
	last_message[0] = '\0';
	event_set_log_callback(keep_message);
}

int support_messages(int severity)
{
	return messages[severity];
}

const char *support_last_message(void)
{
	return last_message;
}

/* --- descriptors ---------------------------------------------------------------------------- */

void support_needs_descriptor_limit(void)
{
	if (getenv("TEST_UNDER_VALGRIND") != NULL)
		cr_skip_test("descriptors cannot be limited here");
}

void support_leak_init(void)
{
	support_count_allocations();
	fds_at_start = support_open_fds();
}

void support_leak_fini(void)
{
	int fds;

	libevent_global_shutdown();
	fds = support_open_fds();
	cr_expect(live_blocks == 0, "%ld blocks were not freed", live_blocks);
	cr_expect(fds == fds_at_start, "%d descriptors before, %d after", fds_at_start, fds);
	/* Criterion passes over checks that fail in a teardown, but not over its crash. */
	if (live_blocks != 0 || fds != fds_at_start)
		abort();
}

void support_socketpair(evutil_socket_t pair[2])
{
	cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
}

evutil_socket_t support_listen(ev_uint16_t *port)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	cr_assert(listen(fd, 128) == 0);
	cr_assert(getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* --- loops ---------------------------------------------------------------------------------- */

int support_uses_completions(void)
{
	return getenv("TEST_IOCP") != NULL;
}

struct event_base *support_base_new(void)
{
	const char *backend = getenv("TEST_BACKEND");
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	cr_assert(cfg != NULL);
	if (support_uses_completions())
		support_want_completions(cfg);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (base == NULL && backend != NULL)
		cr_skip_test("%s does not work on this system", backend);
	cr_assert(base != NULL);
	if (backend != NULL)
		cr_assert_str_eq(event_base_get_method(base), backend);
	return base;
}

int support_limit_ms(int ms)
{
	const char *text = getenv("TEST_TIME_FACTOR");
	double factor = text != NULL ? atof(text) : 1.0;

	return factor > 0 ? (int)(ms * factor) : ms;
}

int support_is_select_emulated(const struct event_base *base)
{
	return getenv("TEST_UNDER_QEMU") != NULL &&
	       strcmp(event_base_get_method(base), "select") == 0;
}

double support_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void watchdog_expired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(int *)arg = 1;
}

void support_run(struct event_base *base, int ms)
{
	int limit_ms = support_limit_ms(ms);
	struct timeval limit = { limit_ms / 1000, limit_ms % 1000 * 1000 };
	int expired = 0;
	struct event *watchdog = event_new(base, -1, 0, watchdog_expired, &expired);

	event_add(watchdog, &limit);
	while (!expired && event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED |
		   EVENT_BASE_COUNT_ACTIVE | EVENT_BASE_COUNT_VIRTUAL) > 1)
		if (event_base_loop(base, EVLOOP_ONCE) != 0)
			break;
	event_free(watchdog);
	cr_assert(!expired, "the loop did not end within %d ms", limit_ms);
}

void support_run_until(struct event_base *base, const int *flag, int ms)
{
	int limit_ms = support_limit_ms(ms);
	struct timeval limit = { limit_ms / 1000, limit_ms % 1000 * 1000 };
	int expired = 0;
	struct event *watchdog = event_new(base, -1, 0, watchdog_expired, &expired);

	event_add(watchdog, &limit);
	while (!expired && !*(volatile const int *)flag)
		if (event_base_loop(base, EVLOOP_ONCE) != 0)
			break;
	event_free(watchdog);
	cr_assert(*flag, "nothing happened within %d ms", limit_ms);
}
