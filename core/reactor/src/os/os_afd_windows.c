/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to \Device\Afd: see os_afd.h. */

#include "os_afd.h"

#include <errno.h>
#include <mswsock.h>
#include <stdint.h>
#include <winternl.h>

#define IOCTL_AFD_POLL 0x00012024u

/* Providers stacked on each other; more is a loop. */
#define LAYERS_MAX 8

/* Of a handle that is closed, and of one that is something else by now. */
#define IS_BAD_HANDLE(status) \
	((status) == (NTSTATUS)STATUS_INVALID_HANDLE || (status) == (NTSTATUS)0xc0000024)

/* Any name under the device opens a handle of its own; no socket is behind it. */
int evi_afd_open(HANDLE port, HANDLE *ret_device)
{
	static wchar_t path[] = L"\\Device\\Afd\\libevent";
	UNICODE_STRING name = { .Length = sizeof(path) - sizeof(path[0]),
				.MaximumLength = sizeof(path),
				.Buffer = path };
	OBJECT_ATTRIBUTES attributes = { .Length = sizeof(attributes), .ObjectName = &name };
	IO_STATUS_BLOCK status;
	HANDLE device;

	/* Neither for synchronous I/O (it is not waited for) nor inherited. */
	if (NtCreateFile(&device, SYNCHRONIZE, &attributes, &status, NULL, 0,
			 FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0) < 0)
		return -ENOSYS;
	if (CreateIoCompletionPort(device, port, 0, 0) == NULL ||
	    !SetFileCompletionNotificationModes(device, FILE_SKIP_SET_EVENT_ON_HANDLE)) {
		(void)CloseHandle(device);
		return -ENOSYS;
	}
	*ret_device = device;
	return 0;
}

static int ask(SOCKET s, DWORD what, SOCKET *ret_base)
{
	SOCKET base = INVALID_SOCKET;
	DWORD n;

	if (WSAIoctl(s, what, NULL, 0, &base, sizeof(base), &n, NULL, NULL) != 0 ||
	    base == INVALID_SOCKET)
		return WSAGetLastError();
	*ret_base = base;
	return 0;
}

/* Some layered providers refuse to name the base, but name the next socket below for polling. */
int evi_afd_base_socket(SOCKET s, SOCKET *ret_base)
{
	for (int layer = 0; layer < LAYERS_MAX; layer++) {
		SOCKET below;
		int err = ask(s, SIO_BASE_HANDLE, ret_base);

		if (err == 0)
			return 0;
		if (err == WSAENOTSOCK)
			return -EBADF;
		if (ask(s, SIO_BSP_HANDLE_POLL, &below) != 0 || below == s)
			break;
		s = below;
	}
	return -EINVAL;
}

int evi_afd_poll_start(HANDLE device, struct evi_afd_poll *poll, SOCKET base, unsigned events)
{
	/* An OVERLAPPED begins with what the kernel calls an IO_STATUS_BLOCK. */
	IO_STATUS_BLOCK *status = (IO_STATUS_BLOCK *)(void *)&poll->overlapped;
	NTSTATUS result;

	poll->request.deadline.QuadPart = INT64_MAX;
	poll->request.count = 1;
	poll->request.is_exclusive = FALSE;
	poll->request.of[0].socket = (HANDLE)base;
	poll->request.of[0].events = events;
	poll->request.of[0].status = 0;
	status->Status = STATUS_PENDING;
	result = NtDeviceIoControlFile(device, NULL, NULL, &poll->overlapped, status,
				       IOCTL_AFD_POLL, &poll->request, sizeof(poll->request),
				       &poll->request, sizeof(poll->request));
	if (result >= 0)
		return 0;
	return IS_BAD_HANDLE(result) ? -EBADF : -ENOMEM;
}

void evi_afd_poll_cancel(HANDLE device, struct evi_afd_poll *poll)
{
	(void)CancelIoEx(device, poll != NULL ? &poll->overlapped : NULL);
}

unsigned evi_afd_poll_result(const struct evi_afd_poll *poll)
{
	const IO_STATUS_BLOCK *status = (const IO_STATUS_BLOCK *)(const void *)&poll->overlapped;

	if (status->Status < 0 || poll->request.count == 0)
		return 0;
	return poll->request.of[0].events;
}
