/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_HEAD_H_INCLUDED
#define HTTP_HEAD_H_INCLUDED

/*
 * Incremental parser for the head of a message, and for a trailer section.
 *
 * Bytes go in, in any pieces; every byte is looked at once and need not be kept by the caller. The
 * start line and the fields come to lie in the caller's arena. No I/O, no clock, no buffer type.
 */

#include "http/arena.h"

#include <event2/keyvalq_struct.h>

#include <stddef.h>
#include <stdint.h>

enum evi_head_kind {
	EVI_HEAD_REQUEST,
	EVI_HEAD_RESPONSE,
	EVI_HEAD_TRAILER /* fields only; checked and dropped */
};

enum evi_head_step {
	EVI_HEAD_MORE, /* all bytes were used */
	EVI_HEAD_DONE, /* the head has ended; the bytes behind it were not used */
	EVI_HEAD_BAD   /* `error` says why; for good */
};

enum evi_head_error {
	EVI_HEAD_OK,
	EVI_HEAD_ERR_START,    /* no request line or status line */
	EVI_HEAD_ERR_VERSION,  /* a version of HTTP other than 1.x */
	EVI_HEAD_ERR_NAME,     /* field name empty, not a token, or without colon */
	EVI_HEAD_ERR_BYTE,     /* control byte */
	EVI_HEAD_ERR_LINE_END, /* CR without LF, or LF alone where CR LF is demanded */
	EVI_HEAD_ERR_FOLD,     /* a continuation line where none may be */
	EVI_HEAD_ERR_TOO_LONG,
	EVI_HEAD_ERR_TOO_MANY,
	EVI_HEAD_ERR_MEMORY
};

/* What the Transfer-Encoding fields, taken together, say (RFC 9112 6.1). */
enum evi_coding {
	EVI_CODING_NONE,          /* no such field */
	EVI_CODING_CHUNKED,       /* exactly "chunked" */
	EVI_CODING_OTHER,         /* other codings only */
	EVI_CODING_OTHER_CHUNKED, /* other codings, then chunked */
	EVI_CODING_BAD            /* not a list of codings, or chunked not last */
};

/* Options of the Connection fields (RFC 9110 7.6.1). */
#define EVI_CONNECTION_CLOSE      1u
#define EVI_CONNECTION_KEEP_ALIVE 2u
#define EVI_CONNECTION_UPGRADE    4u

struct evi_head {
	struct evi_arena *arena; /* borrowed */
	/* borrowed; gets the fields, in order of arrival; NULL for trailers */
	struct evkeyvalq *list;

	size_t size;         /* bytes so far, without line ends */
	size_t size_max;     /* refuse more */
	unsigned fields;     /* so far */
	unsigned fields_max; /* refuse more */

	uint8_t kind;  /* enum evi_head_kind */
	uint8_t state; /* private */
	uint8_t error; /* enum evi_head_error */
	uint8_t blank_lines;
	uint8_t is_open; /* a field is in the arena, not yet in the list */
	size_t name_len; /* of that field */

	/* The start line; strings in the arena. */
	char *method; /* request */
	char *target; /* request */
	char *phrase; /* response; "" if there was none */
	uint8_t major;
	uint8_t minor;
	uint16_t code; /* response */

	/* The fields that decide how the message is framed and handled. */
	uint8_t hosts;      /* how many Host fields; stops counting at 2 */
	uint8_t lengths;    /* how many Content-Length fields; likewise */
	uint8_t coding;     /* enum evi_coding */
	uint8_t connection; /* EVI_CONNECTION_* */
	const char *host;   /* the first Host */
	const char *length; /* the first Content-Length */
	const char *expect; /* the first Expect */
};

/* Start a head. `list` is empty or NULL. */
void evi_head_init(struct evi_head *head, enum evi_head_kind kind, struct evi_arena *arena,
		   struct evkeyvalq *list, size_t size_max, unsigned fields_max);

/* Take bytes; at most `len`, *ret_used of them. */
enum evi_head_step evi_head_take(struct evi_head *head, const char *in, size_t len,
				 size_t *ret_used);

/* Nonzero once a byte of the message, other than leading empty lines, was taken. */
int evi_head_has_begun(const struct evi_head *head);

/* One sentence for an error. */
const char *evi_head_error_text(enum evi_head_error error);

#endif
