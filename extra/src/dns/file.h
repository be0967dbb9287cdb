/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DNS_FILE_H_INCLUDED
#define DNS_FILE_H_INCLUDED

#include <stddef.h>

/*
 * The whole file as text with a NUL behind it, for evi_free(). 0, or
 * EVDNS_ERROR_FAILED_TO_OPEN_FILE, _FAILED_TO_STAT_FILE (cannot be read), _FILE_TOO_LARGE or
 * _OUT_OF_MEMORY.
 */
int evi_dns_file_read(const char *name, char **ret_text);

/* The next line of *text, ended with a NUL; NULL at the end. */
char *evi_dns_line_next(char **text);

/* The next word of *line, ended with a NUL; NULL if there is none. Carriage returns are blanks. */
char *evi_dns_word_next(char **line);

#endif
