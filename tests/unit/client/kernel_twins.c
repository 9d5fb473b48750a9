#include "kernel_twins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fwpmk.h"

void kernel_twins_check(void)
{
    HANDLE engine = NULL;
    GUID key = { .Data1 = 1 };
    UINT64 id;
    assert_int_equal(FwpmEngineOpen0(NULL, 10, NULL, NULL, &engine), STATUS_SUCCESS);
    assert_int_equal(FwpmFilterAdd0(engine, NULL, NULL, &id), STATUS_FWP_NULL_POINTER);
    assert_int_equal(FwpmFilterDeleteByKey0(NULL, &key), STATUS_INVALID_HANDLE);
    FWPM_LAYER0 *layer = NULL;
    assert_int_equal(FwpmLayerGetById0(engine, 48, &layer), STATUS_SUCCESS);
    assert_int_equal(layer->layerId, 48);
    FwpmFreeMemory0((void **)&layer);
    assert_int_equal(FwpmConnectionGetById0(engine, 1, NULL), STATUS_FWP_CONNECTIONS_DISABLED);
    assert_int_equal(FwpmEngineClose0(engine), STATUS_SUCCESS);
    assert_int_equal(FwpmEngineClose0(engine), STATUS_INVALID_HANDLE);
}

uint32_t kernel_twins_delete(void *engine)
{
    return (uint32_t)FwpmCalloutDeleteById0(engine, 7);
}
