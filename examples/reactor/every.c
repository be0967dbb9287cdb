/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * every SECONDS COMMAND [ARGUMENT ...]: runs a command again and again, never two at a time.
 *
 *     every 0.5 date
 *
 * Timers, signals and child processes on one loop. SIGINT and SIGTERM let the command that runs
 * finish; SIGUSR1 tells how it stands.
 */

#include <event2/event.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct schedule {
	struct event_base *base;
	char **command;
	pid_t running; /* 0: none */
	long runs, failures, missed;
	int is_ending;
};

static void start(struct schedule *s)
{
	fflush(stdout);
	s->running = fork();
	if (s->running == 0) {
		execvp(s->command[0], s->command);
		perror(s->command[0]);
		_exit(127);
	}
	if (s->running < 0) {
		perror("fork");
		s->running = 0;
	}
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct schedule *s = arg;

	(void)fd;
	(void)what;
	if (s->running == 0)
		start(s);
	else
		s->missed++;
}

/* Several children may end before the loop hears of it, so ask until there is no more news. */
static void on_child(evutil_socket_t signal_number, short what, void *arg)
{
	struct schedule *s = arg;
	pid_t pid;
	int status;

	(void)signal_number;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->running)
			continue;
		s->running = 0;
		s->runs++;
		s->failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	if (s->is_ending && s->running == 0)
		event_base_loopbreak(s->base);
}

static void on_end(evutil_socket_t signal_number, short what, void *arg)
{
	struct schedule *s = arg;

	(void)signal_number;
	(void)what;
	s->is_ending = 1;
	if (s->running == 0)
		event_base_loopbreak(s->base);
}

static void on_question(evutil_socket_t signal_number, short what, void *arg)
{
	const struct schedule *s = arg;

	(void)signal_number;
	(void)what;
	fprintf(stderr, "%ld runs, %ld failed, %ld not begun because the last one was not over\n",
		s->runs, s->failures, s->missed);
}

static struct event *watch(struct event_base *base, int fd, short events, event_callback_fn fn,
			   void *arg, const struct timeval *interval)
{
	struct event *ev = event_new(base, fd, events | EV_PERSIST, fn, arg);

	if (ev == NULL || event_add(ev, interval) < 0) {
		perror("event_add");
		exit(1);
	}
	return ev;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[1]) : 0;
	struct timeval interval = {
		(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6),
	};
	struct schedule s = { .base = event_base_new(), .command = argv + 2 };
	struct event *events[5];

	if (seconds < 0.001 || s.base == NULL) {
		fprintf(stderr, "usage: %s SECONDS COMMAND [ARGUMENT ...]\n", argv[0]);
		return 2;
	}
	events[0] = watch(s.base, SIGCHLD, EV_SIGNAL, on_child, &s, NULL);
	events[1] = watch(s.base, SIGINT, EV_SIGNAL, on_end, &s, NULL);
	events[2] = watch(s.base, SIGTERM, EV_SIGNAL, on_end, &s, NULL);
	events[3] = watch(s.base, SIGUSR1, EV_SIGNAL, on_question, &s, NULL);
	events[4] = watch(s.base, -1, 0, on_tick, &s, &interval);
	start(&s);
	event_base_dispatch(s.base);
	for (int i = 0; i < 5; i++)
		event_free(events[i]);
	event_base_free(s.base);
	return s.failures > 0;
}
