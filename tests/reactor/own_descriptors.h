/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OWN_DESCRIPTORS_H_INCLUDED
#define OWN_DESCRIPTORS_H_INCLUDED

/* What kinds of descriptors the process has open, as Linux's /proc tells. */

#include "reactor_test.h"

#include <dirent.h>

static inline int descriptors_like(const char *text)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char link[300], target[256] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%s", entry->d_name);
		if (readlink(link, target, sizeof(target) - 1) > 0)
			n += strstr(target, text) != NULL;
	}
	closedir(dir);
	return n;
}

#endif
