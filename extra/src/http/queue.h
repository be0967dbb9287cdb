/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_QUEUE_H_INCLUDED
#define HTTP_QUEUE_H_INCLUDED

/*
 * The tail queues of the public structs (event2/keyvalq_struct.h, event2/http_struct.h), worked
 * without <sys/queue.h>, which not every system has.
 *
 * A head is { first, last }, where `last` is the address of the last link; a link is
 * { tqe_next, tqe_prev }, where `tqe_prev` is the address of the link before.
 */

#define EVI_QUEUE_INIT(head)                                                                      \
	do {                                                                                       \
		(head)->tqh_first = NULL;                                                          \
		(head)->tqh_last = &(head)->tqh_first;                                             \
	} while (0)

#define EVI_QUEUE_APPEND(head, item, link)                                                        \
	do {                                                                                       \
		(item)->link.tqe_next = NULL;                                                      \
		(item)->link.tqe_prev = (head)->tqh_last;                                          \
		*(head)->tqh_last = (item);                                                        \
		(head)->tqh_last = &(item)->link.tqe_next;                                         \
	} while (0)

#define EVI_QUEUE_REMOVE(head, item, link)                                                        \
	do {                                                                                       \
		if ((item)->link.tqe_next != NULL)                                                 \
			(item)->link.tqe_next->link.tqe_prev = (item)->link.tqe_prev;              \
		else                                                                               \
			(head)->tqh_last = (item)->link.tqe_prev;                                  \
		*(item)->link.tqe_prev = (item)->link.tqe_next;                                    \
	} while (0)

#define EVI_QUEUE_EACH(item, head, link)                                                          \
	for ((item) = (head)->tqh_first; (item) != NULL; (item) = (item)->link.tqe_next)

#endif
