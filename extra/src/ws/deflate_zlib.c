/* SPDX-License-Identifier: BSD-3-Clause */
/* permessage-deflate with zlib. */

#include "ws/deflate.h"
#include "ws/deflate_params.h"

#include <event2/component/reactor.h>
#include <event2/util.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

/* What a sender leaves away at the end of a message: RFC 7692 section 7.2.1. */
static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };

/*
 * Ends of streams that a short message may have. Each costs a copy of the window, so a flood is
 * refused.
 */
#define ENDS_MIN 4

/* Each direction's state is made when it is first needed: it is 260 and 40 KiB. */
struct evi_ws_deflate {
	z_stream out, in;
	int out_bits;
	unsigned has_out : 1;
	unsigned has_in : 1;
	unsigned out_forgets : 1; /* no context is kept from message to message */
	unsigned in_forgets : 1;
};

/* --- Making it ------------------------------------------------------------------------------ */

static voidpf on_alloc(voidpf opaque, uInt items, uInt size)
{
	(void)opaque;
	return evi_calloc(items, size);
}

static void on_free(voidpf opaque, voidpf block)
{
	(void)opaque;
	evi_free(block);
}

static struct evi_ws_deflate *make(int out_bits, int out_forgets, int in_forgets)
{
	struct evi_ws_deflate *d = evi_calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->out_bits = out_bits > 0 ? out_bits : 15;
	d->out_forgets = out_forgets != 0;
	d->in_forgets = in_forgets != 0;
	d->out.zalloc = d->in.zalloc = on_alloc;
	d->out.zfree = d->in.zfree = on_free;
	return d;
}

/* zlib cannot keep to a window of 8 bits. Such a side sends its messages as they are. */
static int need_out(struct evi_ws_deflate *d)
{
	if (d->out_bits == 8)
		return -ENOTSUP;
	if (!d->has_out && deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -d->out_bits, 8,
					Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	d->has_out = 1;
	return 0;
}

/* The largest window, which reads what was written with any. */
static int need_in(struct evi_ws_deflate *d)
{
	if (!d->has_in && inflateInit2(&d->in, -15) != Z_OK)
		return -ENOMEM;
	d->has_in = 1;
	return 0;
}

void evi_ws_deflate_free(struct evi_ws_deflate *d)
{
	if (d == NULL)
		return;
	if (d->has_out)
		(void)deflateEnd(&d->out);
	if (d->has_in)
		(void)inflateEnd(&d->in);
	evi_free(d);
}

/* --- Agreeing on it ------------------------------------------------------------------------- */

static struct evi_ws_deflate *accept_one(const struct evi_ws_deflate_params *p, char *answer,
					 size_t size)
{
	const int *value = p->value;
	int len = evutil_snprintf(
		answer, size, "%s%s%s", EVI_WS_DEFLATE_NAME,
		value[EVI_WS_SERVER_FORGETS] != -1 ? "; server_no_context_takeover" : "",
		value[EVI_WS_CLIENT_FORGETS] != -1 ? "; client_no_context_takeover" : "");

	if (value[EVI_WS_SERVER_BITS] != -1)
		(void)evutil_snprintf(answer + len, size - (size_t)len,
				      "; server_max_window_bits=%d", value[EVI_WS_SERVER_BITS]);
	return make(value[EVI_WS_SERVER_BITS], value[EVI_WS_SERVER_FORGETS] != -1,
		    value[EVI_WS_CLIENT_FORGETS] != -1);
}

struct evi_ws_deflate *evi_ws_deflate_accept(const char *offers, char *answer, size_t size)
{
	while (*offers != '\0') {
		size_t len = strcspn(offers, ",");
		struct evi_ws_deflate_params p;

		if (evi_ws_deflate_parse(offers, len, &p))
			return accept_one(&p, answer, size);
		offers += len + (offers[len] == ',');
	}
	return NULL;
}

const char *evi_ws_deflate_offer(void)
{
	return "Sec-WebSocket-Extensions: " EVI_WS_DEFLATE_NAME "; client_max_window_bits\r\n";
}

struct evi_ws_deflate *evi_ws_deflate_take(const char *answer)
{
	struct evi_ws_deflate_params p;

	if (!evi_ws_deflate_parse(answer, strlen(answer), &p) || p.value[EVI_WS_CLIENT_BITS] == 0)
		return NULL;
	return make(p.value[EVI_WS_CLIENT_BITS], p.value[EVI_WS_CLIENT_FORGETS] != -1,
		    p.value[EVI_WS_SERVER_FORGETS] != -1);
}

/* --- Messages ------------------------------------------------------------------------------- */

/* The whole message in one go, with the tail. */
static int compress_all(struct evi_ws_deflate *d, const void *data, size_t len, uint8_t *out,
			size_t *io_len)
{
	d->out.next_in = (Bytef *)(uintptr_t)data;
	d->out.avail_in = (uInt)len;
	d->out.next_out = out;
	d->out.avail_out = (uInt)*io_len;
	if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_in != 0 || d->out.avail_out == 0)
		return -EIO;
	*io_len -= d->out.avail_out;
	return 0;
}

int evi_ws_deflate_pack(struct evi_ws_deflate *d, const void *data, size_t len, uint8_t **ret_data,
			size_t *ret_len)
{
	int err = len <= UINT_MAX / 2 ? need_out(d) : -EMSGSIZE;
	size_t room;
	uint8_t *out;

	if (err < 0)
		return err;
	room = deflateBound(&d->out, (uLong)len) + 16;
	out = evi_malloc(room);
	if (out == NULL)
		return -ENOMEM;
	err = compress_all(d, data, len, out, &room);
	if (err < 0 || d->out_forgets)
		(void)deflateReset(&d->out);
	if (err < 0) {
		evi_free(out);
		return err;
	}
	*ret_data = out;
	*ret_len = room - sizeof(tail);
	return 0;
}

struct output {
	uint8_t *data;
	size_t len, room, max;
	size_t ends; /* of streams inside the message */
};

/* Room for more, up to one byte above the limit, which shows that it is exceeded. */
static int grow(struct output *o)
{
	size_t room = o->room != 0 ? o->room * 2 : 1024;
	uint8_t *bigger;

	if (o->room > o->max)
		return -EMSGSIZE;
	if (room > o->max)
		room = o->max + 1;
	bigger = evi_realloc(o->data, room);
	if (bigger == NULL)
		return -ENOMEM;
	o->data = bigger;
	o->room = room;
	return 0;
}

/*
 * The last block of a stream may end a message, or stand inside it (section 7.2.3.4); what follows
 * still refers to what came before, which zlib would forget.
 */
static int go_on_behind_end(struct evi_ws_deflate *d)
{
	uint8_t *window = evi_malloc(32768);
	uInt len = 0;
	int result;

	if (window == NULL)
		return -ENOMEM;
	result = inflateGetDictionary(&d->in, window, &len);
	if (result == Z_OK)
		result = inflateReset(&d->in);
	if (result == Z_OK && len > 0)
		result = inflateSetDictionary(&d->in, window, len);
	evi_free(window);
	return result == Z_OK ? 0 : -EINVAL;
}

/* One call of inflate(): 1 to go on, 0 if the input is used up, or a negative errno. */
static int expand_some(struct evi_ws_deflate *d, struct output *o)
{
	int result, err = o->len == o->room ? grow(o) : 0;
	size_t room = o->room - o->len;

	if (err < 0)
		return err;
	d->in.next_out = o->data + o->len;
	d->in.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
	room = d->in.avail_out;
	result = inflate(&d->in, Z_SYNC_FLUSH);
	o->len += room - d->in.avail_out;
	if (o->len > o->max)
		return -EMSGSIZE;
	if (result == Z_STREAM_END)
		err = ++o->ends > ENDS_MIN + o->len / 1024 ? -EINVAL : go_on_behind_end(d);
	else if (result == Z_BUF_ERROR && d->in.avail_out > 0)
		return 0;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return result == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	return err < 0 ? err : d->in.avail_in > 0 || d->in.avail_out == 0;
}

/* Feeds one piece; what comes out is bounded whatever goes in. */
static int expand(struct evi_ws_deflate *d, const uint8_t *data, size_t len, struct output *o)
{
	int more = 1;

	d->in.next_in = (Bytef *)(uintptr_t)data;
	d->in.avail_in = (uInt)len;
	while (more > 0)
		more = expand_some(d, o);
	return more;
}

int evi_ws_deflate_unpack(struct evi_ws_deflate *d, const uint8_t *data, size_t len, size_t max,
			  uint8_t **ret_data, size_t *ret_len)
{
	struct output o = { .max = max };
	int err = len <= UINT_MAX ? need_in(d) : -EMSGSIZE;

	if (err == 0)
		err = expand(d, data, len, &o);
	if (err == 0)
		err = expand(d, tail, sizeof(tail), &o);
	if (err < 0) {
		evi_free(o.data);
		return err;
	}
	*ret_data = o.data;
	*ret_len = o.len;
	if (d->in_forgets)
		(void)inflateReset(&d->in);
	return 0;
}
