/* SPDX-License-Identifier: BSD-3-Clause */
/* permessage-deflate with zlib. */

#include "ws/deflate.h"

#include <event2/component/reactor.h>
#include <event2/util.h>

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#define NAME "permessage-deflate"

/* What a sender leaves away at the end of a message: RFC 7692 section 7.2.1. */
static const uint8_t tail[] = { 0x00, 0x00, 0xff, 0xff };

struct evi_ws_deflate {
	z_stream out, in;
	int out_forgets; /* no context is kept from message to message */
	int in_forgets;
};

/* --- Parameters ------------------------------------------------------------------------------------------ */

enum parameter { SERVER_FORGETS, CLIENT_FORGETS, SERVER_BITS, CLIENT_BITS, PARAMETERS };

static const char *const parameter_names[PARAMETERS] = { "server_no_context_takeover",
	"client_no_context_takeover", "server_max_window_bits", "client_max_window_bits" };

/* -1: absent; 0: without value */
struct parameters {
	int value[PARAMETERS];
};

/* A window size: 8 to 15, no leading zero, maybe in quotes. */
static int parse_bits(const char *text, size_t len)
{
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text++;
		len -= 2;
	}
	if (len == 1 && (text[0] == '8' || text[0] == '9'))
		return text[0] - '0';
	if (len == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5')
		return 10 + text[1] - '0';
	return -1;
}

static size_t trim(const char **text, size_t len)
{
	while (len > 0 && (**text == ' ' || **text == '\t')) {
		++*text;
		len--;
	}
	while (len > 0 && ((*text)[len - 1] == ' ' || (*text)[len - 1] == '\t'))
		len--;
	return len;
}

static int is_text(const char *text, size_t len, const char *expected)
{
	return strlen(expected) == len && evutil_ascii_strncasecmp(text, expected, len) == 0;
}

/* One "name" or "name=value"; 0 if it is unknown, repeated or malformed. */
static int parse_parameter(const char *text, size_t len, struct parameters *p)
{
	const char *equals = memchr(text, '=', len), *value = equals != NULL ? equals + 1 : NULL;
	size_t value_len = value != NULL ? (size_t)(text + len - value) : 0;
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;

	name_len = trim(&text, name_len);
	if (value != NULL)
		value_len = trim(&value, value_len);
	for (int i = 0; i < PARAMETERS; i++) {
		if (!is_text(text, name_len, parameter_names[i]))
			continue;
		if (p->value[i] != -1)
			return 0;
		p->value[i] = value != NULL ? parse_bits(value, value_len) : 0;
		if (i == SERVER_FORGETS || i == CLIENT_FORGETS)
			return value == NULL;
		return p->value[i] >= 8 || (i == CLIENT_BITS && value == NULL);
	}
	return 0;
}

/* "permessage-deflate; a; b=1" */
static int parse_offer(const char *text, size_t len, struct parameters *p)
{
	int is_first = 1;

	for (int i = 0; i < PARAMETERS; i++)
		p->value[i] = -1;
	for (const char *end = text + len; text <= end;) {
		const char *semicolon = memchr(text, ';', (size_t)(end - text));
		const char *item = text;
		size_t item_len = trim(&item, (size_t)((semicolon != NULL ? semicolon : end) - text));

		if (is_first ? !is_text(item, item_len, NAME) : !parse_parameter(item, item_len, p))
			return 0;
		is_first = 0;
		if (semicolon == NULL)
			return 1;
		text = semicolon + 1;
	}
	return 1;
}

/* --- Making it ------------------------------------------------------------------------------------------- */

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

/* zlib cannot make a window of 8 bits in raw form; 9 is what it uses, and any reader of 15 can read it. */
static struct evi_ws_deflate *make(int out_bits, int out_forgets, int in_forgets)
{
	struct evi_ws_deflate *d = evi_calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->out_forgets = out_forgets;
	d->in_forgets = in_forgets;
	d->out.zalloc = d->in.zalloc = on_alloc;
	d->out.zfree = d->in.zfree = on_free;
	if (deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -out_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		evi_free(d);
		return NULL;
	}
	if (inflateInit2(&d->in, -15) != Z_OK) {
		(void)deflateEnd(&d->out);
		evi_free(d);
		return NULL;
	}
	return d;
}

void evi_ws_deflate_free(struct evi_ws_deflate *d)
{
	if (d == NULL)
		return;
	(void)deflateEnd(&d->out);
	(void)inflateEnd(&d->in);
	evi_free(d);
}

static int bits_or_default(int bits)
{
	return bits > 0 ? bits : 15;
}

static struct evi_ws_deflate *accept_one(const struct parameters *p, char *answer, size_t size)
{
	int bits = bits_or_default(p->value[SERVER_BITS]), len;

	if (bits == 8) /* which zlib cannot keep to */
		return NULL;
	len = evutil_snprintf(answer, size, "%s%s%s", NAME,
			      p->value[SERVER_FORGETS] != -1 ? "; server_no_context_takeover" : "",
			      p->value[CLIENT_FORGETS] != -1 ? "; client_no_context_takeover" : "");
	if (p->value[SERVER_BITS] != -1)
		(void)evutil_snprintf(answer + len, size - (size_t)len, "; server_max_window_bits=%d", bits);
	return make(bits, p->value[SERVER_FORGETS] != -1, p->value[CLIENT_FORGETS] != -1);
}

struct evi_ws_deflate *evi_ws_deflate_accept(const char *offers, char *answer, size_t size)
{
	while (*offers != '\0') {
		size_t len = strcspn(offers, ",");
		struct evi_ws_deflate *d = NULL;
		struct parameters p;

		if (parse_offer(offers, len, &p))
			d = accept_one(&p, answer, size);
		if (d != NULL)
			return d;
		offers += len + (offers[len] == ',');
	}
	answer[0] = '\0';
	return NULL;
}

const char *evi_ws_deflate_offer(void)
{
	return "Sec-WebSocket-Extensions: " NAME "; client_max_window_bits\r\n";
}

struct evi_ws_deflate *evi_ws_deflate_take(const char *answer)
{
	struct parameters p;
	int bits;

	if (strchr(answer, ',') != NULL || !parse_offer(answer, strlen(answer), &p) || p.value[CLIENT_BITS] == 0)
		return NULL;
	bits = bits_or_default(p.value[CLIENT_BITS]);
	if (bits == 8)
		return NULL;
	return make(bits, p.value[CLIENT_FORGETS] != -1, p.value[SERVER_FORGETS] != -1);
}

/* --- Messages -------------------------------------------------------------------------------------------- */

int evi_ws_deflate_pack(struct evi_ws_deflate *d, const void *data, size_t len, uint8_t **ret_data,
			size_t *ret_len)
{
	uLong room;
	uint8_t *out;

	if (len > UINT_MAX / 2)
		return -EMSGSIZE;
	room = deflateBound(&d->out, (uLong)len) + 16;
	out = evi_malloc(room);
	if (out == NULL)
		return -ENOMEM;
	d->out.next_in = (Bytef *)(uintptr_t)data;
	d->out.avail_in = (uInt)len;
	d->out.next_out = out;
	d->out.avail_out = (uInt)room;
	if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_in != 0 ||
	    room - d->out.avail_out < sizeof(tail)) {
		evi_free(out);
		(void)deflateReset(&d->out);
		return -EIO;
	}
	*ret_len = room - d->out.avail_out - sizeof(tail);
	*ret_data = out;
	if (d->out_forgets)
		(void)deflateReset(&d->out);
	return 0;
}

struct output {
	uint8_t *data;
	size_t len, room, max;
};

static int grow(struct output *o)
{
	size_t room = o->room != 0 ? o->room * 2 : 1024;
	uint8_t *bigger;

	if (o->room > o->max)
		return -EMSGSIZE;
	if (room > o->max + 1)
		room = o->max + 1;
	bigger = evi_realloc(o->data, room);
	if (bigger == NULL)
		return -ENOMEM;
	o->data = bigger;
	o->room = room;
	return 0;
}

/* Feeds one piece; what comes out is bounded whatever goes in. */
static int expand(struct evi_ws_deflate *d, const uint8_t *data, size_t len, struct output *o)
{
	d->in.next_in = (Bytef *)(uintptr_t)data;
	d->in.avail_in = (uInt)len;
	do {
		size_t room;
		int result, err = o->len == o->room ? grow(o) : 0;

		if (err < 0)
			return err;
		room = o->room - o->len;
		d->in.next_out = o->data + o->len;
		d->in.avail_out = (uInt)room;
		result = inflate(&d->in, Z_SYNC_FLUSH);
		o->len += room - d->in.avail_out;
		if (o->len > o->max)
			return -EMSGSIZE;
		if (result == Z_STREAM_END)
			(void)inflateReset(&d->in);
		else if (result != Z_OK && result != Z_BUF_ERROR)
			return -EINVAL;
		else if (result == Z_BUF_ERROR && d->in.avail_out > 0)
			break;
	} while (d->in.avail_in > 0 || d->in.avail_out == 0);
	return 0;
}

int evi_ws_deflate_unpack(struct evi_ws_deflate *d, const uint8_t *data, size_t len, size_t max,
			  uint8_t **ret_data, size_t *ret_len)
{
	struct output o = { .max = max };
	int err = len <= UINT_MAX ? expand(d, data, len, &o) : -EMSGSIZE;

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
