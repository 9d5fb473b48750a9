// Files in the driver's data directory, and nowhere else.
#include "loaded.h"

#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "/tmp/ntos-data-XXXXXX";
static struct ntos_driver *driver;

static int setup_group(void **state)
{
    struct ntos_driver_options options = { .name = "echo", .data_directory = directory };
    (void)capture_start(state);
    if (!mkdtemp(directory))
        return -1;
    return ntos_driver_load(driver_path("echo"), &options, &driver, &error);
}

static int teardown_group(void **state)
{
    unload(driver, 0);
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

static NTSTATUS create(const WCHAR *path, ACCESS_MASK access, ULONG disposition, ULONG options, HANDLE *file,
                       ULONG_PTR *information)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK status = {0};
    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS result = ZwCreateFile(file, access, &attributes, &status, NULL, FILE_ATTRIBUTE_NORMAL, 0, disposition,
                                   options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (information)
        *information = status.Information;
    return result;
}

static void write_and_read(void **state)
{
    HANDLE file;
    ULONG_PTR made;
    IO_STATUS_BLOCK status;
    char text[16] = "";
    assert_int_equal(create(L"\\??\\C:\\Windows\\Temp\\Log.txt", GENERIC_READ | GENERIC_WRITE, FILE_OPEN_IF, 0, &file,
                            &made), STATUS_SUCCESS);
    assert_int_equal(made, FILE_CREATED);
    assert_int_equal(ZwWriteFile(file, NULL, NULL, NULL, &status, (PVOID)(ULONG_PTR)"hello ", 6, NULL, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwWriteFile(file, NULL, NULL, NULL, &status, (PVOID)(ULONG_PTR)"world", 5, NULL, NULL),
                     STATUS_SUCCESS);
    LARGE_INTEGER start = {0};
    assert_int_equal(ZwReadFile(file, NULL, NULL, NULL, &status, text, 16, &start, NULL), STATUS_SUCCESS);
    assert_int_equal(status.Information, 11);
    assert_string_equal(text, "hello world");
    assert_int_equal(ZwReadFile(file, NULL, NULL, NULL, &status, text, 16, NULL, NULL), STATUS_END_OF_FILE);
    FILE_STANDARD_INFORMATION standard;
    assert_int_equal(ZwQueryInformationFile(file, &status, &standard, sizeof(standard), FileStandardInformation),
                     STATUS_SUCCESS);
    assert_int_equal(standard.EndOfFile.QuadPart, 11);
    FILE_POSITION_INFORMATION position = { .CurrentByteOffset.QuadPart = 6 };
    assert_int_equal(ZwSetInformationFile(file, &status, &position, sizeof(position), FilePositionInformation),
                     STATUS_SUCCESS);
    assert_int_equal(ZwReadFile(file, NULL, NULL, NULL, &status, text, 5, NULL, NULL), STATUS_SUCCESS);
    assert_memory_equal(text, "world", 5);
    LARGE_INTEGER end = { .LowPart = FILE_WRITE_TO_END_OF_FILE, .HighPart = -1 };
    assert_int_equal(ZwWriteFile(file, NULL, NULL, NULL, &status, (PVOID)(ULONG_PTR)"!", 1, &end, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwFlushBuffersFile(file, &status), STATUS_SUCCESS);
    assert_int_equal(ZwClose(file), STATUS_SUCCESS);
    // One file, whatever the case.
    assert_int_equal(create(L"\\DosDevices\\c:\\windows\\TEMP\\log.TXT", FILE_APPEND_DATA, FILE_OPEN, 0, &file, &made),
                     STATUS_SUCCESS);
    assert_int_equal(made, FILE_OPENED);
    assert_int_equal(ZwWriteFile(file, NULL, NULL, NULL, &status, (PVOID)(ULONG_PTR)"?", 1, &start, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwClose(file), STATUS_SUCCESS);
    char path[128], content[16] = "";
    (void)snprintf(path, sizeof(path), "%s/c/windows/temp/log.txt", directory);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, content, sizeof(content)), 13);
    assert_string_equal(content, "hello world!?");
    (void)close(fd);
}

static void dispositions(void **state)
{
    HANDLE file;
    assert_int_equal(create(L"\\SystemRoot\\new.txt", GENERIC_READ, FILE_OPEN, 0, &file, NULL),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create(L"\\SystemRoot\\new.txt", GENERIC_WRITE, FILE_CREATE, 0, &file, NULL), STATUS_SUCCESS);
    assert_int_equal(ZwClose(file), STATUS_SUCCESS);
    assert_int_equal(create(L"\\SystemRoot\\new.txt", GENERIC_WRITE, FILE_CREATE, 0, &file, NULL),
                     STATUS_OBJECT_NAME_COLLISION);
    ULONG_PTR made;
    assert_int_equal(create(L"\\??\\C:\\Windows\\new.txt", GENERIC_WRITE, FILE_OVERWRITE_IF, 0, &file, &made),
                     STATUS_SUCCESS);
    assert_int_equal(made, FILE_OVERWRITTEN);
    assert_int_equal(ZwClose(file), STATUS_SUCCESS);
    assert_int_equal(create(L"\\SystemRoot\\Dir", GENERIC_READ, FILE_CREATE, FILE_DIRECTORY_FILE, &file, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(ZwClose(file), STATUS_SUCCESS);
    assert_int_equal(create(L"\\SystemRoot\\dir", GENERIC_READ, FILE_OPEN, FILE_NON_DIRECTORY_FILE, &file, NULL),
                     STATUS_FILE_IS_A_DIRECTORY);
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\SystemRoot\\NEW.txt");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void nothing_outside(void **state)
{
    HANDLE file;
    char link[64];
    static const WCHAR *const paths[] = {
        L"\\??\\..\\escape", L"\\??\\C:\\..\\..\\escape", L"\\SystemRoot\\..\\..\\..\\escape",
        L"\\??\\C:\\..\\..\\tmp\\x",
        L"\\??\\link\\escape", L"\\??\\link",
    };
    (void)snprintf(link, sizeof(link), "%s/link", directory);
    assert_int_equal(symlink("/tmp", link), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(create(paths[i], GENERIC_WRITE, FILE_OPEN_IF, 0, &file, NULL), STATUS_ACCESS_DENIED);
    assert_int_equal(access("/tmp/escape", F_OK), -1);
    assert_int_equal(create(L"\\??\\a/b", GENERIC_WRITE, FILE_OPEN_IF, 0, &file, NULL), STATUS_OBJECT_NAME_INVALID);
    assert_int_equal(create(L"\\Device\\HarddiskVolume1\\x", GENERIC_WRITE, FILE_OPEN_IF, 0, &file, NULL),
                     STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(create(L"\\??\\", GENERIC_WRITE, FILE_OPEN_IF, 0, &file, NULL), STATUS_OBJECT_PATH_NOT_FOUND);
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??\\link");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    assert_int_equal(ZwDeleteFile(&attributes), STATUS_SUCCESS);  // the link, not where it leads
    assert_int_equal(access("/tmp", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(dispositions),
        cmocka_unit_test(nothing_outside),
    };
    return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
