/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_TEST_H_INCLUDED
#define SERVER_TEST_H_INCLUDED

/*
 * What the suites of the server share beyond http_test.h: requests in one call, and looks at
 * replies.
 */

#include "http_test.h"

/* A whole request with Host: a, as a string literal. */
#define REQUEST(line, fields) line " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define GET(target)           REQUEST("GET " target, "")

/* Ask for a target and return all that came back; valid until the next talk. */
const char *get(const char *target);

/* The code of the first reply in `got`; 0 if there is none. */
int code_of(const char *got);

/* What stands behind the first empty line. */
const char *body_of(const char *got);

/* The reply has exactly this code and body. */
void check_reply(const char *got, int code, const char *body);

/* The head of the first reply has this line, and how often. */
int has_line(const char *got, const char *line);

/* Turn the loop until the server has `count` connections. */
void until_connections(int count);

/* Turn the loop until `*flag` is nonzero. */
void until(const int *flag);

/* Turn the loop for as long as something happens at once. */
void settle(void);

/* A Unix socket that listens, in a directory of its own; made for servers. */
evutil_socket_t unix_listen(char *path, size_t size);
struct peer *unix_peer(const char *path);

/* A handler that answers with the text `arg`; it logs the text, too. */
void answer_text(struct evhttp_request *req, void *arg);

#endif
