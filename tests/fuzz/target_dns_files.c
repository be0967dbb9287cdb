/* SPDX-License-Identifier: BSD-3-Clause */
/* The files a resolver reads: the first byte chooses resolv.conf or hosts, the rest is the file. */

#include "fuzz.h"

#include <event2/dns.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evdns_base *dns = evdns_base_new(fuzz_base(), 0);

	FUZZ_REQUIRE(dns != NULL);
	if (size > 0 && data[0] % 2 != 0)
		evdns_base_load_hosts(dns, fuzz_file(data + 1, size - 1));
	else if (size > 0)
		evdns_base_resolv_conf_parse(
			dns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC,
			fuzz_file(data + 1, size - 1));
	FUZZ_REQUIRE(evdns_base_count_nameservers(dns) >= 0);
	evdns_base_free(dns, 0);
	fuzz_settle();
	return 0;
}
