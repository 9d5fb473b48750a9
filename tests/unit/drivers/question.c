// The questions of the ask driver, on the real libntos.
#include "question.h"

#include "ntos/ntos.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned clones_freed;

void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *clone, ULONG flags)
{
    clones_freed++;
}

static struct ask_item *make(UINT16 remote_port, UINT64 endpoint)
{
    struct ask_item *item = ask_question_new(L"/usr/bin/curl", sizeof(L"/usr/bin/curl"));
    assert_non_null(item);
    item->key.remote_port = remote_port;
    item->key.endpoint = endpoint;
    ask_question_publish(item);
    return item;
}

static int start(void **state)
{
    ask_questions_init();
    clones_freed = 0;
    return 0;
}

static void a_verdict_is_taken_once(void **state)
{
    struct ask_item *item = make(80, 1);
    struct ask_key key = item->key;
    assert_int_equal(ask_question_take_verdict(&key), 0);
    assert_true(ask_question_decide(item, ASK_ALLOW));
    assert_false(ask_question_decide(item, ASK_BLOCK));
    assert_int_equal(ask_question_take_verdict(&key), ASK_ALLOW);
    assert_int_equal(ask_question_take_verdict(&key), 0);
    ask_question_release(item);
}

// The same program to the same address, from two sockets: each gets its own verdict.
static void connections_are_told_apart(void **state)
{
    struct ask_item *first = make(80, 1), *second = make(80, 2);
    assert_true(ask_question_decide(second, ASK_BLOCK));
    assert_int_equal(ask_question_take_verdict(&first->key), 0);
    assert_true(ask_question_decide(first, ASK_ALLOW));
    assert_int_equal(ask_question_take_verdict(&second->key), ASK_BLOCK);
    assert_int_equal(ask_question_take_verdict(&first->key), ASK_ALLOW);
    ask_question_release(first);
    ask_question_release(second);
}

static void questions_are_listed_in_order(void **state)
{
    struct ask_item *items[3];
    struct ask_counts counts;
    for (UINT16 i = 0; i < 3; i++)
        items[i] = make(i, i);
    UINT64 ids[3] = {items[0]->id, items[1]->id, items[2]->id};
    assert_true(ask_question_decide(items[1], ASK_BLOCK));
    struct ask_item *next = ask_question_next(0);
    assert_ptr_equal(next, items[0]);
    ask_question_release(next);
    next = ask_question_next(ids[0]);
    assert_ptr_equal(next, items[2]);
    ask_question_release(next);
    next = ask_question_next(ids[1]);  // it is answered: what comes after it is found all the same
    assert_ptr_equal(next, items[2]);
    ask_question_release(next);
    assert_null(ask_question_next(ids[2]));
    assert_null(ask_question_find(ids[1]));
    ask_questions_count(&counts);
    assert_int_equal(counts.waiting, 2);
    for (unsigned i = 0; i < 3; i++) {
        (void)ask_question_decide(items[i], ASK_BLOCK);
        ask_question_release(items[i]);
    }
    ask_questions_forget();
}

static void nothing_leaks(void **state)
{
    struct ask_item *item = make(80, 1);
    item->packet = (NET_BUFFER_LIST *)item;
    assert_true(ask_question_decide(item, ASK_BLOCK));
    ask_question_release(item);
    assert_int_equal(clones_freed, 0);  // the tables still have it
    assert_true(ask_questions_expire());
    assert_int_equal(clones_freed, 0);  // not that old
    ask_questions_forget();
    assert_false(ask_questions_expire());
    assert_int_equal(clones_freed, 1);
    assert_int_equal(ntos_violation_thread_count(), 0);
}

static void old_ones_are_found(void **state)
{
    assert_null(ask_question_overdue(0));
    struct ask_item *item = make(80, 1), *old;
    assert_null(ask_question_overdue(1000));
    item->since.QuadPart -= 10000000;
    assert_true(ask_question_age(item) >= 1000);
    old = ask_question_overdue(1000);
    assert_ptr_equal(old, item);
    ask_question_release(old);
    (void)ask_question_decide(item, ASK_BLOCK);
    assert_null(ask_question_overdue(1000));
    ask_question_release(item);
    ask_questions_forget();
}

static void there_is_a_limit(void **state)
{
    struct ask_counts counts;
    for (unsigned i = 0; i < ASK_QUESTIONS_MAX; i++)
        ask_question_release(make((UINT16)i, i));
    assert_null(ask_question_new(L"/x", sizeof(L"/x")));
    ask_questions_count(&counts);
    assert_int_equal(counts.waiting, ASK_QUESTIONS_MAX);
    assert_int_equal(counts.refused, 1);
    struct ask_item *item;
    while ((item = ask_question_next(0)) != NULL) {
        assert_true(ask_question_decide(item, ASK_BLOCK));
        ask_question_release(item);
    }
    ask_questions_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_verdict_is_taken_once, start),
        cmocka_unit_test_setup(connections_are_told_apart, start),
        cmocka_unit_test_setup(questions_are_listed_in_order, start),
        cmocka_unit_test_setup(nothing_leaks, start),
        cmocka_unit_test_setup(old_ones_are_found, start),
        cmocka_unit_test_setup(there_is_a_limit, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
