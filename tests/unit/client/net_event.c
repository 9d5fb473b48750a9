#include "client/net_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static SID user, package;
static FWPM_NET_EVENT_CLASSIFY_DROP2 drop = { .filterId = 9, .layerId = 48, .msFwpDirection = 0x3901, .isLoopback = 1 };

static FWPM_NET_EVENT5 make_event(void)
{
    return (FWPM_NET_EVENT5){
        .header = { .timeStamp = { 1, 2 },
                    .flags = FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET | FWPM_NET_EVENT_FLAG_USER_ID_SET |
                             FWPM_NET_EVENT_FLAG_PACKAGE_ID_SET | FWPM_NET_EVENT_FLAG_POLICY_FLAGS_SET,
                    .ipVersion = FWP_IP_VERSION_V6,
                    .ipProtocol = 6,
                    .localAddrV6 = { { 1 } },
                    .remoteAddrV6 = { { 2 } },
                    .localPort = 3,
                    .remotePort = 4,
                    .scopeId = 5,
                    .userId = &user,
                    .packageSid = &package,
                    .policyFlags = 6 },
        .type = FWPM_NET_EVENT_TYPE_CLASSIFY_DROP,
        .classifyDrop = &drop,
    };
}

static void older_versions_have_the_same_facts(void **state)
{
    FWPM_NET_EVENT5 event = make_event();
    union wall_net_event old;
    const uint32_t oldest_flags = FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET | FWPM_NET_EVENT_FLAG_USER_ID_SET;

    wall_net_event_convert(&event, 0, &old);
    assert_int_equal(old.v0.type, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP);
    assert_int_equal(old.v0.header.flags, oldest_flags);
    assert_int_equal(old.v0.header.localAddrV6.byteArray16[0], 1);
    assert_int_equal(old.v0.header.remotePort, 4);
    assert_ptr_equal(old.v0.header.userId, &user);
    assert_int_equal(old.v0.classifyDrop->filterId, 9);
    assert_int_equal(old.v0.classifyDrop->layerId, 48);

    wall_net_event_convert(&event, 1, &old);
    assert_int_equal(old.v1.header.flags, oldest_flags);
    assert_int_equal(old.v1.header.scopeId, 5);
    assert_int_equal(old.v1.classifyDrop->msFwpDirection, 0x3901);
    assert_int_equal(old.v1.classifyDrop->isLoopback, 1);

    wall_net_event_convert(&event, 2, &old);
    assert_int_equal(old.v2.header.flags, oldest_flags | FWPM_NET_EVENT_FLAG_PACKAGE_ID_SET);
    assert_ptr_equal(old.v2.header.packageSid, &package);
    assert_ptr_equal(old.v2.classifyDrop, &drop);

    for (unsigned version = 3; version <= 5; version++) {
        wall_net_event_convert(&event, version, &old);
        assert_memory_equal(&old.v5, &event, sizeof(event));
    }
}

static void versions_know_their_types(void **state)
{
    assert_true(wall_net_event_known(FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 0));
    assert_false(wall_net_event_known(FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, 1));
    assert_true(wall_net_event_known(FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, 2));
    assert_false(wall_net_event_known(FWPM_NET_EVENT_TYPE_LPM_PACKET_ARRIVAL, 4));
    assert_true(wall_net_event_known(FWPM_NET_EVENT_TYPE_LPM_PACKET_ARRIVAL, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(older_versions_have_the_same_facts),
        cmocka_unit_test(versions_know_their_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
