/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the tests of one executable, each in a child process and process group of its own, one
 * after the other; see criterion/criterion.h for what a test file says.
 *
 * A child reports through a page it shares with the runner and through how it ended: a test is good
 * if it noted no failure and ended in the way it was announced to.
 */

#include "process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 60.0

enum verdict { PASSED, FAILED, SKIPPED };

static struct harness_test *first, **last = &first;
struct harness_report *harness_report;

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

void harness_failed(int fatal, const char *file, int line, const char *what, const char *format,
		    ...)
{
	va_list args;

	__atomic_add_fetch(&harness_report->failures, 1, __ATOMIC_RELAXED);
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

	harness_report->skipped = 1;
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
void harness_run_here(const struct harness_test *test)
{
	const struct harness_options *suite = options_of_suite(test->suite);

	if (suite->init != NULL)
		suite->init();
	if (test->options.init != NULL)
		test->options.init();
	test->run();
	harness_report->finished = 1;
	if (test->options.fini != NULL)
		test->options.fini();
	if (suite->fini != NULL)
		suite->fini();
	exit(harness_report->failures == 0 ? 0 : STATUS_FAILED);
}

/* TEST_TIME_FACTOR stretches all limits, for machines and tools that are slow. */
static double time_factor(void)
{
	const char *text = getenv("TEST_TIME_FACTOR");
	double factor = text != NULL ? atof(text) : 1.0;

	return factor > 0 ? factor : 1.0;
}

static enum verdict judge(const struct harness_test *test, const struct harness_end *end)
{
	const struct harness_options *o = &test->options;
	int as_announced;

	if (harness_report->failures > 0)
		return FAILED;
	if (harness_report->skipped)
		return SKIPPED;
	if (o->signal != 0)
		as_announced = end->signal == o->signal;
	else if (o->exit_code != 0)
		as_announced = end->signal == 0 && end->status == o->exit_code;
	else
		as_announced = harness_report->finished && end->signal == 0 && end->status == 0;
	if (as_announced)
		return PASSED;
	if (end->signal != 0)
		fprintf(stderr, "ended by signal %d\n", end->signal);
	else
		fprintf(stderr, "ended with status %d\n", end->status);
	return FAILED;
}

static enum verdict run_in_child(const struct harness_test *test)
{
	const struct harness_options *suite = options_of_suite(test->suite);
	double limit = test->options.timeout > 0 ? test->options.timeout : suite->timeout;
	struct harness_end end = { 0 };

	memset(harness_report, 0, sizeof(*harness_report));
	fflush(NULL);
	if (harness_process_run(test, (limit > 0 ? limit : DEFAULT_TIMEOUT_S) * time_factor(),
				&end))
		return judge(test, &end);
	fprintf(stderr, "timed out\n");
	return FAILED;
}

/* Whether `text` is as `pattern` says, in which * stands for any text and ? for any letter. */
static int fits(const char *pattern, const char *text)
{
	for (; *pattern != '*'; pattern++, text++) {
		if (*pattern != *text && (*pattern != '?' || *text == '\0'))
			return 0;
		if (*text == '\0')
			return 1;
	}
	for (const char *rest = text;; rest++) {
		if (fits(pattern + 1, rest))
			return 1;
		if (*rest == '\0')
			return 0;
	}
}

static int matches(const struct harness_test *test, const char *filter)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s", test->suite, test->name);
	return filter == NULL || fits(filter, name);
}

/*
 * TEST_LEFT_OUT names a file whose lines are "suite/name reason", or "suite/name@backend reason":
 * tests that make no sense where they run, or on the backend that TEST_BACKEND names there. They
 * are skipped, and the reason is printed.
 */
static const char *reason_in(const char *line, const struct harness_test *test, const char *backend)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s%s%s ", test->suite, test->name,
		 backend != NULL ? "@" : "", backend != NULL ? backend : "");
	return strncmp(line, name, strlen(name)) == 0 ? line + strlen(name) : NULL;
}

static int is_left_out(const struct harness_test *test)
{
	const char *path = getenv("TEST_LEFT_OUT");
	FILE *list = path != NULL ? fopen(path, "r") : NULL;
	const char *backend = getenv("TEST_BACKEND"), *reason = NULL;
	char line[512];

	if (list == NULL)
		return 0;
	while (reason == NULL && fgets(line, sizeof(line), list) != NULL) {
		reason = reason_in(line, test, NULL);
		if (reason == NULL && backend != NULL)
			reason = reason_in(line, test, backend);
	}
	if (reason != NULL)
		fprintf(stderr, "skipped: %s", reason);
	fclose(list);
	return reason != NULL;
}

static int run_all(const char *filter, int verbose)
{
	static const char *const words[] = { "ok", "FAIL", "skip" };
	int count[3] = { 0 };

	for (const struct harness_test *t = first; t != NULL; t = t->next) {
		enum verdict verdict;

		if (t->name == NULL || !matches(t, filter))
			continue;
		verdict = t->options.disabled || is_left_out(t) ? SKIPPED : run_in_child(t);
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

/* Where processes are not copied, the child finds its way to its test by itself. */
static int run_as_child(int argc, char **argv)
{
	const char *name = harness_process_child(argc, argv);

	for (const struct harness_test *t = first; t != NULL && name != NULL; t = t->next)
		if (t->name != NULL && matches(t, name))
			harness_run_here(t);
	return STATUS_FAILED;
}

/* Options of Criterion's runner that mean nothing here (--jobs N and others) are passed over. */
int main(int argc, char **argv)
{
	const char *filter = NULL;
	int verbose = 0, list = 0;

	if (argc > 1 && strcmp(argv[1], "--child") == 0)
		return run_as_child(argc, argv);
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
	harness_process_init();
	return list ? list_all(filter) : run_all(filter, verbose);
}
