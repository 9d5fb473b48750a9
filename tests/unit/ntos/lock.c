// Locks that wait: fast mutexes, resources, push locks, rundown protection.
#include "capture.h"

static LONG stage;

struct other {
    pthread_t thread;
    void (*act)(void *lock);
    void *lock;
};

static void *run_other(void *argument)
{
    struct other *other = argument;
    other->act(other->lock);
    InterlockedExchange(&stage, 1);
    return NULL;
}

// Runs `act` in a thread that must get stuck until the caller lets go.
static void start_blocked(struct other *other, void (*act)(void *lock), void *lock)
{
    *other = (struct other){ .act = act, .lock = lock };
    InterlockedExchange(&stage, 0);
    assert_int_equal(pthread_create(&other->thread, NULL, run_other, other), 0);
    (void)usleep(20000);
    assert_int_equal(ReadAcquire(&stage), 0);
}

static void finish(struct other *other)
{
    assert_int_equal(pthread_join(other->thread, NULL), 0);
    assert_int_equal(ReadAcquire(&stage), 1);
}

static void take_fast(void *lock)
{
    ExAcquireFastMutex(lock);
    ExReleaseFastMutex(lock);
}

static void fast_mutexes(void **state)
{
    FAST_MUTEX mutex;
    struct other other;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    start_blocked(&other, take_fast, &mutex);
    ExReleaseFastMutex(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    finish(&other);
    assert_true(ExTryToAcquireFastMutex(&mutex));
    ExReleaseFastMutex(&mutex);
    assert_no_reports();
    ExReleaseFastMutex(&mutex);
    assert_violation("ExReleaseFastMutex");
    ExAcquireFastMutexUnsafe(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    ExReleaseFastMutexUnsafe(&mutex);
}

static void take_fast_twice(void)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
}

static void a_fast_mutex_twice_is_a_bug_check(void **state)
{
    assert_bugcheck(take_fast_twice, "already holds the fast mutex");
}

static void take_exclusive(void *lock)
{
    (void)ExAcquireResourceExclusiveLite(lock, TRUE);
    ExReleaseResourceLite(lock);
}

static void take_shared(void *lock)
{
    (void)ExAcquireResourceSharedLite(lock, TRUE);
    ExReleaseResourceLite(lock);
}

static void resources(void **state)
{
    ERESOURCE resource;
    struct other other;
    assert_int_equal(ExInitializeResourceLite(&resource), STATUS_SUCCESS);
    assert_true(ExAcquireResourceExclusiveLite(&resource, FALSE));
    assert_true(ExAcquireResourceExclusiveLite(&resource, FALSE));  // recursive
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));
    assert_true(ExIsResourceAcquiredExclusiveLite(&resource));
    start_blocked(&other, take_shared, &resource);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    finish(&other);

    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));
    assert_int_equal(ExIsResourceAcquiredSharedLite(&resource), 2);
    assert_false(ExAcquireResourceExclusiveLite(&resource, FALSE));
    start_blocked(&other, take_exclusive, &resource);
    assert_true(ExAcquireResourceSharedLite(&resource, FALSE));  // a reader goes on past a waiting writer
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    finish(&other);

    assert_true(ExAcquireResourceExclusiveLite(&resource, TRUE));
    ExConvertExclusiveToSharedLite(&resource);
    assert_false(ExIsResourceAcquiredExclusiveLite(&resource));
    start_blocked(&other, take_exclusive, &resource);
    ExReleaseResourceLite(&resource);
    finish(&other);
    assert_no_reports();
    ExReleaseResourceLite(&resource);
    assert_violation("ExReleaseResourceLite");
    assert_int_equal(ExDeleteResourceLite(&resource), STATUS_SUCCESS);
    assert_no_reports();
}

static void take_push(void *lock)
{
    ExAcquirePushLockExclusive(lock);
    ExReleasePushLockExclusive(lock);
}

static void push_locks(void **state)
{
    EX_PUSH_LOCK lock;
    struct other other;
    ExInitializePushLock(&lock);
    ExAcquirePushLockShared(&lock);
    ExAcquirePushLockShared(&lock);
    start_blocked(&other, take_push, &lock);
    ExReleasePushLockShared(&lock);
    ExReleasePushLockShared(&lock);
    finish(&other);
    assert_no_reports();
    ExReleasePushLockExclusive(&lock);
    assert_violation("ExReleasePushLockExclusive");
}

static void run_down(void *lock)
{
    ExWaitForRundownProtectionRelease(lock);
}

static void rundown(void **state)
{
    EX_RUNDOWN_REF ref;
    struct other other;
    ExInitializeRundownProtection(&ref);
    assert_true(ExAcquireRundownProtection(&ref));
    assert_true(ExAcquireRundownProtectionEx(&ref, 2));
    start_blocked(&other, run_down, &ref);
    assert_false(ExAcquireRundownProtection(&ref));
    ExReleaseRundownProtectionEx(&ref, 2);
    (void)usleep(10000);
    assert_int_equal(ReadAcquire(&stage), 0);
    ExReleaseRundownProtection(&ref);
    finish(&other);
    ExReInitializeRundownProtection(&ref);
    assert_true(ExAcquireRundownProtection(&ref));
    ExReleaseRundownProtection(&ref);
    ExWaitForRundownProtectionRelease(&ref);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(fast_mutexes, capture_start),
        cmocka_unit_test_setup(a_fast_mutex_twice_is_a_bug_check, capture_start),
        cmocka_unit_test_setup(resources, capture_start),
        cmocka_unit_test_setup(push_locks, capture_start),
        cmocka_unit_test_setup(rundown, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
