/* SPDX-License-Identifier: BSD-3-Clause */
/* Percent-encoding (RFC 3986 section 2.1), its form in queries, and escaping for HTML. */

#include "http/escape.h"

#include <event2/http.h>

#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

char *evhttp_uriencode(const char *str, ev_ssize_t size, int space_to_plus)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = size < 0 ? strlen(str) : (size_t)size;
	char *text, *out;

	if (len > (SIZE_MAX - 1) / 3)
		return NULL;
	text = out = evi_malloc(len * 3 + 1);
	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)str[i];

		if (is_unreserved(c)) {
			*out++ = (char)c;
		} else if (c == ' ' && space_to_plus) {
			*out++ = '+';
		} else {
			*out++ = '%';
			*out++ = digits[c >> 4];
			*out++ = digits[c & 15];
		}
	}
	*out = '\0';
	return text;
}

char *evhttp_encode_uri(const char *str)
{
	return evhttp_uriencode(str, -1, 0);
}

size_t evi_percent_decode(const char *in, size_t len, enum evi_plus plus, char *out)
{
	char *start = out;
	int is_space = plus == EVI_PLUS_IS_SPACE;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '?' && plus == EVI_PLUS_IS_SPACE_IN_QUERY)
			is_space = 1;
		if (in[i] == '%' && len - i > 2 && hex_value(in[i + 1]) >= 0 &&
		    hex_value(in[i + 2]) >= 0) {
			*out++ = (char)(hex_value(in[i + 1]) << 4 | hex_value(in[i + 2]));
			i += 2;
		} else {
			*out++ = in[i] == '+' && is_space ? ' ' : in[i];
		}
	}
	*out = '\0';
	return (size_t)(out - start);
}

static char *decode(const char *uri, enum evi_plus plus, size_t *size_out)
{
	size_t len = strlen(uri), size;
	char *text = evi_malloc(len + 1);

	if (text == NULL)
		return NULL;
	size = evi_percent_decode(uri, len, plus, text);
	if (size_out != NULL)
		*size_out = size;
	return text;
}

char *evhttp_uridecode(const char *uri, int decode_plus, size_t *size_out)
{
	return decode(uri, decode_plus ? EVI_PLUS_IS_SPACE : EVI_PLUS_IS_PLUS, size_out);
}

char *evhttp_decode_uri(const char *uri)
{
	return decode(uri, EVI_PLUS_IS_SPACE_IN_QUERY, NULL);
}

static const char *entity_of(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#039;";
	case '&':
		return "&amp;";
	default:
		return NULL;
	}
}

char *evhttp_htmlescape(const char *html)
{
	size_t size = 1;
	char *text, *out;

	if (html == NULL)
		return NULL;
	for (const char *p = html; *p != '\0'; p++) {
		const char *entity = entity_of(*p);

		size += entity != NULL ? strlen(entity) : 1;
	}
	text = out = evi_malloc(size);
	if (text == NULL)
		return NULL;
	for (const char *p = html; *p != '\0'; p++) {
		const char *entity = entity_of(*p);
		size_t len = entity != NULL ? strlen(entity) : 1;

		memcpy(out, entity != NULL ? entity : p, len);
		out += len;
	}
	*out = '\0';
	return text;
}
