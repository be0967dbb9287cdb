/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * factor [THREADS]: reads numbers, one a line, and prints their prime factors as they are found.
 *
 *     seq 1000000007 1000000027 | factor 4
 *
 * The loop reads and prints; threads compute. A thread that has a result puts it into a list and
 * activates the loop's event for it: event_active() may be called from any thread, and however
 * often it is, the event runs once for all that has come.
 */

#include <event2/event.h>
#include <event2/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64

struct job {
	struct job *next;
	unsigned long long number;
	char factors[512];
};

/* First in, first out. */
struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct job *first, **last;
	int is_closed;
};

static struct queue todo, done;
static struct event_base *base;
static struct event *input, *results;
static char line[64];
static size_t line_length;
static long unfinished;
static int input_has_ended;

static void queue_init(struct queue *q)
{
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->filled, NULL);
	q->last = &q->first;
}

static void queue_put(struct queue *q, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&q->mutex);
	*q->last = job;
	q->last = &job->next;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->mutex);
}

/* Waits for a job; NULL when there will be none. */
static struct job *queue_wait(struct queue *q)
{
	struct job *job;

	pthread_mutex_lock(&q->mutex);
	while (q->first == NULL && !q->is_closed)
		pthread_cond_wait(&q->filled, &q->mutex);
	job = q->first;
	if (job != NULL && (q->first = job->next) == NULL)
		q->last = &q->first;
	pthread_mutex_unlock(&q->mutex);
	return job;
}

static struct job *queue_take_all(struct queue *q)
{
	struct job *jobs;

	pthread_mutex_lock(&q->mutex);
	jobs = q->first;
	q->first = NULL;
	q->last = &q->first;
	pthread_mutex_unlock(&q->mutex);
	return jobs;
}

static void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->mutex);
	q->is_closed = 1;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->mutex);
}

/* --- the threads ------------------------------------------------------------------------------ */

static void add_factor(struct job *job, unsigned long long factor)
{
	size_t used = strlen(job->factors);

	snprintf(job->factors + used, sizeof(job->factors) - used, " %llu", factor);
}

static void compute(struct job *job)
{
	unsigned long long rest = job->number;

	for (unsigned long long factor = 2; factor <= rest / factor; factor++) {
		while (rest % factor == 0) {
			add_factor(job, factor);
			rest /= factor;
		}
	}
	if (rest > 1)
		add_factor(job, rest);
}

static void *work(void *unused)
{
	struct job *job;

	while ((job = queue_wait(&todo)) != NULL) {
		compute(job);
		queue_put(&done, job);
		event_active(results, EV_READ, 1);
	}
	return unused;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void end_if_all_is_done(void)
{
	if (input_has_ended && unfinished == 0)
		event_base_loopbreak(base);
}

static void on_results(evutil_socket_t fd, short what, void *arg)
{
	struct job *next;

	(void)fd;
	(void)what;
	(void)arg;
	for (struct job *job = queue_take_all(&done); job != NULL; job = next) {
		next = job->next;
		printf("%llu:%s\n", job->number, job->factors);
		free(job);
		unfinished--;
	}
	fflush(stdout);
	end_if_all_is_done();
}

static void take_line(void)
{
	struct job *job = calloc(1, sizeof(*job));
	char *end;

	if (job == NULL)
		return;
	errno = 0;
	job->number = strtoull(line, &end, 10);
	if (end == line || *end != '\0' || errno != 0 || job->number == 0) {
		fprintf(stderr, "not a number from 1 to 2^64 - 1: %s\n", line);
		free(job);
		return;
	}
	unfinished++;
	queue_put(&todo, job);
}

static void take_byte(char byte)
{
	if (byte == '\n') {
		line[line_length] = '\0';
		if (line_length > 0)
			take_line();
		line_length = 0;
	} else if (line_length < sizeof(line) - 1) {
		line[line_length++] = byte;
	}
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	char data[4096];
	ssize_t n = read(fd, data, sizeof(data));

	(void)what;
	(void)arg;
	for (ssize_t i = 0; i < n; i++)
		take_byte(data[i]);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	take_byte('\n'); /* the last line may lack its end */
	input_has_ended = 1;
	event_del(input);
	end_if_all_is_done();
}

/* Files are always ready, which epoll(7) does not say of them: poll(2) does. */
static struct event_base *base_for_files(void)
{
	struct event_config *config = event_config_new();
	struct event_base *result;

	if (config == NULL)
		return NULL;
	event_config_require_features(config, EV_FEATURE_FDS);
	result = event_base_new_with_config(config);
	event_config_free(config);
	return result;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 2;
	pthread_t threads[THREADS_MAX];

	if (count < 1 || count > THREADS_MAX) {
		fprintf(stderr, "usage: %s [THREADS]   (1 to %d)\n", argv[0], THREADS_MAX);
		return 2;
	}
	queue_init(&todo);
	queue_init(&done);
	if (evthread_use_pthreads() < 0 || (base = base_for_files()) == NULL ||
	    (input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, NULL)) == NULL ||
	    (results = event_new(base, -1, 0, on_results, NULL)) == NULL ||
	    event_add(input, NULL) < 0) {
		perror("factor");
		return 1;
	}
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
	queue_close(&todo);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	event_free(input);
	event_free(results);
	event_base_free(base);
	return 0;
}
