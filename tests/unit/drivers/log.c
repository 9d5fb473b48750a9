// The wall driver's log, read through its device in a driver host.
#include "../ntos/loaded.h"

#include "control.h"

#define IOCTL_WRITE_LINE CTL_CODE(FILE_DEVICE_NETWORK, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)

static struct ntos_driver *driver;
static char text[1 << 20];

static struct ntos_file *open_log(void)
{
    struct ntos_file *file = NULL;
    assert_int_equal(ntos_file_open("\\\\.\\Log", NTOS_ACCESS_READ | NTOS_ACCESS_WRITE, 1, &file), STATUS_SUCCESS);
    return file;
}

static void write_line(struct ntos_file *file, const char *line)
{
    uint32_t size;
    assert_int_equal(ntos_file_control(file, IOCTL_WRITE_LINE, line, (uint32_t)strlen(line), NULL, 0, 1000, &size),
                     STATUS_SUCCESS);
}

static int32_t read_size(struct ntos_file *file, uint32_t input, uint32_t capacity, uint32_t timeout_ms)
{
    uint32_t size = 0;
    int32_t status = ntos_file_control(file, WALL_IOCTL_READ_LOG, text, input, text, capacity, timeout_ms, &size);
    text[NT_SUCCESS(status) ? size : 0] = '\0';
    return status;
}

static int32_t read_log(struct ntos_file *file)
{
    return read_size(file, 0, 4096, 50);
}

static int set_up(void **state)
{
    capture_start(state);
    driver = load("log", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unload(driver, 0);
    assert_no_reports();
    return 0;
}

static void each_reader_gets_each_line_once(void **state)
{
    (void)state;
    struct ntos_file *first = open_log(), *second = open_log();
    write_line(first, "one");
    write_line(first, "two");
    assert_int_equal(read_log(first), STATUS_SUCCESS);
    assert_string_equal(text, "one\ntwo\n");
    assert_int_equal(read_log(first), STATUS_CANCELLED);
    write_line(first, "three");
    assert_int_equal(read_log(second), STATUS_SUCCESS);
    assert_string_equal(text, "one\ntwo\nthree\n");
    assert_int_equal(read_log(first), STATUS_SUCCESS);
    assert_string_equal(text, "three\n");
    ntos_file_close(first);
    ntos_file_close(second);
}

static void a_waiting_reader_is_woken(void **state)
{
    (void)state;
    struct ntos_file *file = open_log(), *writer = open_log();
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = WALL_IOCTL_READ_LOG,
                                            .output_size = 4096 };
    struct ntos_request *request = NULL;
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_false(ntos_request_wait(request, 20));
    write_line(writer, "at last");
    assert_true(ntos_request_wait(request, 5000));
    const void *output = NULL;
    uint32_t size = 0;
    assert_int_equal(ntos_request_result(request, &output, &size), STATUS_SUCCESS);
    assert_int_equal(size, 8);
    assert_memory_equal(output, "at last\n", 8);
    ntos_request_free(request);
    ntos_file_close(file);
    ntos_file_close(writer);
}

static void closing_cancels_what_waits(void **state)
{
    (void)state;
    struct ntos_file *file = open_log(), *other = open_log();
    struct ntos_request_options options = { .kind = NTOS_REQUEST_CONTROL, .code = WALL_IOCTL_READ_LOG,
                                            .output_size = 4096 };
    struct ntos_request *request = NULL, *kept = NULL;
    assert_int_equal(ntos_request_start(file, &options, &request), 0);
    assert_int_equal(ntos_request_start(other, &options, &kept), 0);
    ntos_file_close(file);
    assert_true(ntos_request_wait(request, 5000));
    assert_int_equal(ntos_request_result(request, NULL, NULL), STATUS_CANCELLED);
    assert_false(ntos_request_wait(kept, 20));
    ntos_request_cancel(kept);
    assert_true(ntos_request_wait(kept, 5000));
    assert_int_equal(ntos_request_result(kept, NULL, NULL), STATUS_CANCELLED);
    ntos_request_free(request);
    ntos_request_free(kept);
    ntos_file_close(other);
}

static void wrong_sizes_and_codes_are_refused(void **state)
{
    (void)state;
    uint32_t size;
    struct ntos_file *file = open_log();
    write_line(file, "a line");
    assert_int_equal(read_size(file, 1, 4096, 50), STATUS_INVALID_PARAMETER);
    assert_int_equal(read_size(file, 0, WALL_LOG_LINE_MAX - 1, 50), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(read_size(file, 0, 0, 50), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(ntos_file_control(file, WALL_IOCTL_READ_LOG + 4, NULL, 0, text, 4096, 50, &size),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(read_size(file, 0, WALL_LOG_LINE_MAX, 50), STATUS_SUCCESS);
    assert_string_equal(text, "a line\n");
    ntos_file_close(file);
}

static void a_slow_reader_is_told_what_it_missed(void **state)
{
    (void)state;
    char line[32];
    struct ntos_file *file = open_log();
    for (unsigned i = 0; i < WALL_LOG_LINES + 7; i++) {
        snprintf(line, sizeof(line), "line %u", i);
        write_line(file, line);
    }
    static const char expected[] = "[WFP]7 lines were lost: they were not read in time\nline 7\nline 8\n";
    assert_int_equal(read_log(file), STATUS_SUCCESS);
    assert_memory_equal(text, expected, sizeof(expected) - 1);
    ntos_file_close(file);
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    char line[2000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    struct ntos_file *file = open_log();
    write_line(file, line);
    write_line(file, "next");
    assert_int_equal(read_log(file), STATUS_SUCCESS);
    assert_int_equal(strcspn(text, "\n"), WALL_LOG_LINE_MAX - 1);
    assert_string_equal(text + WALL_LOG_LINE_MAX, "next\n");
    ntos_file_close(file);
}

static void openers_are_limited(void **state)
{
    (void)state;
    struct ntos_file *files[WALL_LOG_READERS_MAX], *more = NULL;
    for (unsigned i = 0; i < WALL_LOG_READERS_MAX; i++)
        files[i] = open_log();
    assert_int_equal(ntos_file_open("\\\\.\\Log", NTOS_ACCESS_READ, 1, &more), STATUS_TOO_MANY_OPENED_FILES);
    ntos_file_close(files[0]);
    files[0] = open_log();
    for (unsigned i = 0; i < WALL_LOG_READERS_MAX; i++)
        ntos_file_close(files[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_reader_gets_each_line_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiting_reader_is_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_cancels_what_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_sizes_and_codes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_reader_is_told_what_it_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(openers_are_limited, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
