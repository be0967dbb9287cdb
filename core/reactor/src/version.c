/* SPDX-License-Identifier: BSD-3-Clause */
/* Which release this is. */

#include <event2/event.h>

const char *event_get_version(void)
{
	return LIBEVENT_VERSION;
}

ev_uint32_t event_get_version_number(void)
{
	return LIBEVENT_VERSION_NUMBER;
}
