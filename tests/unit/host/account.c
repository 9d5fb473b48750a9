#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/account.h"

static void peer_is_who_connected(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct wall_peer peer;
    assert_int_equal(wall_account_peer(pair[0], &peer), 0);
    assert_int_equal(peer.process_id, getpid());
    assert_int_equal(peer.user_id, getuid());
    if (getuid() == 0)
        assert_true(peer.may_write);
    close(pair[0]);
    close(pair[1]);
    assert_true(wall_account_peer(-1, &peer) < 0);
}

// A socket pair made by an account without rights carries that account's credentials.
static void strangers_may_not_write(void **state)
{
    if (getuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        int pair[2];
        struct wall_peer peer;
        if (setgid(65534) < 0 || setuid(65534) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
            _exit(2);
        _exit(wall_account_peer(pair[0], &peer) == 0 && !peer.may_write && peer.user_id == 65534 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void names(void **state)
{
    char name[64], tiny[3];
    wall_account_name(0, name, sizeof(name));
    assert_string_equal(name, "root");
    wall_account_name(3999999999u, name, sizeof(name));
    assert_string_equal(name, "3999999999");
    wall_account_name(0, tiny, sizeof(tiny));
    assert_string_equal(tiny, "ro");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_is_who_connected),
        cmocka_unit_test(strangers_may_not_write),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
