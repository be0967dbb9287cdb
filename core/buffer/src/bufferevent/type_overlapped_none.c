/* SPDX-License-Identifier: BSD-3-Clause */
/* Without completion ports all sockets are watched. */

#include "bufferevent/type_socket.h"

const struct bufferevent_ops *evi_socket_type_of(struct event_base *base, size_t *ret_data_size)
{
	(void)base;
	*ret_data_size = sizeof(struct evi_socket_data);
	return &evi_socket_ops;
}
