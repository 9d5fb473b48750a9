// Pool memory: accounts, damage, limits.
#include "capture.h"

static void blocks_are_counted(void **state)
{
    struct ntos_counters before, during, after;
    ntos_counters_get(&before);
    void *block = ExAllocatePoolWithTag(NonPagedPoolNx, 100, 'abcd');
    assert_non_null(block);
    ntos_counters_get(&during);
    assert_int_equal(during.pool_blocks, before.pool_blocks + 1);
    assert_int_equal(during.pool_bytes, before.pool_bytes + 100);
    ExFreePoolWithTag(block, 'abcd');
    ntos_counters_get(&after);
    assert_int_equal(after.pool_blocks, before.pool_blocks);
    assert_int_equal(after.pool_bytes, before.pool_bytes);
}

static void pool2_zeroes(void **state)
{
    static const char zeroes[64];
    for (int i = 0; i < 4; i++) {
        char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 'abcd');
        assert_memory_equal(block, zeroes, 64);
        memset(block, 0xff, 64);
        ExFreePool(block);
    }
    char *block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, 64, 'abcd');
    assert_memory_not_equal(block, zeroes, 64);
    ExFreePoolWithTag(block, 'abcd');
}

static void alignment(void **state)
{
    void *block = ExAllocatePoolWithTag(NonPagedPool, 1, 'abcd');
    assert_int_equal((ULONG_PTR)block % 16, 0);
    ExFreePool(block);
    block = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, 'abcd');
    assert_int_equal((ULONG_PTR)block % PAGE_SIZE, 0);
    ExFreePool(block);
}

static void wrong_arguments(void **state)
{
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0));
    assert_violation("ExAllocatePool2");
    assert_null(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 16, 'abcd'));
    assert_violation("ExAllocatePool2");
}

static void too_much_is_refused(void **state)
{
    struct ntos_counters before, after;
    ntos_counters_get(&before);
    assert_null(ExAllocatePoolWithTag(NonPagedPool, (SIZE_T)1 << 40, 'abcd'));
    assert_null(ExAllocatePoolWithTag(NonPagedPool, (SIZE_T)-64, 'abcd'));
    ntos_counters_get(&after);
    assert_int_equal(after.pool_refused, before.pool_refused + 2);
    assert_int_equal(after.pool_bytes, before.pool_bytes);
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        (void)ExAllocatePoolWithTag((POOL_TYPE)(NonPagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE), (SIZE_T)1 << 40,
                                    'abcd');
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
}

static void free_twice(void)
{
    void *block = ExAllocatePoolWithTag(NonPagedPool, 16, 'abcd');
    ExFreePool(block);
    ExFreePool(block);
}

static void free_with_another_tag(void)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPool, 16, 'abcd'), 'dcba');
}

static void write_past_the_end(void)
{
    volatile char *block = ExAllocatePoolWithTag(NonPagedPool, 16, 'abcd');
    block[16] = 0;
    ExFreePool((void *)(ULONG_PTR)block);
}

static void free_stack_memory(void)
{
    char memory[256] __attribute__((aligned(16))) = {0};
    ExFreePool(memory + 128);
}

static void damage_is_a_bug_check(void **state)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they look into freed memory
    assert_bugcheck(free_twice, "is not an allocated block");
    assert_bugcheck(write_past_the_end, "wrote past the end of the 16 bytes with the tag 'dcba'");
#endif
    assert_bugcheck(free_with_another_tag, "has the tag 'dcba', not 'abcd'");
    assert_bugcheck(free_stack_memory, "is not an allocated block");
}

static void a_timer_in_freed_memory_is_reported(void **state)
{
    KTIMER *timer = ExAllocatePoolWithTag(NonPagedPool, sizeof(*timer), 'remT');
    LARGE_INTEGER due = { .QuadPart = -100000000 };
    KeInitializeTimer(timer);
    (void)KeSetTimer(timer, due, NULL);
    ExFreePool(timer);
    assert_violation("ExFreePool");
}

static PVOID own_allocate(POOL_TYPE type, SIZE_T size, ULONG tag)
{
    return ExAllocatePoolWithTag(type, size, tag);
}

static void lookaside_lists(void **state)
{
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 48, 'kooL', 0);
    void *block = ExAllocateFromNPagedLookasideList(&list);
    assert_non_null(block);
    memset(block, 1, 48);
    ExFreeToNPagedLookasideList(&list, block);
    ExDeleteNPagedLookasideList(&list);
    ExInitializeNPagedLookasideList(&list, own_allocate, NULL, 0, 48, 'kooL', 0);
    block = ExAllocateFromNPagedLookasideList(&list);
    ExFreeToNPagedLookasideList(&list, block);
    ExDeleteNPagedLookasideList(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_are_counted, capture_start),
        cmocka_unit_test_setup(pool2_zeroes, capture_start),
        cmocka_unit_test_setup(alignment, capture_start),
        cmocka_unit_test_setup(wrong_arguments, capture_start),
        cmocka_unit_test_setup(too_much_is_refused, capture_start),
        cmocka_unit_test_setup(damage_is_a_bug_check, capture_start),
        cmocka_unit_test_setup(a_timer_in_freed_memory_is_reported, capture_start),
        cmocka_unit_test_setup(lookaside_lists, capture_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
