/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the tests of one executable, each in a child process and process group of its own, one
 * after the other; see criterion/criterion.h for what a test file says.
 *
 * A child reports through a page it shares with the runner and through how it ended: a test is good
 * if it noted no failure and ended in the way it was announced to.
 */

#include <criterion/criterion.h>

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 60.0
#define STATUS_FAILED     98 /* of a child whose test noted a failure */
#define STATUS_SKIPPED    97

enum verdict { PASSED, FAILED, SKIPPED };

/* What a child tells the runner. */
struct report {
	int failures;
	int finished; /* the test function returned */
	int skipped;
};

static struct harness_test *first, **last = &first;
static struct report *report;

void harness_register(struct harness_test *test)
{
	*last = test;
	last = &test->next;
}

static void print_message(const char *prefix, const char *format, va_list args)
{
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void harness_failed(int fatal, const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;

	__atomic_add_fetch(&report->failures, 1, __ATOMIC_RELAXED);
	fprintf(stderr, "%s:%d: failed: %s", file, line, what);
	va_start(args, format);
	print_message("", format, args);
	va_end(args);
	if (fatal)
		_exit(STATUS_FAILED);
}

void harness_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("note: ", format, args);
	va_end(args);
}

void harness_skip(const char *format, ...)
{
	va_list args;

	report->skipped = 1;
	va_start(args, format);
	print_message("skipped:", format, args);
	va_end(args);
	_exit(STATUS_SKIPPED);
}

static const struct harness_options *options_of_suite(const char *suite)
{
	static const struct harness_options none;

	for (const struct harness_test *t = first; t != NULL; t = t->next)
		if (t->name == NULL && strcmp(t->suite, suite) == 0)
			return &t->options;
	return &none;
}

/* In the child. Ends by exit(), so that what checks the process at its end gets its turn. */
static void run_here(const struct harness_test *test, const struct harness_options *suite)
{
	if (suite->init != NULL)
		suite->init();
	if (test->options.init != NULL)
		test->options.init();
	test->run();
	report->finished = 1;
	if (test->options.fini != NULL)
		test->options.fini();
	if (suite->fini != NULL)
		suite->fini();
	exit(report->failures == 0 ? 0 : STATUS_FAILED);
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

/* TEST_TIME_FACTOR stretches all limits, for machines and tools that are slow. */
static double time_factor(void)
{
	const char *text = getenv("TEST_TIME_FACTOR");
	double factor = text != NULL ? atof(text) : 1.0;

	return factor > 0 ? factor : 1.0;
}

static enum verdict judge(const struct harness_test *test, int status)
{
	const struct harness_options *o = &test->options;
	int as_announced;

	if (report->failures > 0)
		return FAILED;
	if (report->skipped)
		return SKIPPED;
	if (o->signal != 0)
		as_announced = WIFSIGNALED(status) && WTERMSIG(status) == o->signal;
	else if (o->exit_code != 0)
		as_announced = WIFEXITED(status) && WEXITSTATUS(status) == o->exit_code;
	else
		as_announced = report->finished && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (as_announced)
		return PASSED;
	if (WIFSIGNALED(status))
		fprintf(stderr, "ended by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		fprintf(stderr, "ended with status %d\n", WEXITSTATUS(status));
	return FAILED;
}

static enum verdict run_in_child(const struct harness_test *test)
{
	const struct harness_options *suite = options_of_suite(test->suite);
	double limit = test->options.timeout > 0 ? test->options.timeout : suite->timeout;
	sigset_t chld, old;
	int status = 0, in_time;
	pid_t child;

	memset(report, 0, sizeof(*report));
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	fflush(NULL);
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	if (child == 0) {
		setpgid(0, 0);
		sigprocmask(SIG_SETMASK, &old, NULL);
		run_here(test, suite);
	}
	setpgid(child, child);
	in_time = wait_for(child, (limit > 0 ? limit : DEFAULT_TIMEOUT_S) * time_factor(), &status);
	kill(-child, SIGKILL); /* also what the test left running */
	if (!in_time)
		waitpid(child, &status, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!in_time) {
		fprintf(stderr, "timed out\n");
		return FAILED;
	}
	return judge(test, status);
}

static int matches(const struct harness_test *test, const char *filter)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s", test->suite, test->name);
	return filter == NULL || fnmatch(filter, name, 0) == 0;
}

static int run_all(const char *filter, int verbose)
{
	static const char *const words[] = { "ok", "FAIL", "skip" };
	int count[3] = { 0 };

	for (const struct harness_test *t = first; t != NULL; t = t->next) {
		enum verdict verdict;

		if (t->name == NULL || !matches(t, filter))
			continue;
		verdict = t->options.disabled ? SKIPPED : run_in_child(t);
		count[verdict]++;
		if (verbose || verdict != PASSED)
			printf("%s %s/%s\n", words[verdict], t->suite, t->name);
		fflush(stdout);
	}
	printf("%d passed, %d failed", count[PASSED], count[FAILED]);
	if (count[SKIPPED] > 0)
		printf(", %d skipped", count[SKIPPED]);
	putchar('\n');
	return count[FAILED] == 0 ? 0 : 1;
}

static int list_all(const char *filter)
{
	for (const struct harness_test *t = first; t != NULL; t = t->next)
		if (t->name != NULL && matches(t, filter))
			printf("%s/%s\n", t->suite, t->name);
	return 0;
}

/* Options of Criterion's runner that mean nothing here (--jobs N and others) are passed over. */
int main(int argc, char **argv)
{
	const char *filter = NULL;
	int verbose = 0, list = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
			filter = argv[++i];
		else if (strncmp(argv[i], "--filter=", 9) == 0)
			filter = argv[i] + 9;
		else if (strncmp(argv[i], "--verbose", 9) == 0)
			verbose = 1;
		else if (strcmp(argv[i], "--list") == 0)
			list = 1;
	}
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	return list ? list_all(filter) : run_all(filter, verbose);
}
