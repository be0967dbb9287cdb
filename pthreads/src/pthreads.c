/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock, condition and thread-number callbacks of POSIX threads.
 *
 * Set up once, before other threads use the library; after that everything here is const, and the
 * locks are the system's own.
 */

#include <event2/component/reactor.h>
#include <event2/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000L

/* Made by the first set-up and kept for good: every lock is made from one of them. */
static pthread_mutexattr_t plain_attr, recursive_attr;
static pthread_condattr_t cond_attr;
static int has_attributes;

static void *lock_new(unsigned locktype)
{
	const pthread_mutexattr_t *attr =
		locktype & EVTHREAD_LOCKTYPE_RECURSIVE ? &recursive_attr : &plain_attr;
	pthread_mutex_t *mutex = evi_malloc(sizeof(*mutex));

	if (mutex != NULL && pthread_mutex_init(mutex, attr) != 0) {
		evi_free(mutex);
		return NULL;
	}
	return mutex;
}

static void lock_free(void *lock, unsigned locktype)
{
	(void)locktype;
	(void)pthread_mutex_destroy(lock); /* fails only if someone holds it: the caller's bug */
	evi_free(lock);
}

static int lock_acquire(unsigned mode, void *lock)
{
	return mode & EVTHREAD_TRY ? pthread_mutex_trylock(lock) : pthread_mutex_lock(lock);
}

static int lock_release(unsigned mode, void *lock)
{
	(void)mode;
	return pthread_mutex_unlock(lock);
}

static void *cond_new(unsigned condtype)
{
	pthread_cond_t *cond;

	if (condtype != 0)
		return NULL;
	cond = evi_malloc(sizeof(*cond));
	if (cond != NULL && pthread_cond_init(cond, &cond_attr) != 0) {
		evi_free(cond);
		return NULL;
	}
	return cond;
}

static void cond_free(void *cond)
{
	(void)pthread_cond_destroy(cond); /* fails only if someone waits: the caller's bug */
	evi_free(cond);
}

static int cond_signal(void *cond, int broadcast)
{
	int err = broadcast ? pthread_cond_broadcast(cond) : pthread_cond_signal(cond);

	return err == 0 ? 0 : -1;
}

#if defined(__APPLE__)

/* No choice of clock here, but a wait that takes a relative time. */
static int wait_clock_init(pthread_condattr_t *attr)
{
	(void)attr;
	return 0;
}

static int wait_relative(pthread_cond_t *cond, pthread_mutex_t *mutex,
			 const struct timeval *timeout)
{
	struct timespec ts = { timeout->tv_sec, timeout->tv_usec * 1000L };

	return pthread_cond_timedwait_relative_np(cond, mutex, &ts);
}

#else

/* The monotonic clock: a wait must not grow or shrink when someone sets the time of day. */
static int wait_clock_init(pthread_condattr_t *attr)
{
	return pthread_condattr_setclock(attr, CLOCK_MONOTONIC);
}

static int wait_relative(pthread_cond_t *cond, pthread_mutex_t *mutex,
			 const struct timeval *timeout)
{
	struct timespec until;

	if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
		return errno;
	until.tv_nsec += timeout->tv_usec * 1000L;
	if (until.tv_nsec >= NS_PER_S) {
		until.tv_nsec -= NS_PER_S;
		until.tv_sec++;
	}
	if (__builtin_add_overflow(until.tv_sec, timeout->tv_sec, &until.tv_sec))
		return pthread_cond_wait(cond, mutex);
	return pthread_cond_timedwait(cond, mutex, &until);
}

#endif

static int cond_wait(void *cond, void *lock, const struct timeval *timeout)
{
	int err = timeout != NULL ? wait_relative(cond, lock, timeout)
				  : pthread_cond_wait(cond, lock);

	if (err == ETIMEDOUT)
		return 1;
	return err == 0 ? 0 : -1;
}

static unsigned long thread_number(void)
{
	return (unsigned long)(uintptr_t)pthread_self();
}

static int inherit_priority(void)
{
	return pthread_mutexattr_setprotocol(&recursive_attr, PTHREAD_PRIO_INHERIT) == 0 &&
			       pthread_mutexattr_setprotocol(&plain_attr, PTHREAD_PRIO_INHERIT) == 0
		       ? 0
		       : -1;
}

/* On failure nothing is left behind. */
static int attributes_init(int inherit)
{
	if (pthread_condattr_init(&cond_attr) != 0)
		return -1;
	if (pthread_mutexattr_init(&plain_attr) != 0)
		goto no_plain;
	if (pthread_mutexattr_init(&recursive_attr) != 0)
		goto no_recursive;
	if (pthread_mutexattr_settype(&recursive_attr, PTHREAD_MUTEX_RECURSIVE) == 0 &&
	    (!inherit || inherit_priority() == 0) && wait_clock_init(&cond_attr) == 0) {
		has_attributes = 1;
		return 0;
	}
	(void)pthread_mutexattr_destroy(&recursive_attr);
no_recursive:
	(void)pthread_mutexattr_destroy(&plain_attr);
no_plain:
	(void)pthread_condattr_destroy(&cond_attr);
	return -1;
}

static const struct evthread_lock_callbacks lock_callbacks = {
	.lock_api_version = EVTHREAD_LOCK_API_VERSION,
	.supported_locktypes = EVTHREAD_LOCKTYPE_RECURSIVE,
	.alloc = lock_new,
	.free = lock_free,
	.lock = lock_acquire,
	.unlock = lock_release,
};

static const struct evthread_condition_callbacks cond_callbacks = {
	.condition_api_version = EVTHREAD_CONDITION_API_VERSION,
	.alloc_condition = cond_new,
	.free_condition = cond_free,
	.signal_condition = cond_signal,
	.wait_condition = cond_wait,
};

static int set_up(int flags)
{
	if (!has_attributes && attributes_init(flags & EVTHREAD_PTHREAD_PRIO_INHERIT) != 0)
		return -1;
	if (evthread_set_lock_callbacks(&lock_callbacks) != 0 ||
	    evthread_set_condition_callbacks(&cond_callbacks) != 0)
		return -1;
	evthread_set_id_callback(thread_number);
	return 0;
}

int evthread_use_pthreads_with_flags(int flags)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	int result;

	if (flags & ~EVTHREAD_PTHREAD_PRIO_INHERIT)
		return -1;
	(void)pthread_mutex_lock(&one_at_a_time);
	result = set_up(flags);
	(void)pthread_mutex_unlock(&one_at_a_time);
	return result;
}

int evthread_use_pthreads(void)
{
	return evthread_use_pthreads_with_flags(0);
}
