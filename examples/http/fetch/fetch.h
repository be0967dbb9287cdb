/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_H_INCLUDED
#define FETCH_H_INCLUDED

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdio.h>

/* How it ends; the numbers are those that curl(1) uses. */
enum outcome {
	FETCH_OK = 0,
	FETCH_BAD_USAGE = 2,
	FETCH_BAD_URL = 3,
	FETCH_NO_PROXY = 5, /* the proxy's name */
	FETCH_NO_HOST = 6,
	FETCH_NO_CONNECTION = 7,
	FETCH_CUT_SHORT = 18,
	FETCH_HTTP_ERROR = 22, /* 400 and above, with -f */
	FETCH_CANNOT_WRITE = 23,
	FETCH_CANNOT_READ = 26,
	FETCH_NO_MEMORY = 27,
	FETCH_TIMEOUT = 28,
	FETCH_BAD_TLS = 35,
	FETCH_TOO_MANY_REDIRECTS = 47,
	FETCH_NOTHING = 52,
	FETCH_SEND_FAILED = 55,
	FETCH_RECEIVE_FAILED = 56,
	FETCH_NOT_TRUSTED = 60,
	FETCH_TOO_LARGE = 63,
	FETCH_PROXY_REFUSED = 97
};

struct options {
	const char *url;
	const char *method; /* NULL: what goes with the rest */
	const char *data;
	const char *upload; /* file, or "-" */
	const char *output; /* file; NULL: standard output */
	const char *proxy;
	const char *unix_socket;
	const char *authorities; /* file to trust instead of the system's */
	const char **headers;    /* "Name: value" */
	int n_headers;
	int redirects; /* to follow; 0: none */
	int family;
	double limit_s;   /* whole; 0: none */
	double connect_s; /* 0: as usual */
	long long size_max; /* negative: none */
	unsigned is_head : 1;
	unsigned shows_head : 1;
	unsigned is_silent : 1;
	unsigned is_verbose : 1;
	unsigned fails_on_error : 1;
	unsigned shows_progress : 1;
};

/* Fill in from the command line; ends the program with a message if that is not right. */
void options_parse(struct options *options, int argc, char **argv);

/* How much has gone each way; a line on standard error, twice a second. */
struct progress {
	struct event *timer; /* NULL: not shown */
	double began_s;
	double sent, received;
	double size; /* of what is received; negative: not known */
	int was_shown;
};

void progress_start(struct progress *progress, struct event_base *base);
void progress_stop(struct progress *progress);

/* Make a transport that checks its server; `authorities` is a file, or NULL for the system's. */
struct evhttp_connection *secure_connection(struct event_base *base, struct evdns_base *dns,
					    const char *authorities, const char *host, int port);

/* Fetch. */
enum outcome fetch(const struct options *options);

#endif
