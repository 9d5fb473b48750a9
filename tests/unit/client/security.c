#include "client/security.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fwpmu.h"

#include "base/sid.h"
#include "fake_service.h"

static struct fake_service service;
static HANDLE engine;

static bool answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    const struct wall_object_find_request *find = object;
    static FWPM_PROVIDER0 provider;
    if (frame->type != WALL_MESSAGE_OBJECT_GET)
        return false;
    if (find->key->Data1 == 1)
        fake_reply(connection, frame,
                   &(struct wall_object_get_reply){ .object = { WALL_OBJECT_PROVIDER, { .provider = &provider } } });
    else
        fake_refuse(connection, frame, FWP_E_PROVIDER_NOT_FOUND, NULL);
    return true;
}

static int start(void **state)
{
    service = (struct fake_service){ .handle = answer };
    fake_service_start(&service);
    return FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine) == ERROR_SUCCESS ? 0 : -1;
}

static int stop(void **state)
{
    (void)FwpmEngineClose0(engine);
    fake_service_stop(&service);
    return 0;
}

// The access an ACL of allowing entries grants to a SID by name.
static ACCESS_MASK granted(const ACL *acl, const char *sid_text)
{
    ACCESS_MASK mask = 0;
    const unsigned char *at = (const unsigned char *)(acl + 1);
    for (unsigned i = 0; i < acl->AceCount; i++) {
        ACCESS_ALLOWED_ACE ace;
        memcpy(&ace, at, offsetof(ACCESS_ALLOWED_ACE, SidStart));
        char text[WALL_SID_TEXT_SIZE];
        wall_sid_print((const SID *)(at + offsetof(ACCESS_ALLOWED_ACE, SidStart)), text);
        if (strcmp(text, sid_text) == 0)
            mask |= ace.Mask;
        at += ace.Header.AceSize;
    }
    assert_ptr_equal(at, (const unsigned char *)acl + acl->AclSize);
    return mask;
}

static void the_descriptor_says_who_may_what(void **state)
{
    PSID owner = NULL, group = NULL;
    PACL dacl = NULL, sacl = (PACL)&owner;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    assert_int_equal(FwpmEngineGetSecurityInfo0(
                         engine, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                         &owner, &group, &dacl, &sacl, &descriptor),
                     ERROR_SUCCESS);
    uint32_t number = 1;
    assert_true(wall_sid_to_user(owner, &number) && number == 0);
    assert_true(wall_sid_to_group(group, &number) && number == 0);
    assert_null(sacl);
    assert_int_equal(granted(dacl, "S-1-22-1-0"), FWPM_GENERIC_ALL);
    assert_int_equal(granted(dacl, "S-1-1-0"), FWPM_GENERIC_READ | FWPM_GENERIC_EXECUTE);
    const SECURITY_DESCRIPTOR_RELATIVE *relative = descriptor;
    assert_int_equal(relative->Control, SE_SELF_RELATIVE | SE_DACL_PRESENT | SE_DACL_PROTECTED);
    assert_ptr_equal((unsigned char *)descriptor + relative->Dacl, dacl);
    FwpmFreeMemory0(&descriptor);
}

static void only_what_was_asked_for_is_there(void **state)
{
    PSID owner = NULL, group = NULL;
    PACL dacl = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    assert_int_equal(
        FwpmEngineGetSecurityInfo0(engine, GROUP_SECURITY_INFORMATION, &owner, &group, &dacl, NULL, &descriptor),
        ERROR_SUCCESS);
    assert_null(owner);
    assert_non_null(group);
    assert_null(dacl);
    FwpmFreeMemory0(&descriptor);
    assert_int_equal(FwpmEngineGetSecurityInfo0(engine, 0, NULL, NULL, NULL, NULL, NULL), FWP_E_NULL_POINTER);
}

static void keys_must_exist(void **state)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    GUID known = { .Data1 = 1 }, unknown = { .Data1 = 2 }, container = { 0 };
    assert_int_equal(FwpmProviderGetSecurityInfoByKey0(engine, &known, DACL_SECURITY_INFORMATION, NULL, NULL, NULL,
                                                       NULL, &descriptor),
                     ERROR_SUCCESS);
    FwpmFreeMemory0(&descriptor);
    assert_int_equal(FwpmProviderGetSecurityInfoByKey0(engine, &unknown, DACL_SECURITY_INFORMATION, NULL, NULL, NULL,
                                                       NULL, &descriptor),
                     FWP_E_PROVIDER_NOT_FOUND);
    assert_null(descriptor);
    assert_int_equal(
        FwpmProviderGetSecurityInfoByKey0(engine, NULL, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL, &descriptor),
        ERROR_SUCCESS);
    FwpmFreeMemory0(&descriptor);
    assert_int_equal(FwpmProviderGetSecurityInfoByKey0(engine, &container, DACL_SECURITY_INFORMATION, NULL, NULL, NULL,
                                                       NULL, &descriptor),
                     ERROR_SUCCESS);
    FwpmFreeMemory0(&descriptor);
}

static void setting_is_refused(void **state)
{
    assert_int_equal(FwpmEngineSetSecurityInfo0(engine, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL),
                     ERROR_CALL_NOT_IMPLEMENTED);
    assert_int_equal(FwpmFilterSetSecurityInfoByKey0(NULL, NULL, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL),
                     ERROR_INVALID_HANDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_descriptor_says_who_may_what),
        cmocka_unit_test(only_what_was_asked_for_is_there),
        cmocka_unit_test(keys_must_exist),
        cmocka_unit_test(setting_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
