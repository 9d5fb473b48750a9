// Debug output: lines, levels, losses.
#include "capture.h"

static void one_line_each(void **state)
{
    (void)DbgPrint("first\nsecond\r\n");
    (void)DbgPrint("%ws at %d\n", L"third", 3);
    ntos_print_flush();
    assert_int_equal(capture.line_count, 3);
    assert_string_equal(capture.lines[0], "first");
    assert_string_equal(capture.lines[1], "second");
    assert_string_equal(capture.lines[2], "third at 3");
}

static void parts_of_a_line_join(void **state)
{
    (void)DbgPrint("bytes:");
    for (int i = 0; i < 3; i++)
        (void)DbgPrint(" %02x", i);
    (void)DbgPrint("\n");
    ntos_print_flush();
    assert_int_equal(capture.line_count, 1);
    assert_string_equal(capture.lines[0], "bytes: 00 01 02");
}

static void unfinished_lines_appear(void **state)
{
    (void)DbgPrint("no newline");
    unsigned count = 0;
    for (int i = 0; i < 1000 && count == 0; i++) {
        (void)usleep(10000);
        pthread_mutex_lock(&capture.lock);
        count = capture.line_count;
        pthread_mutex_unlock(&capture.lock);
    }
    assert_int_equal(count, 1);
    assert_string_equal(capture.lines[0], "no newline");
}

static void *print_other(void *argument)
{
    (void)DbgPrint("other\n");
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    (void)DbgPrint("half");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, print_other, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ntos_print_flush();
    assert_int_equal(capture.line_count, 2);
    assert_string_equal(capture.lines[0], "half");
    assert_string_equal(capture.lines[1], "other");
}

static void levels_are_kept(void **state)
{
    (void)DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "error\n");
    ntos_print_flush();
    assert_int_equal(capture.levels[0], DPFLTR_ERROR_LEVEL);
}

static void long_messages_are_cut(void **state)
{
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)DbgPrint("%s\n", text);
    ntos_print_flush();
    assert_int_equal(capture.line_count, 1);
    assert_int_equal(strlen(capture.lines[0]), 512);
}

static void wide_strings_need_passive_level(void **state)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    (void)DbgPrint("number %d and %s\n", 5, "text");
    assert_no_reports();
    (void)DbgPrint("wide %ws\n", L"text");
    KeLowerIrql(irql);
    assert_int_equal(capture_count(NTOS_REPORT_VIOLATION, "DbgPrint"), 1);
    assert_true(capture_has_line("wide text"));
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void print_slowly(void *context, uint32_t component, uint32_t level, const char *line)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    capture_print(context, component, level, line);
}

static void a_stuck_hook_loses_lines_and_says_so(void **state)
{
    struct ntos_hooks hooks = { .print = print_slowly, .report = capture_report };
    ntos_hooks_set(&hooks);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 3000; i++)
        (void)DbgPrint("line %d\n", i);
    struct ntos_counters counters;
    ntos_counters_get(&counters);
    assert_true(counters.lines_lost >= 1900);
    pthread_mutex_unlock(&gate);
    assert_true(capture_has_line("debug messages lost]"));
    assert_true(capture_has_line("line 0"));
}

static void checked_builds_print(void **state)
{
    KdPrint(("checked %d\n", 1));
    ASSERT(1 + 1 == 2);
    assert_no_reports();
    ASSERT(1 + 1 == 3);
    assert_int_equal(capture_count(NTOS_REPORT_VIOLATION, "ASSERT"), 1);
    assert_true(capture_has_line("checked 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_line_each, capture_start),
        cmocka_unit_test_setup(parts_of_a_line_join, capture_start),
        cmocka_unit_test_setup(unfinished_lines_appear, capture_start),
        cmocka_unit_test_setup(threads_do_not_mix, capture_start),
        cmocka_unit_test_setup(levels_are_kept, capture_start),
        cmocka_unit_test_setup(long_messages_are_cut, capture_start),
        cmocka_unit_test_setup(wide_strings_need_passive_level, capture_start),
        cmocka_unit_test_setup(a_stuck_hook_loses_lines_and_says_so, capture_start),
        cmocka_unit_test_setup(checked_builds_print, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
