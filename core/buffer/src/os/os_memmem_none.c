/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching for a string of bytes where the C library has no memmem().
 *
 * The two-way algorithm (Crochemore and Perrin, "Two-way string-matching", JACM 38, 1991): linear
 * time in the worst case and no memory of its own. The pattern is cut where its local period is its
 * period; the right part is compared forwards, then the left part backwards.
 */

#include "os/os_memmem.h"

#include <string.h>

/* Where a pattern is cut, and the period of the suffix from there on. */
struct cut {
	size_t at;
	size_t period;
};

/* The greatest suffix, by the order of bytes or, if `is_reversed`, by the opposite one. */
static struct cut greatest_suffix(const unsigned char *what, size_t len, int is_reversed)
{
	size_t start = 0, candidate = 1, matched = 0, period = 1;

	while (candidate + matched < len) {
		unsigned char a = what[candidate + matched], b = what[start + matched];

		if (a == b) {
			matched++;
			if (matched == period) {
				candidate += period;
				matched = 0;
			}
		} else if ((a < b) != is_reversed) {
			candidate += matched + 1;
			matched = 0;
			period = candidate - start;
		} else {
			start = candidate++;
			matched = 0;
			period = 1;
		}
	}
	return (struct cut){ start, period };
}

static struct cut critical_cut(const unsigned char *what, size_t len)
{
	struct cut up = greatest_suffix(what, len, 0), down = greatest_suffix(what, len, 1);

	return up.at > down.at ? up : down;
}

void *evi_memmem(const void *text, size_t text_len, const void *pattern, size_t len)
{
	const unsigned char *at = text, *end = at + text_len, *what = pattern;
	struct cut cut = critical_cut(what, len);
	int is_periodic =
		cut.at + cut.period <= len && memcmp(what, what + cut.period, cut.at) == 0;
	size_t shift = cut.period, known = 0; /* bytes at the front that are known to match */

	if (!is_periodic)
		shift = (cut.at > len - cut.at ? cut.at : len - cut.at) + 1;
	while ((size_t)(end - at) >= len) {
		size_t i = cut.at > known ? cut.at : known, left = cut.at;

		while (i < len && what[i] == at[i])
			i++;
		if (i < len) {
			at += i - cut.at + 1;
			known = 0;
			continue;
		}
		while (left > known && what[left - 1] == at[left - 1])
			left--;
		if (left <= known)
			return (void *)(uintptr_t)at;
		at += (size_t)(end - at) > shift ? shift : (size_t)(end - at);
		known = is_periodic ? len - shift : 0;
	}
	return NULL;
}
