/* SPDX-License-Identifier: BSD-3-Clause */
/* The page that lists a directory. */

#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] =
	"<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
	"<meta name=viewport content=\"width=device-width\">\n"
	"<style>body{font-family:sans-serif;margin:1em auto;max-width:50em;padding:0 1em}"
	"td{padding:.1em 1em .1em 0}td+td{text-align:right;white-space:nowrap;color:#777}"
	"a{text-decoration:none}</style>\n";

struct names {
	char **names; /* directories end in a slash */
	size_t n, room;
};

static int names_add(struct names *list, const char *name, int is_directory)
{
	size_t len = strlen(name);
	char *copy;

	if (list->n == list->room) {
		size_t room = list->room > 0 ? 2 * list->room : 64;
		char **more = realloc(list->names, room * sizeof(*more));

		if (more == NULL)
			return -1;
		list->names = more;
		list->room = room;
	}
	copy = malloc(len + 2);
	if (copy == NULL)
		return -1;
	memcpy(copy, name, len);
	strcpy(copy + len, is_directory ? "/" : "");
	list->names[list->n++] = copy;
	return 0;
}

static void names_free(struct names *list)
{
	while (list->n > 0)
		free(list->names[--list->n]);
	free(list->names);
}

/* Directories first, then by name. */
static int compare(const void *a, const void *b)
{
	const char *one = *(char *const *)a, *two = *(char *const *)b;
	int is_one = one[strlen(one) - 1] == '/', is_two = two[strlen(two) - 1] == '/';

	return is_one != is_two ? is_two - is_one : strcmp(one, two);
}

static int names_read(struct names *list, DIR *dir, int stat_flags)
{
	struct dirent *entry;
	struct stat st;

	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue; /* hidden ones are not served */
		if (fstatat(dirfd(dir), entry->d_name, &st, stat_flags) != 0 ||
		    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
			continue; /* nothing that is served, or gone again */
		if (names_add(list, entry->d_name, S_ISDIR(st.st_mode)) != 0)
			return -1;
	}
	if (errno != 0)
		return -1;
	if (list->n > 0)
		qsort(list->names, list->n, sizeof(*list->names), compare);
	return 0;
}

static void add_line(struct evbuffer *page, int dir, char *name, int stat_flags)
{
	size_t len = strlen(name);
	const char *slash = name[len - 1] == '/' ? "/" : "";
	char date[32] = "", size[32] = "", *link, *text;
	struct stat st;
	struct tm tm;

	name[len - strlen(slash)] = '\0';
	link = evhttp_encode_uri(name);
	text = evhttp_htmlescape(name);
	if (link != NULL && text != NULL && fstatat(dir, name, &st, stat_flags) == 0) {
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M", gmtime_r(&st.st_mtime, &tm));
		if (S_ISREG(st.st_mode))
			evutil_snprintf(size, sizeof(size), "%lld", (long long)st.st_size);
		evbuffer_add_printf(page, "<tr><td><a href=\"./%s%s\">%s%s</a><td>%s<td>%s\n", link,
				    slash, text, slash, size, date);
	}
	free(link);
	free(text);
}

int list_directory(struct evbuffer *page, int fd, const char *path, int stat_flags)
{
	DIR *dir = fdopendir(fd);
	struct names list = { 0 };
	char *title = evhttp_htmlescape(path);
	int result = -1;

	if (dir == NULL)
		close(fd);
	else if (title != NULL)
		result = names_read(&list, dir, stat_flags);
	if (result == 0) {
		evbuffer_add_printf(page, "%s<title>%s</title>\n<h1>%s</h1>\n<table>\n", head,
				    title, title);
		if (strcmp(path, "/") != 0)
			evbuffer_add_printf(page, "<tr><td><a href=\"../\">../</a><td><td>\n");
		for (size_t i = 0; i < list.n; i++)
			add_line(page, dirfd(dir), list.names[i], stat_flags);
		evbuffer_add_printf(page, "</table>\n");
	}
	names_free(&list);
	free(title);
	if (dir != NULL)
		closedir(dir);
	return result;
}
