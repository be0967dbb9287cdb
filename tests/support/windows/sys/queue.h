/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_WINDOWS_QUEUE_H_INCLUDED
#define SUPPORT_WINDOWS_QUEUE_H_INCLUDED

/* The macros of tail queues that the suites use, for those that the library's headers declare. */

#define TAILQ_EMPTY(head) ((head)->tqh_first == NULL)
#define TAILQ_INIT(head)  ((head)->tqh_first = NULL, (head)->tqh_last = &(head)->tqh_first)
#define TAILQ_FOREACH(one, head, link) \
	for ((one) = (head)->tqh_first; (one) != NULL; (one) = (one)->link.tqe_next)
#define TAILQ_INSERT_TAIL(head, one, link)                                                         \
	((one)->link.tqe_next = NULL, (one)->link.tqe_prev = (head)->tqh_last,                     \
	 *(head)->tqh_last = (one), (head)->tqh_last = &(one)->link.tqe_next)

#endif
