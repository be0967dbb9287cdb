/* SPDX-License-Identifier: BSD-3-Clause */
/* A test is the same program, started again to run that test only, in a job of its own. */

#include "process.h"

#include <windows.h>

static HANDLE shared;

static void map_report(void)
{
	harness_report = MapViewOfFile(shared, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(*harness_report));
	if (harness_report == NULL) {
		fprintf(stderr, "no memory to share: %lu\n", GetLastError());
		exit(2);
	}
}

void harness_process_init(void)
{
	SECURITY_ATTRIBUTES inherited = { sizeof(inherited), NULL, TRUE };

	shared = CreateFileMappingA(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0,
				    sizeof(*harness_report), NULL);
	map_report();
}

const char *harness_process_child(int argc, char **argv)
{
	if (argc != 4)
		return NULL;
	/* No window and no debugger when it crashes. */
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
	shared = (HANDLE)(uintptr_t)strtoull(argv[3], NULL, 10);
	map_report();
	CloseHandle(shared);
	return argv[2];
}

/* On a busy machine wine 8 now and then answers with an error of its own instead of starting. */
#define STARTS_MAX 5

static BOOL create_suspended(const char *program, char *command, PROCESS_INFORMATION *ret_info)
{
	STARTUPINFOA startup = { .cb = sizeof(startup) };

	for (int i = 1;; i++) {
		if (CreateProcessA(program, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
				   &startup, ret_info))
			return TRUE;
		if (GetLastError() != ERROR_INTERNAL_ERROR || i == STARTS_MAX)
			return FALSE;
	}
}

static HANDLE start_child(const struct harness_test *test, HANDLE job,
			  PROCESS_INFORMATION *ret_info)
{
	char program[MAX_PATH], command[MAX_PATH + 600];

	GetModuleFileNameA(NULL, program, sizeof(program));
	snprintf(command, sizeof(command), "\"%s\" --child %s/%s %llu", program, test->suite,
		 test->name, (unsigned long long)(uintptr_t)shared);
	if (!create_suspended(program, command, ret_info)) {
		fprintf(stderr, "cannot start %s: %lu\n", command, GetLastError());
		exit(2);
	}
	(void)AssignProcessToJobObject(job, ret_info->hProcess);
	ResumeThread(ret_info->hThread);
	CloseHandle(ret_info->hThread);
	return ret_info->hProcess;
}

/* abort() ends a process with 3; exceptions end it with their code. */
static struct harness_end end_of(DWORD code)
{
	if (code == 3)
		return (struct harness_end){ .signal = SIGABRT };
	if (code >= 0xC0000000)
		return (struct harness_end){ .signal = SIGSEGV };
	return (struct harness_end){ .status = (int)code };
}

int harness_process_run(const struct harness_test *test, double seconds,
			struct harness_end *ret_end)
{
	HANDLE job = CreateJobObjectA(NULL, NULL);
	PROCESS_INFORMATION info;
	HANDLE child = start_child(test, job, &info);
	int in_time = WaitForSingleObject(child, (DWORD)(seconds * 1e3)) == WAIT_OBJECT_0;
	DWORD code = 0;

	TerminateJobObject(job, 1); /* also what the test left running */
	if (!in_time) {
		TerminateProcess(child, 1);
		(void)WaitForSingleObject(child, INFINITE);
	}
	GetExitCodeProcess(child, &code);
	CloseHandle(child);
	CloseHandle(job);
	*ret_end = end_of(code);
	return in_time;
}
