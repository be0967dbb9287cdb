/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MODEL_TEST_H_INCLUDED
#define MODEL_TEST_H_INCLUDED

/* What the tests of the models share: descriptors to watch. */

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((__unused__))

static int pair[2] UNUSED;

static void open_pair(void) UNUSED;
static void open_pair(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static inline void send_byte(int fd)
{
	cr_assert_eq(write(fd, "x", 1), 1);
}

static inline void take_byte(int fd)
{
	char byte;

	cr_assert_eq(read(fd, &byte, 1), 1);
}

static inline void close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

/* An empty file that no name leads to; closed by the caller. */
static inline int plain_file(void)
{
	char name[] = "/tmp/model-test-XXXXXX";
	int fd = mkstemp(name);

	cr_assert_geq(fd, 0);
	unlink(name);
	return fd;
}

/* Waits until the process's first thread sleeps, in whatever it is that it waits for. */
static inline void wait_until_first_thread_sleeps(void)
{
	char path[64], state = 'R';

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
	while (state != 'S') {
		FILE *file = fopen(path, "r");

		cr_assert_not_null(file);
		cr_assert_eq(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
		sched_yield();
	}
}

/* Runs `fn` in a child, which ends with what it returns; 0 is success. */
static inline void in_child(int (*fn)(void))
{
	int status = 1;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (child == 0)
		_exit(fn());
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "the child ended with %x", (unsigned)status);
}

#endif
