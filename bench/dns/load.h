/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOAD_H_INCLUDED
#define LOAD_H_INCLUDED

/* A nameserver on bare system calls, in a process of its own, and how results are reported. */

#include "../bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_BATCH 64
#define PACKET_MAX   512

static const uint8_t a_record[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 10, 0, 0, 1 };
static const uint8_t aaaa_record[] = {
	0xc0, 0x0c, 0, 28, 0, 1, 0, 0, 1, 0x2c, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 1,
};

/* One question, one record; the new length. */
static inline size_t make_reply(uint8_t *packet, size_t len)
{
	int is_v6 = packet[len - 3] == 28;

	packet[2] |= 0x80;
	packet[3] |= 0x80;
	packet[7] = 1;
	memcpy(packet + len, is_v6 ? aaaa_record : a_record,
	       is_v6 ? sizeof(aaaa_record) : sizeof(a_record));
	return len + (is_v6 ? sizeof(aaaa_record) : sizeof(a_record));
}

static inline void serve(int fd)
{
	static uint8_t packets[SERVER_BATCH][PACKET_MAX];
	static struct sockaddr_in from[SERVER_BATCH];
	struct mmsghdr messages[SERVER_BATCH];
	struct iovec parts[SERVER_BATCH];

	for (;;) {
		int n;

		for (int i = 0; i < SERVER_BATCH; i++) {
			parts[i] = (struct iovec){ packets[i], PACKET_MAX };
			messages[i].msg_hdr = (struct msghdr) { .msg_name = &from[i],
								.msg_namelen = sizeof(from[i]),
								.msg_iov = &parts[i],
								.msg_iovlen = 1 };
		}
		n = recvmmsg(fd, messages, SERVER_BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			parts[i].iov_len = make_reply(packets[i], messages[i].msg_len);
		if (n > 0 && sendmmsg(fd, messages, (unsigned)n, 0) < 0)
			_exit(1);
	}
}

/* With `is_silent`, what comes is left lying. */
static inline pid_t start_server(struct sockaddr_in *ret_name, int is_silent)
{
	socklen_t len = sizeof(*ret_name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
	pid_t child;

	*ret_name = (struct sockaddr_in) { .sin_family = AF_INET,
					   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)ret_name, len) != 0)
		bench_die("bind");
	getsockname(fd, (struct sockaddr *)ret_name, &len);
	child = fork();
	if (child == 0 && !is_silent)
		serve(fd);
	while (child == 0)
		pause();
	close(fd);
	return child;
}

static inline void stop_server(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* A name of its own for each lookup: those for the same name might share a query. */
static inline const char *name_of(long i)
{
	static char name[64];

	snprintf(name, sizeof(name), "host-%ld.example.com", i);
	return name;
}

/* --- Reporting -------------------------------------------------------------------------------- */

static inline int counts_cpu(const struct bench_case *which)
{
	return strstr(which->name, "cpu") != NULL;
}

static inline uint64_t start_clock(const struct bench_case *which)
{
	return counts_cpu(which) ? bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) : bench_now_ns();
}

static inline void report(const struct bench_case *which, uint64_t start, long n)
{
	if (counts_cpu(which))
		bench_report_ns(bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start, (double)n);
	else
		bench_report_rate(bench_now_ns() - start, (double)n);
}

/* --- The cases, by whichever library ---------------------------------------------------------- */

typedef void dns_case_fn(long n, const struct bench_case *which);

static inline int dns_main(int argc, char **argv, dns_case_fn *run, dns_case_fn *run_memory)
{
	const struct bench_case cases[] = { { "a/1", run, 1, 0, 20000 },
					    { "a/1/cpu", run, 1, 0, 20000 },
					    { "a/100", run, 100, 0, 200000 },
					    { "a/100/cpu", run, 100, 0, 200000 },
					    { "getaddrinfo/50", run, 50, 1, 50000 },
					    { "getaddrinfo/50/cpu", run, 50, 1, 50000 },
					    { "memory/10000", run_memory, 10000, 0, 1 },
					    { NULL, NULL, 0, 0, 0 } };

	return bench_main(argc, argv, cases);
}

#endif
