#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "client/operation.h"
#include "client/redirect.h"

static uint8_t context_bytes[3] = {1, 2, 3};

static struct wall_redirect_version versions[3] = {
    {.remote_address = {10, 0, 0, 1}, .remote_port = 80},
    {.remote_address = {127, 0, 0, 1}, .remote_port = 9000, .filter_id = 5, .target_process_id = 7,
     .context = {3, context_bytes}},
    {.remote_address = {127, 0, 0, 1}, .remote_port = 9001, .filter_id = 6},
};

static struct wall_classify_request request_of(uint32_t count, uint16_t layer_id)
{
    return (struct wall_classify_request){.values = {.layerId = layer_id}, .filter = {.filterId = 9},
                                          .version_count = count, .versions = versions};
}

static void what_was_changed_is_chained(void **state)
{
    const struct wall_classify_request request = request_of(2, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    struct wall_redirect_data *data = wall_redirect_data_new(&request);
    assert_non_null(data);
    const FWPS_CONNECT_REQUEST0 *now = wall_redirect_data_request(data);
    struct sockaddr_in to;
    memcpy(&to, &now->remoteAddressAndPort, sizeof(to));
    assert_int_equal(to.sin_family, AF_INET);
    assert_int_equal(ntohs(to.sin_port), 9000);
    assert_int_equal(now->modifierFilterId, 9);
    assert_int_equal(now->previousVersion->modifierFilterId, 5);
    assert_int_equal(now->previousVersion->localRedirectTargetPID, 7);
    memcpy(&to, &now->previousVersion->previousVersion->remoteAddressAndPort, sizeof(to));
    assert_int_equal(ntohs(to.sin_port), 80);
    assert_null(now->previousVersion->previousVersion->previousVersion);
    wall_redirect_data_free(data);
}

static void other_layers_have_nothing_to_write(void **state)
{
    const struct wall_classify_request request = request_of(1, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
    assert_null(wall_redirect_data_new(&request));
}

static void only_a_change_is_told(void **state)
{
    const struct wall_classify_request request = request_of(1, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    struct wall_redirect_data *data = wall_redirect_data_new(&request);
    NTSTATUS status;
    assert_null(wall_redirect_data_take(data, &status));
    assert_int_equal(status, STATUS_SUCCESS);
    FWPS_CONNECT_REQUEST0 *now = wall_redirect_data_request(data);
    const uint8_t proxy[4] = {127, 0, 0, 1};
    wall_redirect_address(false, proxy, 9000, &now->remoteAddressAndPort);
    now->localRedirectTargetPID = 7;
    struct wall_redirect_version *version = wall_redirect_data_take(data, &status);
    assert_non_null(version);
    assert_int_equal(version->remote_port, 9000);
    assert_memory_equal(version->remote_address, proxy, 4);
    assert_int_equal(version->target_process_id, 7);
    free(version);
    now->remoteAddressAndPort.ss_family = AF_INET6;
    assert_null(wall_redirect_data_take(data, &status));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    wall_redirect_data_free(data);
}

static void a_binding_has_versions_of_its_own(void **state)
{
    const uint8_t first[4] = {10, 9, 0, 1}, second[4] = {10, 9, 0, 2};
    struct wall_redirect_version bindings[2] = {{.local_address = {10, 9, 0, 1}, .local_port = 80},
                                                {.local_address = {10, 9, 0, 1}, .local_port = 81, .filter_id = 5}};
    struct wall_classify_request request = request_of(2, FWPS_LAYER_ALE_BIND_REDIRECT_V4);
    request.versions = bindings;
    struct wall_redirect_data *data = wall_redirect_data_new(&request);
    FWPS_BIND_REQUEST0 *now = wall_redirect_data_request(data);
    SOCKADDR_STORAGE was;
    NTSTATUS status;
    wall_redirect_address(false, first, 81, &was);
    assert_memory_equal(&now->localAddressAndPort, &was, sizeof(was));
    assert_int_equal(now->modifierFilterId, 9);
    assert_int_equal(now->previousVersion->modifierFilterId, 5);
    wall_redirect_address(false, first, 80, &was);
    assert_memory_equal(&now->previousVersion->previousVersion->localAddressAndPort, &was, sizeof(was));
    assert_null(wall_redirect_data_take(data, &status));
    assert_int_equal(status, STATUS_SUCCESS);
    wall_redirect_address(false, second, 0, &now->localAddressAndPort);
    struct wall_redirect_version *version = wall_redirect_data_take(data, &status);
    assert_memory_equal(version->local_address, second, 4);
    assert_int_equal(version->local_port, 0);
    free(version);
    now->localAddressAndPort.ss_family = AF_INET6;
    assert_null(wall_redirect_data_take(data, &status));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    wall_redirect_data_free(data);
}

static void the_state_tells_who_it_was(void **state)
{
    const GUID provider = {1};
    HANDLE own, other;
    void *context;
    assert_int_equal(FwpsRedirectHandleCreate0(NULL, 0, &own), STATUS_INVALID_PARAMETER);
    assert_int_equal(FwpsRedirectHandleCreate0(&provider, 0, &own), STATUS_SUCCESS);
    assert_int_equal(FwpsRedirectHandleCreate0(&provider, 0, &other), STATUS_SUCCESS);
    assert_ptr_not_equal(own, other);
    assert_int_equal(FwpsQueryConnectionRedirectState0(NULL, own, NULL), FWPS_CONNECTION_NOT_REDIRECTED);
    versions[1].handle = (uint64_t)(uintptr_t)own;
    versions[2].handle = (uint64_t)(uintptr_t)other;

    struct wall_classify_request request = request_of(2, FWPS_LAYER_ALE_CONNECT_REDIRECT_V4);
    struct wall_classifying classifying;
    wall_operation_enter(&classifying, &request, NULL);
    assert_int_equal(FwpsQueryConnectionRedirectState0(versions, own, &context), FWPS_CONNECTION_REDIRECTED_BY_SELF);
    assert_memory_equal(context, context_bytes, 3);
    assert_int_equal(FwpsQueryConnectionRedirectState0(versions, other, NULL), FWPS_CONNECTION_REDIRECTED_BY_OTHER);
    request.version_count = 3;
    assert_int_equal(FwpsQueryConnectionRedirectState0(versions, own, NULL),
                     FWPS_CONNECTION_PREVIOUSLY_REDIRECTED_BY_SELF);
    request.version_count = 1;
    assert_int_equal(FwpsQueryConnectionRedirectState0(versions, own, NULL), FWPS_CONNECTION_NOT_REDIRECTED);
    wall_operation_leave(&classifying);
    FwpsRedirectHandleDestroy0(own);
    FwpsRedirectHandleDestroy0(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_changed_is_chained),
        cmocka_unit_test(other_layers_have_nothing_to_write),
        cmocka_unit_test(only_a_change_is_told),
        cmocka_unit_test(a_binding_has_versions_of_its_own),
        cmocka_unit_test(the_state_tells_who_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
