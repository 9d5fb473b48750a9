#include "client/link.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_service.h"

static struct fake_service service;

static int start(void **state)
{
    service = (struct fake_service){ 0 };
    fake_service_start(&service);
    return 0;
}

static int stop(void **state)
{
    fake_service_stop(&service);
    return 0;
}

static void calls_get_their_replies(void **state)
{
    struct wall_link *link;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, "test", NULL, &link, NULL), 0);
    struct wall_status_reply *reply;
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, (void **)&reply), 0);
    assert_int_equal(reply->reply.status, 0);
    free(reply);
    wall_link_close(link);
    assert_int_equal(service.hello_count, 1);
}

static void no_service_is_told(void **state)
{
    struct wall_link *link;
    struct wall_error err = { 0 };
    assert_int_equal(wall_link_open("/nonexistent", WALL_ROLE_CONTROL, NULL, NULL, &link, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/api.sock"));
    assert_non_null(strstr(err.text, "is ringwalld running?"));
}

static void other_versions_are_refused(void **state)
{
    struct wall_link *link;
    struct wall_error err = { 0 };
    service.protocol = 77;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, NULL, &link, &err), -EPROTO);
    assert_non_null(strstr(err.text, "protocol 77"));
}

static void long_directories_work(void **state)
{
    // Longer than a socket's address: the socket is reached through a descriptor of the directory.
    char directory[512], socket_path[600], link_path[600];
    int length = snprintf(directory, sizeof(directory), "%s/", service.directory);
    for (int i = 0; i < 3; i++) {
        length += snprintf(directory + length, sizeof(directory) - (size_t)length,
                           "a-directory-with-a-name-of-more-than-fifty-characters-in-it/");
        assert_int_equal(mkdir(directory, 0700), 0);
    }
    snprintf(socket_path, sizeof(socket_path), "%s/api.sock", service.directory);
    snprintf(link_path, sizeof(link_path), "%sapi.sock", directory);
    assert_int_equal(symlink(socket_path, link_path), 0);

    struct wall_link *link;
    assert_int_equal(wall_link_open(directory, WALL_ROLE_CONTROL, NULL, NULL, &link, NULL), 0);
    wall_link_close(link);
    assert_int_equal(unlink(link_path), 0);
    while (strlen(directory) > strlen(service.directory) + 1) {
        assert_int_equal(rmdir(directory), 0);
        directory[strlen(directory) - 1] = '\0';
        strrchr(directory, '/')[1] = '\0';
    }
}

static bool never_answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    fake_service_drop(connection->service);
    return true;
}

static void closed(void *context)
{
    __atomic_add_fetch((unsigned *)context, 1, __ATOMIC_SEQ_CST);
}

static void lost_connections_fail_the_calls(void **state)
{
    unsigned closed_count = 0;
    struct wall_link_events events = { .context = &closed_count, .closed = closed };
    service.handle = never_answer;
    struct wall_link *link;
    void *reply;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, &events, &link, NULL), 0);
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, &reply), -ECONNRESET);
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, &reply), -ECONNRESET);
    wall_link_close(link);
    assert_int_equal(closed_count, 1);
}

static bool answer_garbage(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    fake_garbage(connection);
    return true;
}

static void garbage_ends_the_link(void **state)
{
    service.handle = answer_garbage;
    struct wall_link *link;
    void *reply;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, NULL, &link, NULL), 0);
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, &reply), -ECONNRESET);
    wall_link_close(link);
}

static bool answer_twice(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    struct wall_frame other = *frame;
    other.serial += 1000;
    fake_refuse(connection, &other, 1, "nobody asked");
    fake_refuse(connection, frame, 2, "first");
    fake_refuse(connection, frame, 3, "second");
    return true;
}

static void unasked_replies_are_dropped(void **state)
{
    service.handle = answer_twice;
    struct wall_link *link;
    struct wall_reply *reply;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, NULL, &link, NULL), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, (void **)&reply), 0);
        assert_int_equal(reply->status, 2);
        free(reply);
    }
    wall_link_close(link);
}

// Answers in the wrong order: the first request only after the second.
static bool answer_late(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    static struct wall_frame waiting;
    if (frame->type == WALL_MESSAGE_TRANSACTION_BEGIN) {
        waiting = *frame;
        return true;
    }
    fake_refuse(connection, frame, 11, NULL);
    fake_refuse(connection, &waiting, 22, NULL);
    return true;
}

static void *begin(void *argument)
{
    struct wall_reply *reply;
    struct wall_transaction_begin_request request = { 0 };
    int r = wall_link_call(argument, WALL_MESSAGE_TRANSACTION_BEGIN, &request, (void **)&reply);
    uintptr_t status = r == 0 ? reply->status : 0;
    free(r == 0 ? reply : NULL);
    return (void *)status;
}

static void replies_may_overtake(void **state)
{
    service.handle = answer_late;
    struct wall_link *link;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_ENGINE, NULL, NULL, &link, NULL), 0);
    pthread_t thread;
    void *status;
    pthread_create(&thread, NULL, begin, link);
    usleep(20000);  // either order of arrival is right; this one is meant
    struct wall_reply *reply;
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_TRANSACTION_COMMIT, NULL, (void **)&reply), 0);
    assert_int_equal(reply->status, 11);
    free(reply);
    pthread_join(thread, &status);
    assert_int_equal((uintptr_t)status, 22);
    wall_link_close(link);
}

static void *call_often(void *argument)
{
    for (int i = 0; i < 300; i++) {
        struct wall_reply *reply;
        if (wall_link_call(argument, WALL_MESSAGE_STATUS, NULL, (void **)&reply) < 0)
            return NULL;
        free(reply);
    }
    return argument;
}

static void threads_share_a_link(void **state)
{
    struct wall_link *link;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, NULL, &link, NULL), 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, call_often, link);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, link);
    }
    wall_link_close(link);
}

static void a_forks_child_cannot_call(void **state)
{
    struct wall_link *link;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_CONTROL, NULL, NULL, &link, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        void *reply;
        int r = wall_link_call(link, WALL_MESSAGE_STATUS, NULL, &reply);
        wall_link_close(link);
        _exit(r == -ECONNRESET ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    // The parent's connection still works.
    struct wall_reply *reply;
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_STATUS, NULL, (void **)&reply), 0);
    free(reply);
    wall_link_close(link);
}

static void unencodable_requests_are_refused(void **state)
{
    struct wall_link *link;
    void *reply;
    assert_int_equal(wall_link_open(NULL, WALL_ROLE_ENGINE, NULL, NULL, &link, NULL), 0);
    struct wall_object_add_request request = { { .type = 99 } };
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_OBJECT_ADD, &request, &reply), -EINVAL);
    FWPM_FILTER0 filter = { .numFilterConditions = 1 };
    request = (struct wall_object_add_request){ { WALL_OBJECT_FILTER, { .filter = &filter } } };
    assert_int_equal(wall_link_call(link, WALL_MESSAGE_OBJECT_ADD, &request, &reply), -EFAULT);
    wall_link_close(link);
}

static void variable_names_the_directory(void **state)
{
    assert_string_equal(wall_runtime_directory(), service.directory);
    unsetenv("RINGWALL_RUNTIME_DIR");
    assert_string_equal(wall_runtime_directory(), "/run/ringwall");
    setenv("RINGWALL_RUNTIME_DIR", "", 1);
    assert_string_equal(wall_runtime_directory(), "/run/ringwall");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_get_their_replies, start, stop),
        cmocka_unit_test_setup_teardown(no_service_is_told, start, stop),
        cmocka_unit_test_setup_teardown(other_versions_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(long_directories_work, start, stop),
        cmocka_unit_test_setup_teardown(lost_connections_fail_the_calls, start, stop),
        cmocka_unit_test_setup_teardown(garbage_ends_the_link, start, stop),
        cmocka_unit_test_setup_teardown(unasked_replies_are_dropped, start, stop),
        cmocka_unit_test_setup_teardown(replies_may_overtake, start, stop),
        cmocka_unit_test_setup_teardown(threads_share_a_link, start, stop),
        cmocka_unit_test_setup_teardown(a_forks_child_cannot_call, start, stop),
        cmocka_unit_test_setup_teardown(unencodable_requests_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(variable_names_the_directory, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
