/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HARNESS_CRITERION_H_INCLUDED
#define HARNESS_CRITERION_H_INCLUDED

/*
 * The part of Criterion's interface that the suites use, over a runner of our own (harness.c), for
 * the runs under sanitizers and valgrind, which Criterion's runner does not survive.
 *
 * Chosen by `-Dharness=mini`. A suite that builds with one harness builds with the other: what is
 * not here must not be used.
 *
 *   TestSuite(name, .init = f, .fini = f, .timeout = s)
 *   Test(suite, name, .init, .fini, .timeout, .signal, .exit_code, .description, .disabled)
 *   cr_assert*    end the test when they fail
 *   cr_expect*    note the failure and go on
 *
 * Each takes an optional format and its arguments after the values it checks.
 */

/* The macros take "nothing or a format", which ISO C before C23 cannot say. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#elif defined(__GNUC__)
#pragma GCC system_header
#endif

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct harness_options {
	int reserved; /* takes the zero that stands for "no options" */
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* seconds; 0: the runner's limit */
	int signal;     /* the signal that must end the test */
	int exit_code;  /* the status that the test must exit with */
	const char *description;
	bool disabled;
};

struct harness_test {
	const char *suite;
	const char *name; /* NULL: the options of the whole suite */
	void (*run)(void);
	struct harness_options options;
	struct harness_test *next;
};

/* Called by constructors, so before main(). */
void harness_register(struct harness_test *test);

/* Report a failed check; does not return if `fatal`. */
void harness_failed(int fatal, const char *file, int line, const char *what, const char *format,
		    ...) __attribute__((__format__(__printf__, 5, 6)));

void harness_log(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void harness_skip(const char *format, ...)
	__attribute__((__format__(__printf__, 1, 2), __noreturn__));

#ifdef __cplusplus
}
#endif

#define HARNESS_REGISTER(id, suite_name, test_name, function, ...)                                \
	static struct harness_test id##_entry = { suite_name, test_name, function,                \
						  { 0, ##__VA_ARGS__ }, NULL };                  \
	__attribute__((__constructor__)) static void id##_register(void)                          \
	{                                                                                          \
		harness_register(&id##_entry);                                                     \
	}

/* The declaration at the end is there to take the semicolon. */
#define TestSuite(suite, ...)                                                                     \
	HARNESS_REGISTER(suite##_suite, #suite, NULL, NULL, ##__VA_ARGS__)                        \
	struct harness_test

#define Test(suite, name, ...)                                                                    \
	static void suite##_##name##_test(void);                                                  \
	HARNESS_REGISTER(suite##_##name, #suite, #name, suite##_##name##_test, ##__VA_ARGS__)     \
	static void suite##_##name##_test(void)

#define HARNESS_CHECK(fatal, condition, what, ...)                                                \
	do {                                                                                       \
		if (!(condition))                                                                  \
			harness_failed(fatal, __FILE__, __LINE__, what, " " __VA_ARGS__);          \
	} while (0)

#define HARNESS_OP(fatal, a, op, b, ...)                                                          \
	HARNESS_CHECK(fatal, (a)op(b), #a " " #op " " #b, ##__VA_ARGS__)
#define HARNESS_STR(fatal, a, op, b, ...)                                                         \
	HARNESS_CHECK(fatal, strcmp((a), (b)) op 0, "strings " #a " " #op " " #b, ##__VA_ARGS__)
#define HARNESS_ARR(fatal, a, op, b, len, ...)                                                    \
	HARNESS_CHECK(fatal, memcmp((a), (b), (len)) op 0,                                         \
		      "bytes " #a " " #op " " #b ", " #len, ##__VA_ARGS__)
#define HARNESS_NEAR(fatal, a, b, epsilon, ...)                                                   \
	HARNESS_CHECK(fatal, fabs((double)(a) - (double)(b)) <= (double)(epsilon),                 \
		      #a " near " #b ", " #epsilon, ##__VA_ARGS__)
#define HARNESS_FAR(fatal, a, b, epsilon, ...)                                                    \
	HARNESS_CHECK(fatal, fabs((double)(a) - (double)(b)) > (double)(epsilon),                  \
		      #a " not near " #b ", " #epsilon, ##__VA_ARGS__)

#define cr_assert(condition, ...)     HARNESS_CHECK(1, condition, #condition, ##__VA_ARGS__)
#define cr_assert_not(condition, ...)                                                              \
	HARNESS_CHECK(1, !(condition), "not " #condition, ##__VA_ARGS__)
#define cr_assert_eq(a, b, ...)       HARNESS_OP(1, a, ==, b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...)      HARNESS_OP(1, a, !=, b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...)       HARNESS_OP(1, a, <, b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...)      HARNESS_OP(1, a, <=, b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...)       HARNESS_OP(1, a, >, b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...)      HARNESS_OP(1, a, >=, b, ##__VA_ARGS__)
#define cr_assert_null(a, ...)        HARNESS_OP(1, a, ==, NULL, ##__VA_ARGS__)
#define cr_assert_not_null(a, ...)    HARNESS_OP(1, a, !=, NULL, ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)   HARNESS_STR(1, a, ==, b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)  HARNESS_STR(1, a, !=, b, ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, len, ...)    HARNESS_ARR(1, a, ==, b, len, ##__VA_ARGS__)
#define cr_assert_arr_neq(a, b, len, ...)   HARNESS_ARR(1, a, !=, b, len, ##__VA_ARGS__)
#define cr_assert_float_eq(a, b, eps, ...)  HARNESS_NEAR(1, a, b, eps, ##__VA_ARGS__)
#define cr_assert_float_neq(a, b, eps, ...) HARNESS_FAR(1, a, b, eps, ##__VA_ARGS__)
#define cr_assert_fail(...)                                                                        \
	harness_failed(1, __FILE__, __LINE__, "must not be reached", " " __VA_ARGS__)

#define cr_expect(condition, ...)     HARNESS_CHECK(0, condition, #condition, ##__VA_ARGS__)
#define cr_expect_not(condition, ...)                                                              \
	HARNESS_CHECK(0, !(condition), "not " #condition, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...)       HARNESS_OP(0, a, ==, b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...)      HARNESS_OP(0, a, !=, b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...)       HARNESS_OP(0, a, <, b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...)      HARNESS_OP(0, a, <=, b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...)       HARNESS_OP(0, a, >, b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...)      HARNESS_OP(0, a, >=, b, ##__VA_ARGS__)
#define cr_expect_null(a, ...)        HARNESS_OP(0, a, ==, NULL, ##__VA_ARGS__)
#define cr_expect_not_null(a, ...)    HARNESS_OP(0, a, !=, NULL, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)   HARNESS_STR(0, a, ==, b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)  HARNESS_STR(0, a, !=, b, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, len, ...)    HARNESS_ARR(0, a, ==, b, len, ##__VA_ARGS__)
#define cr_expect_arr_neq(a, b, len, ...)   HARNESS_ARR(0, a, !=, b, len, ##__VA_ARGS__)
#define cr_expect_float_eq(a, b, eps, ...)  HARNESS_NEAR(0, a, b, eps, ##__VA_ARGS__)
#define cr_expect_float_neq(a, b, eps, ...) HARNESS_FAR(0, a, b, eps, ##__VA_ARGS__)
#define cr_expect_fail(...)                                                                        \
	harness_failed(0, __FILE__, __LINE__, "must not be reached", " " __VA_ARGS__)

#define cr_log_info(...)  harness_log(__VA_ARGS__)
#define cr_log_warn(...)  harness_log(__VA_ARGS__)
#define cr_log_error(...) harness_log(__VA_ARGS__)
#define cr_skip_test(...) harness_skip(" " __VA_ARGS__)
#define cr_skip(...)      harness_skip(" " __VA_ARGS__)

#endif
