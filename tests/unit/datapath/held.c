#include "datapath/linux/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wall_held *add(struct wall_held_table *table, uint64_t flow_id, uint64_t cookie)
{
    struct wall_flow_facts *facts = calloc(1, sizeof(*facts));
    facts->flow_id = flow_id;
    facts->socket_cookie = cookie;
    facts->key.number = cookie;
    facts->key.port = (uint16_t)flow_id;
    struct wall_held *held = wall_held_add(table, facts);
    free(facts);
    return held;
}

static void finds_by_id_and_socket(void **state)
{
    struct wall_held_table table;
    wall_held_init(&table);
    for (uint64_t id = 1; id <= 300; id++)
        assert_non_null(add(&table, id, id % 10));
    assert_int_equal(table.held_count, 300);
    assert_null(add(&table, 7, 1));
    assert_int_equal(table.held_count, 300);
    for (uint64_t id = 1; id <= 300; id++)
        assert_int_equal(wall_held_find(&table, id)->name.cookie, id % 10);
    assert_null(wall_held_find(&table, 301));
    assert_null(wall_held_of_socket(&table, 10));

    size_t count = 0;
    for (struct wall_held *held = wall_held_of_socket(&table, 3); held; held = held->next, count++)
        assert_int_equal(held->flow_id % 10, 3);
    assert_int_equal(count, 30);
    wall_held_done(&table);
}

static void removes_in_any_order(void **state)
{
    struct wall_held_table table;
    wall_held_init(&table);
    static const uint64_t order[] = { 3, 1, 5, 2, 4 };  // middle, ends, rest
    for (uint64_t id = 1; id <= 5; id++)
        add(&table, id, 9);
    for (size_t i = 0; i < 5; i++) {
        wall_held_remove(&table, wall_held_find(&table, order[i]));
        assert_null(wall_held_find(&table, order[i]));
        size_t count = 0;
        for (struct wall_held *held = wall_held_of_socket(&table, 9); held; held = held->next, count++)
            assert_true(!held->next || held->next->previous == held);
        assert_int_equal(count, 4 - i);
    }
    assert_null(wall_held_of_socket(&table, 9));
    assert_int_equal(table.held_count, 0);
    wall_held_done(&table);
}

static void counts_only_what_is_held(void **state)
{
    struct wall_held_table table;
    wall_held_init(&table);
    struct wall_held *held = add(&table, 1, 1);
    add(&table, 2, 1);
    wall_held_set_state(&table, held, WALL_FLOW_PERMITTED);
    wall_held_set_state(&table, held, WALL_FLOW_PERMITTED);
    assert_int_equal(table.held_count, 1);
    wall_held_remove(&table, held);
    assert_int_equal(table.held_count, 1);
    wall_held_done(&table);
}

static void queues_packets_in_order(void **state)
{
    struct wall_held_table table;
    wall_held_init(&table);
    struct wall_held *held = add(&table, 1, 1);
    struct wall_record *record = calloc(1, sizeof(*record) + 8);
    for (uint8_t i = 0; i < 5; i++) {
        record->length = i + 1;
        record->data[0] = i;
        assert_int_equal(wall_held_queue(&table, held, record), 0);
    }
    free(record);
    uint8_t expected = 0;
    for (struct wall_held_packet *packet = held->packets; packet; packet = packet->next, expected++) {
        assert_int_equal(packet->data[0], expected);
        assert_int_equal(packet->length, expected + 1);
    }
    assert_int_equal(expected, 5);
    assert_int_equal(table.captured_bytes, 15);
    assert_int_equal(wall_held_drop_packets(&table, held), 15);
    assert_int_equal(table.captured_bytes, 0);
    assert_null(held->packets);
    wall_held_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_id_and_socket),
        cmocka_unit_test(removes_in_any_order),
        cmocka_unit_test(counts_only_what_is_held),
        cmocka_unit_test(queues_packets_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
