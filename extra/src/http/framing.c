/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules that keep two readers of a message from finding different ends: one length, or chunked,
 * never both, and nothing that could be read in two ways.
 */

#include "http/framing.h"

#include "http/scan.h"

#include <errno.h>
#include <string.h>

#define BAD_REQUEST     400
#define NOT_IMPLEMENTED 501

int evi_length_parse(const char *text, uint64_t *ret_length)
{
	uint64_t length = 0;

	if (*text == '\0')
		return -EPROTO;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || length > INT64_MAX / 10)
			return -EPROTO;
		length = length * 10 + (uint64_t)(*text - '0');
		if (length > INT64_MAX)
			return -EPROTO;
	}
	*ret_length = length;
	return 0;
}

static int frame_by_length(const struct evi_head *head, struct evi_framing *framing)
{
	if (head->lengths > 1 || evi_length_parse(head->length, &framing->length) != 0)
		return -EPROTO;
	framing->body = framing->length > 0 ? EVI_BODY_LENGTH : EVI_BODY_NONE;
	return 0;
}

int evi_framing_of_request(const struct evi_head *head, int accepts_codings,
			   struct evi_framing *ret_framing)
{
	*ret_framing = (struct evi_framing){ .body = EVI_BODY_NONE };
	if (head->coding == EVI_CODING_NONE) {
		if (head->lengths == 0)
			return 0;
		return frame_by_length(head, ret_framing) == 0 ? 0 : BAD_REQUEST;
	}
	if (head->lengths > 0 || head->minor == 0)
		return BAD_REQUEST;
	if (head->coding == EVI_CODING_OTHER_CHUNKED && !accepts_codings)
		return NOT_IMPLEMENTED;
	if (head->coding != EVI_CODING_CHUNKED && head->coding != EVI_CODING_OTHER_CHUNKED)
		return BAD_REQUEST;
	ret_framing->body = EVI_BODY_CHUNKED;
	return 0;
}

int evi_framing_of_response(const struct evi_head *head, int has_no_body,
			    struct evi_framing *ret_framing)
{
	*ret_framing = (struct evi_framing){ .body = EVI_BODY_NONE };
	if (has_no_body || evi_code_has_no_body(head->code))
		return 0;
	switch (head->coding) {
	case EVI_CODING_NONE:
		if (head->lengths > 0)
			return frame_by_length(head, ret_framing);
		ret_framing->body = EVI_BODY_CLOSE;
		return 0;
	case EVI_CODING_OTHER:
		/* Delivered as it comes; a length beside it is not to be trusted. */
		ret_framing->body = EVI_BODY_CLOSE;
		return 0;
	case EVI_CODING_CHUNKED:
	case EVI_CODING_OTHER_CHUNKED:
		ret_framing->body = EVI_BODY_CHUNKED;
		return head->lengths == 0 ? 0 : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int is_host_byte(unsigned char byte)
{
	return (evi_byte_class[byte] & EVI_BYTE_HOST) != 0;
}

static int is_bracket_byte(unsigned char byte)
{
	return is_host_byte(byte) || byte == ':';
}

static int is_port(const char *text)
{
	unsigned long port = 0;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		port = port * 10 + (unsigned long)(*text - '0');
		if (port > 65535)
			return 0;
	}
	return 1;
}

int evi_host_is_valid(const char *host)
{
	const char *end = host;

	if (*end == '[') {
		end++;
		while (is_bracket_byte((unsigned char)*end))
			end++;
		if (*end++ != ']' || end - host < 4)
			return 0;
	} else {
		while (is_host_byte((unsigned char)*end))
			end++;
	}
	return end > host && (*end == '\0' || (*end == ':' && is_port(end + 1)));
}
