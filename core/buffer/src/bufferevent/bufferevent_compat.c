/* SPDX-License-Identifier: BSD-3-Clause */
/* bufferevent: the calls of the 1.x interface. */

#include <event2/bufferevent.h>
#include <event2/bufferevent_compat.h>

struct bufferevent *bufferevent_new(evutil_socket_t fd, bufferevent_data_cb readcb,
				    bufferevent_data_cb writecb, bufferevent_event_cb errorcb,
				    void *cbarg)
{
	struct bufferevent *bev = bufferevent_socket_new(NULL, fd, 0);

	if (bev != NULL)
		bufferevent_setcb(bev, readcb, writecb, errorcb, cbarg);
	return bev;
}

void bufferevent_settimeout(struct bufferevent *bev, int timeout_read, int timeout_write)
{
	const struct timeval tv_read = { .tv_sec = timeout_read };
	const struct timeval tv_write = { .tv_sec = timeout_write };

	(void)bufferevent_set_timeouts(bev, timeout_read > 0 ? &tv_read : NULL,
				       timeout_write > 0 ? &tv_write : NULL);
}
