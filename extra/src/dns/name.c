/* SPDX-License-Identifier: BSD-3-Clause */
/* Domain names as text. */

#include "dns/name.h"

#include <event2/util.h>

#include <string.h>

size_t evi_dns_name_len(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

int evi_dns_name_is_valid(const char *name, size_t max)
{
	size_t len = evi_dns_name_len(name), label = 0;

	if (len > max)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (name[i] != '.') {
			if (++label > EVI_DNS_LABEL_MAX)
				return 0;
			continue;
		}
		if (label == 0)
			return 0;
		label = 0;
	}
	return len == 0 || label > 0;
}

int evi_dns_name_equals(const char *a, const char *b)
{
	size_t len = evi_dns_name_len(a);

	return len == evi_dns_name_len(b) && evutil_ascii_strncasecmp(a, b, len) == 0;
}

int evi_dns_name_dots(const char *name)
{
	int dots = 0;

	for (; *name != '\0'; name++)
		dots += *name == '.';
	return dots;
}

void evi_dns_name_flip_case(uint8_t *name, size_t len, const uint8_t *bits)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t lower = name[i] | 0x20;
		int is_letter = lower >= 'a' && lower <= 'z';

		name[i] ^= (uint8_t)((bits[i / 8] >> (i % 8) & is_letter) << 5);
	}
}
