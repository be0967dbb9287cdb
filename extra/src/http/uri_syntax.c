/* SPDX-License-Identifier: BSD-3-Clause */
/* What may stand in each part of a URI: RFC 3986 appendix A. */

#include "http/uri.h"

#include <event2/util.h>

#include <string.h>

#define ALPHA      0x01u
#define DIGIT      0x02u
#define HEX        0x04u
#define MARK       0x08u /* - . _ ~ */
#define DELIMITER  0x10u /* sub-delims */
#define COLON      0x20u
#define AT         0x40u
#define SLASH_MARK 0x80u /* / ? */

#define UNRESERVED (ALPHA | DIGIT | MARK)

static unsigned class_of(char c)
{
	if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
		return ALPHA | HEX;
	if ((c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z'))
		return ALPHA;
	if (c >= '0' && c <= '9')
		return DIGIT | HEX;
	switch (c) {
	case '-': case '.': case '_': case '~':
		return MARK;
	case '!': case '$': case '&': case '\'': case '(': case ')': case '*': case '+': case ',':
	case ';': case '=':
		return DELIMITER;
	case ':':
		return COLON;
	case '@':
		return AT;
	case '/': case '?':
		return SLASH_MARK;
	default:
		return 0;
	}
}

/* Bytes of the classes, and percent-encoded ones. */
static int consists_of(struct evi_span span, unsigned classes)
{
	for (size_t i = 0; i < span.len; i++) {
		if (class_of(span.start[i]) & classes)
			continue;
		if (span.start[i] != '%' || span.len - i < 3 ||
		    !(class_of(span.start[i + 1]) & HEX) || !(class_of(span.start[i + 2]) & HEX))
			return 0;
		i += 2;
	}
	return 1;
}

static int is_scheme(struct evi_span span)
{
	if (span.len == 0 || !(class_of(span.start[0]) & ALPHA))
		return 0;
	for (size_t i = 1; i < span.len; i++) {
		char c = span.start[i];

		if (!(class_of(c) & (ALPHA | DIGIT)) && c != '+' && c != '-' && c != '.')
			return 0;
	}
	return 1;
}

/* IPvFuture: "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static int is_future_address(struct evi_span span)
{
	size_t i = 1;

	while (i < span.len && (class_of(span.start[i]) & HEX))
		i++;
	if (i == 1 || i + 1 >= span.len || span.start[i] != '.')
		return 0;
	for (i++; i < span.len; i++) {
		if (!(class_of(span.start[i]) & (UNRESERVED | DELIMITER | COLON)))
			return 0;
	}
	return 1;
}

static int is_ipv6_address(struct evi_span span)
{
	char text[64];
	unsigned char address[16];

	if (span.len >= sizeof(text) || memchr(span.start, '\0', span.len) != NULL)
		return 0;
	memcpy(text, span.start, span.len);
	text[span.len] = '\0';
	return evutil_inet_pton(AF_INET6, text, address) == 1;
}

static int is_host(struct evi_span span)
{
	struct evi_span inner;

	if (span.len == 0 || span.start[0] != '[')
		return consists_of(span, UNRESERVED | DELIMITER);
	if (span.len < 3 || span.start[span.len - 1] != ']')
		return 0;
	inner = (struct evi_span){ span.start + 1, span.len - 2 };
	if (inner.start[0] == 'v' || inner.start[0] == 'V')
		return is_future_address(inner);
	return is_ipv6_address(inner);
}

static int lacks(struct evi_span span, const char *bytes)
{
	for (; *bytes != '\0'; bytes++) {
		if (memchr(span.start, *bytes, span.len) != NULL)
			return 0;
	}
	return 1;
}

/* What would end the part is never allowed in it. */
static int is_tail(struct evi_span span, unsigned flags, const char *ends, unsigned classes)
{
	if (span.len > 0 && !lacks(span, ends))
		return 0;
	return (flags & EVHTTP_URI_NONCONFORMANT) || consists_of(span, classes);
}

int evi_uri_is_part(enum evi_uri_part part, struct evi_span span, unsigned flags)
{
	const unsigned pchar = UNRESERVED | DELIMITER | COLON | AT;

	switch (part) {
	case EVI_URI_SCHEME:
		return is_scheme(span);
	case EVI_URI_USERINFO:
		return consists_of(span, UNRESERVED | DELIMITER | COLON);
	case EVI_URI_HOST:
		return is_host(span);
	case EVI_URI_PATH:
		return is_tail(span, flags, "?#", pchar | SLASH_MARK);
	case EVI_URI_QUERY:
		return is_tail(span, flags, "#", pchar | SLASH_MARK);
	case EVI_URI_FRAGMENT:
		return is_tail(span, flags, "", pchar | SLASH_MARK);
	case EVI_URI_UNIXSOCKET:
	case EVI_URI_PARTS:
		break;
	}
	return 1;
}

int evi_uri_parse_port(struct evi_span span)
{
	int port = 0;

	if (span.len == 0)
		return -1;
	for (size_t i = 0; i < span.len; i++) {
		if (!(class_of(span.start[i]) & DIGIT))
			return -2;
		port = port * 10 + (span.start[i] - '0');
		if (port > 65535)
			return -2;
	}
	return port;
}
