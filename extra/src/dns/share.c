/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One question, one query: whoever asks what is being asked already waits for the same answer.
 * Several queries for one question in flight would give a forger as many ids and ports to hit (RFC
 * 5452 section 5).
 *
 * The first is the leader, which is known by its question; the others follow it, and know nothing
 * of sendings. If it is cancelled another takes its place, and asks anew.
 */

#include "dns/base.h"

#include <string.h>

static struct evi_dns_query **bucket_of(struct evdns_base *base, const struct evi_dns_query *q)
{
	uint32_t hash = evi_dns_name_hash(q->name, strlen(q->name), base->hash_secret);

	return &base->questions[(hash ^ q->type) % EVI_DNS_QUESTION_BUCKETS];
}

static void enter(struct evi_dns_query *q, struct evi_dns_query **bucket)
{
	q->same_next = *bucket;
	if (q->same_next != NULL)
		q->same_next->same_prev = &q->same_next;
	q->same_prev = bucket;
	*bucket = q;
}

static void leave(struct evi_dns_query *q)
{
	if (q->same_next != NULL)
		q->same_next->same_prev = q->same_prev;
	*q->same_prev = q->same_next;
	q->same_prev = NULL;
}

/*
 * Letters count, since they may be sent as they are; and an answer by TCP is good enough for
 * everybody.
 */
static int is_same(struct evi_dns_query *leader, struct evi_dns_query *q)
{
	int flags = evi_dns_request_of(leader)->flags ^ evi_dns_request_of(q)->flags;

	return leader->type == q->type && !(flags & (DNS_QUERY_USEVC | DNS_QUERY_IGNTC)) &&
	       leader->by_tcp >= q->by_tcp && strcmp(leader->name, q->name) == 0;
}

int evi_dns_share_join(struct evi_dns_query *q)
{
	struct evi_dns_query **bucket, *leader;

	if (q->only != NULL)
		return 0;
	bucket = bucket_of(q->base, q);
	leader = *bucket;
	while (leader != NULL && !is_same(leader, q))
		leader = leader->same_next;
	if (leader == NULL) {
		enter(q, bucket);
		return 0;
	}
	q->state = EVI_DNS_FOLLOWING;
	evi_dns_query_link(&leader->followers, q);
	return 1;
}

struct evi_dns_query *evi_dns_share_end(struct evi_dns_query *q)
{
	struct evi_dns_query *heir = q->followers;

	q->followers = NULL;
	if (q->same_prev != NULL)
		leave(q);
	if (heir == NULL)
		return NULL;
	heir->followers = heir->next;
	if (heir->followers != NULL)
		heir->followers->prev = &heir->followers;
	heir->next = NULL;
	heir->prev = NULL;
	heir->state = EVI_DNS_IDLE;
	enter(heir, bucket_of(heir->base, heir));
	return heir;
}

/* The latest to join stands first. */
struct evi_dns_query *evi_dns_share_take(struct evi_dns_query *q,
					 const struct evi_dns_answer *answer)
{
	struct evi_dns_query *list = NULL, *follower;

	while ((follower = q->followers) != NULL) {
		evi_dns_query_unlink(follower);
		follower->state = EVI_DNS_IDLE;
		evi_dns_answer_copy(&follower->answer, answer, q->type);
		follower->next = list;
		list = follower;
	}
	return list;
}

void evi_dns_share_tell(struct evi_dns_query *list)
{
	struct evi_dns_query *next;

	for (; list != NULL; list = next) {
		struct evi_dns_answer answer = list->answer;

		next = list->next;
		list->next = NULL;
		evi_dns_request_answered(evi_dns_request_of(list), &answer);
	}
}
