/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks that run once, after a round's callbacks and before the next wait; sooner if there are many
 * of them, so that what they are about is still in the processor's caches.
 */

#include "base.h"

static void unlink_task(struct event_base *base, struct evi_round_end *task)
{
	if (task->next != NULL)
		task->next->prev = task->prev;
	else
		base->round_end_last = task->prev;
	*task->prev = task->next;
	task->next = NULL;
	task->prev = NULL;
}

static void append_task(struct event_base *base, struct evi_round_end *task)
{
	task->next = NULL;
	task->prev = base->round_end_last;
	*base->round_end_last = task;
	base->round_end_last = &task->next;
}

int evi_round_end_schedule(struct event_base *base, struct evi_round_end *task)
{
	int is_new;

	evi_base_lock(base);
	is_new = task->prev == NULL;
	if (is_new) {
		append_task(base, task);
		base->round_end_added++;
		evi_wake_if_foreign(base);
	}
	evi_base_unlock(base);
	return is_new;
}

int evi_round_end_cancel(struct event_base *base, struct evi_round_end *task)
{
	int was_scheduled;

	evi_base_lock(base);
	was_scheduled = task->prev != NULL;
	if (was_scheduled)
		unlink_task(base, task);
	evi_base_unlock(base);
	return was_scheduled;
}

/*
 * Runs the tasks that are scheduled now, and once more what they scheduled; the rest waits. A mark
 * ends each pass: any task may be taken back meanwhile, the mark cannot.
 */
void evi_round_end_run(struct event_base *base)
{
	struct evi_round_end mark;

	for (int pass = 0; pass < 2 && base->round_end != NULL; pass++) {
		append_task(base, &mark);
		while (base->round_end != &mark) {
			struct evi_round_end *task = base->round_end;

			unlink_task(base, task);
			evi_base_unlock(base);
			task->fn(task, task->arg);
			evi_base_lock(base);
		}
		unlink_task(base, &mark);
	}
	base->round_end_added = 0;
}
