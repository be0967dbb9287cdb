/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The version that a program sees which came through a 2.1 soname. Some compare it with the headers
 * they were built with and refuse to run otherwise.
 */

#include <event2/event.h>

__attribute__((visibility("default"))) const char *event_get_version(void)
{
	return "2.1.12-stable";
}

__attribute__((visibility("default"))) ev_uint32_t event_get_version_number(void)
{
	return 0x02010c00;
}
