// Memory descriptor lists.
#include "capture.h"

static void describe(void **state)
{
    static char memory[3 * PAGE_SIZE];
    PMDL mdl = IoAllocateMdl(memory + 10, 5000, FALSE, FALSE, NULL);
    assert_int_equal(MmGetMdlByteCount(mdl), 5000);
    assert_ptr_equal(MmGetMdlVirtualAddress(mdl), memory + 10);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), memory + 10);
    IoFreeMdl(mdl);
    assert_violation("IoFreeMdl");
    mdl = IoAllocateMdl(memory, 100, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(mdl);
    PMDL part = IoAllocateMdl(memory, 100, FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, memory + 20, 0);
    assert_int_equal(MmGetMdlByteCount(part), 80);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(part, NormalPagePriority), memory + 20);
    assert_no_reports();
    IoBuildPartialMdl(mdl, part, memory + 90, 20);
    assert_violation("IoBuildPartialMdl");
    IoFreeMdl(part);
    IoFreeMdl(mdl);
}

static void wrong_memory(void **state)
{
    MDL mdl;
    NTSTATUS status = STATUS_SUCCESS;
    MmInitializeMdl(&mdl, (PVOID)(ULONG_PTR)4096, 10);
    __try {
        MmProbeAndLockPages(&mdl, UserMode, IoReadAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_ACCESS_VIOLATION);
    assert_false(MmIsAddressValid((PVOID)(ULONG_PTR)8));
    assert_true(MmIsAddressValid(&mdl));
    MmUnlockPages(&mdl);
    assert_violation("MmUnlockPages");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup(describe, capture_start),
                                        cmocka_unit_test_setup(wrong_memory, capture_start) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
