/* SPDX-License-Identifier: BSD-3-Clause */
/* What code of older generators expects: log functions that it declares itself. */

#include "tag_test.h"

extern void event_warn(const char *fmt, ...) EVI_PRINTF(1, 2);
extern void event_warnx(const char *fmt, ...) EVI_PRINTF(1, 2);

TestSuite(rpc_extern, .timeout = 60);

/* RPC-027 */
Test(rpc_extern, generated_code_of_old_finds_its_log_functions)
{
	support_capture_log();
	event_warnx("%s: failed to unmarshal %s", "msg_unmarshal", "from_name");
	cr_expect_str_eq(support_last_message(), "msg_unmarshal: failed to unmarshal from_name");
	errno = ENOENT;
	event_warn("%s", "msg_new");
	cr_expect_eq(support_messages(EVENT_LOG_WARN), 2);
	cr_expect_eq(strncmp(support_last_message(), "msg_new: ", 9), 0);
}
