/* SPDX-License-Identifier: BSD-3-Clause */
/* Built without a TLS library. */

#include "files.h"

#include <stdio.h>

void *secure_open(const char *certificate, const char *key)
{
	(void)certificate;
	(void)key;
	fprintf(stderr, "files: built without https\n");
	return NULL;
}

void secure_close(void *context)
{
	(void)context;
}

struct bufferevent *secure_transport(struct event_base *base, void *context)
{
	(void)base;
	(void)context;
	return NULL;
}
