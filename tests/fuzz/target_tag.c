/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TAG-048: tagged elements and generated messages. No input makes them take more memory than it
 * justifies, and a message that is accepted is written the same way twice.
 */

#include "fuzz.h"

#include <event2/rpc.h>
#include <event2/rpc_struct.h>
#include <event2/tag.h>

#include "regress.gen.h"

#include <stdlib.h>
#include <string.h>

/*
 * A byte of input can open a structure of its own; anything beyond is a length that was believed.
 */
#define BYTES_PER_BYTE 2048
#define BYTES_ALWAYS   (64 * 1024)

static struct evbuffer *filled(const uint8_t *data, size_t size)
{
	struct evbuffer *buf = evbuffer_new();

	FUZZ_REQUIRE(buf != NULL && evbuffer_add(buf, data, size) == 0);
	return buf;
}

static void read_fixed(struct evbuffer *buf, ev_uint32_t tag)
{
	char bytes[16];

	evtag_unmarshal_fixed(buf, tag, bytes, sizeof(bytes));
}

static void read_int(struct evbuffer *buf, ev_uint32_t tag)
{
	ev_uint32_t number;

	evtag_unmarshal_int(buf, tag, &number);
}

static void read_int64(struct evbuffer *buf, ev_uint32_t tag)
{
	ev_uint64_t number;

	evtag_unmarshal_int64(buf, tag, &number);
}

static void read_string(struct evbuffer *buf, ev_uint32_t tag)
{
	char *text;

	if (evtag_unmarshal_string(buf, tag, &text) >= 0)
		fuzz_free(text);
}

static void read_timeval(struct evbuffer *buf, ev_uint32_t tag)
{
	struct timeval tv;

	evtag_unmarshal_timeval(buf, tag, &tv);
}

static void read_element(struct evbuffer *buf, ev_uint32_t tag)
{
	struct evbuffer *element = evbuffer_new();

	evtag_unmarshal(buf, &tag, element);
	evbuffer_free(element);
}

static void read_header(struct evbuffer *buf, ev_uint32_t tag)
{
	evtag_unmarshal_header(buf, &tag);
}

static void read_nothing(struct evbuffer *buf, ev_uint32_t tag)
{
	(void)tag;
	evtag_consume(buf);
}

static void (*const readers[])(struct evbuffer *buf, ev_uint32_t tag) = {
	read_fixed,  read_int,	   read_int64,	read_string,
	read_timeval, read_element, read_header, read_nothing,
};

/* Each element by the reader that the input names. */
static void check_elements(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned order = fuzz_u16(&in);
	struct evbuffer *buf = filled(in.at, in.left);
	ev_uint32_t tag, len;

	for (;;) {
		size_t before = evbuffer_get_length(buf);

		if (evtag_peek(buf, &tag) < 0 || evtag_peek_length(buf, &len) < 0)
			break;
		evtag_payload_length(buf, &len);
		readers[order % 8](buf, tag);
		order = order >> 3 | order << 13;
		if (evbuffer_get_length(buf) == before)
			break;
	}
	evbuffer_free(buf);
}

static void check_message(const uint8_t *data, size_t size)
{
	struct evbuffer *buf = filled(data, size), *first = evbuffer_new(),
			*second = evbuffer_new();
	struct msg *msg = msg_new(), *again = msg_new();

	if (msg_unmarshal(msg, buf) == 0) {
		msg_marshal(first, msg);
		evbuffer_add(buf, evbuffer_pullup(first, -1), evbuffer_get_length(first));
		FUZZ_REQUIRE(msg_unmarshal(again, buf) == 0);
		msg_marshal(second, again);
		FUZZ_REQUIRE(evbuffer_get_length(first) == evbuffer_get_length(second));
		FUZZ_REQUIRE(memcmp(evbuffer_pullup(first, -1), evbuffer_pullup(second, -1),
				    evbuffer_get_length(first)) == 0);
	}
	msg_free(msg);
	msg_free(again);
	evbuffer_free(first);
	evbuffer_free(second);
	evbuffer_free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int is_counting;

	if (!is_counting)
		fuzz_count_memory();
	is_counting = 1;
	fuzz_base();
	fuzz_memory_restart();
	check_elements(data, size);
	check_message(data, size);
	FUZZ_REQUIRE(fuzz_memory_peak() < BYTES_ALWAYS + size * BYTES_PER_BYTE);
	return 0;
}
