/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks that run once, after a round's callbacks and before the next wait. */

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

int evi_round_end_schedule(struct event_base *base, struct evi_round_end *task)
{
	int is_new;

	evi_base_lock(base);
	is_new = task->prev == NULL;
	if (is_new) {
		task->next = NULL;
		task->prev = base->round_end_last;
		*base->round_end_last = task;
		base->round_end_last = &task->next;
		evi_wake_if_foreign(base);
	}
	evi_base_unlock(base);
	return is_new;
}

void evi_round_end_cancel(struct event_base *base, struct evi_round_end *task)
{
	evi_base_lock(base);
	if (task->prev != NULL)
		unlink_task(base, task);
	evi_base_unlock(base);
}

/* Runs the tasks that are scheduled now, and once more what they scheduled; the rest waits. */
void evi_round_end_run(struct event_base *base)
{
	struct evi_round_end **last = base->round_end_last;
	int passes = 2;

	while (base->round_end != NULL) {
		struct evi_round_end *task = base->round_end;
		int is_last = last == &task->next;

		unlink_task(base, task);
		evi_base_unlock(base);
		task->fn(task, task->arg);
		evi_base_lock(base);
		if (!is_last)
			continue;
		if (--passes == 0)
			return;
		last = base->round_end_last;
	}
}
