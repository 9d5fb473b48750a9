// A driver written for the kernel-mode driver framework.
#include "loaded.h"

#include <errno.h>

#include <wdf.h>

#define CODE(function, method) CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, FILE_ANY_ACCESS)
#define WAIT_MS 5000

static struct ntos_driver *driver;
static struct ntos_file *file;

static int setup(void **state)
{
    static const char *const parameters[] = { "limit=42", NULL };
    (void)capture_start(state);
    driver = load("framework", parameters);
    return ntos_file_open("Framework", NTOS_ACCESS_READ | NTOS_ACCESS_WRITE, 1, &file);
}

static int teardown(void **state)
{
    ntos_file_close(file);
    unload(driver, 0);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    return counters.pool_blocks == 0 ? 0 : -1;
}

static NTSTATUS control(ULONG code, const void *input, uint32_t input_size, void *output, uint32_t output_size,
                        uint32_t *size)
{
    return ntos_file_control(file, code, input, input_size, output, output_size, WAIT_MS, size);
}

static void control_device(void **state)
{
    char answer[16] = "";
    uint32_t size = 0, limit = 0;
    assert_int_equal(control(CODE(0x900, METHOD_BUFFERED), "hello", 5, answer, 16, &size), STATUS_SUCCESS);
    assert_int_equal(size, 5);
    assert_memory_equal(answer, "hello", 5);
    assert_int_equal(control(CODE(0x900, METHOD_BUFFERED), "hello", 5, answer, 3, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(control(CODE(0x900, METHOD_BUFFERED), NULL, 0, answer, 3, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(control(CODE(0x900, METHOD_NEITHER), "hello", 5, answer, 16, &size),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(control(CODE(0x905, METHOD_BUFFERED), NULL, 0, &limit, 4, &size), STATUS_SUCCESS);
    assert_int_equal(limit, 42);
    assert_int_equal(control(CODE(0x905, METHOD_BUFFERED), NULL, 0, &limit, 3, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(control(CODE(0x906, METHOD_OUT_DIRECT), NULL, 0, answer, 4, &size), STATUS_SUCCESS);
    assert_memory_equal(answer, "wwww", 4);
    assert_int_equal(control(CODE(0x999, METHOD_BUFFERED), NULL, 0, NULL, 0, &size), STATUS_INVALID_DEVICE_REQUEST);
    struct ntos_file *other;
    assert_int_equal(ntos_file_open("Framework\\below", NTOS_ACCESS_READ, 1, &other), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_no_reports();
}

static void closing_and_unloading(void **state)
{
    ntos_file_close(file);
    unload(driver, 0);
    assert_true(capture_has_line("framework: closed after 0 requests"));
    assert_true(capture_has_line("framework: unload of \\Registry\\Machine\\System\\CurrentControlSet\\Services"));
    assert_true(capture_has_line("framework: device cleanup, limit 42"));
    assert_no_reports();
    assert_int_equal(setup(state), 0);
}

static void timers_and_work_items(void **state)
{
    uint32_t answer = 0, size;
    assert_int_equal(control(CODE(0x903, METHOD_BUFFERED), NULL, 0, &answer, 4, &size), STATUS_SUCCESS);
    assert_int_equal(answer, 815);
    assert_no_reports();
}

static struct ntos_request *start(ULONG code)
{
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = code, .output_size = 8 };
    struct ntos_request *request;
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    return request;
}

static void manual_queues(void **state)
{
    struct ntos_request *first = start(CODE(0x901, METHOD_BUFFERED)), *second = start(CODE(0x901, METHOD_BUFFERED));
    struct ntos_request *third = start(CODE(0x901, METHOD_BUFFERED));
    assert_false(ntos_request_wait(first, 5));
    ntos_request_cancel(second);
    assert_true(ntos_request_wait(second, 0));
    assert_int_equal(ntos_request_result(second, NULL, NULL), STATUS_CANCELLED);
    assert_int_equal(control(CODE(0x902, METHOD_BUFFERED), NULL, 0, NULL, 0, NULL), STATUS_SUCCESS);
    assert_true(ntos_request_wait(first, 0));
    assert_int_equal(ntos_request_result(first, NULL, NULL), STATUS_SUCCESS);
    assert_false(ntos_request_wait(third, 0));
    // What still waits is cancelled when its file is closed.
    ntos_file_close(file);
    assert_true(ntos_request_wait(third, 0));
    assert_int_equal(ntos_request_result(third, NULL, NULL), STATUS_CANCELLED);
    assert_int_equal(ntos_file_open("Framework", NTOS_ACCESS_READ, 1, &file), STATUS_SUCCESS);
    assert_int_equal(control(CODE(0x902, METHOD_BUFFERED), NULL, 0, NULL, 0, NULL), STATUS_NO_MORE_ENTRIES);
    ntos_request_free(first);
    ntos_request_free(second);
    ntos_request_free(third);
    assert_no_reports();
}

static void cancelable_requests(void **state)
{
    struct ntos_request *request = start(CODE(0x904, METHOD_BUFFERED));
    assert_false(ntos_request_wait(request, 5));
    ntos_request_cancel(request);
    assert_true(ntos_request_wait(request, WAIT_MS));
    assert_int_equal(ntos_request_result(request, NULL, NULL), STATUS_CANCELLED);
    ntos_request_free(request);
    assert_no_reports();
}

static void sequential_reads(void **state)
{
    struct ntos_request_options options = { .kind = NTOS_REQUEST_READ, .output_size = 4 };
    struct ntos_request *request;
    const void *data;
    uint32_t size;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ntos_request_start(file, &options, &request), 0);
        assert_true(ntos_request_wait(request, WAIT_MS));
        assert_int_equal(ntos_request_result(request, &data, &size), STATUS_SUCCESS);
        assert_int_equal(size, 4);
        assert_memory_equal(data, "rrrr", 4);
        ntos_request_free(request);
    }
    options.output_size = 0;  // completed by the framework
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_int_equal(ntos_request_result(request, NULL, &size), STATUS_SUCCESS);
    assert_int_equal(size, 0);
    ntos_request_free(request);
    assert_no_reports();
}

static void a_failing_entry_leaves_nothing(void **state)
{
    static const char *const parameters[] = { "limit=99", NULL };
    struct ntos_driver *failed = NULL;
    (void)capture_start(state);
    assert_int_equal(load_path(driver_path("framework"), "framework", parameters, &failed), -EIO);
    assert_non_null(strstr(error.text, "0xC0000044"));
    assert_no_reports();
    assert_int_equal(ntos_file_open("Framework", NTOS_ACCESS_READ, 1, &file), STATUS_OBJECT_NAME_NOT_FOUND);
}

// --- Objects, without a driver ---

static int cleaned[3];

static VOID note_cleanup(WDFOBJECT object)
{
    for (int i = 0; i < 3; i++)
        if (cleaned[i] == 0) {
            cleaned[i] = *(int *)WdfObjectGetTypedContextWorker(object, NULL);
            return;
        }
}

static WDFOBJECT make(WDFOBJECT parent, int number)
{
    static const WDF_OBJECT_CONTEXT_TYPE_INFO type = { sizeof(type), "int", sizeof(int), NULL, NULL };
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFOBJECT object;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = parent;
    attributes.ContextTypeInfo = &type;
    attributes.EvtCleanupCallback = note_cleanup;
    assert_int_equal(WdfObjectCreate(&attributes, &object), STATUS_SUCCESS);
    *(int *)WdfObjectGetTypedContextWorker(object, NULL) = number;
    return object;
}

static void children_go_first(void **state)
{
    memset(cleaned, 0, sizeof(cleaned));
    WDFOBJECT top = make(NULL, 1), middle = make(top, 2), bottom = make(middle, 3);
    WdfObjectReference(bottom);
    WdfObjectDelete(top);
    assert_int_equal(cleaned[0], 3);
    assert_int_equal(cleaned[1], 2);
    assert_int_equal(cleaned[2], 1);
    assert_int_equal(*(int *)WdfObjectGetTypedContextWorker(bottom, NULL), 3);  // the reference keeps it
    WdfObjectDereference(bottom);
}

static void collections_and_memory(void **state)
{
    WDFCOLLECTION collection;
    WDFMEMORY memory;
    PVOID buffer;
    size_t size;
    assert_int_equal(WdfCollectionCreate(NULL, &collection), STATUS_SUCCESS);
    assert_int_equal(WdfMemoryCreate(NULL, NonPagedPoolNx, 'meMW', 100, &memory, &buffer), STATUS_SUCCESS);
    assert_ptr_equal(WdfMemoryGetBuffer(memory, &size), buffer);
    assert_int_equal(size, 100);
    assert_int_equal(WdfMemoryCopyFromBuffer(memory, 98, (PVOID)(ULONG_PTR)"abc", 3), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(WdfMemoryCopyFromBuffer(memory, 97, (PVOID)(ULONG_PTR)"abc", 3), STATUS_SUCCESS);
    for (int i = 0; i < 20; i++)
        assert_int_equal(WdfCollectionAdd(collection, memory), STATUS_SUCCESS);
    assert_int_equal(WdfCollectionGetCount(collection), 20);
    WdfCollectionRemove(collection, memory);
    assert_ptr_equal(WdfCollectionGetLastItem(collection), memory);
    assert_null(WdfCollectionGetItem(collection, 19));
    WdfObjectDelete(memory);
    WdfObjectDelete(collection);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    assert_int_equal(counters.pool_blocks, 0);
}

static void locks(void **state)
{
    WDFWAITLOCK lock;
    LONGLONG now = 0;
    assert_int_equal(WdfWaitLockCreate(NULL, &lock), STATUS_SUCCESS);
    assert_int_equal(WdfWaitLockAcquire(lock, NULL), STATUS_SUCCESS);
    WdfWaitLockRelease(lock);
    assert_no_reports();
    WdfWaitLockRelease(lock);
    assert_violation("WdfWaitLockRelease");
    assert_int_equal(WdfWaitLockAcquire(lock, &now), STATUS_SUCCESS);
    WdfWaitLockRelease(lock);
    WdfObjectDelete(lock);
}

static void use_garbage(void)
{
    static ULONG_PTR garbage[32];
    WdfSpinLockAcquire((WDFSPINLOCK)(void *)garbage);
}

static void wrong_kind(void)
{
    WDFWAITLOCK lock;
    (void)WdfWaitLockCreate(NULL, &lock);
    WdfSpinLockAcquire((WDFSPINLOCK)(void *)lock);
}

static void wrong_handles_are_bug_checks(void **state)
{
    assert_bugcheck(use_garbage, "is not a handle of the kind");
    assert_bugcheck(wrong_kind, "is not a handle of the kind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(control_device, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_and_unloading, setup, teardown),
        cmocka_unit_test_setup_teardown(timers_and_work_items, setup, teardown),
        cmocka_unit_test_setup_teardown(manual_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelable_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(sequential_reads, setup, teardown),
        cmocka_unit_test(a_failing_entry_leaves_nothing),
        cmocka_unit_test_setup(children_go_first, capture_start),
        cmocka_unit_test_setup(collections_and_memory, capture_start),
        cmocka_unit_test_setup(locks, capture_start),
        cmocka_unit_test_setup(wrong_handles_are_bug_checks, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
