/* SPDX-License-Identifier: BSD-3-Clause */
/* The 1.x calls: a current base, which the program need not pass around. Not for threads. */

#include "base.h"

#include <event2/event_compat.h>

struct event_base *event_init(void)
{
	struct event_base *base = event_base_new();

	if (base == NULL)
		evi_fatal_misuse("event_init: cannot make a base");
	event_global_current_base_ = base;
	return base;
}

int event_dispatch(void)
{
	return event_loop(0);
}

int event_loop(int flags)
{
	return event_base_loop(event_global_current_base_, flags);
}

int event_loopexit(const struct timeval *tv)
{
	return event_base_loopexit(event_global_current_base_, tv);
}

int event_loopbreak(void)
{
	return event_base_loopbreak(event_global_current_base_);
}

int event_once(evutil_socket_t fd, short events, void (*callback)(evutil_socket_t, short, void *),
	       void *arg, const struct timeval *tv)
{
	return event_base_once(event_global_current_base_, fd, events, callback, arg, tv);
}

const char *event_get_method(void)
{
	return event_global_current_base_ != NULL
		       ? event_base_get_method(event_global_current_base_)
		       : NULL;
}

int event_priority_init(int npriorities)
{
	return event_base_priority_init(event_global_current_base_, npriorities);
}

void event_set(struct event *ev, evutil_socket_t fd, short events,
	       void (*callback)(evutil_socket_t, short, void *), void *arg)
{
	if (event_assign(ev, event_global_current_base_, fd, events, callback, arg) < 0)
		evi_fatal_misuse("event_set: impossible events 0x%x", (unsigned)events);
}
