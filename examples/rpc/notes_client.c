/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An RPC client: writes notes into the book of notes_server.
 *
 *     notes_client PORT AUTHOR TEXT...
 */

#include "notes.h"

#include <event2/event.h>
#include <event2/http.h>

#include <stdio.h>
#include <stdlib.h>

EVRPC_GENERATE(Write, note, receipt)

struct progress {
	int left;
	int failed;
};

static void on_receipt(struct evrpc_status *status, struct note *note, struct receipt *receipt,
		       void *arg)
{
	struct progress *progress = arg;
	struct note *previous;

	if (status->error != EVRPC_STATUS_ERR_NONE) {
		printf("failed: %d\n", status->error);
		progress->failed = 1;
	} else {
		printf("note %u", receipt->number_data);
		if (EVTAG_HAS(receipt, previous) && EVTAG_GET(receipt, previous, &previous) == 0)
			printf(" after \"%s\"", previous->text_data);
		printf("\n");
	}
	note_free(note);
	receipt_free(receipt);
	progress->left--;
}

static int write_note(struct evrpc_pool *pool, const char *author, const char *text,
		      struct progress *progress)
{
	struct receipt *receipt = receipt_new();
	struct note *note = note_new();

	if (note == NULL || receipt == NULL || EVTAG_ASSIGN(note, author, author) != 0 ||
	    EVTAG_ASSIGN(note, text, text) != 0) {
		note_free(note);
		receipt_free(receipt);
		return -1;
	}
	progress->left++;
	return EVRPC_MAKE_REQUEST(Write, pool, note, receipt, on_receipt, progress);
}

int main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evrpc_pool *pool = base ? evrpc_pool_new(base) : NULL;
	struct evhttp_connection *evcon;
	struct progress progress = { 0, 0 };

	if (argc < 4 || pool == NULL)
		return 1;
	evcon = evhttp_connection_base_new(base, NULL, "127.0.0.1", (ev_uint16_t)atoi(argv[1]));
	if (evcon == NULL)
		return 1;
	evrpc_pool_add_connection(pool, evcon); /* the pool's from now on */
	evrpc_pool_set_timeout(pool, 10);

	for (int i = 3; i < argc; i++)
		if (write_note(pool, argv[2], argv[i], &progress) != 0)
			progress.failed = 1;
	while (progress.left > 0 && event_base_loop(base, EVLOOP_ONCE) == 0)
		;

	evrpc_pool_free(pool);
	event_base_free(base);
	return progress.failed;
}
