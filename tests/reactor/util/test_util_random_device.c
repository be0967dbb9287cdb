/* SPDX-License-Identifier: BSD-3-Clause */
/* Secure random numbers of a Linux without getrandom(2): from a device, or none. */

#include "support.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

TestSuite(util_random_device, .timeout = 60);

/* The kernel has no getrandom(2) from here on. Nonzero if that cannot be arranged. */
static int forbid_getrandom(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* UTIL-088, UTIL-090; U04 */
Test(util_random_device, without_the_system_call_the_device_is_asked)
{
	char device[] = "/dev/zero";
	unsigned char buf[40], zeros[40] = { 0 };

	if (forbid_getrandom() != 0)
		cr_skip_test("no seccomp");
	cr_expect_eq(evutil_secure_rng_init(), 0);
	evutil_secure_rng_get_bytes(buf, sizeof(buf));
	cr_expect_neq(memcmp(buf, zeros, sizeof(buf)), 0);
	cr_expect_eq(evutil_secure_rng_set_urandom_device_file(device), 0);
	evutil_secure_rng_get_bytes(buf, sizeof(buf));
	cr_expect_eq(memcmp(buf, zeros, sizeof(buf)), 0, "the device that was named is not used");
}

/* UTIL-088, UTIL-092; U04 */
Test(util_random_device, without_entropy_the_process_ends_rather_than_go_on, .exit_code = 1)
{
	char device[] = "/does/not/exist";
	unsigned char buf[4];

	if (forbid_getrandom() != 0)
		exit(1); /* nothing to see here */
	if (evutil_secure_rng_set_urandom_device_file(device) != 0 ||
	    evutil_secure_rng_init() != -1)
		exit(3);
	evutil_secure_rng_get_bytes(buf, sizeof(buf));
	exit(4);
}
