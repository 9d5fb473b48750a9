// Events, semaphores, mutexes, and waiting for one or many of them.
#include "capture.h"

#include <time.h>

static LARGE_INTEGER relative_ms(LONGLONG ms)
{
    return (LARGE_INTEGER){ .QuadPart = -ms * 10000 };
}

static NTSTATUS wait_ms(PVOID object, LONGLONG ms)
{
    LARGE_INTEGER timeout = relative_ms(ms);
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct helper {
    pthread_t thread;
    PVOID objects[3];
    ULONG count;
    WAIT_TYPE type;
    LONG status;  // an NTSTATUS; read while the thread runs
};

static void *wait_in_thread(void *argument)
{
    struct helper *helper = argument;
    LARGE_INTEGER timeout = relative_ms(30000);
    WriteRelease(&helper->status, KeWaitForMultipleObjects(helper->count, helper->objects, helper->type, Executive,
                                                           KernelMode, FALSE, &timeout, NULL));
    return NULL;
}

static void start(struct helper *helper, WAIT_TYPE type, ULONG count, PVOID first, PVOID second)
{
    *helper = (struct helper){ .objects = { first, second }, .count = count, .type = type, .status = -1 };
    assert_int_equal(pthread_create(&helper->thread, NULL, wait_in_thread, helper), 0);
}

static NTSTATUS finish(struct helper *helper)
{
    assert_int_equal(pthread_join(helper->thread, NULL), 0);
    return helper->status;
}

static int succeeded(struct helper helpers[2])
{
    return (ReadAcquire(&helpers[0].status) == STATUS_SUCCESS) + (ReadAcquire(&helpers[1].status) == STATUS_SUCCESS);
}

static void notification_events_stay(void **state)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(wait_ms(&event, 0), STATUS_TIMEOUT);
    assert_int_equal(KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(wait_ms(&event, 0), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&event, 0), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 1);
    assert_int_equal(KeResetEvent(&event), 1);
    assert_int_equal(wait_ms(&event, 0), STATUS_TIMEOUT);
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeClearEvent(&event);
    assert_int_equal(KeReadStateEvent(&event), 0);
}

static void synchronization_events_release_one(void **state)
{
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    struct helper helpers[2];
    start(&helpers[0], WaitAny, 1, &event, NULL);
    start(&helpers[1], WaitAny, 1, &event, NULL);
    (void)usleep(20000);
    (void)KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    for (int i = 0; i < 500 && succeeded(helpers) == 0; i++)
        (void)usleep(10000);
    (void)usleep(50000);  // a second one would come now
    assert_int_equal(succeeded(helpers), 1);
    (void)KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    assert_int_equal(finish(&helpers[0]), STATUS_SUCCESS);
    assert_int_equal(finish(&helpers[1]), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&event), 0);
}

static void timeouts(void **state)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    int64_t before = now_ms();
    assert_int_equal(wait_ms(&event, 60), STATUS_TIMEOUT);
    assert_true(now_ms() - before >= 59);
    // A positive time is a point in system time.
    LARGE_INTEGER at;
    KeQuerySystemTime(&at);
    at.QuadPart += 60 * 10000;
    before = now_ms();
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &at), STATUS_TIMEOUT);
    assert_true(now_ms() - before >= 55 && now_ms() - before < 2000);
    at.QuadPart -= 1000000000;
    assert_int_equal(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &at), STATUS_TIMEOUT);
    at = relative_ms(20);
    before = now_ms();
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &at), STATUS_SUCCESS);
    assert_true(now_ms() - before >= 19);
}

static void wait_for_any(void **state)
{
    KEVENT first, second;
    KeInitializeEvent(&first, SynchronizationEvent, FALSE);
    KeInitializeEvent(&second, SynchronizationEvent, FALSE);
    struct helper helper;
    start(&helper, WaitAny, 2, &first, &second);
    (void)usleep(10000);
    (void)KeSetEvent(&second, IO_NO_INCREMENT, FALSE);
    assert_int_equal(finish(&helper), STATUS_WAIT_1);
    assert_int_equal(KeReadStateEvent(&second), 0);
}

static void wait_for_all_takes_all_or_none(void **state)
{
    KEVENT first;
    KSEMAPHORE second;
    KeInitializeEvent(&first, SynchronizationEvent, FALSE);
    KeInitializeSemaphore(&second, 0, 5);
    struct helper helper;
    start(&helper, WaitAll, 2, &first, &second);
    (void)usleep(10000);
    (void)KeSetEvent(&first, IO_NO_INCREMENT, FALSE);
    (void)usleep(20000);
    assert_int_equal(KeReadStateEvent(&first), 1);  // not taken while the other is missing
    (void)KeReleaseSemaphore(&second, 0, 2, FALSE);
    assert_int_equal(finish(&helper), STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(&first), 0);
    assert_int_equal(KeReadStateSemaphore(&second), 1);
}

static void semaphores_have_a_limit(void **state)
{
    KSEMAPHORE semaphore;
    KeInitializeSemaphore(&semaphore, 1, 2);
    assert_int_equal(KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 1);
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        (void)KeReleaseSemaphore(&semaphore, 0, 1, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal((uint32_t)status, 0xC0000047);
    assert_int_equal(wait_ms(&semaphore, 0), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&semaphore, 0), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&semaphore, 0), STATUS_TIMEOUT);
}

static void mutexes_have_an_owner(void **state)
{
    KMUTEX mutex;
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(wait_ms(&mutex, 0), STATUS_SUCCESS);
    assert_int_equal(wait_ms(&mutex, 0), STATUS_SUCCESS);  // again by its owner
    struct helper helper;
    start(&helper, WaitAny, 1, &mutex, NULL);
    (void)usleep(10000);
    (void)KeReleaseMutex(&mutex, FALSE);
    (void)usleep(20000);
    assert_int_equal(helper.status, -1);
    (void)KeReleaseMutex(&mutex, FALSE);
    assert_int_equal(finish(&helper), STATUS_SUCCESS);
    // It is the other thread's now.
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        (void)KeReleaseMutex(&mutex, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal((uint32_t)status, 0xC0000046);
}

static void too_many_objects(void **state)
{
    KEVENT event;
    PVOID objects[MAXIMUM_WAIT_OBJECTS + 1];
    KWAIT_BLOCK blocks[MAXIMUM_WAIT_OBJECTS + 1];
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    for (int i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
        objects[i] = &event;
    assert_int_equal(KeWaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, objects, WaitAll, Executive, KernelMode, FALSE,
                                              NULL, blocks), STATUS_SUCCESS);
    assert_int_equal(KeWaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS + 1, objects, WaitAll, Executive, KernelMode, FALSE,
                                              NULL, blocks), STATUS_INVALID_PARAMETER);
    assert_violation("KeWaitForMultipleObjects");
    assert_int_equal(KeWaitForMultipleObjects(4, objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_violation("KeWaitForMultipleObjects");
}

static void handles_to_events(void **state)
{
    HANDLE handle;
    PKEVENT event;
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE), STATUS_SUCCESS);
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, *ExEventObjectType, KernelMode, (PVOID *)&event, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwSetEvent(handle, NULL), STATUS_SUCCESS);
    assert_int_equal(wait_ms(event, 0), STATUS_SUCCESS);
    LARGE_INTEGER zero = {0};
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, &zero), STATUS_TIMEOUT);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
    assert_int_equal(KeSetEvent(event, 0, FALSE), 0);  // the reference keeps it
    ObDereferenceObject(event);
    assert_int_equal(ZwSetEvent(handle, NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(ZwClose(handle), STATUS_INVALID_HANDLE);
    assert_violation("ZwClose");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(notification_events_stay, capture_start),
        cmocka_unit_test_setup(synchronization_events_release_one, capture_start),
        cmocka_unit_test_setup(timeouts, capture_start),
        cmocka_unit_test_setup(wait_for_any, capture_start),
        cmocka_unit_test_setup(wait_for_all_takes_all_or_none, capture_start),
        cmocka_unit_test_setup(semaphores_have_a_limit, capture_start),
        cmocka_unit_test_setup(mutexes_have_an_owner, capture_start),
        cmocka_unit_test_setup(too_many_objects, capture_start),
        cmocka_unit_test_setup(handles_to_events, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
