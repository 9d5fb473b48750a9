#include "cli/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fwpmu.h"

static const GUID rule_key = { 7, 0, 0, { 0 } };
static struct wall_rule_filter built;

static struct wall_rule make_rule(void)
{
    static const WCHAR name[] = L"a rule";
    return (struct wall_rule){ .block = true, .persistent = true, .weight = -1, .name = name };
}

static void add_network(struct wall_rule *rule, const char *text)
{
    assert_int_equal(wall_network_parse(text, &rule->networks[rule->network_count++], NULL), 0);
}

static void add_ports(struct wall_rule *rule, const char *text)
{
    assert_int_equal(wall_port_range_parse(text, &rule->ports[rule->port_count++], NULL), 0);
}

static void assert_list(const struct wall_texts *list, const char *expected)
{
    char *joined = wall_texts_join(list);
    assert_non_null(joined);
    assert_string_equal(joined, expected);
    free(joined);
}

static void test_filter(void **state)
{
    struct wall_rule rule = make_rule();
    rule.weight = 9;
    add_network(&rule, "192.0.2.0/24");
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    const FWPM_FILTER0 *filter = &built.filter;
    assert_int_equal(filter->flags, FWPM_FILTER_FLAG_PERSISTENT);
    assert_true(IsEqualGUID(&filter->layerKey, &FWPM_LAYER_ALE_AUTH_CONNECT_V4));
    assert_true(IsEqualGUID(&filter->subLayerKey, &wall_rule_sublayer));
    assert_true(IsEqualGUID(filter->providerKey, &wall_rule_provider));
    assert_int_equal(filter->action.type, FWP_ACTION_BLOCK);
    assert_int_equal(filter->weight.type, FWP_UINT8);
    assert_int_equal(filter->weight.uint8, 9);
    assert_int_equal(filter->numFilterConditions, 1);
    assert_true(IsEqualGUID(&filter->filterCondition[0].fieldKey, &FWPM_CONDITION_IP_REMOTE_ADDRESS));
    assert_int_equal(filter->filterCondition[0].conditionValue.type, FWP_V4_ADDR_MASK);
    assert_int_equal(filter->filterCondition[0].conditionValue.v4AddrMask->addr, 0xC0000200);
    assert_int_equal(filter->filterCondition[0].conditionValue.v4AddrMask->mask, 0xFFFFFF00);

    GUID key;
    assert_true(wall_rule_key_of(filter, &key));
    assert_true(IsEqualGUID(&key, &rule_key));
}

static void test_whole_network(void **state)
{
    struct wall_rule rule = make_rule();
    add_network(&rule, "0.0.0.0/0");
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_int_equal(built.filter.filterCondition[0].conditionValue.v4AddrMask->mask, 0);
}

static void test_defaults(void **state)
{
    struct wall_rule rule = make_rule();
    rule.block = rule.persistent = false;
    rule.protocols[rule.protocol_count++] = 1;
    assert_true(wall_rule_build(&rule, &rule_key, true, &built));
    assert_int_equal(built.filter.weight.type, FWP_EMPTY);
    assert_int_equal(built.filter.flags, 0);
    assert_int_equal(built.filter.action.type, FWP_ACTION_PERMIT);
    assert_true(IsEqualGUID(&built.filter.layerKey, &FWPM_LAYER_ALE_AUTH_CONNECT_V6));
}

// A rule about IPv4 networks only must not become one about all of IPv6.
static void test_other_family(void **state)
{
    struct wall_rule rule = make_rule();
    add_network(&rule, "192.0.2.1");
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_true(wall_rule_build(&rule, &rule_key, true, &built));  // of sockets of IPv6 that use IPv4
    assert_int_equal(built.filter.numFilterConditions, 1);
    const FWP_CONDITION_VALUE0 *value = &built.filter.filterCondition[0].conditionValue;
    static const UINT8 mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
    assert_int_equal(value->type, FWP_BYTE_ARRAY16_TYPE);
    assert_memory_equal(value->byteArray16->byteArray16, mapped, 16);
    add_network(&rule, "2001:db8::/32");
    assert_true(wall_rule_build(&rule, &rule_key, true, &built));
    assert_int_equal(built.filter.numFilterConditions, 2);
    rule.networks[0] = rule.networks[1];
    rule.network_count = 1;
    assert_false(wall_rule_build(&rule, &rule_key, false, &built));
}

static void test_mapped_network(void **state)
{
    struct wall_rule rule = make_rule();
    struct wall_rule_text text = { 0 };
    add_network(&rule, "10.0.0.0/8");
    add_network(&rule, "0.0.0.0/0");
    assert_true(wall_rule_build(&rule, &rule_key, true, &built));
    const FWP_V6_ADDR_AND_MASK *mask = built.filter.filterCondition[0].conditionValue.v6AddrMask;
    static const UINT8 mapped[16] = { [10] = 0xff, 0xff, 10 };
    assert_memory_equal(mask->addr, mapped, 16);
    assert_int_equal(mask->prefixLength, 104);
    assert_int_equal(wall_rule_describe(&built.filter, &text), 0);
    assert_list(&text.remotes, "10.0.0.0/8,0.0.0.0/0");
    wall_rule_text_done(&text);
}

static void test_ports_imply_protocols(void **state)
{
    struct wall_rule rule = make_rule();
    struct wall_rule_text text = { 0 };
    add_ports(&rule, "53");
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_int_equal(wall_rule_describe(&built.filter, &text), 0);
    assert_list(&text.protocols, "tcp,udp");
    wall_rule_text_done(&text);

    rule.protocols[rule.protocol_count++] = 132;
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_int_equal(wall_rule_describe(&built.filter, &text), 0);
    assert_list(&text.protocols, "sctp");
    wall_rule_text_done(&text);
}

static void test_described_as_written(void **state)
{
    struct wall_rule rule = make_rule();
    WCHAR path[] = L"/usr/bin/a,b";
    FWP_BYTE_BLOB app = { sizeof(path), (UINT8 *)path };
    rule.apps[rule.app_count++] = &app;
    add_network(&rule, "192.0.2.1");
    add_network(&rule, "10.0.0.0/8");
    add_network(&rule, "2001:db8::1");
    add_network(&rule, "2001:db8:1::/48");
    add_ports(&rule, "443");
    add_ports(&rule, "8000-9000");
    rule.protocols[rule.protocol_count++] = 6;
    rule.protocols[rule.protocol_count++] = 254;

    // Both filters of the rule into one text: what is equal appears once.
    struct wall_rule_text text = { 0 };
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_int_equal(wall_rule_describe(&built.filter, &text), 0);
    assert_true(wall_rule_build(&rule, &rule_key, true, &built));
    assert_int_equal(wall_rule_describe(&built.filter, &text), 0);
    assert_int_equal(text.apps.count, 1);
    assert_string_equal(text.apps.items[0], "/usr/bin/a,b");
    assert_list(&text.remotes, "192.0.2.1,10.0.0.0/8,2001:db8::1,2001:db8:1::/48");
    assert_list(&text.ports, "443,8000-9000");
    assert_list(&text.protocols, "tcp,254");
    assert_list(&text.others, "any");
    wall_rule_text_done(&text);
}

static void test_foreign_filter(void **state)
{
    FWPM_FILTER_CONDITION0 conditions[] = {
        { FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, { .type = FWP_UINT16, .uint16 = 22 } },
        { FWPM_CONDITION_IP_REMOTE_PORT, FWP_MATCH_GREATER, { .type = FWP_UINT16, .uint16 = 1024 } },
    };
    FWPM_FILTER0 filter = { .numFilterConditions = 2, .filterCondition = conditions };
    struct wall_rule_text text = { 0 };
    GUID key;
    assert_int_equal(wall_rule_describe(&filter, &text), 0);
    assert_list(&text.others, "IP_LOCAL_PORT,IP_REMOTE_PORT");
    assert_list(&text.ports, "any");
    wall_rule_text_done(&text);

    assert_false(wall_rule_key_of(&filter, &key));
    filter.providerKey = (GUID *)&wall_rule_provider;
    assert_false(wall_rule_key_of(&filter, &key));
    UINT8 data[15] = { 0 };
    filter.providerData = (FWP_BYTE_BLOB){ sizeof(data), data };
    assert_false(wall_rule_key_of(&filter, &key));
}

static void test_largest(void **state)
{
    struct wall_rule rule = make_rule();
    FWP_BYTE_BLOB blob = { 0 };
    for (size_t i = 0; i < WALL_RULE_SELECTORS_MAX; i++) {
        add_network(&rule, "10.0.0.0/8");
        add_ports(&rule, "1-2");
        rule.protocols[rule.protocol_count++] = (uint8_t)i;
        rule.apps[rule.app_count++] = &blob;
    }
    assert_true(wall_rule_build(&rule, &rule_key, false, &built));
    assert_int_equal(built.filter.numFilterConditions, WALL_RULE_CONDITIONS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_whole_network),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_other_family),
        cmocka_unit_test(test_mapped_network),
        cmocka_unit_test(test_ports_imply_protocols),
        cmocka_unit_test(test_described_as_written),
        cmocka_unit_test(test_foreign_filter),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
