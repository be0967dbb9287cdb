/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program that came through a 2.1 soname sees of 2.1, where the 2.2 interface answers
 * otherwise.
 */

#include <event2/component/reactor.h>
#include <event2/event.h>
#include <event2/listener.h>

#define AS_2_1 __attribute__((visibility("default")))

/*
 * Some programs compare the version with the headers they were built with and refuse to run
 * otherwise.
 */
AS_2_1 const char *event_get_version(void)
{
	return "2.1.12-stable";
}

AS_2_1 ev_uint32_t event_get_version_number(void)
{
	return 0x02010c00;
}

/* 2.2 refuses LEV_OPT_REUSEABLE for a Unix-domain socket; 2.1 takes it. */
AS_2_1 struct evconnlistener *evconnlistener_new_bind(struct event_base *base, evconnlistener_cb cb,
						      void *ptr, unsigned flags, int backlog,
						      const struct sockaddr *sa, int socklen)
{
	return evi_listener_new_bind(base, cb, ptr, flags, backlog, sa, socklen);
}
