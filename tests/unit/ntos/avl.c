// Generic tables: order, balance, and the ways drivers walk them.
#include "capture.h"

#define ELEMENTS 2000

static RTL_AVL_TABLE table;
static int allocated, refuse;

static RTL_GENERIC_COMPARE_RESULTS compare(PRTL_AVL_TABLE of, PVOID first, PVOID second)
{
    int a = *(int *)first, b = *(int *)second;
    return a < b ? GenericLessThan : a > b ? GenericGreaterThan : GenericEqual;
}

static PVOID allocate(PRTL_AVL_TABLE of, CLONG size)
{
    if (refuse)
        return NULL;
    allocated++;
    return malloc(size);
}

static VOID release(PRTL_AVL_TABLE of, PVOID buffer)
{
    allocated--;
    free(buffer);
}

static int setup(void **state)
{
    allocated = refuse = 0;
    RtlInitializeGenericTableAvl(&table, compare, allocate, release, &table);
    return capture_start(state);
}

// The height of a subtree, checking balance, parents and order on the way.
static int check(PRTL_BALANCED_LINKS node, PRTL_BALANCED_LINKS parent, int low, int high)
{
    if (!node)
        return 0;
    int value = *(int *)(node + 1);
    assert_ptr_equal(node->Parent, parent);
    assert_true(value >= low && value <= high);
    int left = check(node->LeftChild, node, low, value - 1), right = check(node->RightChild, node, value + 1, high);
    assert_int_equal(node->Balance, right - left);
    assert_in_range(right - left + 1, 0, 2);
    return 1 + (left > right ? left : right);
}

static void check_table(void)
{
    int height = check(table.BalancedRoot.RightChild, &table.BalancedRoot, INT32_MIN, INT32_MAX);
    assert_int_equal(height, table.DepthOfTree);
}

static int next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (int)(*seed >> 8) % (2 * ELEMENTS);
}

static void random_life(void **state)
{
    static bool present[2 * ELEMENTS];
    uint32_t seed = 7;
    unsigned count = 0;
    memset(present, 0, sizeof(present));
    for (int round = 0; round < 20000; round++) {
        int value = next_random(&seed);
        BOOLEAN made = 2;
        if (value % 2) {
            int *element = RtlInsertElementGenericTableAvl(&table, &value, sizeof(value), &made);
            assert_int_equal(*element, value);
            assert_int_equal(made, !present[value]);
            count += !present[value];
            present[value] = true;
        } else {
            value /= 2;
            assert_int_equal(RtlDeleteElementGenericTableAvl(&table, &value), present[value]);
            count -= present[value];
            present[value] = false;
        }
        assert_int_equal(RtlNumberGenericTableElementsAvl(&table), count);
        if (round % 500 == 0)
            check_table();
    }
    check_table();
    for (int value = 0; value < 2 * ELEMENTS; value++)
        assert_int_equal(RtlLookupElementGenericTableAvl(&table, &value) != NULL, present[value]);
    assert_int_equal(allocated, count);
    while (!RtlIsGenericTableEmptyAvl(&table))
        assert_true(RtlDeleteElementGenericTableAvl(&table, RtlGetElementGenericTableAvl(&table, 0)));
    assert_int_equal(allocated, 0);
    assert_int_equal(table.DepthOfTree, 0);
}

static void walks(void **state)
{
    for (int value = 99; value >= 0; value--)
        assert_non_null(RtlInsertElementGenericTableAvl(&table, &value, sizeof(value), NULL));
    check_table();
    int expected = 0;
    for (int *at = RtlEnumerateGenericTableAvl(&table, TRUE); at; at = RtlEnumerateGenericTableAvl(&table, FALSE))
        assert_int_equal(*at, expected++);
    assert_int_equal(expected, 100);
    PVOID restart = NULL;
    expected = 0;
    for (int *at; (at = RtlEnumerateGenericTableWithoutSplayingAvl(&table, &restart));)
        assert_int_equal(*at, expected++);
    assert_int_equal(expected, 100);
    for (ULONG i = 0; i < 100; i++)
        assert_int_equal(*(int *)RtlGetElementGenericTableAvl(&table, i), i);
    assert_int_equal(*(int *)RtlGetElementGenericTableAvl(&table, 50), 50);
    assert_int_equal(*(int *)RtlGetElementGenericTableAvl(&table, 3), 3);
    assert_null(RtlGetElementGenericTableAvl(&table, 100));
    while (!RtlIsGenericTableEmptyAvl(&table))
        assert_true(RtlDeleteElementGenericTableAvl(&table, RtlGetElementGenericTableAvl(&table, 0)));
}

static void lookup_then_insert(void **state)
{
    int value = 5;
    PVOID node;
    TABLE_SEARCH_RESULT result;
    assert_null(RtlLookupElementGenericTableFullAvl(&table, &value, &node, &result));
    assert_int_equal(result, TableEmptyTree);
    int *element = RtlInsertElementGenericTableFullAvl(&table, &value, sizeof(value), NULL, node, result);
    assert_ptr_equal(RtlLookupElementGenericTableFullAvl(&table, &value, &node, &result), element);
    assert_int_equal(result, TableFoundNode);
    refuse = 1;
    value = 6;
    BOOLEAN made = TRUE;
    assert_null(RtlInsertElementGenericTableAvl(&table, &value, sizeof(value), &made));
    assert_false(made);
    assert_int_equal(RtlNumberGenericTableElementsAvl(&table), 1);
    value = 5;
    assert_true(RtlDeleteElementGenericTableAvl(&table, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(random_life, setup),
        cmocka_unit_test_setup(walks, setup),
        cmocka_unit_test_setup(lookup_then_insert, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
