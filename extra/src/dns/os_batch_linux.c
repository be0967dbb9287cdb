/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sendmmsg() and recvmmsg(). A sandbox that does not know them may still allow the calls that they
 * stand for; and what it says of them is not about the datagram.
 */

#include "dns/os_batch.h"

#include <errno.h>

static int is_forbidden(int err)
{
	return err == ENOSYS || err == EPERM;
}

int evi_dns_batch_send(evutil_socket_t fd, const struct evi_dns_outgoing *list, int count,
		       const struct sockaddr *to, ev_socklen_t to_len)
{
	struct mmsghdr messages[EVI_DNS_BATCH];
	struct iovec parts[EVI_DNS_BATCH];
	int sent;

	if (count > EVI_DNS_BATCH)
		count = EVI_DNS_BATCH;
	for (int i = 0; i < count; i++) {
		parts[i] = (struct iovec){ (void *)(uintptr_t)list[i].data, list[i].len };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = (void *)(uintptr_t)to,
			.msg_namelen = to_len, .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	sent = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL);
	if (sent < 0 && is_forbidden(errno))
		return evi_dns_send_each(fd, list, count, to, to_len);
	return sent < 0 ? -errno : sent;
}

int evi_dns_batch_receive(evutil_socket_t fd, struct evi_dns_incoming *list, int count)
{
	struct mmsghdr messages[EVI_DNS_BATCH];
	struct iovec parts[EVI_DNS_BATCH];
	int received;

	if (count > EVI_DNS_BATCH)
		count = EVI_DNS_BATCH;
	for (int i = 0; i < count; i++) {
		parts[i] = (struct iovec){ list[i].data, list[i].room };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &list[i].from,
			.msg_namelen = sizeof(list[i].from), .msg_iov = &parts[i],
			.msg_iovlen = 1 };
	}
	received = recvmmsg(fd, messages, (unsigned)count, 0, NULL);
	if (received < 0 && is_forbidden(errno))
		return evi_dns_receive_each(fd, list, count);
	for (int i = 0; i < received; i++)
		list[i].len = messages[i].msg_len;
	return received < 0 ? -errno : received;
}
