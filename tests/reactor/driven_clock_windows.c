/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A library calls the system through its import table, one address per function, which anybody in
 * the process may exchange. The layout of the table: "PE Format", Microsoft, section ".idata".
 */

#include "driven_clock.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>
#include <windows.h>

long long clock_monotonic_offset_ms, clock_wall_offset_ms;

/* From seconds since 1601 to seconds since 1970. */
#define EPOCH_S 11644473600LL

static BOOL WINAPI driven_counter(LARGE_INTEGER *ret_count)
{
	LARGE_INTEGER frequency;

	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(ret_count);
	ret_count->QuadPart += clock_monotonic_offset_ms * (frequency.QuadPart / 1000);
	return TRUE;
}

static void WINAPI driven_file_time(FILETIME *ret_time)
{
	ULARGE_INTEGER t;

	GetSystemTimeAsFileTime(ret_time);
	t.LowPart = ret_time->dwLowDateTime;
	t.HighPart = ret_time->dwHighDateTime;
	t.QuadPart += (uint64_t)(clock_wall_offset_ms * 10000);
	ret_time->dwLowDateTime = t.LowPart;
	ret_time->dwHighDateTime = t.HighPart;
}

static void put(ULONG_PTR *slot, ULONG_PTR function)
{
	DWORD before;

	cr_assert(VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before));
	*slot = function;
	cr_assert(VirtualProtect(slot, sizeof(*slot), before, &before));
}

/* Has `module` call `function` where it imports `name`; the number of places. */
static int exchange(char *module, const char *name, ULONG_PTR function)
{
	const IMAGE_DOS_HEADER *dos = (void *)module;
	const IMAGE_NT_HEADERS *nt = (void *)(module + dos->e_lfanew);
	DWORD at = nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress;
	const IMAGE_IMPORT_DESCRIPTOR *from = (void *)(module + at);
	int found = 0;

	for (; from->FirstThunk != 0; from++) {
		const IMAGE_THUNK_DATA *names = (void *)(module + from->OriginalFirstThunk);
		IMAGE_THUNK_DATA *slots = (void *)(module + from->FirstThunk);

		for (size_t i = 0; names[i].u1.AddressOfData != 0; i++) {
			const IMAGE_IMPORT_BY_NAME *entry;

			if (IMAGE_SNAP_BY_ORDINAL(names[i].u1.Ordinal))
				continue;
			entry = (void *)(module + names[i].u1.AddressOfData);
			if (strcmp((const char *)entry->Name, name) == 0) {
				put((ULONG_PTR *)&slots[i].u1.Function, function);
				found++;
			}
		}
	}
	return found;
}

void clock_take(void)
{
	HMODULE module = GetModuleHandleA("libevent_reactor-1.dll");

	if (module == NULL)
		cr_skip_test("the reactor is not a library of its own");
	cr_assert_eq(exchange((char *)module, "QueryPerformanceCounter",
			      (ULONG_PTR)driven_counter), 1);
	cr_assert_eq(exchange((char *)module, "GetSystemTimeAsFileTime",
			      (ULONG_PTR)driven_file_time), 1);
}

long long clock_wall_s(void)
{
	ULARGE_INTEGER t;
	FILETIME now;

	driven_file_time(&now);
	t.LowPart = now.dwLowDateTime;
	t.HighPart = now.dwHighDateTime;
	return (long long)(t.QuadPart / 10000000) - EPOCH_S;
}

long long clock_real_ms(void)
{
	LARGE_INTEGER frequency, now;

	QueryPerformanceFrequency(&frequency);
	QueryPerformanceCounter(&now);
	return now.QuadPart / (frequency.QuadPart / 1000);
}
