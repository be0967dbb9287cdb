/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that uses only the loop: a timer fires once. */

#include <event2/event.h>

#include <stdio.h>

static void fired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	puts("fired");
	event_base_loopexit(arg, NULL);
}

int main(void)
{
	struct timeval soon = { 0, 1000 };
	struct event_base *base = event_base_new();
	struct event *timer = base != NULL ? evtimer_new(base, fired, base) : NULL;

	if (timer == NULL || event_add(timer, &soon) != 0)
		return 1;
	if (event_base_dispatch(base) != 0)
		return 1;
	event_free(timer);
	event_base_free(base);
	return 0;
}
