/* SPDX-License-Identifier: BSD-3-Clause */
/* A program with messages of event_rpcgen. */

#include <event2/buffer.h>
#include <event2/rpc.h>

#include <stdio.h>

#include "messages.gen.h"

int main(void)
{
	struct evbuffer *buf = evbuffer_new();
	struct greeting *greeting = greeting_new(), *got = greeting_new();
	char *word;

	EVTAG_ASSIGN(greeting, word, "fired");
	greeting_marshal(buf, greeting);
	if (greeting_unmarshal(got, buf) != 0 || EVTAG_GET(got, word, &word) != 0)
		return 1;
	puts(word);
	greeting_free(greeting);
	greeting_free(got);
	evbuffer_free(buf);
	return 0;
}
