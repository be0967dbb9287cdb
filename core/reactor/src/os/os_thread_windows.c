/* SPDX-License-Identifier: BSD-3-Clause */
/* evthread_use_windows_threads(): critical sections and condition variables of the system. */

#include "../thread.h"

#include <windows.h>

static void *lock_alloc(unsigned locktype)
{
	CRITICAL_SECTION *lock = evi_malloc(sizeof(*lock));

	(void)locktype; /* a critical section may always be entered again */
	if (lock == NULL)
		return NULL;
	if (!InitializeCriticalSectionAndSpinCount(lock, 4000)) {
		evi_free(lock);
		return NULL;
	}
	return lock;
}

static void lock_free(void *lock, unsigned locktype)
{
	(void)locktype;
	DeleteCriticalSection(lock);
	evi_free(lock);
}

static int lock_acquire(unsigned mode, void *lock)
{
	if (mode & EVTHREAD_TRY)
		return TryEnterCriticalSection(lock) ? 0 : 1;
	EnterCriticalSection(lock);
	return 0;
}

static int lock_release(unsigned mode, void *lock)
{
	(void)mode;
	LeaveCriticalSection(lock);
	return 0;
}

static void *cond_alloc(unsigned condtype)
{
	CONDITION_VARIABLE *cond = evi_malloc(sizeof(*cond));

	(void)condtype;
	if (cond != NULL)
		InitializeConditionVariable(cond);
	return cond;
}

static void cond_free(void *cond)
{
	evi_free(cond);
}

static int cond_signal(void *cond, int broadcast)
{
	if (broadcast)
		WakeAllConditionVariable(cond);
	else
		WakeConditionVariable(cond);
	return 0;
}

/* Milliseconds, rounded up; INFINITE is not reached by a limit. */
static DWORD milliseconds(const struct timeval *timeout)
{
	int64_t ms = (int64_t)timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000;

	return ms < 0 ? 0 : ms < (int64_t)INFINITE - 1 ? (DWORD)ms : INFINITE - 1;
}

static int cond_wait(void *cond, void *lock, const struct timeval *timeout)
{
	if (SleepConditionVariableCS(cond, lock,
				     timeout != NULL ? milliseconds(timeout) : INFINITE))
		return 0;
	return GetLastError() == ERROR_TIMEOUT ? 1 : -1;
}

static unsigned long thread_id(void)
{
	return GetCurrentThreadId();
}

int evthread_use_windows_threads(void)
{
	static const struct evthread_lock_callbacks locks = {
		.lock_api_version = EVTHREAD_LOCK_API_VERSION,
		.supported_locktypes = EVTHREAD_LOCKTYPE_RECURSIVE,
		.alloc = lock_alloc,
		.free = lock_free,
		.lock = lock_acquire,
		.unlock = lock_release,
	};
	static const struct evthread_condition_callbacks conditions = {
		.condition_api_version = EVTHREAD_CONDITION_API_VERSION,
		.alloc_condition = cond_alloc,
		.free_condition = cond_free,
		.signal_condition = cond_signal,
		.wait_condition = cond_wait,
	};

	if (evthread_set_lock_callbacks(&locks) < 0 ||
	    evthread_set_condition_callbacks(&conditions) < 0)
		return -1;
	evthread_set_id_callback(thread_id);
	return 0;
}
