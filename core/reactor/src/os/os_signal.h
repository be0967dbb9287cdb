/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OS_SIGNAL_H_INCLUDED
#define EVI_OS_SIGNAL_H_INCLUDED

/*
 * Catching signals: who wants which in this process. One implementation per platform.
 *
 * A receiver is a base. It is woken through its wake-up descriptor when a signal that anybody
 * added is caught, and compares counts. Counts only grow, so a signal may be counted but not lost.
 */

#include <event2/util.h>

/* One above the largest signal number. */
int evi_os_signal_limit(void);

/* Nonzero if `sig`, a number within the limit, can be caught at all. */
int evi_os_signal_is_catchable(int sig);

/* How often `sig` was caught since the process began. */
unsigned evi_os_signal_count(int sig);

/* Catch `sig`, or stop and restore what was before; the calls nest. 0 or -errno. */
int evi_os_signal_catch(int sig);
void evi_os_signal_release(int sig);

struct evi_receiver;

/* Send to `wake_fd` (see os_wake.h) when a signal is caught. NULL if out of memory. */
struct evi_receiver *evi_os_receiver_new(evutil_socket_t wake_fd);

/* After this no handler uses the descriptor. */
void evi_os_receiver_free(struct evi_receiver *receiver);

/*
 * Let `sig` do nothing, or stop and restore what was before; the calls nest. It is caught all the
 * same while anybody catches it. POSIX only. 0 or -errno.
 */
int evi_os_signal_ignore(int sig);
void evi_os_signal_heed(int sig);

/* Nonzero if signals can come through a descriptor of their own. */
int evi_os_signalfd_exists(void);

/*
 * Signals through a descriptor, where the system has that: block `sig` in the calling thread and
 * make it readable at *ret_fd; *ret_was_blocked says how the mask was. 0 or -errno.
 */
int evi_os_signalfd_open(int sig, evutil_socket_t *ret_fd, int *ret_was_blocked);
void evi_os_signalfd_close(int sig, evutil_socket_t fd, int was_blocked);

/* Take what was delivered; nonzero if there was any. */
int evi_os_signalfd_drain(evutil_socket_t fd);

#endif
