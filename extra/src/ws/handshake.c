/* SPDX-License-Identifier: BSD-3-Clause */
/* Checking the opening handshake. */

#include "ws/handshake.h"

#include "ws/sha1.h"

#include <event2/http_struct.h>
#include <event2/util.h>

#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define KEY_BYTES 16

void evi_ws_accept_of(const char *key, char accept[EVI_WS_ACCEPT_SIZE])
{
	char text[EVI_WS_KEY_SIZE + sizeof(GUID)];
	uint8_t digest[20];
	int len = evutil_snprintf(text, sizeof(text), "%s%s", key, GUID);

	evi_sha1(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1, digest);
	evi_base64_encode(digest, sizeof(digest), accept);
}

/* The next item of a list, without blanks around it; NULL at the end. */
static const char *next_item(const char **list, size_t *ret_len)
{
	const char *start = *list + strspn(*list, ", \t");
	size_t len = strcspn(start, ",");

	if (*start == '\0')
		return NULL;
	*list = start + len;
	while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t'))
		len--;
	*ret_len = len;
	return start;
}

int evi_ws_has_token(const struct evkeyvalq *headers, const char *name, const char *token)
{
	size_t token_len = strlen(token), len;

	for (const struct evkeyval *h = headers->tqh_first; h != NULL; h = h->next.tqe_next) {
		const char *list = h->value, *item;

		if (evutil_ascii_strcasecmp(h->key, name) != 0)
			continue;
		while ((item = next_item(&list, &len)) != NULL) {
			if (len == token_len && evutil_ascii_strncasecmp(item, token, len) == 0)
				return 1;
		}
	}
	return 0;
}

int evi_ws_first_item(const char *list, char *item, size_t size)
{
	size_t len;
	const char *first = next_item(&list, &len);

	if (first == NULL || len >= size)
		return 0;
	memcpy(item, first, len);
	item[len] = '\0';
	return 1;
}

const char *evi_ws_single_header(const struct evkeyvalq *headers, const char *name)
{
	const char *found = NULL;

	for (const struct evkeyval *h = headers->tqh_first; h != NULL; h = h->next.tqe_next) {
		if (evutil_ascii_strcasecmp(h->key, name) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = h->value;
	}
	return found;
}

int evi_ws_check_request(struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *key = evi_ws_single_header(headers, "Sec-WebSocket-Key");
	const char *version = evhttp_find_header(headers, "Sec-WebSocket-Version");

	if (evhttp_request_get_command(req) != EVHTTP_REQ_GET || req->major < 1 ||
	    (req->major == 1 && req->minor < 1))
		return 400;
	if (!evi_ws_has_token(headers, "Upgrade", "websocket") ||
	    !evi_ws_has_token(headers, "Connection", "upgrade"))
		return 400;
	if (key == NULL || evi_base64_decoded_len(key) != KEY_BYTES)
		return 400;
	if (version != NULL && strcmp(version, "13") != 0)
		return 426;
	return 0;
}
