/* SPDX-License-Identifier: BSD-3-Clause */
/* A test is a forked child in a process group of its own. */

#include "process.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void harness_process_init(void)
{
	harness_report = mmap(NULL, sizeof(*harness_report), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (harness_report == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
}

const char *harness_process_child(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return NULL;
}

/* Waits for `child`; nonzero if it ended before the time was up. SIGCHLD is blocked. */
static int wait_for(pid_t child, double seconds, int *ret_status)
{
	struct timespec now, left;
	double deadline;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + seconds;
	while (waitpid(child, ret_status, WNOHANG) == 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		seconds = deadline - ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
		if (seconds <= 0)
			return 0;
		left.tv_sec = (time_t)seconds;
		left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
		(void)sigtimedwait(&set, NULL, &left);
	}
	return 1;
}

int harness_process_run(const struct harness_test *test, double seconds,
			struct harness_end *ret_end)
{
	sigset_t chld, old;
	int status = 0, in_time;
	pid_t child;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	if (child == 0) {
		setpgid(0, 0);
		sigprocmask(SIG_SETMASK, &old, NULL);
		harness_run_here(test);
	}
	setpgid(child, child);
	in_time = wait_for(child, seconds, &status);
	kill(-child, SIGKILL); /* also what the test left running */
	if (!in_time)
		waitpid(child, &status, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	ret_end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ret_end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	return in_time;
}
