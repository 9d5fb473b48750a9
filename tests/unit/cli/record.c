#include "cli/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fwptypes.h"

static struct wall_control_record make_decision(void)
{
    return (struct wall_control_record){
        .kind = WALL_CONTROL_DECISION,
        .time_us = 1700000000123456,
        .decision = {
            .held_us = 300000,
            .filter_id = 65537,
            .flow_id = 9,
            .action = FWP_ACTION_BLOCK,
            .process_id = 4711,
            .user_id = 4000000000u,
            .layer_id = 48,
            .local_port = 40000,
            .remote_port = 443,
            .family = AF_INET,
            .protocol = 6,
            .local_address = { 10, 0, 0, 5 },
            .remote_address = { 192, 0, 2, 7 },
            .executable = "/usr/bin/curl",
            .process_name = "curl",
            .filter_name = "block curl",
            .driver = "wall",
        },
    };
}

static void assert_printed(const struct wall_control_record *record, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    wall_record_print(record, file);
    fclose(file);
    assert_string_equal(text, expected);
    free(text);
}

static void test_decision(void **state)
{
    struct wall_control_record record = make_decision();
    assert_printed(&record, "22:13:20.123  block  TCP 10.0.0.5:40000 -> 192.0.2.7:443  /usr/bin/curl [4711]"
                            "  filter 65537 (block curl)  driver wall  held 300 ms\n");
    record.decision.layer_id = 44;  // ALE_AUTH_RECV_ACCEPT_V4
    assert_printed(&record, "22:13:20.123  block  TCP 10.0.0.5:40000 <- 192.0.2.7:443  /usr/bin/curl [4711]"
                            "  filter 65537 (block curl)  driver wall  held 300 ms\n");
    record = make_decision();

    record.decision.held_us = 0;
    record.decision.filter_id = 0;
    record.decision.filter_name = record.decision.driver = record.decision.executable = NULL;
    record.decision.action = FWP_ACTION_PERMIT;
    record.decision.protocol = 254;
    record.decision.family = AF_INET6;
    record.decision.veto = 1;
    assert_printed(&record, "22:13:20.123  permit 254 [a00:5::]:40000 -> [c000:207::]:443  curl [4711]  no filter  "
                            "veto\n");
}

static void test_line(void **state)
{
    struct wall_control_record record = { .kind = WALL_CONTROL_LINE, .time_us = 0 };
    record.line.driver = "wall";
    record.line.line = "[WFP]IRQL=0;PID=1;Path=/a\x1b[2J";
    assert_printed(&record, "00:00:00.000  wall: [WFP]IRQL=0;PID=1;Path=/a\\x1b[2J\n");
    record.kind = WALL_CONTROL_LOST;
    record.lost = 12;
    assert_printed(&record, "00:00:00.000  12 records were lost: this reader is too slow\n");
}

static void assert_json(const struct wall_control_record *record, const char *expected)
{
    json_t *json = wall_record_json(record);
    assert_non_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(json);
}

static void test_json(void **state)
{
    struct wall_control_record record = make_decision();
    assert_json(&record,
                "{\"type\":\"decision\",\"time\":\"2023-11-14T22:13:20.123456Z\",\"action\":\"block\","
                "\"layer\":\"FWPM_LAYER_ALE_AUTH_CONNECT_V4\",\"filterId\":65537,\"filterName\":\"block curl\","
                "\"driver\":\"wall\",\"veto\":false,\"heldUs\":300000,\"protocol\":\"TCP\","
                "\"localAddress\":\"10.0.0.5\",\"localPort\":40000,\"remoteAddress\":\"192.0.2.7\","
                "\"remotePort\":443,\"executable\":\"/usr/bin/curl\",\"processName\":\"curl\",\"processId\":4711,"
                "\"userId\":4000000000,\"flowId\":9,\"repeats\":0}");

    // Unknown layer, a path that is no UTF-8.
    record.decision.layer_id = 60000;
    record.decision.executable = "/tmp/\xff";
    json_t *json = wall_record_json(&record);
    assert_int_equal(json_integer_value(json_object_get(json, "layer")), 60000);
    assert_string_equal(json_string_value(json_object_get(json, "executable")), "/tmp/\\xff");
    json_decref(json);
}

static void test_json_others(void **state)
{
    struct wall_control_record record = { .kind = WALL_CONTROL_LINE, .time_us = 1 };
    record.line.driver = "wall";
    record.line.line = "a\tb";
    assert_json(&record, "{\"type\":\"line\",\"time\":\"1970-01-01T00:00:00.000001Z\",\"driver\":\"wall\","
                         "\"line\":\"a\\tb\"}");
    record.kind = WALL_CONTROL_LOST;
    record.lost = 3;
    assert_json(&record, "{\"type\":\"lost\",\"time\":\"1970-01-01T00:00:00.000001Z\",\"count\":3}");
}

static int use_utc(void **state)
{
    return setenv("TZ", "UTC", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decision),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_others),
    };
    return cmocka_run_group_tests(tests, use_utc, NULL);
}
