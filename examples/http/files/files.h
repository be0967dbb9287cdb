/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILES_H_INCLUDED
#define FILES_H_INCLUDED

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <sys/stat.h>
#include <time.h>

/* --- What is served (serve.c) ------------------------------------------------------------------
 */

struct site {
	int root;	   /* the directory */
	int follows_links; /* symbolic ones, wherever they lead */
	int is_quiet;
	void *secure; /* of secure_open(); NULL: http */
};

/* Answers a request: `arg` is the site. */
void serve(struct evhttp_request *req, void *arg);

/*
 * Write the HTML page that lists a directory, which is taken; `stat_flags` are for fstatat(2). 0,
 * or -1 with errno.
 */
int list_directory(struct evbuffer *page, int dir, const char *path, int stat_flags);

/* The media type that goes with a name. */
const char *type_of(const char *name);

/* --- Conditions and ranges (conditions.c, ranges.c) ---------------------------------------------
 */

#define TAG_SIZE 64
#define DATE_SIZE 32

/* What identifies the version of a file that is there now. */
struct version {
	char tag[TAG_SIZE];   /* for ETag */
	char date[DATE_SIZE]; /* for Last-Modified */
	time_t changed;
};

void version_of(struct version *version, const struct stat *st);

/* RFC 9110 section 13.2.2: the status that ends it here, 304 or 412, or 0 to go on. */
int check_conditions(const struct evkeyvalq *fields, const struct version *version);

/* Whether If-Range, if there is one, lets the ranges count. */
int ranges_count(const struct evkeyvalq *fields, const struct version *version);

#define RANGES_MAX 16

struct range {
	ev_off_t first, last; /* both included */
};

/*
 * What a Range field asks for: the number of ranges, 0 to ignore the field, or -1 if nothing of it
 * can be had. Ranges that overlap or are too many are ignored, as RFC 9110 section 14.2 advises.
 */
int parse_ranges(const char *field, ev_off_t size, struct range out[RANGES_MAX]);

/* --- The log (log.c) ----------------------------------------------------------------------------
 */

/* Print a line when the reply that is sent next, with a body of this size, has gone, or its client.
 */
void log_reply(struct evhttp_request *req, size_t size);

/* --- https (secure_*.c) --------------------------------------------------------------------------
 */

/* NULL after a message. */
void *secure_open(const char *certificate, const char *key);
void secure_close(void *context);

/* For evhttp_set_bevcb(). */
struct bufferevent *secure_transport(struct event_base *base, void *context);

#endif
