/* SPDX-License-Identifier: BSD-3-Clause */
/* An evbuffer's memory in the hands of the system; see overlapped.h. */

#include "evbuffer/overlapped.h"

#include "evbuffer/file_segment.h"
#include "evbuffer/store.h"

#include <assert.h>
#include <errno.h>

/*
 * A chain that is filled to less than this share of it is copied, so that small pieces take little
 * memory.
 */
#define COPY_SHARE 4

/* --- Sending ---------------------------------------------------------------------------------- */

static void pin(struct evi_pins *pins, struct evi_chain *chain, size_t len)
{
	evi_chain_pin(chain);
	pins->vec[pins->n].iov_base = chain->data;
	pins->vec[pins->n].iov_len = len;
	pins->chains[pins->n++] = chain;
}

int evi_evbuffer_pin(struct evbuffer *buf, size_t max, struct evi_pins *pins)
{
	int err = 0;

	assert(max > 0 && buf->len > 0 && pins->n == 0);
	if (buf->first->kind == EVI_CHAIN_FILE)
		err = evi_evbuffer_load(buf, 0, 1);
	if (err < 0)
		return err;
	for (struct evi_chain *chain = buf->first;
	     chain != NULL && chain->kind != EVI_CHAIN_FILE && max > 0 && pins->n < EVI_PINS_MAX;
	     chain = chain->next) {
		size_t len = chain->len < max ? chain->len : max;

		pin(pins, chain, len);
		max -= len;
	}
	return 0;
}

void evi_pins_release(struct evi_pins *pins)
{
	while (pins->n > 0)
		evi_chain_unref(pins->chains[--pins->n]);
}

void evi_evbuffer_sent(struct evbuffer *buf, size_t n)
{
	if (n > buf->len)
		n = buf->len;
	if (n == 0)
		return;
	evi_store_drop(buf, n);
	evi_evbuffer_notify(buf, 0, n);
}

/* --- Receiving -------------------------------------------------------------------------------- */

int evi_evbuffer_prepare(const struct evbuffer *buf, struct evi_chain **chain)
{
	size_t room = evi_evbuffer_read_size(buf);
	struct evi_chain *larger;

	if (room > EVI_CHAIN_ROOM_MAX)
		room = EVI_CHAIN_ROOM_MAX;
	if (*chain != NULL && (*chain)->room >= room)
		return 0;
	larger = evi_chain_new(room);
	if (larger == NULL)
		return *chain != NULL ? 0 : -ENOMEM;
	if (*chain != NULL)
		evi_chain_unref(*chain);
	*chain = larger;
	return 0;
}

static int must_copy(const struct evi_chain *chain, size_t n)
{
	return n < chain->len || n < (chain->len + chain->room) / COPY_SHARE;
}

size_t evi_evbuffer_adopt(struct evbuffer *buf, size_t max, struct evi_chain **chain)
{
	struct evi_chain *from = *chain;
	size_t n = from->len < max ? from->len : max;

	assert(n > 0);
	if (must_copy(from, n) && evi_store_append(buf, from->data, n) == 0) {
		if (n < from->len)
			evi_chain_skip(from, n);
		else
			evi_chain_reset(from);
		return n;
	}
	n = from->len;
	evi_store_link(buf, from);
	*chain = NULL;
	return n;
}
