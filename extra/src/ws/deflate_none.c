/* SPDX-License-Identifier: BSD-3-Clause */
/* Without zlib no compression is offered, and none accepted. */

#include "ws/deflate.h"

#include <errno.h>

struct evi_ws_deflate *evi_ws_deflate_accept(const char *offers, char *answer, size_t size)
{
	(void)offers;
	(void)answer;
	(void)size;
	return NULL;
}

const char *evi_ws_deflate_offer(void)
{
	return "";
}

struct evi_ws_deflate *evi_ws_deflate_take(const char *answer)
{
	(void)answer;
	return NULL;
}

void evi_ws_deflate_free(struct evi_ws_deflate *deflate)
{
	(void)deflate;
}

int evi_ws_deflate_pack(struct evi_ws_deflate *deflate, const void *data, size_t len,
			uint8_t **ret_data, size_t *ret_len)
{
	(void)deflate;
	(void)data;
	(void)len;
	(void)ret_data;
	(void)ret_len;
	return -ENOTSUP;
}

int evi_ws_deflate_unpack(struct evi_ws_deflate *deflate, const uint8_t *data, size_t len,
			  size_t max, uint8_t **ret_data, size_t *ret_len)
{
	(void)deflate;
	(void)data;
	(void)len;
	(void)max;
	(void)ret_data;
	(void)ret_len;
	return -ENOTSUP;
}
