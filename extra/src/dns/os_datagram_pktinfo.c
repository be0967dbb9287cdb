/* SPDX-License-Identifier: BSD-3-Clause */
/* Local addresses of datagrams by IP_PKTINFO, ip(7), and IPV6_PKTINFO, RFC 3542 section 6. */

#include "dns/os_datagram.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(sizeof(struct in_pktinfo) <= sizeof(((struct evi_dns_path *)0)->local),
	       "room for IPv4");
_Static_assert(sizeof(struct in6_pktinfo) <= sizeof(((struct evi_dns_path *)0)->local),
	       "room for IPv6");

/* Room for either message, aligned as one must be. */
union control {
	struct cmsghdr head;
	unsigned char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
			    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

void evi_dns_datagram_prepare(evutil_socket_t fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

/* The interface is the routing table's choice, but for addresses that mean nothing without one. */
static void note_local(const struct cmsghdr *head, struct evi_dns_path *path)
{
	if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(head), sizeof(info));
		info.ipi_ifindex = 0;
		path->local_family = AF_INET;
		memcpy(path->local, &info, sizeof(info));
	} else if (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(head), sizeof(info));
		if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
			return;
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		path->local_family = AF_INET6;
		memcpy(path->local, &info, sizeof(info));
	}
}

ev_ssize_t evi_dns_datagram_receive(evutil_socket_t fd, void *data, size_t room,
				    struct evi_dns_path *path)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = room };
	struct msghdr message = {
		.msg_name = &path->peer, .msg_namelen = sizeof(path->peer), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};
	ev_ssize_t len = recvmsg(fd, &message, 0);
	struct cmsghdr *head;

	path->local_family = AF_UNSPEC;
	path->peer_len = message.msg_namelen;
	if (len < 0)
		return len;
	for (head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head))
		note_local(head, path);
	return len;
}

static void put_local(struct msghdr *message, union control *control, int level, int type,
		      size_t len, const struct evi_dns_path *path)
{
	memset(control, 0, sizeof(*control));
	control->head.cmsg_level = level;
	control->head.cmsg_type = type;
	control->head.cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(&control->head), path->local, len);
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(len);
}

/* An address that cannot be sent from, such as one that is gone, is no reason not to answer. */
ev_ssize_t evi_dns_datagram_send(evutil_socket_t fd, const void *data, size_t len,
				 const struct evi_dns_path *path)
{
	union control control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)&path->peer, .msg_namelen = path->peer_len,
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ev_ssize_t sent;

	if (path->local_family == AF_INET)
		put_local(&message, &control, IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo),
			  path);
	else if (path->local_family == AF_INET6)
		put_local(&message, &control, IPPROTO_IPV6, IPV6_PKTINFO,
			  sizeof(struct in6_pktinfo), path);
	sent = sendmsg(fd, &message, 0);
	if (sent >= 0 || message.msg_control == NULL)
		return sent;
	return sendto(fd, data, len, 0, (const struct sockaddr *)&path->peer, path->peer_len);
}
