// Devices of drivers, opened through the service.
#include "requests.h"

#include "ntstatus.h"

static struct wall_driver loaded;
static struct lab_client *driver, *user;

// A driver of this process: as if its host had been started.
static int start(void **state)
{
    const struct wall_callout_register_request request = {.key = {0x31111111, 2, 3, {4}}};
    loaded = (struct wall_driver){.name = (char *)"asker", .process_id = getpid(), .state = WALL_DRIVER_RUNNING};
    driver = lab_hello(WALL_ROLE_CALLOUTS);
    assert_int_equal(lab_status(driver, WALL_MESSAGE_CALLOUT_REGISTER, &request), 0);
    user = lab_hello(WALL_ROLE_CONTROL);
    lab_service.drivers.first = &loaded;
    return 0;
}

static int stop(void **state)
{
    lab_service.drivers.first = NULL;
    if (user)
        lab_close(user);
    if (driver)
        lab_close(driver);
    return 0;
}

static void reply(uint16_t type, uint32_t serial, const void *object)
{
    struct wall_buffer buffer = {0};
    assert_int_equal(wall_message_reply(&buffer, (enum wall_message_type)type, serial, object), 0);
    lab_send(driver, buffer.data, buffer.size);
    wall_buffer_done(&buffer);
}

// The next reply to the user; its status, and the reply when it is asked for.
static uint32_t user_reply(uint16_t type, void **ret_object)
{
    struct wall_frame frame;
    void *object = NULL;
    assert_true(lab_receive(user, &frame, &object));
    assert_int_equal(frame.type, type);
    uint32_t status = ((struct wall_reply *)object)->status;
    if (ret_object)
        *ret_object = object;
    else
        free(object);
    return status;
}

static uint64_t open_file(uint32_t driver_status)
{
    const struct wall_file_open_request request = {"asker", "RingwallAsk"};
    uint32_t serial;
    lab_send_message(user, WALL_MESSAGE_FILE_OPEN, &request);
    struct wall_device_open_request *open = expect_frame(driver, WALL_MESSAGE_DEVICE_OPEN, &serial);
    assert_non_null(open);
    assert_string_equal(open->name, "RingwallAsk");
    assert_int_equal(open->process_id, getpid());
    free(open);
    reply(WALL_MESSAGE_DEVICE_OPEN, serial, &(struct wall_plain_reply){{driver_status, NULL}});
    struct wall_file_open_reply *opened;
    uint32_t status = user_reply(WALL_MESSAGE_FILE_OPEN, (void **)&opened);
    uint64_t id = status ? 0 : opened->file_id;
    free(opened);
    return id;
}

static void a_request_goes_there_and_back(void **state)
{
    uint32_t serial;
    uint64_t id = open_file(0);
    const struct wall_file_control_request request = {id, 0x222, 8, {3, (UINT8 *)"abc"}};
    lab_send_message(user, WALL_MESSAGE_FILE_CONTROL, &request);
    struct wall_device_control_request *control = expect_frame(driver, WALL_MESSAGE_DEVICE_CONTROL, &serial);
    assert_non_null(control);
    assert_int_equal(control->file_id, id);
    assert_int_equal(control->code, 0x222);
    assert_int_equal(control->output_size, 8);
    assert_memory_equal(control->input.data, "abc", 3);
    free(control);
    reply(WALL_MESSAGE_DEVICE_CONTROL, serial,
          &(struct wall_device_control_reply){{(uint32_t)STATUS_BUFFER_OVERFLOW, NULL}, {2, (UINT8 *)"ok"}});
    struct wall_file_control_reply *done;
    assert_int_equal(user_reply(WALL_MESSAGE_FILE_CONTROL, (void **)&done), 0);
    assert_int_equal(done->driver_status, (uint32_t)STATUS_BUFFER_OVERFLOW);
    assert_int_equal(done->output.size, 2);
    free(done);
}

static void nobody_uses_the_files_of_others(void **state)
{
    struct lab_client *other = lab_hello(WALL_ROLE_CONTROL);
    const struct wall_file_control_request request = {open_file(0), 0x222, 8, {0, NULL}};
    assert_int_equal(lab_status(other, WALL_MESSAGE_FILE_CONTROL, &request), EBADF);
    lab_close(other);
}

static void what_is_not_there_is_told(void **state)
{
    const struct wall_file_open_request request = {"another", "RingwallAsk"};
    assert_int_equal(lab_status(user, WALL_MESSAGE_FILE_OPEN, &request), ENODEV);
    assert_int_equal(open_file((uint32_t)STATUS_OBJECT_NAME_NOT_FOUND), 0);
    assert_int_equal(lab_service.files.by_id.count, 0);
    lab_demote();
    assert_int_equal(lab_status(user, WALL_MESSAGE_FILE_OPEN, &(struct wall_file_open_request){"asker", "x"}), EACCES);
}

static void a_file_closes_with_its_program(void **state)
{
    uint32_t serial = 0;
    uint64_t id = open_file(0);
    const struct wall_file_control_request request = {id, 0x222, 8, {0, NULL}};
    lab_send_message(user, WALL_MESSAGE_FILE_CONTROL, &request);
    free(expect_frame(driver, WALL_MESSAGE_DEVICE_CONTROL, &serial));
    lab_close(user);
    user = NULL;
    struct wall_device_close_notification *closed = expect_frame(driver, WALL_MESSAGE_DEVICE_CLOSE, NULL);
    assert_non_null(closed);
    assert_int_equal(closed->file_id, id);
    free(closed);
    // The answer comes late, and harms nobody.
    reply(WALL_MESSAGE_DEVICE_CONTROL, serial, &(struct wall_device_control_reply){0});
    assert_false(lab_closed(driver));
    assert_int_equal(lab_service.files.by_serial.count, 0);
}

static void a_driver_that_dies_ends_the_requests(void **state)
{
    const struct wall_file_control_request request = {open_file(0), 0x222, 8, {0, NULL}};
    lab_send_message(user, WALL_MESSAGE_FILE_CONTROL, &request);
    (void)service_lab_turn();
    lab_close(driver);
    driver = NULL;
    assert_int_equal(user_reply(WALL_MESSAGE_FILE_CONTROL, NULL), ENODEV);
    assert_int_equal(lab_service.files.by_id.count, 0);
}

static void only_the_asked_may_answer(void **state)
{
    reply(WALL_MESSAGE_DEVICE_CONTROL, 4711, &(struct wall_device_control_reply){0});
    assert_true(lab_closed(driver));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_goes_there_and_back),
        TEST(nobody_uses_the_files_of_others),
        TEST(what_is_not_there_is_told),
        TEST(a_file_closes_with_its_program),
        TEST(a_driver_that_dies_ends_the_requests),
        TEST(only_the_asked_may_answer),
    };
    RUN_WITH_SERVICE(tests);
}
