/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evbuffer: draining, copying out and linearising.
 */

#include "chain/chain.h"
#include "evbuffer/store.h"

#include <event2/buffer_compat.h>

#include <assert.h>
#include <errno.h>
#include <limits.h>

#define SLOW_DRAIN (EVI_BUF_FROZEN_FRONT | EVI_BUF_TELLS_LOSS)
#define SLOW_REMOVE (EVI_BUF_FROZEN_FRONT | EVI_BUF_UNLOADED)
#define SLOW_PULLUP (EVI_BUF_UNLOADED)

static evi_noinline int drain_generally(struct evbuffer *buf, size_t len)
{
	size_t dropped = 0;
	int err = 0;

	evi_evbuffer_lock(buf);
	if (buf->len > 0 && buf->flags & EVI_BUF_FROZEN_FRONT) {
		err = -EPERM;
	} else {
		dropped = len < buf->len ? len : buf->len;
		if (dropped > 0)
			evi_store_drop(buf, dropped);
	}
	evi_evbuffer_finish(buf, 0, dropped);
	return err < 0 ? -1 : 0;
}

int evbuffer_drain(struct evbuffer *buf, size_t len)
{
	struct evi_chain *first;

	if (evi_unlikely(!evi_evbuffer_is_plain(buf, SLOW_DRAIN) || buf->first == NULL))
		return drain_generally(buf, len);
	first = buf->first;
	if (evi_likely(len < first->len)) {
		evi_chain_skip(first, len);
		buf->len -= len;
		evi_evbuffer_renumber(buf);
		return 0;
	}
	if (!evi_store_is_small(buf))
		return drain_generally(buf, len);
	evi_store_empty_small(buf);
	return 0;
}

/* Returns how many bytes were copied, or a negative errno. */
static ev_ssize_t copy_front(struct evbuffer *buf, void *out, size_t len)
{
	int err;

	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return 0;
	if (buf->flags & EVI_BUF_FROZEN_FRONT)
		return -EPERM;
	if (len > (size_t)EV_SSIZE_MAX)
		len = EV_SSIZE_MAX;
	err = evi_evbuffer_load(buf, 0, len);
	if (err < 0)
		return err;
	evi_store_copy((struct evi_place){ .chain = buf->first }, out, len);
	return (ev_ssize_t)len;
}

static evi_noinline int remove_generally(struct evbuffer *buf, void *out, size_t len)
{
	ev_ssize_t n;

	evi_evbuffer_lock(buf);
	n = copy_front(buf, out, len < INT_MAX ? len : INT_MAX);
	if (n > 0)
		evi_store_drop(buf, (size_t)n);
	evi_evbuffer_finish(buf, 0, n > 0 ? (size_t)n : 0);
	return n < 0 ? -1 : (int)n;
}

int evbuffer_remove(struct evbuffer *buf, void *out, size_t len)
{
	struct evi_chain *first;

	if (evi_unlikely(!evi_evbuffer_is_plain(buf, SLOW_REMOVE) || buf->first == NULL ||
			 len > INT_MAX))
		return remove_generally(buf, out, len);
	first = buf->first;
	if (evi_likely(len < first->len)) {
		memcpy(out, first->data, len);
		first->data += len;
		first->len -= len;
		buf->len -= len;
		evi_evbuffer_renumber(buf);
	} else if (evi_store_is_small(buf)) {
		len = first->len;
		memcpy(out, first->data, len);
		evi_store_empty_small(buf);
	} else {
		return remove_generally(buf, out, len);
	}
	if (len > 0 && buf->flags & EVI_BUF_TELLS_LOSS)
		evi_evbuffer_finish(buf, 0, len);
	return (int)len;
}

ev_ssize_t evbuffer_copyout(struct evbuffer *buf, void *out, size_t len)
{
	ev_ssize_t n;

	evi_evbuffer_lock(buf);
	n = copy_front(buf, out, len);
	evi_evbuffer_unlock(buf);
	return n < 0 ? -1 : n;
}

static ev_ssize_t copy_from(struct evbuffer *buf, const struct evbuffer_ptr *ptr, void *out,
			    size_t len)
{
	struct evi_place place;
	size_t position;
	int err;

	err = evi_evbuffer_place_of(buf, ptr, &position, &place);
	if (err < 0)
		return err;
	if (len > (size_t)EV_SSIZE_MAX - position)
		return -EOVERFLOW;
	if (len > buf->len - position)
		len = buf->len - position;
	if (len == 0)
		return 0;
	if (buf->flags & EVI_BUF_FROZEN_FRONT)
		return -EPERM;
	if (buf->flags & EVI_BUF_UNLOADED) {
		err = evi_evbuffer_load(buf, position, len);
		if (err < 0)
			return err;
		place = evi_evbuffer_locate(buf, position);
	}
	evi_store_copy(place, out, len);
	return (ev_ssize_t)len;
}

ev_ssize_t evbuffer_copyout_from(struct evbuffer *buf, const struct evbuffer_ptr *ptr, void *out,
				 size_t len)
{
	ev_ssize_t n;

	if (ptr == NULL)
		return evbuffer_copyout(buf, out, len);
	evi_evbuffer_lock(buf);
	n = copy_from(buf, ptr, out, len);
	evi_evbuffer_unlock(buf);
	return n < 0 ? -1 : n;
}

/* --- Linearising ------------------------------------------------------------------------------ */

static evi_noinline unsigned char *pullup_generally(struct evbuffer *buf, ev_ssize_t size)
{
	unsigned char *data = NULL;
	size_t n;

	evi_evbuffer_lock(buf);
	n = size < 0 ? buf->len : (size_t)size;
	if (n > 0 && n <= buf->len && evi_evbuffer_load(buf, 0, n) == 0) {
		data = evi_store_pullup(buf, n);
		if (data == NULL)
			event_warnx("evbuffer_pullup: no memory for %zu bytes in a row", n);
	}
	evi_evbuffer_unlock(buf);
	return data;
}

unsigned char *evbuffer_pullup(struct evbuffer *buf, ev_ssize_t size)
{
	if (evi_likely(evi_evbuffer_is_plain(buf, SLOW_PULLUP) && buf->first != NULL)) {
		size_t n = size < 0 ? buf->len : (size_t)size;

		/* An n of 0 wraps around and is left to the other function. */
		if (evi_likely(n - 1 < buf->first->len))
			return buf->first->data;
	}
	return pullup_generally(buf, size);
}
