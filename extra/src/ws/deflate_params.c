/* SPDX-License-Identifier: BSD-3-Clause */
/* The parameters of permessage-deflate: RFC 7692 section 7.1. */

#include "ws/deflate_params.h"

#include <event2/util.h>

#include <string.h>

static const char *const names[EVI_WS_DEFLATE_PARAMETERS] = { "server_no_context_takeover",
	"client_no_context_takeover", "server_max_window_bits", "client_max_window_bits" };

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
static int parse_parameter(const char *text, size_t len, struct evi_ws_deflate_params *p)
{
	const char *equals = memchr(text, '=', len), *value = equals != NULL ? equals + 1 : NULL;
	size_t value_len = value != NULL ? (size_t)(text + len - value) : 0;
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;

	name_len = trim(&text, name_len);
	if (value != NULL)
		value_len = trim(&value, value_len);
	for (int i = 0; i < EVI_WS_DEFLATE_PARAMETERS; i++) {
		if (!is_text(text, name_len, names[i]))
			continue;
		if (p->value[i] != -1)
			return 0;
		p->value[i] = value != NULL ? parse_bits(value, value_len) : 0;
		if (i == EVI_WS_SERVER_FORGETS || i == EVI_WS_CLIENT_FORGETS)
			return value == NULL;
		return p->value[i] >= 8 || (i == EVI_WS_CLIENT_BITS && value == NULL);
	}
	return 0;
}

int evi_ws_deflate_parse(const char *text, size_t len, struct evi_ws_deflate_params *p)
{
	int is_first = 1;

	for (int i = 0; i < EVI_WS_DEFLATE_PARAMETERS; i++)
		p->value[i] = -1;
	for (const char *end = text + len; text <= end;) {
		const char *semicolon = memchr(text, ';', (size_t)(end - text));
		const char *item = text;
		size_t item_len =
			trim(&item, (size_t)((semicolon != NULL ? semicolon : end) - text));

		if (is_first ? !is_text(item, item_len, EVI_WS_DEFLATE_NAME)
			     : !parse_parameter(item, item_len, p))
			return 0;
		is_first = 0;
		if (semicolon == NULL)
			return 1;
		text = semicolon + 1;
	}
	return 1;
}
