/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HARNESS_PROCESS_H_INCLUDED
#define HARNESS_PROCESS_H_INCLUDED

/*
 * What the runner needs of the system: a test runs in a process of its own and reports by shared
 * memory.
 */

#include <criterion/criterion.h>

#define STATUS_FAILED  98 /* of a child whose test noted a failure */
#define STATUS_SKIPPED 97

/* What a child tells the runner. */
struct harness_report {
	int failures;
	int finished; /* the test function returned */
	int skipped;
};

/* How a child ended. */
struct harness_end {
	int signal; /* 0: by exit() */
	int status;
};

/* Shared between the runner and the child. */
extern struct harness_report *harness_report;

/* Sets harness_report up; ends the process if that is impossible. */
void harness_process_init(void);

/* Runs harness_run_here() in a child; 0 if it had to be stopped after `seconds`. */
int harness_process_run(const struct harness_test *test, double seconds,
			struct harness_end *ret_end);

/* Started with "--child": the suite/name of the test to run, or NULL if there is nothing to do. */
const char *harness_process_child(int argc, char **argv);

/* In the child: runs the test and ends the process. */
void harness_run_here(const struct harness_test *test) __attribute__((__noreturn__));

#endif
