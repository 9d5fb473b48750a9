// Loading, unloading and talking to drivers.
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "loaded.h"

#define CODE(function, method, access) CTL_CODE(FILE_DEVICE_UNKNOWN, function, method, access)
#define IOCTL_ECHO CODE(0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_NEITHER CODE(0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
#define IOCTL_DIRECT CODE(0x802, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define IOCTL_WAIT CODE(0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_WAKE CODE(0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_WHO CODE(0x805, METHOD_BUFFERED, FILE_READ_ACCESS)
#define IOCTL_LATER CODE(0x806, METHOD_BUFFERED, FILE_ANY_ACCESS)

#define WAIT_MS 5000

static struct ntos_file *open_echo(void)
{
    struct ntos_file *file = NULL;
    assert_int_equal(ntos_file_open("\\\\.\\Echo", NTOS_ACCESS_READ | NTOS_ACCESS_WRITE, 1234, &file), STATUS_SUCCESS);
    return file;
}

// --- What is not a driver ---

static void expect_refusal(const char *path, int expected, const char *part)
{
    struct ntos_driver *driver = NULL;
    int result = load_path(path, "x", NULL, &driver);
    if (result != expected || !strstr(error.text, part))
        (void)fprintf(stderr, "%s: %d: %s\n", path, result, error.text);
    assert_int_equal(result, expected);
    assert_int_equal(error.code, expected);
    assert_non_null(strstr(error.text, part));
    assert_null(driver);
}

static void expect_refusal_of(const void *bytes, size_t size, int expected, const char *part)
{
    char path[] = "/tmp/ntos-not-a-driver-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    (void)close(fd);
    expect_refusal(path, expected, part);
    (void)unlink(path);
}

static void not_a_driver(void **state)
{
    expect_refusal("/nonexistent/driver.so", -ENOENT, "cannot open");
    expect_refusal("/tmp", -ENOEXEC, "not a regular file");
    expect_refusal("/dev/null", -ENOEXEC, "not a regular file");
    expect_refusal_of("", 0, -ENOEXEC, "not an ELF shared object");
    expect_refusal_of("#!/bin/sh\n", 10, -ENOEXEC, "not an ELF shared object");
    expect_refusal_of("MZ\x90", 3, -ENOEXEC, "built for Windows");

    unsigned char header[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 3, [18] = 243, 0 };
    expect_refusal_of(header, sizeof(header), -ENOEXEC, "another machine (ELF machine 243)");
    header[4] = 1;
    expect_refusal_of(header, sizeof(header), -ENOEXEC, "another machine");
    header[4] = 2;
    header[18] = 62;
    header[16] = 1;
#ifdef __x86_64__
    expect_refusal_of(header, sizeof(header), -ENOEXEC, "not a shared object");
    header[16] = 3;
    expect_refusal_of(header, sizeof(header), -ENOEXEC, "cannot load");
#endif
    expect_refusal(driver_path("no_entry"), -ENOEXEC, "no function DriverEntry");
    expect_refusal(driver_path("unresolved"), -ELIBACC, "needs the function KeDoWhatIMean");
    assert_no_reports();
}

static void names_and_parameters_are_checked(void **state)
{
    struct ntos_driver *driver;
    static const char *const bad_names[] = { "", "a/b", "..", "a b", "\xc3\xa4", NULL };
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
        assert_int_equal(load_path(driver_path("echo"), bad_names[i], NULL, &driver), -EINVAL);
    static const char *const no_value[] = { "greeting", NULL };
    assert_int_equal(load_path(driver_path("echo"), "echo", no_value, &driver), -EINVAL);
    assert_non_null(strstr(error.text, "greeting"));
}

static void failing_entry(void **state)
{
    struct ntos_driver *driver = NULL;
    assert_int_equal(load_path(driver_path("failing"), "failing", NULL, &driver), -EIO);
    assert_non_null(strstr(error.text, "0xC0000182"));
    assert_null(driver);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "ExAllocatePoolWithTag"), 1);
}

// --- Life of a driver ---

static void load_and_unload(void **state)
{
    static const char *const parameters[] = { "greeting=h\xc3\xa9llo", "size=0x10", NULL };
    for (int i = 0; i < 3; i++) {
        struct ntos_driver *driver = load("echo", parameters);
        unload(driver, 0);
        assert_true(capture_has_line(
            "echo: DriverEntry at IRQL 0, path \\Registry\\Machine\\System\\CurrentControlSet\\Services\\echo"));
        assert_true(capture_has_line("echo: greeting='h\xc3\xa9llo' size=16"));
        assert_true(capture_has_line("echo: unloaded"));
        assert_no_reports();
        capture_clear();
    }
}

static void the_same_driver_twice_collides(void **state)
{
    struct ntos_driver *first = load("echo", NULL), *second = NULL;
    assert_int_equal(load_path(driver_path("echo"), "other", NULL, &second), -EEXIST);
    assert_int_equal(load_path(driver_path("leaky"), "ECHO", NULL, &second), -EEXIST);
    unload(first, 0);
}

static void leaks_are_reported(void **state)
{
    struct ntos_driver *driver = load("leaky", NULL);
    unload(driver, 5);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "ExAllocatePoolWithTag"), 1);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "IoDeleteDevice"), 1);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "IoDeleteSymbolicLink"), 1);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "IoAllocateWorkItem"), 1);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "KeSetTimer"), 1);
    // Nothing of it is left: it can be loaded again.
    capture_clear();
    driver = load("leaky", NULL);
    unload(driver, 5);
}

static void running_threads_keep_the_code(void **state)
{
    static const char *const parameters[] = { "thread=1", NULL };
    struct ntos_driver *driver = load("leaky", parameters);
    unsigned leaks = 0;
    assert_int_equal(ntos_driver_unload(driver, &leaks, &error), 0);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "PsCreateSystemThread"), 1);
    assert_int_equal(capture_count(NTOS_REPORT_LEAK, "ZwClose"), 1);
    // One set of variables: it cannot be a driver again while its thread uses them.
    struct ntos_driver *second = NULL;
    assert_int_equal(load_path(driver_path("leaky"), "leaky", NULL, &second), -EEXIST);
    assert_non_null(strstr(error.text, "still running"));
    // The thread wakes up in its own code and says so; a crash here would fail the test.
    for (int i = 0; i < 3000 && !capture_has_line("leaky: the thread is awake"); i++)
        (void)usleep(10000);
    assert_true(capture_has_line("leaky: the thread is awake"));
}

static void no_unload_routine(void **state)
{
    struct ntos_driver *driver = load("stubborn", NULL);
    assert_int_equal(ntos_driver_unload(driver, NULL, &error), -EBUSY);
    assert_non_null(strstr(error.text, "no DriverUnload"));
}

static void open_files_keep_it_loaded(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    assert_int_equal(ntos_driver_unload(driver, NULL, &error), -EBUSY);
    ntos_file_close(file);
    unload(driver, 0);
}

// --- Requests ---

static void names_of_devices(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    static const char *const names[] = { "Echo", "echo", "\\\\.\\Echo", "\\??\\ECHO", "\\DosDevices\\Echo",
                                         "\\DosDevices\\Global\\Echo", "\\Device\\Echo", "\\\\.\\Echo\\some\\file" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct ntos_file *file = NULL;
        assert_int_equal(ntos_file_open(names[i], NTOS_ACCESS_READ, 1, &file), STATUS_SUCCESS);
        ntos_file_close(file);
    }
    assert_true(capture_has_line("echo: opened \\some\\file"));
    struct ntos_file *file = NULL;
    assert_int_equal(ntos_file_open("Echoes", NTOS_ACCESS_READ, 1, &file), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ntos_file_open("", NTOS_ACCESS_READ, 1, &file), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ntos_file_open("\xff", NTOS_ACCESS_READ, 1, &file), STATUS_OBJECT_NAME_INVALID);
    assert_null(file);
    unload(driver, 0);
}

static void methods(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    char answer[16] = "";
    uint32_t size = 99;
    assert_int_equal(ntos_file_control(file, IOCTL_ECHO, "hello", 5, answer, 16, WAIT_MS, &size), STATUS_SUCCESS);
    assert_int_equal(size, 5);
    assert_memory_equal(answer, "hello", 5);
    assert_int_equal(ntos_file_control(file, IOCTL_ECHO, "hello", 5, answer, 3, WAIT_MS, &size),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size, 0);
    assert_int_equal(ntos_file_control(file, IOCTL_ECHO, NULL, 0, NULL, 0, WAIT_MS, &size), STATUS_SUCCESS);
    assert_int_equal(ntos_file_control(file, IOCTL_NEITHER, "world", 5, answer, 16, WAIT_MS, &size), STATUS_SUCCESS);
    assert_memory_equal(answer, "world", 5);
    assert_int_equal(ntos_file_control(file, IOCTL_NEITHER, "world", 5, NULL, 0, WAIT_MS, &size),
                     STATUS_ACCESS_VIOLATION);
    assert_int_equal(ntos_file_control(file, IOCTL_DIRECT, NULL, 0, answer, 16, WAIT_MS, &size), STATUS_SUCCESS);
    assert_memory_equal(answer, "dddddddddddddddd", 16);
    assert_int_equal(ntos_file_control(file, IOCTL_DIRECT, NULL, 0, NULL, 0, WAIT_MS, &size),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(ntos_file_control(file, CODE(0x900, METHOD_BUFFERED, 0), NULL, 0, NULL, 0, WAIT_MS, &size),
                     STATUS_INVALID_DEVICE_REQUEST);
    uint32_t later = 0;
    assert_int_equal(ntos_file_control(file, IOCTL_LATER, NULL, 0, &later, sizeof(later), WAIT_MS, &size),
                     STATUS_SUCCESS);
    assert_int_equal(later, 4711);
    assert_int_equal(ntos_file_control(file, IOCTL_ECHO, answer, NTOS_REQUEST_BYTES_MAX + 1, NULL, 0, WAIT_MS, &size),
                     STATUS_INVALID_PARAMETER);
    ntos_file_close(file);
    unload(driver, 0);
    assert_no_reports();
    assert_true(capture_has_line("echo: cleanup"));
    assert_true(capture_has_line("echo: close"));
}

static void reads(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    struct ntos_request_options options = { .kind = NTOS_REQUEST_READ, .output_size = 4, .offset = 7 };
    struct ntos_request *request;
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_true(ntos_request_wait(request, WAIT_MS));
    const void *data;
    uint32_t size;
    assert_int_equal(ntos_request_result(request, &data, &size), STATUS_SUCCESS);
    assert_int_equal(size, 4);
    assert_memory_equal(data, "\7\10\11\12", 4);
    ntos_request_free(request);
    options.kind = NTOS_REQUEST_WRITE;  // the driver has no such function
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_int_equal(ntos_request_result(request, &data, &size), STATUS_INVALID_DEVICE_REQUEST);
    ntos_request_free(request);
    ntos_file_close(file);
    unload(driver, 0);
}

static void the_sender_is_known(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    uint32_t answer[2] = {0}, size;
    assert_int_equal(ntos_file_control(file, IOCTL_WHO, NULL, 0, answer, sizeof(answer), WAIT_MS, &size),
                     STATUS_SUCCESS);
    assert_int_equal(answer[0], 1234);
    assert_int_equal(answer[1], 1234);
    assert_int_equal((ULONG_PTR)PsGetCurrentProcessId(), 4);
    ntos_file_close(file);
    // FILE_READ_ACCESS in the code asks for a file opened for reading.
    assert_int_equal(ntos_file_open("Echo", NTOS_ACCESS_WRITE, 1234, &file), STATUS_SUCCESS);
    assert_int_equal(ntos_file_control(file, IOCTL_WHO, NULL, 0, answer, sizeof(answer), WAIT_MS, &size),
                     STATUS_ACCESS_DENIED);
    ntos_file_close(file);
    unload(driver, 0);
}

static void count_done(void *context, struct ntos_request *request)
{
    (void)__atomic_fetch_add((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void pending_requests(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    int done = 0;
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = IOCTL_WAIT, .output_size = 8,
                                            .done = count_done, .context = &done };
    struct ntos_request *requests[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(ntos_request_start(file, &options, &requests[i]), 0);
    assert_false(ntos_request_wait(requests[0], 10));
    assert_int_equal(done, 0);

    ntos_request_cancel(requests[1]);
    assert_true(ntos_request_wait(requests[1], WAIT_MS));
    assert_int_equal(ntos_request_result(requests[1], NULL, NULL), STATUS_CANCELLED);
    ntos_request_cancel(requests[1]);  // once more does no harm
    assert_int_equal(ntos_file_control(file, IOCTL_WAKE, NULL, 0, NULL, 0, WAIT_MS, NULL), STATUS_SUCCESS);
    const void *data;
    uint32_t size;
    assert_int_equal(ntos_request_result(requests[0], &data, &size), STATUS_SUCCESS);
    assert_memory_equal(data, "woken", 5);
    assert_int_equal(ntos_request_result(requests[2], &data, &size), STATUS_SUCCESS);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 3);
    for (int i = 0; i < 3; i++)
        ntos_request_free(requests[i]);
    // A time-out cancels.
    assert_int_equal(ntos_file_control(file, IOCTL_WAIT, NULL, 0, NULL, 0, 20, NULL), STATUS_CANCELLED);
    ntos_file_close(file);
    unload(driver, 0);
    assert_no_reports();
}

static void closing_cancels(void **state)
{
    struct ntos_driver *driver = load("echo", NULL);
    struct ntos_file *file = open_echo();
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = IOCTL_WAIT, .output_size = 8 };
    struct ntos_request *requests[NTOS_REQUESTS_PER_FILE], *extra;
    for (int i = 0; i < NTOS_REQUESTS_PER_FILE; i++)
        assert_int_equal(ntos_request_start(file, &options, &requests[i]), 0);
    assert_int_equal(ntos_request_start(file, &options, &extra), -ENOBUFS);
    ntos_file_close(file);
    for (int i = 0; i < NTOS_REQUESTS_PER_FILE; i++) {
        assert_true(ntos_request_wait(requests[i], 0));
        assert_int_equal(ntos_request_result(requests[i], NULL, NULL), STATUS_CANCELLED);
        ntos_request_free(requests[i]);
    }
    unload(driver, 0);
}

static void broken_rules_are_reported(void **state)
{
    struct ntos_driver *driver = load("misbehaving", NULL);
    struct ntos_file *file = NULL;
    assert_int_equal(ntos_file_open("Misbehaving", NTOS_ACCESS_READ, 1, &file), STATUS_SUCCESS);
    char answer[8];
    uint32_t size;
    // Too large an IoStatus.Information must not become a read past the buffer.
    assert_int_equal(ntos_file_control(file, CODE(0x800, 0, 0), NULL, 0, answer, 8, WAIT_MS, &size), STATUS_SUCCESS);
    assert_int_equal(size, 8);
    assert_violation("IoCompleteRequest");
    (void)ntos_file_control(file, CODE(0x801, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_violation("IoMarkIrpPending");
    (void)ntos_file_control(file, CODE(0x802, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_violation("IoMarkIrpPending");
    (void)ntos_file_control(file, CODE(0x803, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_violation("IoCallDriver");
    (void)ntos_file_control(file, CODE(0x804, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_int_equal(capture_count(NTOS_REPORT_VIOLATION, "IoCompleteRequest"), 1);
    capture_clear();
    (void)ntos_file_control(file, CODE(0x807, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_violation("IoCompleteRequest");

    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = CODE(0x805, 0, 0) };
    struct ntos_request *forgotten;
    assert_int_equal(ntos_request_start(file, &options, &forgotten), 0);
    assert_violation("IoCompleteRequest");
    assert_false(ntos_request_wait(forgotten, 10));
    (void)ntos_file_control(file, CODE(0x806, 0, 0), NULL, 0, NULL, 0, WAIT_MS, NULL);
    assert_true(ntos_request_wait(forgotten, WAIT_MS));
    ntos_request_free(forgotten);
    ntos_file_close(file);
    unload(driver, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(not_a_driver, capture_start),
        cmocka_unit_test_setup(names_and_parameters_are_checked, capture_start),
        cmocka_unit_test_setup(failing_entry, capture_start),
        cmocka_unit_test_setup(load_and_unload, capture_start),
        cmocka_unit_test_setup(the_same_driver_twice_collides, capture_start),
        cmocka_unit_test_setup(leaks_are_reported, capture_start),
        cmocka_unit_test_setup(open_files_keep_it_loaded, capture_start),
        cmocka_unit_test_setup(names_of_devices, capture_start),
        cmocka_unit_test_setup(methods, capture_start),
        cmocka_unit_test_setup(reads, capture_start),
        cmocka_unit_test_setup(the_sender_is_known, capture_start),
        cmocka_unit_test_setup(pending_requests, capture_start),
        cmocka_unit_test_setup(closing_cancels, capture_start),
        cmocka_unit_test_setup(broken_rules_are_reported, capture_start),
        cmocka_unit_test_setup(no_unload_routine, capture_start),
        cmocka_unit_test_setup(running_threads_keep_the_code, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
