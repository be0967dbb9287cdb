/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to the DNS server: reading them, what the program adds, and answering. */

#include "dns/service.h"

#include <string.h>

#define UDP_SIZE_MIN 512

static struct evi_dns_service_request *request_of(struct evdns_server_request *pub)
{
	return (struct evi_dns_service_request *)(void *)pub;
}

static void free_request(struct evi_dns_service_request *r)
{
	for (int i = 0; i < r->pub.nquestions; i++)
		evi_free(r->pub.questions[i]);
	evi_free(r->pub.questions);
	for (int i = 0; i < 3; i++) {
		struct evi_dns_item *item, *next;

		for (item = r->sections[i].first; item != NULL; item = next) {
			next = item->next;
			evi_free(item);
		}
	}
	evi_free(r);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/*
 * 0, -1, or the rcode of the answer: a name that text cannot tell is refused rather than misread.
 */
static int read_question(struct evi_dns_reader *reader, struct evdns_server_question **ret_question)
{
	char name[EVI_DNS_NAME_SIZE];
	struct evdns_server_question *q;
	int is_odd, type, class;

	evi_dns_read_name(reader, name, &is_odd);
	type = evi_dns_read_u16(reader);
	class = evi_dns_read_u16(reader);
	if (reader->has_failed)
		return -1;
	if (is_odd)
		return DNS_ERR_FORMAT;
	q = evi_malloc(sizeof(*q) + strlen(name));
	if (q == NULL)
		return -1;
	q->type = type;
	q->dns_question_class = class;
	memcpy(q->name, name, strlen(name) + 1);
	*ret_question = q;
	return 0;
}

/* As read_question(). */
static int read_questions(struct evi_dns_service_request *r, struct evi_dns_reader *reader,
			  unsigned count)
{
	int result = 0;

	/* Each takes five bytes at least, so a count that lies costs nothing. */
	if (count > (reader->len - reader->at) / 5)
		return -1;
	r->pub.questions = evi_calloc(count, sizeof(struct evdns_server_question *));
	if (r->pub.questions == NULL)
		return -1;
	for (unsigned i = 0; i < count && result == 0; i++) {
		result = read_question(reader, &r->pub.questions[i]);
		r->pub.nquestions += result == 0;
	}
	return result;
}

/*
 * The other sections must be sound; the first OPT record in the last one counts. 0, -1 or BADVERS.
 */
static int read_rest(struct evi_dns_service_request *r, struct evi_dns_reader *reader,
		     const struct evi_dns_header *header)
{
	struct evi_dns_record record;
	int result = 0;

	for (int section = 1; section < 4; section++) {
		for (unsigned i = 0; i < header->counts[section]; i++) {
			evi_dns_read_record(reader, &record);
			if (reader->has_failed)
				return -1;
			if (section != 3 || record.type != EVI_DNS_TYPE_OPT || r->has_opt)
				continue;
			r->has_opt = 1;
			if (record.class > UDP_SIZE_MIN)
				r->udp_size = record.class;
			if ((record.ttl >> 16 & 0xff) != 0)
				result = 16; /* BADVERS: RFC 6891 section 6.1.3 */
		}
	}
	return result;
}

static struct evi_dns_service_request *make(struct evdns_server_port *port,
					    struct evi_dns_client *client,
					    const struct evi_dns_path *path,
					    const struct evi_dns_header *header)
{
	struct evi_dns_service_request *r = evi_calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->port = port;
	r->client = client;
	r->id = header->id;
	r->opcode = header->flags & EVI_DNS_OPCODE;
	r->udp_size = UDP_SIZE_MIN;
	r->pub.flags = header->flags & (EVI_DNS_RD | EVI_DNS_CD);
	r->path = *path;
	for (int i = 0; i < 3; i++)
		r->sections[i].last = &r->sections[i].first;
	return r;
}

static int respond(struct evi_dns_service_request *r, unsigned rcode);

/* An answer without the program: the header is sound, the rest is not, or not for it. */
static void refuse(struct evi_dns_service_request *r, unsigned rcode)
{
	if (respond(r, rcode) < 0)
		free_request(r);
}

/* Reads the message; the request, or NULL if it was dropped or answered right here. */
static struct evi_dns_service_request *parse(struct evdns_server_port *port,
					     struct evi_dns_client *client,
					     const struct evi_dns_path *path, const uint8_t *data,
					     size_t len)
{
	struct evi_dns_reader reader;
	struct evi_dns_header header;
	struct evi_dns_service_request *r;
	int result;

	evi_dns_reader_init(&reader, data, len);
	evi_dns_read_header(&reader, &header);
	if (reader.has_failed || (header.flags & EVI_DNS_QR) || header.counts[0] == 0)
		return NULL;
	r = make(port, client, path, &header);
	if (r == NULL)
		return NULL;
	if (r->opcode != 0) {
		refuse(r, DNS_ERR_NOTIMPL);
		return NULL;
	}
	result = read_questions(r, &reader, header.counts[0]);
	if (result == 0)
		result = read_rest(r, &reader, &header);
	if (result == 0)
		return r;
	if (result > 0)
		refuse(r, (unsigned)result);
	else
		free_request(r);
	return NULL;
}

void evi_dns_service_take(struct evdns_server_port *port, struct evi_dns_client *client,
			  const struct evi_dns_path *path, const uint8_t *data, size_t len)
{
	struct evi_dns_service_request *r;

	if (port->fn == NULL)
		return;
	r = parse(port, client, path, data, len);
	if (r == NULL)
		return;
	port->refs++;
	if (client != NULL) {
		client->refs++;
		client->pending++;
	}
	evi_unlock(port->lock);
	port->fn(&r->pub, port->arg);
	evi_lock(port->lock);
}

/* --- Composing -------------------------------------------------------------------------------- */

static int add_item(struct evi_dns_service_request *r, int section, const char *name,
		    const char *data, size_t len, const struct evi_dns_item *kind)
{
	struct evi_dns_item *item;
	size_t name_size = strlen(name) + 1;

	if (!evi_dns_name_is_valid(name, EVI_DNS_NAME_SIZE - 2))
		return -1;
	item = evi_malloc(sizeof(*item) + name_size + len + 1);
	if (item == NULL)
		return -1;
	*item = *kind;
	item->next = NULL;
	item->len = len;
	item->data = item->name + name_size;
	memcpy(item->name, name, name_size);
	if (len > 0)
		memcpy(item->data, data, len);
	item->data[len] = '\0';
	*r->sections[section].last = item;
	r->sections[section].last = &item->next;
	return 0;
}

int evdns_server_request_add_reply(struct evdns_server_request *req, int section, const char *name,
				   int type, int dns_class, int ttl, int datalen, int is_name,
				   const char *data)
{
	struct evi_dns_item kind = { .type = (uint16_t)type, .class = (uint16_t)dns_class,
		.ttl = (uint32_t)ttl, .is_name = is_name != 0 };
	size_t len = (size_t)datalen;

	if (section < 0 || section > 2 || name == NULL)
		return -1;
	if (is_name) {
		if (data == NULL || !evi_dns_name_is_valid(data, EVI_DNS_NAME_SIZE - 2))
			return -1;
		len = strlen(data);
	} else if (data == NULL) {
		len = 0;
	} else if (datalen < 0 || datalen > EVI_DNS_MESSAGE_MAX) {
		return -1;
	}
	return add_item(request_of(req), section, name, data, len, &kind);
}

static int add_addresses(struct evdns_server_request *req, const char *name, int n,
			 const void *addrs, int ttl, int type, uint16_t unit)
{
	struct evi_dns_item kind = {
		.type = (uint16_t)type, .class = EVI_DNS_CLASS_IN, .ttl = (uint32_t)ttl,
		.unit = unit,
	};

	if (n <= 0 || n > EVI_DNS_MESSAGE_MAX / unit || name == NULL || addrs == NULL)
		return -1;
	return add_item(request_of(req), EVDNS_ANSWER_SECTION, name, addrs, (size_t)n * unit,
			&kind);
}

int evdns_server_request_add_a_reply(struct evdns_server_request *req, const char *name, int n,
				     const void *addrs, int ttl)
{
	return add_addresses(req, name, n, addrs, ttl, EVI_DNS_TYPE_A, 4);
}

int evdns_server_request_add_aaaa_reply(struct evdns_server_request *req, const char *name, int n,
					const void *addrs, int ttl)
{
	return add_addresses(req, name, n, addrs, ttl, EVI_DNS_TYPE_AAAA, 16);
}

int evdns_server_request_add_ptr_reply(struct evdns_server_request *req, struct in_addr *in,
				       const char *inaddr_name, const char *hostname, int ttl)
{
	char name[32];

	if ((in != NULL) == (inaddr_name != NULL))
		return -1;
	if (in != NULL) {
		uint32_t a = ntohl(in->s_addr);

		(void)evutil_snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", a & 0xff,
				      a >> 8 & 0xff, a >> 16 & 0xff, a >> 24);
		inaddr_name = name;
	}
	return evdns_server_request_add_reply(req, EVDNS_ANSWER_SECTION, inaddr_name,
					      EVI_DNS_TYPE_PTR, EVI_DNS_CLASS_IN, ttl, -1, 1,
					      hostname);
}

int evdns_server_request_add_cname_reply(struct evdns_server_request *req, const char *name,
					 const char *cname, int ttl)
{
	return evdns_server_request_add_reply(req, EVDNS_ANSWER_SECTION, name, EVI_DNS_TYPE_CNAME,
					      EVI_DNS_CLASS_IN, ttl, -1, 1, cname);
}

void evdns_server_request_set_flags(struct evdns_server_request *req, int flags)
{
	req->flags &= ~(EVDNS_FLAGS_AA | EVDNS_FLAGS_RD);
	req->flags |= flags;
}

int evdns_server_request_get_requesting_addr(struct evdns_server_request *req, struct sockaddr *sa,
					     int addr_len)
{
	struct evi_dns_service_request *r = request_of(req);

	if (addr_len < (int)r->path.peer_len)
		return -1;
	memcpy(sa, &r->path.peer, r->path.peer_len);
	return (int)r->path.peer_len;
}

/* --- Answering -------------------------------------------------------------------------------- */

static int respond(struct evi_dns_service_request *r, unsigned rcode)
{
	size_t room = r->client != NULL ? EVI_DNS_MESSAGE_MAX : r->udp_size;
	uint8_t *data = evi_malloc(room);
	size_t len;

	if (data == NULL)
		return -1;
	len = evi_dns_compose(r, rcode, data, room);
	if (len > 0)
		evi_dns_port_send(r, data, len);
	evi_free(data);
	if (len == 0)
		return -1;
	free_request(r);
	return 0;
}

/* The program is done with it. */
static void finish(struct evdns_server_port *port, struct evi_dns_client *client)
{
	if (client != NULL) {
		evi_dns_client_request_ended(client);
		evi_dns_client_unref(client);
	}
	port->refs--;
}

int evdns_server_request_respond(struct evdns_server_request *req, int err)
{
	struct evi_dns_service_request *r = request_of(req);
	struct evdns_server_port *port = r->port;
	struct evi_dns_client *client = r->client;
	int result;

	if (err < 0 || err > 15)
		return -1;
	evi_dns_port_lock(port);
	result = respond(r, (unsigned)err);
	if (result == 0)
		finish(port, client);
	evi_dns_port_unlock(port);
	return result;
}

int evdns_server_request_drop(struct evdns_server_request *req)
{
	struct evi_dns_service_request *r = request_of(req);
	struct evdns_server_port *port = r->port;
	struct evi_dns_client *client = r->client;

	evi_dns_port_lock(port);
	free_request(r);
	finish(port, client);
	evi_dns_port_unlock(port);
	return 0;
}
