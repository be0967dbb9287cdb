/* SPDX-License-Identifier: BSD-3-Clause */
/* The line that shows how far a transfer has come. */

#include "fetch.h"

#include <string.h>
#include <time.h>

static const struct timeval interval = { 0, 500 * 1000 };

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Three or four digits and a unit. */
static const char *amount(double bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (bytes >= 1000 && unit < 4) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
	return text;
}

static void show(const struct progress *progress)
{
	double took_s = now_s() - progress->began_s;
	double moved = progress->sent + progress->received;
	char received[24], sent[24], rate[24], part[16] = "";

	if (progress->size > 0)
		snprintf(part, sizeof(part), " (%.0f %%)",
			 100 * progress->received / progress->size);
	fprintf(stderr, "\r%s received%s, %s sent, %s/s, %.1f s   ",
		amount(progress->received, received, sizeof(received)), part,
		amount(progress->sent, sent, sizeof(sent)),
		amount(took_s > 0 ? moved / took_s : 0, rate, sizeof(rate)), took_s);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	show(arg);
}

void progress_start(struct progress *progress, struct event_base *base)
{
	memset(progress, 0, sizeof(*progress));
	progress->began_s = now_s();
	progress->size = -1;
	progress->timer = event_new(base, -1, EV_PERSIST, on_tick, progress);
	if (progress->timer != NULL)
		event_add(progress->timer, &interval);
}

void progress_stop(struct progress *progress)
{
	if (progress->timer == NULL)
		return;
	event_free(progress->timer);
	progress->timer = NULL;
	show(progress);
	fputc('\n', stderr);
}
