/* SPDX-License-Identifier: BSD-3-Clause */
/* What is logged, where to, and the texts of errors. */

#include "fake.h"

#include <event2/dns_compat.h>

TestSuite(dns_log, .init = support_leak_init, .fini = support_leak_fini, .timeout = 60);

#define LINES_MAX 256

static struct {
	int is_warning;
	char text[600];
} lines[LINES_MAX];
static int line_count;

static void keep(int is_warning, const char *text)
{
	if (line_count == LINES_MAX)
		return;
	lines[line_count].is_warning = is_warning;
	snprintf(lines[line_count++].text, sizeof(lines[0].text), "%s", text);
}

/* The index of the first line at or after `from` that begins like that, or -1. */
static int line_with(const char *start, int from)
{
	for (int i = from; i < line_count; i++) {
		if (strncmp(lines[i].text, start, strlen(start)) == 0)
			return i;
	}
	return -1;
}

/* DNS-084..086, DNS-151 */
Test(dns_log, some_texts_are_interface)
{
	struct asked a;
	char address[64], expected[128];
	int failed, all, back;

	evdns_set_log_fn(keep);
	set_up(&a, answer_by_name);
	set_option(a.dns, "timeout", "0.01");
	set_option(a.dns, "initial-probe-timeout", "0.02");
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(a.fake.addr.sin_port));
	evdns_base_search_add(a.dns, "d");
	ask_for(&a, "silent", 0);
	cr_assert_geq(line_with("Resolve requested for silent", 0), 0);
	cr_assert_geq(line_with("Search: ", 0), 0);
	snprintf(expected, sizeof(expected), "Nameserver %s has failed: ", address);
	failed = line_with(expected, 0);
	cr_assert_geq(failed, 0);
	cr_assert_eq(lines[failed].is_warning, 0);
	all = line_with("All nameservers have failed", failed);
	cr_assert_gt(all, failed);
	cr_assert_str_eq(lines[all].text, "All nameservers have failed");
	cr_assert_eq(lines[all].is_warning, 0);
	snprintf(expected, sizeof(expected), "Nameserver %s is back up", address);
	set_option(a.dns, "timeout", NEVER);
	while (line_with(expected, all) < 0)
		event_base_loop(a.base, EVLOOP_ONCE);
	back = line_with(expected, all);
	cr_assert_gt(back, all);
	cr_assert_eq(lines[back].is_warning, 0);
	for (int i = 0; i < line_count; i++)
		cr_assert_null(strchr(lines[i].text, '\n'));
	tear_down(&a);
	evdns_set_log_fn(NULL);
}

/* DNS-084, DNS-273 */
Test(dns_log, without_a_function_the_librarys_log_is_used)
{
	struct event_base *base = support_base_new();

	support_capture_log();
	evdns_set_log_fn(keep);
	line_count = 0;
	evdns_base_free(evdns_base_new(base, 0x4000), 0);
	cr_assert_gt(line_count, 0);
	cr_assert_eq(lines[0].is_warning, 1);
	cr_assert_eq(support_messages(EVENT_LOG_WARN), 0);
	evdns_shutdown(0);
	line_count = 0;
	evdns_base_free(evdns_base_new(base, 0x4000), 0);
	cr_assert_eq(line_count, 0);
	cr_assert_eq(support_messages(EVENT_LOG_WARN), 1);
	event_base_free(base);
}

/* U07: with the library's log and with a function of the program. */
Test(dns_log, what_others_wrote_is_data_and_never_a_format)
{
	static const char text[] = "nameserver %n%s%n%s%1000000d\n";
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	struct text_file file = file_with(text, strlen(text));

	support_capture_log();
	(void)evdns_base_resolv_conf_parse(dns, DNS_OPTION_NAMESERVERS, file.name);
	cr_assert_not_null(strstr(support_last_message(), "\"%n%s%n%s%1000000d\""));
	evdns_set_log_fn(keep);
	line_count = 0;
	(void)evdns_base_resolv_conf_parse(dns, DNS_OPTION_NAMESERVERS, file.name);
	cr_assert_gt(line_count, 0);
	cr_assert_not_null(strstr(lines[0].text, "\"%n%s%n%s%1000000d\""));
	evdns_set_log_fn(NULL);
	file_done(&file);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

/* DNS-085 */
Test(dns_log, texts_are_cut_at_511_bytes)
{
	struct event_base *base = support_base_new();
	struct evdns_base *dns = evdns_base_new(base, 0);
	char text[1200];
	struct text_file file;

	memset(text, 'x', sizeof(text));
	memcpy(text, "nameserver ", 11);
	file = file_with(text, sizeof(text));
	evdns_set_log_fn(keep);
	line_count = 0;
	cr_assert_eq(evdns_base_resolv_conf_parse(dns, DNS_OPTION_NAMESERVERS, file.name), 6);
	cr_assert_eq(strlen(lines[0].text), 511);
	evdns_set_log_fn(NULL);
	file_done(&file);
	evdns_base_free(dns, 0);
	event_base_free(base);
}

static ev_uint16_t fixed_id(void)
{
	return 4;
}

static void fixed_bytes(char *out, size_t n)
{
	memset(out, 0, n);
}

/* DNS-087, DNS-283 */
Test(dns_log, programs_cannot_weaken_randomness)
{
	struct asked a;
	int distinct = 0;

	evdns_set_transaction_id_fn(fixed_id);
	evdns_set_random_bytes_fn(fixed_bytes);
	set_up(&a, answer_by_name);
	for (int i = 0; i < 10; i++) {
		ask_for(&a, "host", 0);
		distinct += a.fake.seen[i].id != 4;
	}
	cr_assert_geq(distinct, 9);
	evdns_set_transaction_id_fn(NULL);
	evdns_set_random_bytes_fn(NULL);
	tear_down(&a);
}

/* DNS-088 */
Test(dns_log, every_error_has_a_text_of_its_own)
{
	static const int codes[] = {
		DNS_ERR_NONE, DNS_ERR_FORMAT, DNS_ERR_SERVERFAILED, DNS_ERR_NOTEXIST,
		DNS_ERR_NOTIMPL, DNS_ERR_REFUSED, DNS_ERR_TRUNCATED, DNS_ERR_UNKNOWN,
		DNS_ERR_TIMEOUT, DNS_ERR_SHUTDOWN, DNS_ERR_CANCEL, DNS_ERR_NODATA, 9999,
	};
	size_t n = sizeof(codes) / sizeof(codes[0]);

	for (size_t i = 0; i < n; i++) {
		cr_assert_not_null(evdns_err_to_string(codes[i]));
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(evdns_err_to_string(codes[i]),
					  evdns_err_to_string(codes[k]));
	}
	cr_assert_str_eq(evdns_err_to_string(-1), evdns_err_to_string(9999));
}
