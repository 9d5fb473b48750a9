// The cutter's threads; that the kernel aborts what it is told is shown by tests/system/datapath_live.py.
#include "datapath/linux/cutter.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "datapath/linux/diagnosis.h"
#include "datapath/linux/namespace.h"
#include "datapath/linux/survey.h"

#define SOCKETS 20000u
#define NAMESPACES 3u

static uint8_t destroyed[SOCKETS];  // how often
static struct wall_namespace places[NAMESPACES];
static pthread_t owner;             // of the namespaces
static bool no_threads, is_slow;
static unsigned threads;

// By the linker's option --wrap: what the cutter calls.
uint32_t __wrap_wall_sockets_destroy(const struct wall_namespace *ns, const struct wall_socket_name *names,
                                     uint32_t count);
struct wall_namespace *__wrap_wall_namespace_get(struct wall_namespaces *namespaces, uint64_t cookie,
                                                 uint32_t process_id, uint32_t thread_id);
void __wrap_wall_namespace_unref(struct wall_namespaces *namespaces, struct wall_namespace *ns);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

uint32_t __wrap_wall_sockets_destroy(const struct wall_namespace *ns, const struct wall_socket_name *names,
                                     uint32_t count)
{
    if (is_slow)
        usleep(1000);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(names[i].cookie < SOCKETS);
        assert_int_equal(names[i].local_port, (uint16_t)names[i].cookie);
        assert_ptr_equal(ns, &places[names[i].cookie / 100 % NAMESPACES]);
        __atomic_fetch_add(&destroyed[names[i].cookie], 1, __ATOMIC_RELAXED);
    }
    return count;
}

struct wall_namespace *__wrap_wall_namespace_get(struct wall_namespaces *namespaces, uint64_t cookie,
                                                 uint32_t process_id, uint32_t thread_id)
{
    (void)namespaces, (void)thread_id;
    assert_true(pthread_equal(pthread_self(), owner));
    if (process_id == 0)  // gone
        return NULL;
    places[cookie].references++;
    return &places[cookie];
}

void __wrap_wall_namespace_unref(struct wall_namespaces *namespaces, struct wall_namespace *ns)
{
    (void)namespaces;
    assert_true(pthread_equal(pthread_self(), owner));
    if (ns)
        ns->references--;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    if (no_threads)
        return EAGAIN;
    threads++;
    return __real_pthread_create(thread, attributes, run, argument);
}

// Cuts sockets 0 to `count`, as many at once; of `gone` ones the task is.
static uint32_t cut(uint32_t count, uint32_t at_once, uint32_t gone)
{
    struct wall_namespaces namespaces = { 0 };
    struct wall_survey_socket sockets[WALL_SURVEY_SOCKETS_MAX];
    struct wall_cutter *cutter = wall_cutter_new(&namespaces);
    assert_non_null(cutter);
    memset(destroyed, 0, sizeof(destroyed));
    threads = 0;
    owner = pthread_self();
    for (uint32_t i = 0; i < count; i += at_once) {
        for (uint32_t j = 0; j < at_once; j++)
            sockets[j] = (struct wall_survey_socket){
                .cookie = i + j, .local_port = (uint16_t)(i + j), .process_id = j < gone ? 0 : 1,
                .netns_cookie = i / 100 % NAMESPACES,
            };
        wall_cutter_add(cutter, sockets, at_once);
    }
    uint32_t total = wall_cutter_finish(cutter);
    for (uint32_t i = 0; i < NAMESPACES; i++)
        assert_int_equal(places[i].references, 0);
    return total;
}

static void check_all(uint32_t count, uint32_t at_once)
{
    assert_int_equal(cut(count, at_once, 0), count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(destroyed[i], 1);
}

static void test_many(void **state)
{
    (void)state;
    check_all(SOCKETS, 100);
    assert_int_equal(threads, 1);
}

static void test_slow(void **state)
{
    (void)state;
    is_slow = true;
    check_all(SOCKETS, 100);
    is_slow = false;
}

static void test_few(void **state)
{
    (void)state;
    check_all(0, 1);
    check_all(1, 1);
    check_all(50, 10);
    assert_int_equal(threads, 0);
}

static void test_no_thread(void **state)
{
    (void)state;
    no_threads = true;
    check_all(SOCKETS, 100);
    assert_int_equal(threads, 0);
    no_threads = false;
}

static void test_tasks_gone(void **state)
{
    (void)state;
    assert_int_equal(cut(1000, 100, 99), 1000);  // one task is enough to find the place
    assert_int_equal(cut(1000, 100, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),      cmocka_unit_test(test_slow),       cmocka_unit_test(test_few),
        cmocka_unit_test(test_no_thread), cmocka_unit_test(test_tasks_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
