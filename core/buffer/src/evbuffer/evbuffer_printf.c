/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: formatted appends, straight into the buffer's room.
 */

#include "chain/chain.h"
#include "evbuffer/store.h"

#include <errno.h>
#include <stdio.h>

/* Room to try with first in an empty buffer. */
#define FIRST_ROOM 120
/* Text up to this length that does not fit the room goes through the stack. */
#define TEXT_ON_STACK 1024

/* Where text goes first: the last chain's room, however small, or the spare's. */
static struct evi_chain *first_room(struct evbuffer *buf)
{
	if (buf->last != NULL && buf->last->room > 0)
		return buf->last;
	return evi_store_spare(buf, FIRST_ROOM) == 0 ? buf->spare : NULL;
}

static int accept_text(struct evbuffer *buf, struct evi_chain *chain, size_t len)
{
	if (len > SIZE_MAX - buf->len)
		return -EOVERFLOW;
	if (chain == buf->spare && len > 0) {
		evi_store_use_spare(buf, len);
	} else {
		chain->len += len;
		chain->room -= len;
		buf->len += len;
	}
	return (int)len;
}

/* Formats text whose length is known aside, then appends it, so that no room is left unused. */
static int format_aside(struct evbuffer *buf, size_t len, const char *format, va_list args)
{
	char on_stack[TEXT_ON_STACK], *text = on_stack, *block = NULL;
	int err = -ENOMEM;

	if (len >= sizeof(on_stack)) {
		text = block = evi_malloc(len + 1);
		if (block == NULL)
			return err;
	}
	if (vsnprintf(text, len + 1, format, args) == (int)len)
		err = evi_store_append(buf, text, len);
	evi_free(block);
	return err < 0 ? err : (int)len;
}

/* Returns how many bytes were added, or a negative errno with nothing changed. */
static int format_locked(struct evbuffer *buf, const char *format, va_list args)
{
	struct evi_chain *chain;
	va_list again;
	int len;

	if (buf->flags & EVI_BUF_FROZEN_END)
		return -EPERM;
	chain = first_room(buf);
	if (chain == NULL)
		return -ENOMEM;
	va_copy(again, args);
	len = vsnprintf((char *)evi_chain_tail(chain), chain->room, format, again);
	va_end(again);
	if (len < 0)
		return -EINVAL;
	if ((size_t)len < chain->room)
		return accept_text(buf, chain, (size_t)len);
	return format_aside(buf, (size_t)len, format, args);
}

int evbuffer_add_vprintf(struct evbuffer *buf, const char *format, va_list args)
{
	int len;

	evi_evbuffer_lock(buf);
	len = format_locked(buf, format, args);
	evi_evbuffer_finish(buf, len < 0 ? 0 : (size_t)len, 0);
	return len < 0 ? -1 : len;
}

int evbuffer_add_printf(struct evbuffer *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = evbuffer_add_vprintf(buf, format, args);
	va_end(args);
	return len;
}
