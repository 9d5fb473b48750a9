#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/vector.h"
#include "host/packet_socket.h"

static void holders_are_named(void **state)
{
    char text[128], expected[64];
    struct wall_vector processes;
    pid_t self = getpid();
    wall_vector_init(&processes, sizeof(pid_t), 0);
    assert_int_equal(wall_vector_add(&processes, &self), 0);
    assert_int_equal(wall_packet_socket_holders(&processes, text, sizeof(text)), 0);
    assert_string_equal(text, "");

    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd >= 0) {
        (void)snprintf(expected, sizeof(expected), " [%d]", (int)self);
        assert_int_equal(wall_packet_socket_holders(&processes, text, sizeof(text)), 1);
        assert_non_null(strstr(text, expected));
        // Without room for its name it is counted.
        assert_int_equal(wall_packet_socket_holders(&processes, text, 24), 1);
        assert_string_equal(text, " and 1 more");
        close(fd);
    }
    wall_vector_done(&processes);
    if (fd < 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
