/* SPDX-License-Identifier: BSD-3-Clause */
/* What the user does with a bufferevent when the TLS library calls him back from inside. */

#include "tls_test.h"

#include <stdlib.h>
#include <string.h>

/* Pattern bytes each side writes in all; no such byte is MARK, which is put in between. */
#define TOTAL 60000
#define MARK 0xff
#define MARKS_MAX 100

/* Who stops and starts for ever gets nowhere. */
#define RESTARTS_MAX 100

static struct tls_pair pair;

/* One side's user. */
struct meddler {
	struct tls_side *side;
	struct evbuffer *kept;  /* all that was received */
	struct evbuffer *aside; /* output that was taken away for a moment */
	size_t written;
	unsigned calls, marks_sent, marks_received, restarts;
	int is_busy;
};

static struct meddler meddlers[2];

static unsigned char pattern_at(size_t position)
{
	return (unsigned char)(position * 7 % 251);
}

static void free_piece(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	free(arg);
}

/* The next bytes of the pattern, in memory of the buffer's or of ours. */
static void put(struct meddler *m, size_t len)
{
	unsigned char *data = malloc(len);
	struct evbuffer *output = bufferevent_get_output(m->side->bev);

	cr_assert_not_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = pattern_at(m->written + i);
	m->written += len;
	if (len % 2 == 0) {
		cr_assert_eq(evbuffer_add_reference(output, data, len, free_piece, data), 0);
	} else {
		cr_assert_eq(bufferevent_write(m->side->bev, data, len), 0);
		free(data);
	}
}

/* --- What he does ----------------------------------------------------------------------------- */

static void writes(struct meddler *m)
{
	if (m->written < TOTAL)
		put(m, 1 + m->calls * 37 % 900);
}

static void pulls_up(struct meddler *m)
{
	(void)evbuffer_pullup(bufferevent_get_output(m->side->bev), -1);
	(void)evbuffer_pullup(bufferevent_get_input(m->side->bev), -1);
}

static void makes_room(struct meddler *m)
{
	cr_assert_eq(evbuffer_expand(bufferevent_get_output(m->side->bev), 700), 0);
	cr_assert_eq(evbuffer_expand(bufferevent_get_input(m->side->bev), 20000), 0);
}

static void reads(struct meddler *m)
{
	char data[300];
	size_t n = bufferevent_read(m->side->bev, data, sizeof(data));

	evbuffer_add(m->kept, data, n);
}

static void takes_all(struct meddler *m)
{
	(void)evbuffer_add_buffer(m->kept, bufferevent_get_input(m->side->bev));
}

static void takes_some(struct meddler *m)
{
	(void)evbuffer_remove_buffer(bufferevent_get_input(m->side->bev), m->kept, 1000);
}

/* Before the output and behind the input, which he has no business to. */
static void marks(struct meddler *m)
{
	unsigned char mark = MARK;

	if (m->marks_sent >= MARKS_MAX || m->written >= TOTAL)
		return;
	evbuffer_unfreeze(bufferevent_get_output(m->side->bev), 1);
	evbuffer_unfreeze(bufferevent_get_input(m->side->bev), 0);
	cr_assert_eq(evbuffer_prepend(bufferevent_get_output(m->side->bev), &mark, 1), 0);
	cr_assert_eq(evbuffer_add(bufferevent_get_input(m->side->bev), &mark, 1), 0);
	m->marks_sent++;
	m->marks_received++;
}

static void takes_back(struct meddler *m)
{
	struct evbuffer *output = bufferevent_get_output(m->side->bev);

	evbuffer_unfreeze(output, 1);
	cr_assert_eq(evbuffer_add_buffer(m->aside, output), 0);
	(void)evbuffer_pullup(m->aside, -1);
	cr_assert_eq(evbuffer_add_buffer(output, m->aside), 0);
}

static void freezes(struct meddler *m)
{
	struct evbuffer *buffers[2] = { bufferevent_get_output(m->side->bev),
					bufferevent_get_input(m->side->bev) };

	for (int i = 0; i < 4; i++)
		evbuffer_freeze(buffers[i / 2], i % 2);
	for (int i = 0; i < 2; i++)
		evbuffer_unfreeze(buffers[i], i); /* what a bufferevent leaves open */
}

static void controls(struct meddler *m)
{
	struct bufferevent *bev = m->side->bev;
	bufferevent_data_cb read_cb, write_cb;
	bufferevent_event_cb event_cb;
	void *arg;

	if (m->restarts++ >= RESTARTS_MAX)
		return;
	bufferevent_getcb(bev, &read_cb, &write_cb, &event_cb, &arg);
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	cr_assert_eq(bufferevent_flush(bev, EV_READ | EV_WRITE, BEV_FLUSH), 0);
	cr_assert_eq(bufferevent_setfd(bev, -1), -1); /* there is a call into the object */
	cr_assert_eq(bufferevent_enable(bev, EV_READ | EV_WRITE), 0);
	bufferevent_setcb(bev, read_cb, write_cb, event_cb, arg);
}

static void meddles_below(struct meddler *m)
{
	struct bufferevent *below = m->side->below;

	if (below == NULL || m->restarts++ >= RESTARTS_MAX)
		return;
	(void)evbuffer_pullup(bufferevent_get_output(below), -1);
	(void)evbuffer_pullup(bufferevent_get_input(below), -1);
	cr_assert_eq(evbuffer_expand(bufferevent_get_output(below), 5000), 0);
	cr_assert_eq(evbuffer_expand(bufferevent_get_input(below), 5000), 0);
	bufferevent_flush(below, EV_READ | EV_WRITE, BEV_FLUSH);
	bufferevent_disable(below, EV_READ | EV_WRITE);
	cr_assert_eq(bufferevent_enable(below, EV_READ | EV_WRITE), 0);
	bufferevent_trigger(below, EV_READ | EV_WRITE, BEV_TRIG_IGNORE_WATERMARKS);
}

static void (*const habits[])(struct meddler *m) = {
	writes, pulls_up, makes_room, reads, writes,   takes_all,     takes_some,
	marks,  takes_back, freezes,  writes, controls, meddles_below,
};

#define HABITS (sizeof(habits) / sizeof(habits[0]))

static void meddle(void *arg)
{
	struct meddler *m = arg;

	if (m->is_busy || m->side->bev == NULL)
		return;
	m->is_busy = 1;
	habits[m->calls++ % HABITS](m);
	m->is_busy = 0;
}

/* --- What the other side has of it ------------------------------------------------------------ */

static void begin(int is_filter, ev_uint64_t flags)
{
	tls_pair_init(&pair, is_filter, BEV_OPT_CLOSE_ON_FREE);
	memset(meddlers, 0, sizeof(meddlers));
	for (int i = 0; i < 2; i++) {
		struct meddler *m = &meddlers[i];

		m->side = i ? &pair.server : &pair.client;
		m->kept = evbuffer_new();
		m->aside = evbuffer_new();
		bufferevent_ssl_set_flags(m->side->bev, flags);
		if (!tls_library()->call_back(tls_library()->object_of(m->side->bev), meddle, m))
			cr_skip_test("the library was built without such callbacks");
	}
}

static void end(void)
{
	tls_pair_fini(&pair);
	for (int i = 0; i < 2; i++) {
		evbuffer_free(meddlers[i].kept);
		evbuffer_free(meddlers[i].aside);
	}
}

static size_t expected(const struct meddler *m)
{
	const struct meddler *peer = &meddlers[m == &meddlers[0]];

	return peer->written + peer->marks_sent + m->marks_received;
}

static int has_all(struct meddler *m)
{
	evbuffer_add_buffer(m->kept, bufferevent_get_input(m->side->bev));
	return evbuffer_get_length(m->kept) >= expected(m);
}

static void check(struct meddler *m)
{
	size_t len = evbuffer_get_length(m->kept), position = 0;
	const unsigned char *data = evbuffer_pullup(m->kept, -1);

	cr_assert_eq(len, expected(m));
	for (size_t i = 0; i < len; i++) {
		if (data[i] == MARK)
			continue;
		if (data[i] != pattern_at(position))
			cr_assert_fail("byte %zu differs", position);
		position++;
	}
	cr_assert_eq(position, meddlers[m == &meddlers[0]].written);
	cr_assert_eq(m->side->events, 0);
}

static void exchange(int is_filter, ev_uint64_t flags)
{
	double limit = support_now_ms() + TLS_TEST_WAIT_MS;

	begin(is_filter, flags);
	tls_pair_connect(&pair);
	for (int i = 0; i < 2; i++)
		put(&meddlers[i], 5001);
	while (!has_all(&meddlers[0]) || !has_all(&meddlers[1]) || meddlers[0].written < TOTAL ||
	       meddlers[1].written < TOTAL) {
		cr_assert_lt(support_now_ms(), limit);
		for (int i = 0; i < 2; i++)
			if (meddlers[i].written < TOTAL && has_all(&meddlers[!i]))
				put(&meddlers[i], 3000);
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
	}
	tls_pair_settle(&pair); /* nothing comes twice */
	for (int i = 0; i < 2; i++) {
		(void)has_all(&meddlers[i]);
		check(&meddlers[i]);
	}
	end();
}

/* TLS-055, TLS-073, TLS-074 */
Test(tls_callback, nothing_is_lost_on_a_socket, .timeout = 120)
{
	exchange(0, 0);
	exchange(0, BUFFEREVENT_SSL_BATCH_WRITE);
}

/* TLS-055, TLS-073, TLS-074 */
Test(tls_callback, nothing_is_lost_over_another_bufferevent, .timeout = 120)
{
	exchange(1, 0);
	exchange(1, BUFFEREVENT_SSL_BATCH_WRITE);
}

/* --- Taking the output away ------------------------------------------------------------------- */

static size_t drained;

static void drain(void *arg)
{
	struct evbuffer *output = bufferevent_get_output(((struct meddler *)arg)->side->bev);

	evbuffer_unfreeze(output, 1);
	drained += evbuffer_get_length(output);
	cr_assert_eq(evbuffer_drain(output, SIZE_MAX), 0);
}

/* TLS-073: what is on its way goes on its way, once; what is behind it may be dropped. */
Test(tls_callback, what_is_being_written_cannot_be_drained, .timeout = 120)
{
	for (int is_filter = 0; is_filter < 2; is_filter++) {
		struct meddler *client = &meddlers[0];
		struct bufferevent *server;

		begin(is_filter, 0);
		server = pair.server.bev;
		meddlers[0].is_busy = meddlers[1].is_busy = 1;
		tls_pair_connect(&pair);
		tls_pair_settle(&pair);
		drained = 0;
		tls_library()->call_back(tls_library()->object_of(pair.client.bev), drain, client);
		tls_library()->call_back(tls_library()->object_of(server), drain, &meddlers[1]);
		put(client, 3000);
		put(client, 2000);
		put(client, 1000);
		tls_pair_receive(&pair, &pair.server, 3000);
		tls_pair_settle(&pair);
		cr_assert_eq(drained, 3000);
		tls_check_pattern(server, 3000);
		end();
	}
}

/* --- Freeing it ------------------------------------------------------------------------------- */

static int calls_left;
static char *users;

static void on_change(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	(void)buffer;
	(void)info;
	++*(char *)arg;
}

static void free_it(void *arg)
{
	struct tls_side *side = ((struct meddler *)arg)->side;

	if (side != &pair.client || side->bev == NULL || --calls_left > 0)
		return;
	bufferevent_free(side->bev);
	side->bev = NULL;
	free(users); /* as his change callbacks find out if they are still called */
	users = NULL;
}

static void free_at(int call, int is_filter)
{
	calls_left = call;
	users = calloc(1, 1);
	begin(is_filter, 0);
	for (int i = 0; i < 2; i++)
		tls_library()->call_back(tls_library()->object_of(meddlers[i].side->bev), free_it,
					 &meddlers[i]);
	evbuffer_add_cb(bufferevent_get_input(pair.client.bev), on_change, users);
	evbuffer_add_cb(bufferevent_get_output(pair.client.bev), on_change, users);
	put(&meddlers[0], 3000);
	put(&meddlers[0], 1501);
	put(&meddlers[1], 3000);
	for (int i = 0; i < 1000 && pair.client.bev != NULL; i++)
		event_base_loop(pair.base, EVLOOP_NONBLOCK);
	event_base_loop(pair.base, EVLOOP_NONBLOCK);
	end();
	free(users);
	users = NULL;
}

/* TLS-007, TLS-036 */
Test(tls_callback, it_may_be_freed_at_any_of_them, .timeout = 120)
{
	for (int call = 1; call < 80; call++)
		free_at(call, call % 2);
	for (int call = 80; call < 400; call += 7)
		free_at(call, call % 2);
}

/* --- A failure below -------------------------------------------------------------------------- */

static void fail_below(void *arg)
{
	struct tls_side *side = ((struct meddler *)arg)->side;

	if (side != &pair.client || --calls_left != 0)
		return;
	bufferevent_trigger_event(side->below, BEV_EVENT_ERROR | BEV_EVENT_WRITING, 0);
	cr_assert_eq(side->events, 0); /* the library is not entered again */
}

/* TLS-096, TLS-097, TLS-105 */
Test(tls_callback, a_failure_below_waits_for_the_call_to_end, .timeout = 120)
{
	begin(1, 0);
	meddlers[0].is_busy = meddlers[1].is_busy = 1;
	tls_pair_connect(&pair);
	tls_pair_settle(&pair);
	calls_left = 3;
	for (int i = 0; i < 2; i++)
		tls_library()->call_back(tls_library()->object_of(meddlers[i].side->bev),
					 fail_below, &meddlers[i]);
	put(&meddlers[1], 3000);
	support_run_until(pair.base, &pair.client.is_ended, TLS_TEST_WAIT_MS);
	tls_pair_settle(&pair);
	cr_assert_eq(pair.client.events, 1);
	cr_assert_eq(pair.client.last_event, BEV_EVENT_ERROR | BEV_EVENT_WRITING);
	tls_check_pattern(pair.client.bev, 3000);
	end();
}
