/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waking a loop that sleeps in another thread, or that a signal handler has news for.
 *
 * The descriptors are opened when first needed. Between threads one wake-up is sent per sleep: the
 * sleeper notes that it sleeps, and the first who wants it writes.
 */

#include "base.h"
#include "os/os_wake.h"

/* The loop is awake, that is all; signals that were caught meanwhile are picked up as well. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct event_base *base = arg;

	if (!(what & EV_ET))
		evi_os_wake_drain(fd);
	base->is_wake_sent = 0;
	evi_signal_collect(base);
}

/* What was sent need not be read where each send is reported by itself: one system call less. */
static short interest_in_wakes(const struct event_base *base)
{
	int is_edge = (base->backend->features & EV_FEATURE_ET) && evi_os_wake_has_edges();

	return (short)(EV_READ | EV_PERSIST | (is_edge ? EV_ET : 0));
}

int evi_wake_open(struct event_base *base)
{
	evutil_socket_t fds[2];
	int err;

	if (base->wake_write >= 0)
		return 0;
	err = evi_os_wake_open(fds);
	if (err < 0)
		return err;
	evi_event_init_internal(&base->wake, base, fds[0], interest_in_wakes(base), on_wake,
			       base);
	if (evi_event_add(&base->wake, NULL) < 0) {
		evi_os_wake_close(fds);
		return -ENOMEM;
	}
	base->wake_write = (int)fds[1];
	base->is_wake_sent = 0;
	return 0;
}

void evi_wake_close(struct event_base *base)
{
	evutil_socket_t fds[2] = { base->wake.ev_fd, base->wake_write };

	if (base->wake_write < 0)
		return;
	(void)evi_event_del(&base->wake);
	base->wake_write = -1;
	evi_os_wake_close(fds);
}

int evi_wake(struct event_base *base)
{
	if (base->wake_write < 0)
		return -1;
	if (base->is_sleeping && !atomic_exchange(&base->is_wake_sent, 1))
		evi_os_wake_send(base->wake_write);
	return 0;
}

void evi_wake_from_elsewhere(struct event_base *base)
{
	if (!evi_base_in_loop_thread(base))
		(void)evi_wake(base);
}

int evi_base_in_loop_thread(struct event_base *base)
{
	return base->lock == NULL || base->loop_thread == evi_thread_id();
}

int evi_base_in_round(struct event_base *base)
{
	int is_in_round;

	evi_base_lock(base);
	is_in_round = base->is_running && evi_base_in_loop_thread(base);
	evi_base_unlock(base);
	return is_in_round;
}

int evthread_make_base_notifiable(struct event_base *base)
{
	int err;

	if (base == NULL)
		return -1;
	evi_base_lock(base);
	err = evi_wake_open(base);
	evi_base_unlock(base);
	return err < 0 ? -1 : 0;
}
