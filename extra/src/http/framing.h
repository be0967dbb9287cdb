/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_FRAMING_H_INCLUDED
#define HTTP_FRAMING_H_INCLUDED

/*
 * How long a body is (RFC 9112, section 6.3), and whether a request's Host will do. Pure.
 */

#include "http/head.h"

enum evi_body {
	EVI_BODY_NONE,
	EVI_BODY_LENGTH,
	EVI_BODY_CHUNKED,
	EVI_BODY_CLOSE /* until the connection ends */
};

struct evi_framing {
	enum evi_body body;
	uint64_t length; /* EVI_BODY_LENGTH */
};

/**
 * Decide for a request.
 *
 * @param accepts_codings  nonzero: other codings below chunked go to the application undecoded
 * @return 0, or the status code to refuse it with
 */
int evi_framing_of_request(const struct evi_head *head, int accepts_codings,
			   struct evi_framing *ret_framing);

/**
 * Decide for a response.
 *
 * @param has_no_body  nonzero if the request forbids one (HEAD, CONNECT)
 * @return 0 or -EPROTO
 */
int evi_framing_of_response(const struct evi_head *head, int has_no_body,
			    struct evi_framing *ret_framing);

/* 1 to 19 digits, at most 2^63 - 1. 0 or -EPROTO. */
int evi_length_parse(const char *text, uint64_t *ret_length);

/* Nonzero for host [ ":" port ], the host not empty (RFC 9110 7.2). */
int evi_host_is_valid(const char *host);

/* Nonzero if responses with this code never have a body: 1xx, 204, 304. */
static inline int evi_code_has_no_body(int code)
{
	return (code >= 100 && code < 200) || code == 204 || code == 304;
}

#endif
