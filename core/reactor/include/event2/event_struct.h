/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVENT2_EVENT_STRUCT_H_INCLUDED_
#define EVENT2_EVENT_STRUCT_H_INCLUDED_

/**
 * @file event2/event_struct.h
 *
 * The inside of struct event, for programs that put events into structs of their own.
 *
 * The layout is that of libevent 2.1, to the byte: programs were compiled with it. What the fields
 * mean is the library's own business; the only use of them is their size. Set events up with
 * event_assign(), and ask about them with the calls of event2/event.h.
 */

#include <event2/event-config.h>
#include <event2/util.h>
#include <event2/keyvalq_struct.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The queue macros of <sys/queue.h>, as far as the structs need them, unless it was included. */
#ifndef TAILQ_ENTRY
#define EVI_DEFINED_TQENTRY_
#define TAILQ_ENTRY(type) struct { struct type *tqe_next; struct type **tqe_prev; }
#endif
#ifndef TAILQ_HEAD
#define EVI_DEFINED_TQHEAD_
#define TAILQ_HEAD(name, type) struct name { struct type *tqh_first; struct type **tqh_last; }
#endif
#ifndef LIST_ENTRY
#define EVI_DEFINED_LISTENTRY_
#define LIST_ENTRY(type) struct { struct type *le_next; struct type **le_prev; }
#endif
#ifndef LIST_HEAD
#define EVI_DEFINED_LISTHEAD_
#define LIST_HEAD(name, type) struct name { struct type *lh_first; }
#endif
struct event;

/** Something that the loop calls: what an event has in common with work of the library's own. */
struct event_callback {
	TAILQ_ENTRY(event_callback) evcb_active_next;
	short evcb_flags;
	ev_uint8_t evcb_pri;
	ev_uint8_t evcb_closure;
	union {
		void (*evcb_callback)(evutil_socket_t, short, void *);
		void (*evcb_selfcb)(struct event_callback *, void *);
		void (*evcb_evfinalize)(struct event *, void *);
		void (*evcb_cbfinalize)(struct event_callback *, void *);
	} evcb_cb_union;
	void *evcb_arg;
};
struct event_base;

/** An event: see event_assign(). */
struct event {
	struct event_callback ev_evcallback;
	union {
		TAILQ_ENTRY(event) ev_next_with_common_timeout;
		int min_heap_idx;
	} ev_timeout_pos;
	evutil_socket_t ev_fd;
	struct event_base *ev_base;
	union {
		struct {
			LIST_ENTRY(event) ev_io_next;
			struct timeval ev_timeout;
		} ev_io;
		struct {
			LIST_ENTRY(event) ev_signal_next;
			short ev_ncalls;
			short *ev_pncalls;
		} ev_signal;
	} ev_;
	short ev_events;
	short ev_res;
	struct timeval ev_timeout;
};
TAILQ_HEAD(event_list, event);
LIST_HEAD(event_dlist, event);
#ifdef EVI_DEFINED_TQENTRY_
#undef TAILQ_ENTRY
#undef EVI_DEFINED_TQENTRY_
#endif
#ifdef EVI_DEFINED_TQHEAD_
#undef TAILQ_HEAD
#undef EVI_DEFINED_TQHEAD_
#endif
#ifdef EVI_DEFINED_LISTENTRY_
#undef LIST_ENTRY
#undef EVI_DEFINED_LISTENTRY_
#endif
#ifdef EVI_DEFINED_LISTHEAD_
#undef LIST_HEAD
#undef EVI_DEFINED_LISTHEAD_
#endif


/* Bits of evcb_flags: what an event is pending or active for. */
#define EVLIST_TIMEOUT 1
#define EVLIST_INSERTED 2
#define EVLIST_SIGNAL 4
#define EVLIST_ACTIVE 8
#define EVLIST_INTERNAL 16
#define EVLIST_ACTIVE_LATER 32
#define EVLIST_FINALIZING 64
#define EVLIST_INIT 128
#define EVLIST_ALL 255


#ifdef __cplusplus
}
#endif

#endif
