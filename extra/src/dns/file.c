/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading configuration files, line by line and word by word. */

#include "dns/file.h"

#include "dns/base.h"
#include "os/os_text.h"

#include <stdio.h>
#include <string.h>

/* Far above any real one; a device that never ends is no configuration. */
#define FILE_MAX (16u << 20)

static int read_all(FILE *file, char **ret_text)
{
	size_t used = 0, room = 4096;
	char *text = evi_malloc(room);

	while (text != NULL) {
		size_t n = fread(text + used, 1, room - used - 1, file);
		char *bigger;

		used += n;
		if (n == 0) {
			text[used] = '\0';
			*ret_text = text;
			return 0;
		}
		if (room - used > 1)
			continue;
		if (room > FILE_MAX) {
			evi_free(text);
			return EVDNS_ERROR_FILE_TOO_LARGE;
		}
		bigger = evi_realloc(text, room * 2);
		if (bigger == NULL)
			evi_free(text);
		text = bigger;
		room *= 2;
	}
	return EVDNS_ERROR_OUT_OF_MEMORY;
}

int evi_dns_file_read(const char *name, char **ret_text)
{
	FILE *file = evi_text_open(name);
	char *text = NULL;
	int result;

	if (file == NULL)
		return EVDNS_ERROR_FAILED_TO_OPEN_FILE;
	result = read_all(file, &text);
	if (result == 0 && ferror(file)) {
		evi_free(text);
		result = EVDNS_ERROR_FAILED_TO_STAT_FILE;
	}
	(void)fclose(file);
	if (result == 0)
		*ret_text = text;
	return result;
}

char *evi_dns_line_next(char **text)
{
	char *line = *text;
	size_t len = strcspn(line, "\n");

	if (*line == '\0')
		return NULL;
	*text = line + len + (line[len] == '\n');
	line[len] = '\0';
	return line;
}

char *evi_dns_word_next(char **line)
{
	char *word = *line + strspn(*line, " \t\r");
	size_t len = strcspn(word, " \t\r");

	if (len == 0)
		return NULL;
	*line = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}
