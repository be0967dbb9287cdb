/* SPDX-License-Identifier: BSD-3-Clause */
/* fetch [OPTION...] URL: get or send something by HTTP or HTTPS. See usage() for the options. */

#include "fetch.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
	"fetch [OPTION...] URL\n"
	"  -o, --output FILE          write there instead of to standard output\n"
	"  -L, --location             follow redirects (10 at most)\n"
	"      --max-redirs N         follow as many redirects at most\n"
	"  -X, --request METHOD       GET, POST, PUT, DELETE, HEAD, OPTIONS, PATCH ...\n"
	"  -H, --header 'Name: value' add a header field; may be repeated\n"
	"  -d, --data TEXT            send this, as a form would\n"
	"  -T, --upload-file FILE     send a file by PUT; '-' is standard input\n"
	"  -I, --head                 ask for the head only\n"
	"  -i, --include              write the head as well\n"
	"  -f, --fail                 a status of 400 and above is a failure (22)\n"
	"  -x, --proxy [http://|socks5://][USER:PASSWORD@]HOST:PORT\n"
	"      --unix-socket PATH     connect there instead of to the URL's host\n"
	"      --cacert FILE          trust these authorities instead of the system's\n"
	"  -m, --max-time SECONDS     in all\n"
	"      --connect-timeout SECONDS\n"
	"      --max-filesize BYTES\n"
	"  -4, -6                     IPv4 or IPv6 only\n"
	"  -#, --progress             show it even if standard error is no terminal\n"
	"  -s, --silent               no progress, and no messages\n"
	"  -v, --verbose              tell what happens\n";

enum { OPT_MAX_REDIRS = 256, OPT_UNIX_SOCKET, OPT_CACERT, OPT_CONNECT_TIMEOUT, OPT_MAX_FILESIZE };

static const struct option known[] = {
	{ "output", 1, NULL, 'o' },
	{ "location", 0, NULL, 'L' },
	{ "max-redirs", 1, NULL, OPT_MAX_REDIRS },
	{ "request", 1, NULL, 'X' },
	{ "header", 1, NULL, 'H' },
	{ "data", 1, NULL, 'd' },
	{ "upload-file", 1, NULL, 'T' },
	{ "head", 0, NULL, 'I' },
	{ "include", 0, NULL, 'i' },
	{ "fail", 0, NULL, 'f' },
	{ "proxy", 1, NULL, 'x' },
	{ "unix-socket", 1, NULL, OPT_UNIX_SOCKET },
	{ "cacert", 1, NULL, OPT_CACERT },
	{ "max-time", 1, NULL, 'm' },
	{ "connect-timeout", 1, NULL, OPT_CONNECT_TIMEOUT },
	{ "max-filesize", 1, NULL, OPT_MAX_FILESIZE },
	{ "progress", 0, NULL, '#' },
	{ "silent", 0, NULL, 's' },
	{ "verbose", 0, NULL, 'v' },
	{ "help", 0, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void misused(const char *why)
{
	fprintf(stderr, "fetch: %s\n%s", why, usage);
	exit(FETCH_BAD_USAGE);
}

static double number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= 0) || value > 1e15)
		misused("not a number");
	return value;
}

static void take_switch(struct options *options, int option)
{
	switch (option) {
	case 'L':
		options->redirects = 10;
		break;
	case 'I':
		options->is_head = 1;
		options->shows_head = 1;
		break;
	case 'i':
		options->shows_head = 1;
		break;
	case 'f':
		options->fails_on_error = 1;
		break;
	case '4':
		options->family = AF_INET;
		break;
	case '6':
		options->family = AF_INET6;
		break;
	case '#':
		options->shows_progress = 1;
		break;
	case 's':
		options->is_silent = 1;
		break;
	case 'v':
		options->is_verbose = 1;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(FETCH_OK);
	default:
		misused("unknown option");
	}
}

static void take(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'o':
		options->output = value;
		break;
	case OPT_MAX_REDIRS:
		options->redirects = (int)number(value);
		break;
	case 'X':
		options->method = value;
		break;
	case 'H':
		options->headers[options->n_headers++] = value;
		break;
	case 'd':
		options->data = value;
		break;
	case 'T':
		options->upload = value;
		break;
	case 'x':
		options->proxy = value;
		break;
	case OPT_UNIX_SOCKET:
		options->unix_socket = value;
		break;
	case OPT_CACERT:
		options->authorities = value;
		break;
	case 'm':
		options->limit_s = number(value);
		break;
	case OPT_CONNECT_TIMEOUT:
		options->connect_s = number(value);
		break;
	case OPT_MAX_FILESIZE:
		options->size_max = (long long)number(value);
		break;
	default:
		take_switch(options, option);
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	int option;

	opterr = 0; /* misused() speaks */
	memset(options, 0, sizeof(*options));
	options->family = AF_UNSPEC;
	options->size_max = -1;
	options->headers = calloc((size_t)argc, sizeof(*options->headers));
	if (options->headers == NULL)
		misused("no memory");
	while ((option = getopt_long(argc, argv, "o:LX:H:d:T:Iifx:m:46#svh", known, NULL)) != -1)
		take(options, option, optarg);
	if (optind != argc - 1)
		misused("one URL is needed");
	options->url = argv[optind];
	if (options->data != NULL && options->upload != NULL)
		misused("either --data or --upload-file");
	if (options->proxy != NULL && options->unix_socket != NULL)
		misused("either --proxy or --unix-socket");
	/* A progress line between the lines of the document helps nobody. */
	if (isatty(STDERR_FILENO) && (options->output != NULL || !isatty(STDOUT_FILENO)))
		options->shows_progress = 1;
	if (options->is_silent)
		options->shows_progress = 0;
}

int main(int argc, char **argv)
{
	struct options options;
	enum outcome outcome;

	signal(SIGPIPE, SIG_IGN);
	options_parse(&options, argc, argv);
	outcome = fetch(&options);
	free(options.headers);
	return outcome;
}
