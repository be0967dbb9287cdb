/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_H_INCLUDED
#define SUPPORT_H_INCLUDED

/*
 * What the suites share: an allocator that counts live blocks and refuses on demand, a count of
 * open descriptors, socket pairs, and a watchdog for loops.
 *
 * Criterion runs each test in a process of its own, so global state set here touches nobody else.
 */

#include <criterion/criterion.h>
#include <event2/event.h>
#include <event2/util.h>

#include <stddef.h>

/* Route the library's allocations through a counter. Call before anything is allocated. */
void support_count_allocations(void);

/*
 * Free what the library handed out, such as a line, while allocations are counted. NULL does
 * nothing.
 */
void support_free(void *block);

/* Blocks allocated and not yet freed; requests made since support_count_allocations(). */
long support_live_blocks(void);
long support_allocations(void);

/*
 * Let `n` more requests succeed, then refuse one (`support_fail_once_after`) or every one. -1:
 * none.
 */
void support_fail_once_after(long n);
void support_fail_all_after(long n);

/* Nonzero if a request was refused since the last call of either function above. */
int support_has_refused(void);

/* Keep what the library logs instead of printing it. Counted per severity EVENT_LOG_*. */
void support_capture_log(void);
int support_messages(int severity);
const char *support_last_message(void);

/* Descriptors this process has open. */
int support_open_fds(void);

/*
 * Raises a signal while other threads catch and release it, except where its handler is forgotten
 * while it runs, so that the next one may end the process (Windows).
 */
void support_raise_beside_others(int sig);

/* Skips a test that needs RLIMIT_NOFILE to hold: valgrind has descriptors and limits of its own. */
void support_needs_descriptor_limit(void);

/* Setup and check for TestSuite(.init, .fini): no block and no descriptor may be left. */
void support_leak_init(void);
void support_leak_fini(void);

/* A connected, nonblocking, close-on-exec pair of stream sockets; asserts that it worked. */
void support_socketpair(evutil_socket_t pair[2]);

/* A nonblocking listening TCP socket on 127.0.0.1; its port goes to *port. */
evutil_socket_t support_listen(ev_uint16_t *port);

/*
 * Nonzero if the TEST_IOCP environment variable asks for bases with a completion port, which
 * Windows has.
 */
int support_uses_completions(void);

/* Have `cfg` ask for one (completions_*.c). */
void support_want_completions(struct event_config *cfg);

/*
 * A base of the backend that the TEST_BACKEND environment variable names, if it is set; skips the
 * test if this system lacks that backend.
 */
struct event_base *support_base_new(void);

/* Nonzero where qemu-user stands between select(2) and the kernel: it takes 1024 descriptors. */
int support_is_select_emulated(const struct event_base *base);

/* The number that sockets have for an errno here, as EVUTIL_SOCKET_ERROR() tells it. */
int support_socket_error(int err);

/* Milliseconds on the monotonic clock. */
double support_now_ms(void);

/* A limit of `ms`, stretched by TEST_TIME_FACTOR as the limits of the harness are. */
int support_limit_ms(int ms);

/*
 * Run the loop until it ends by itself; fails the test if that takes longer than `ms`, stretched.
 */
void support_run(struct event_base *base, int ms);

/* Run the loop until *flag is nonzero; fails the test if that takes longer than `ms`, stretched. */
void support_run_until(struct event_base *base, const int *flag, int ms);

#endif
