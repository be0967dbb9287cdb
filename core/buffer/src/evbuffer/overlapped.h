/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EVI_OVERLAPPED_H_INCLUDED
#define EVI_OVERLAPPED_H_INCLUDED

/*
 * An evbuffer's memory in the hands of the system, for operations that end later.
 *
 * What is sent stays in the buffer until it has gone; its chains are pinned, so that it may be
 * linearised, added to, even freed meanwhile. What is received goes to a chain that is in no
 * buffer: room inside of one would be moved or used by others.
 *
 * Lock: the buffer's, except for evi_pins_release(), which needs none.
 */

#include <event2/buffer.h>

struct evi_chain;

#define EVI_PINS_MAX 16

struct evi_pins {
	struct evbuffer_iovec vec[EVI_PINS_MAX];
	struct evi_chain *chains[EVI_PINS_MAX]; /* a reference of ours to each */
	int n;
};

/*
 * Pin at most `max` bytes, 1 at least, from the front of a buffer that is not empty; files are
 * loaded. Nothing is pinned yet. Returns 0 or a negative errno.
 */
int evi_evbuffer_pin(struct evbuffer *buf, size_t max, struct evi_pins *pins);

/* The system has let go of them. Does nothing if there are none. */
void evi_pins_release(struct evi_pins *pins);

/* The first `n` bytes, or as many as there still are, have been sent. Runs change callbacks. */
void evi_evbuffer_sent(struct evbuffer *buf, size_t n);

/*
 * Have a chain in *chain to receive into, as large as the buffer's reads need; replaces a smaller
 * one.
 */
int evi_evbuffer_prepare(const struct evbuffer *buf, struct evi_chain **chain);

/*
 * Append at most `max` of the bytes in *chain; it becomes part of the buffer (then *chain is NULL)
 * or keeps what is left. Without memory to copy to, all of it goes in. Returns how many did; runs
 * no callback, which is the caller's to do: evi_evbuffer_notify().
 */
size_t evi_evbuffer_adopt(struct evbuffer *buf, size_t max, struct evi_chain **chain);

#endif
