#include "cli/coverage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct wall_control_coverage_item items[] = {
    { "TCP", "covered", "Judged at connect()." },
    { "SCTP", "absent", "This kernel has none." },
    { "AF_PACKET", "open", "Open in evil\x1b[2J [7] \xff now, and a text so long that it goes on in another line" },
};
static const struct wall_control_coverage coverage = { 3, items };

static void what_is_not_judged_comes_first_and_clean(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    wall_coverage_print(&coverage, file);
    assert_int_equal(fclose(file), 0);
    const char *packet = strstr(text, "NOT JUDGED  AF_PACKET"), *tcp = strstr(text, "judged      TCP");
    assert_non_null(packet);
    assert_non_null(tcp);
    assert_true(packet < tcp && tcp < strstr(text, "none here   SCTP"));
    assert_non_null(strstr(text, "1 of 3 kinds"));
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, "\n                                   "));
    free(text);
}

static void json_holds_everything(void **state)
{
    json_t *json = wall_coverage_json(&coverage);
    assert_int_equal(json_array_size(json), 3);
    const json_t *packet = json_array_get(json, 2);
    assert_string_equal(json_string_value(json_object_get(packet, "state")), "open");
    assert_string_equal(json_string_value(json_object_get(packet, "name")), "AF_PACKET");
    assert_non_null(strstr(json_string_value(json_object_get(packet, "detail")), "\\xff"));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_judged_comes_first_and_clean),
        cmocka_unit_test(json_holds_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
