/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reason phrases. The wording is part of the interface: it is that of RFC 2616 where programs and
 * their tests have come to expect it, and that of the IANA registry for what came later.
 */

#include "http/status.h"

#include <stddef.h>

struct status_class {
	const char *name;
	const char *const *phrases;
	size_t count;
};

static const char *const informational[] = {
	[0] = "Continue", [1] = "Switching Protocols", [2] = "Processing", [3] = "Early Hints",
};

static const char *const success[] = {
	[0] = "OK",
	[1] = "Created",
	[2] = "Accepted",
	[3] = "Non-Authoritative Information",
	[4] = "No Content",
	[5] = "Reset Content",
	[6] = "Partial Content",
	[7] = "Multi-Status",
	[8] = "Already Reported",
	[26] = "IM Used",
};

static const char *const redirection[] = {
	[0] = "Multiple Choices", [1] = "Moved Permanently",  [2] = "Found",
	[3] = "See Other",        [4] = "Not Modified",       [5] = "Use Proxy",
	[7] = "Temporary Redirect", [8] = "Permanent Redirect",
};

static const char *const client_error[] = {
	[0] = "Bad Request",
	[1] = "Unauthorized",
	[2] = "Payment Required",
	[3] = "Forbidden",
	[4] = "Not Found",
	[5] = "Method Not Allowed",
	[6] = "Not Acceptable",
	[7] = "Proxy Authentication Required",
	[8] = "Request Time-out",
	[9] = "Conflict",
	[10] = "Gone",
	[11] = "Length Required",
	[12] = "Precondition Failed",
	[13] = "Request Entity Too Large",
	[14] = "Request-URI Too Large",
	[15] = "Unsupported Media Type",
	[16] = "Requested range not satisfiable",
	[17] = "Expectation Failed",
	[21] = "Misdirected Request",
	[22] = "Unprocessable Content",
	[23] = "Locked",
	[24] = "Failed Dependency",
	[25] = "Too Early",
	[26] = "Upgrade Required",
	[28] = "Precondition Required",
	[29] = "Too Many Requests",
	[31] = "Request Header Fields Too Large",
	[51] = "Unavailable For Legal Reasons",
};

static const char *const server_error[] = {
	[0] = "Internal Server Error",
	[1] = "Not Implemented",
	[2] = "Bad Gateway",
	[3] = "Service Unavailable",
	[4] = "Gateway Time-out",
	[5] = "HTTP Version not supported",
	[6] = "Variant Also Negotiates",
	[7] = "Insufficient Storage",
	[8] = "Loop Detected",
	[11] = "Network Authentication Required",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct status_class classes[] = {
	[1] = { "Informational", informational, COUNT(informational) },
	[2] = { "Success", success, COUNT(success) },
	[3] = { "Redirection", redirection, COUNT(redirection) },
	[4] = { "Client Error", client_error, COUNT(client_error) },
	[5] = { "Server Error", server_error, COUNT(server_error) },
};

const char *evi_status_phrase(int code)
{
	const struct status_class *class;
	size_t entry;

	if (code < 100 || code > 599)
		return "Unknown Status Class";
	class = &classes[code / 100];
	entry = (size_t)(code % 100);
	if (entry >= class->count || class->phrases[entry] == NULL)
		return class->name;
	return class->phrases[entry];
}
