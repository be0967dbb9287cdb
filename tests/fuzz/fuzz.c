/* SPDX-License-Identifier: BSD-3-Clause */
/* What the fuzz targets share. */

#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

void fuzz_require(int holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* --- Input ------------------------------------------------------------------------------------ */

unsigned fuzz_byte(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

unsigned fuzz_u16(struct fuzz_input *in)
{
	unsigned high = fuzz_byte(in);

	return high << 8 | fuzz_byte(in);
}

const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t max, size_t *len)
{
	const uint8_t *at = in->at;

	*len = max < in->left ? max : in->left;
	in->at += *len;
	in->left -= *len;
	return at;
}

char *fuzz_text(struct fuzz_input *in)
{
	char *text = malloc(in->left + 1);

	FUZZ_REQUIRE(text != NULL);
	if (in->left > 0)
		memcpy(text, in->at, in->left);
	text[in->left] = '\0';
	in->at += in->left;
	in->left = 0;
	return text;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char name[32];
	static int file = -1;

	if (file >= 0)
		close(file);
	file = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_REQUIRE(file >= 0);
	FUZZ_REQUIRE(write(file, data, size) == (ssize_t)size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	return name;
}

/* --- Loop ------------------------------------------------------------------------------------- */

static void drop_message(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

struct event_base *fuzz_base(void)
{
	static struct event_base *base;

	if (base == NULL) {
		event_set_log_callback(drop_message);
		base = event_base_new();
		FUZZ_REQUIRE(base != NULL);
	}
	return base;
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fuzz_require(0, "the loop comes to an end", __FILE__, __LINE__);
}

void fuzz_run_until(const int *flag)
{
	const struct timeval limit = { .tv_sec = 10 };
	static struct event *watchdog;

	if (watchdog == NULL)
		watchdog = evtimer_new(fuzz_base(), on_limit, NULL);
	event_add(watchdog, &limit);
	while (!*flag)
		FUZZ_REQUIRE(event_base_loop(fuzz_base(), EVLOOP_ONCE) == 0);
	event_del(watchdog);
}

void fuzz_settle(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
}

/* --- Sockets ---------------------------------------------------------------------------------- */

evutil_socket_t fuzz_listen(struct sockaddr_storage *address, ev_socklen_t *len)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)address;
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(address, 0, sizeof(*address));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*len = sizeof(*address);
	FUZZ_REQUIRE(bind(fd, (struct sockaddr *)address, sizeof(*sin)) == 0);
	FUZZ_REQUIRE(listen(fd, 16) == 0);
	FUZZ_REQUIRE(getsockname(fd, (struct sockaddr *)address, len) == 0);
	return fd;
}

/* A reset at the end keeps the system from running out of ports after thousands of connections. */
evutil_socket_t fuzz_connect(const struct sockaddr_storage *address, ev_socklen_t len)
{
	const struct linger linger = { .l_onoff = 1 };
	evutil_socket_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	FUZZ_REQUIRE(connect(fd, (const struct sockaddr *)address, len) == 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return fd;
}

/* --- Memory ----------------------------------------------------------------------------------- */

#define HEAD 16

static size_t memory_now, memory_peak;

static void *count_malloc(size_t size)
{
	char *block = malloc(size + HEAD);

	if (block == NULL)
		return NULL;
	memcpy(block, &size, sizeof(size));
	memory_now += size;
	if (memory_now > memory_peak)
		memory_peak = memory_now;
	return block + HEAD;
}

static void count_free(void *at)
{
	char *block = at;
	size_t size;

	if (block == NULL)
		return;
	block -= HEAD;
	memcpy(&size, block, sizeof(size));
	memory_now -= size;
	free(block);
}

static void *count_realloc(void *at, size_t size)
{
	size_t old = 0;
	void *block = size > 0 ? count_malloc(size) : NULL;

	if (at != NULL && block != NULL) {
		memcpy(&old, (char *)at - HEAD, sizeof(old));
		memcpy(block, at, old < size ? old : size);
	}
	if (block != NULL || size == 0)
		count_free(at);
	return block;
}

void fuzz_count_memory(void)
{
	event_set_mem_functions(count_malloc, count_realloc, count_free);
}

void fuzz_free(void *block)
{
	count_free(block);
}

size_t fuzz_memory_now(void)
{
	return memory_now;
}

size_t fuzz_memory_peak(void)
{
	return memory_peak;
}

void fuzz_memory_restart(void)
{
	memory_peak = memory_now;
}
