/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of the resolver and the server, and the texts of result codes. */

#include "dns/base.h"

#include <stdarg.h>

#define TEXT_SIZE 512

static evdns_debug_log_fn_type log_fn;

void evdns_set_log_fn(evdns_debug_log_fn_type fn)
{
	log_fn = fn;
}

void evi_dns_log(int is_warning, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	if (log_fn == NULL && !is_warning && !evi_log_debug_enabled())
		return;
	va_start(args, format);
	(void)evutil_vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (log_fn != NULL)
		log_fn(is_warning, text);
	else if (is_warning)
		event_warnx("[evdns] %s", text);
	else
		evi_log_debug("[evdns] %s", text);
}

const char *evdns_err_to_string(int err)
{
	switch (err) {
	case DNS_ERR_NONE:
		return "no error";
	case DNS_ERR_FORMAT:
		return "the server could not read the query";
	case DNS_ERR_SERVERFAILED:
		return "the server failed";
	case DNS_ERR_NOTEXIST:
		return "the name does not exist";
	case DNS_ERR_NOTIMPL:
		return "the server does not know this kind of query";
	case DNS_ERR_REFUSED:
		return "the server refused the query";
	case DNS_ERR_TRUNCATED:
		return "the reply was truncated";
	case DNS_ERR_UNKNOWN:
		return "the reply could not be understood";
	case DNS_ERR_TIMEOUT:
		return "no server replied in time";
	case DNS_ERR_SHUTDOWN:
		return "the resolver was shut down";
	case DNS_ERR_CANCEL:
		return "the request was cancelled";
	case DNS_ERR_NODATA:
		return "the name has no records of this type";
	default:
		return "unknown error code";
	}
}

/* Ids and case come from the secure generator; nothing that a program sets could be better. */
void evdns_set_transaction_id_fn(ev_uint16_t (*fn)(void))
{
	(void)fn;
}

void evdns_set_random_bytes_fn(void (*fn)(char *, size_t))
{
	(void)fn;
}
