/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serves the files below a directory.
 *
 * Paths are walked one name at a time from the directory, which is open. Names that begin with a
 * dot are not there, and so there is no way up; nor do symbolic links lead out, unless that is
 * asked for.
 */

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOUNDARY "4d5a07f1e9c24b60"

/* Reading this much costs less than what it takes to have the kernel send it from the file. */
#define READ_MAX 16384

static void add_field(struct evhttp_request *req, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), name, value);
}

static void send_body(struct evhttp_request *req, const struct site *site, int code,
		      struct evbuffer *body)
{
	char size[24];

	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) { /* as it would be for GET */
		evutil_snprintf(size, sizeof(size), "%zu", evbuffer_get_length(body));
		add_field(req, "Content-Length", size);
	}
	if (!site->is_quiet)
		log_reply(req, evbuffer_get_length(body));
	evhttp_send_reply(req, code, NULL, body);
}

static void send_status(struct evhttp_request *req, const struct site *site, int code)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	if (code == HTTP_NOTMODIFIED) { /* a head only */
		if (!site->is_quiet)
			log_reply(req, 0);
		evhttp_send_reply(req, code, NULL, NULL);
	} else {
		add_field(req, "Content-Type", "text/plain");
		evbuffer_add_printf(body, "status %d\n", code);
		send_body(req, site, code, body);
	}
	evbuffer_free(body);
}

static int code_of_errno(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP: /* a symbolic link */
	case ENAMETOOLONG:
	case ENXIO: /* a socket */
		return HTTP_NOTFOUND;
	case EACCES:
	case EPERM:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return HTTP_SERVUNAVAIL;
	default:
		return HTTP_INTERNAL;
	}
}

/* --- Finding it ---------------------------------------------------------------------------------
 */

static int open_name(const struct site *site, int dir, const char *name, int flags)
{
	/* O_NONBLOCK: a pipe must not hold the loop. */
	flags |= O_RDONLY | O_NONBLOCK | O_CLOEXEC | (site->follows_links ? 0 : O_NOFOLLOW);
	if (name[0] == '.' || name[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	return openat(dir, name, flags);
}

/* Opens what a path names; it begins with a slash, and is changed. */
static int open_path(const struct site *site, char *path)
{
	int at = site->root, next;
	char *name = path + 1;

	if (*name == '\0')
		return openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0 && *name != '\0') {
		char *slash = strchr(name, '/');

		if (slash != NULL)
			*slash = '\0';
		next = open_name(site, at, name, slash != NULL ? O_DIRECTORY : 0);
		if (at != site->root)
			close(at);
		at = next;
		name = slash != NULL ? slash + 1 : name + strlen(name);
	}
	return at;
}

/* --- Files --------------------------------------------------------------------------------------
 */

static int add_range_field(struct evhttp_request *req, const struct range *range, ev_off_t size)
{
	char text[96];

	if (range != NULL)
		evutil_snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)range->first,
				(long long)range->last, (long long)size);
	else
		evutil_snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
	return evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Range", text);
}

/* RFC 9110 section 14.6. */
static int add_parts(struct evbuffer *body, struct evbuffer_file_segment *segment, const char *type,
		     const struct range *ranges, int n, ev_off_t size)
{
	for (int i = 0; i < n; i++) {
		const struct range *range = &ranges[i];

		if (evbuffer_add_printf(body,
					"\r\n--" BOUNDARY "\r\nContent-Type: %s\r\n"
					"Content-Range: bytes %lld-%lld/%lld\r\n\r\n",
					type, (long long)range->first, (long long)range->last,
					(long long)size) < 0 ||
		    evbuffer_add_file_segment(body, segment, range->first,
					      range->last - range->first + 1) < 0)
			return -1;
	}
	return evbuffer_add_printf(body, "\r\n--" BOUNDARY "--\r\n") < 0 ? -1 : 0;
}

/* The body, and the fields that describe it. `n` is 0 for all of the file. */
static int add_body(struct evhttp_request *req, struct evbuffer *body,
		    struct evbuffer_file_segment *segment, const char *type,
		    const struct range *ranges, int n, ev_off_t size)
{
	if (n > 1) {
		add_field(req, "Content-Type", "multipart/byteranges; boundary=" BOUNDARY);
		return add_parts(body, segment, type, ranges, n, size);
	}
	add_field(req, "Content-Type", type);
	if (n == 0)
		return evbuffer_add_file_segment(body, segment, 0, size);
	if (add_range_field(req, ranges, size) != 0)
		return -1;
	return evbuffer_add_file_segment(body, segment, ranges->first,
					 ranges->last - ranges->first + 1);
}

/* All of a small file. */
static int read_file(struct evbuffer *body, int fd, ev_off_t size)
{
	struct evbuffer_iovec space;

	if (size == 0)
		return 0;
	if (evbuffer_reserve_space(body, size, &space, 1) != 1)
		return -1;
	space.iov_len = (size_t)size;
	if (read(fd, space.iov_base, space.iov_len) != size) /* it has just become shorter */
		return -1;
	return evbuffer_commit_space(body, &space, 1);
}

/* By reference; the body goes to a socket as it is, so the kernel may copy it: sendfile(2). */
static int refer_to_file(struct evhttp_request *req, struct evbuffer *body, int fd, ev_off_t size,
			 const char *type, const struct range *ranges, int n)
{
	struct evbuffer_file_segment *segment =
		evbuffer_file_segment_new(fd, 0, size, EVBUF_FS_CLOSE_ON_FREE);
	int result;

	if (segment == NULL) {
		close(fd);
		return -1;
	}
	result = add_body(req, body, segment, type, ranges, n, size);
	evbuffer_file_segment_free(segment);
	return result;
}

/* The file is taken. */
static void send_file(struct evhttp_request *req, const struct site *site, int fd, ev_off_t size,
		      const char *type, const struct range *ranges, int n)
{
	struct evbuffer *body = evbuffer_new();
	int result = -1;

	if (body == NULL) {
		close(fd);
	} else if (n == 0 && size <= READ_MAX) {
		add_field(req, "Content-Type", type);
		result = read_file(body, fd, size);
		close(fd);
	} else {
		if (site->secure == NULL)
			evbuffer_set_flags(body, EVBUFFER_FLAG_DRAINS_TO_FD);
		result = refer_to_file(req, body, fd, size, type, ranges, n);
	}
	if (result < 0)
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
	else
		send_body(req, site, n > 0 ? 206 : HTTP_OK, body);
	if (body != NULL)
		evbuffer_free(body);
}

/* The file is taken. */
static void answer_file(struct evhttp_request *req, const struct site *site, int fd,
			const struct stat *st, const char *name)
{
	const struct evkeyvalq *fields = evhttp_request_get_input_headers(req);
	struct range ranges[RANGES_MAX];
	struct version version;
	int code, n = 0;

	version_of(&version, st);
	code = check_conditions(fields, &version);
	add_field(req, "ETag", version.tag);
	add_field(req, "Last-Modified", version.date);
	add_field(req, "Cache-Control", "no-cache"); /* ask whether it has changed */
	add_field(req, "X-Content-Type-Options", "nosniff");
	add_field(req, "Accept-Ranges", "bytes");
	if (code == 0 && evhttp_request_get_command(req) == EVHTTP_REQ_GET &&
	    ranges_count(fields, &version))
		n = parse_ranges(evhttp_find_header(fields, "Range"), st->st_size, ranges);
	if (n < 0) {
		add_range_field(req, NULL, st->st_size);
		code = 416;
	}
	if (code == 0) {
		send_file(req, site, fd, st->st_size, type_of(name), ranges, n);
		return;
	}
	close(fd);
	send_status(req, site, code);
}

/* --- Directories --------------------------------------------------------------------------------
 */

/* Links in the page count from the path's last slash, so there has to be one. */
static void answer_moved(struct evhttp_request *req, const struct site *site)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *query = evhttp_uri_get_query(uri);
	struct evbuffer *location = evbuffer_new();

	if (location == NULL ||
	    evbuffer_add_printf(location, "%s/%s%s", evhttp_uri_get_path(uri),
				query != NULL ? "?" : "", query != NULL ? query : "") < 0 ||
	    evbuffer_add(location, "", 1) != 0) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
	} else {
		add_field(req, "Location", (const char *)evbuffer_pullup(location, -1));
		send_status(req, site, HTTP_MOVEPERM);
	}
	if (location != NULL)
		evbuffer_free(location);
}

/* Its index.html, or else a list. The directory is taken. */
static void answer_directory(struct evhttp_request *req, const struct site *site, int dir,
			     const char *path)
{
	int stat_flags = site->follows_links ? 0 : AT_SYMLINK_NOFOLLOW;
	int file = open_name(site, dir, "index.html", 0);
	struct evbuffer *page;
	struct stat st;

	if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
		close(dir);
		answer_file(req, site, file, &st, "index.html");
		return;
	}
	if (file >= 0)
		close(file);
	page = evbuffer_new();
	if (page == NULL) {
		close(dir);
		send_status(req, site, HTTP_INTERNAL);
	} else if (list_directory(page, dir, path, stat_flags) != 0) {
		send_status(req, site, code_of_errno());
	} else {
		add_field(req, "Content-Type", "text/html; charset=utf-8");
		send_body(req, site, HTTP_OK, page);
	}
	if (page != NULL)
		evbuffer_free(page);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

/* `walked` is a copy of the path, to be used up. */
static void answer_path(struct evhttp_request *req, const struct site *site, const char *path,
			char *walked)
{
	int fd = open_path(site, walked), code = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		code = code_of_errno();
	} else if (S_ISDIR(st.st_mode) && path[strlen(path) - 1] == '/') {
		answer_directory(req, site, fd, path);
		return;
	} else if (S_ISREG(st.st_mode) && path[strlen(path) - 1] != '/') {
		answer_file(req, site, fd, &st, path);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (code == 0 && S_ISDIR(st.st_mode))
		answer_moved(req, site);
	else
		send_status(req, site, code != 0 ? code : HTTP_NOTFOUND);
}

void serve(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const struct site *site = arg;
	char *path, *copy;
	size_t len;

	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		add_field(req, "Allow", "GET, HEAD");
		send_status(req, site, HTTP_BADMETHOD);
		return;
	}
	path = evhttp_uridecode(evhttp_uri_get_path(uri), 0, &len);
	copy = path != NULL ? strdup(path) : NULL;
	if (copy == NULL)
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
	else if (path[0] != '/' || strlen(path) != len)
		send_status(req, site, HTTP_BADREQUEST);
	else
		answer_path(req, site, path, copy);
	free(copy);
	free(path);
}
