/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_INTEREST_H_INCLUDED
#define EVI_INTEREST_H_INCLUDED

/*
 * What events want of descriptors, and what the kernel has been told.
 *
 * Every descriptor with events has a slot. Adding and deleting events changes what the slot wants;
 * differences to what the kernel has are carried out in one batch right before waiting, so changes
 * that cancel out cost nothing. Two things do not wait: the first registration, because its failure
 * is event_add()'s failure, and the registration of a descriptor that nobody wanted in between,
 * because it may have been closed and be another one by now.
 */

#include "backend.h"
#include "event_private.h"

#define EVI_KINDS 4 /* EVI_READ, EVI_WRITE, EVI_CLOSED, EVI_EDGE */

struct evi_slot {
	struct event *first; /* events on this descriptor, newest first, through ev_io_next */
	uint32_t tag;        /* of the present registration */
	uint16_t counts[EVI_KINDS]; /* of those that ask for it */
	uint8_t wanted;             /* what they ask for, as EVI_ bits */
	uint8_t kernel;             /* the mask the kernel has; 0: not registered */
	uint8_t is_queued; /* stands in `changed` */
	/* nobody wanted it for a while: the kernel's entry may be another file's */
	uint8_t is_unsure;
	evutil_socket_t fd;
};

struct evi_interest {
	struct evi_slot **pages; /* each EVI_SLOTS_PER_PAGE slots, made when first needed */
	size_t page_count;
	evutil_socket_t *changed; /* descriptors whose wish and kernel mask may differ */
	struct evi_change *batch; /* as many as `changed` has room for */
	size_t changed_used;
	size_t changed_room;
	uint32_t tags;
	int must_rebuild; /* the kernel reports what we cannot take back by number */
};

#define EVI_SLOTS_PER_PAGE 256

/* Beyond any descriptor that a system hands out; keeps a wild number from costing memory. */
#define EVI_FD_LIMIT (1 << 24)

struct event_base;

/* The slot of `fd`, or NULL if it never had an event. A negative one is beyond all pages. */
static inline struct evi_slot *evi_interest_find(struct evi_interest *interest, evutil_socket_t fd)
{
	size_t page = (size_t)fd / EVI_SLOTS_PER_PAGE;

	if (page >= interest->page_count || interest->pages[page] == NULL)
		return NULL;
	return &interest->pages[page][(size_t)fd % EVI_SLOTS_PER_PAGE];
}

/* Watch ev->ev_fd for what `ev` asks; 0 or -errno, then nothing has changed. */
int evi_interest_add(struct event_base *base, struct event *ev);

/* Stop; `by_running` if the event leaves because its callback is about to run. */
void evi_interest_remove(struct event_base *base, struct event *ev, int by_running);

/* Tell the kernel all that is still to be told. */
void evi_interest_apply(struct event_base *base);

/* Tell a new backend everything; 0 or the first error. */
int evi_interest_register_all(struct event_base *base);

/* Call `fn` for each slot that has events; stops when it returns nonzero, and returns that. */
int evi_interest_each(struct evi_interest *interest, int (*fn)(struct evi_slot *slot, void *ctx),
		      void *ctx);

void evi_interest_done(struct evi_interest *interest);

#endif
