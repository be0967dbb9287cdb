/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that uses buffers: a pair of bufferevents passes a line. */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <stdlib.h>
#include <stdio.h>

static void read_line(struct bufferevent *stream, void *base)
{
	char *line = evbuffer_readln(bufferevent_get_input(stream), NULL, EVBUFFER_EOL_LF);

	if (line == NULL)
		return;
	puts(line);
	free(line);
	event_base_loopexit(base, NULL);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct bufferevent *pair[2];

	if (base == NULL || bufferevent_pair_new(base, 0, pair) != 0)
		return 1;
	bufferevent_setcb(pair[1], read_line, NULL, NULL, base);
	bufferevent_enable(pair[1], EV_READ);
	bufferevent_write(pair[0], "fired\n", 6);
	if (event_base_dispatch(base) != 0)
		return 1;
	bufferevent_free(pair[0]);
	bufferevent_free(pair[1]);
	event_base_free(base);
	return 0;
}
