/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HTTP_URI_H_INCLUDED
#define HTTP_URI_H_INCLUDED

/* URI references, RFC 3986: the object, and what may stand in each part of it. */

#include <event2/component/reactor.h>
#include <event2/http.h>

#include <stddef.h>

enum evi_uri_part {
	EVI_URI_SCHEME,
	EVI_URI_USERINFO,
	EVI_URI_HOST, /* without its brackets if they were stripped */
	EVI_URI_UNIXSOCKET,
	EVI_URI_PATH,
	EVI_URI_QUERY,
	EVI_URI_FRAGMENT,
	EVI_URI_PARTS
};

/* A parsed URI is one block; a part that is set later has a block of its own. */
struct evhttp_uri {
	unsigned flags;
	int port; /* -1: none */
	int is_bracketed; /* the host lost its brackets to EVHTTP_URI_HOST_STRIP_BRACKETS */
	const char *part[EVI_URI_PARTS];
	char *owned[EVI_URI_PARTS];
	char text[];
};

struct evi_span {
	const char *start;
	size_t len;
};

/* Nonzero if `span` may stand as that part; EVHTTP_URI_NONCONFORMANT in `flags` allows more. */
int evi_uri_is_part(enum evi_uri_part part, struct evi_span span, unsigned flags);

/* 0 .. 65535 in decimal, or -1 if it is empty; -2 if it is neither. */
int evi_uri_parse_port(struct evi_span span);

#endif
