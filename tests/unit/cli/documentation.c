// What the commands offer is in the manual page and in both completions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static char *read_source(const char *path)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", SOURCE_ROOT, path);
    FILE *file = fopen(full, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 17);
    assert_non_null(text);
    size_t size = fread(text, 1, (1 << 17) - 1, file);
    assert_true(size > 0 && size < (1 << 17) - 1);
    fclose(file);
    return text;
}

static void assert_contains(const char *file, const char *text, const char *before, const char *name)
{
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "%s%s", before, name);
    if (!strstr(text, wanted))
        fail_msg("%s does not know '%s'", file, wanted);
}

static void check_options(const char *file, const char *text, const char *dashes, const struct wall_option *options)
{
    for (; options && options->name; options++)
        assert_contains(file, text, dashes, options->name);
}

static void check(const char *file, const char *before_command, const char *dashes)
{
    char *text = read_source(file);
    for (size_t i = 0; wall_commands[i]; i++) {
        assert_contains(file, text, before_command, wall_commands[i]->name);
        check_options(file, text, dashes, wall_commands[i]->options);
    }
    check_options(file, text, dashes, wall_common_options);
    free(text);
}

static void test_manual(void **state)
{
    check("docs/man/ringwall.1", ".It Ic ", "Fl -");
}

static void test_bash(void **state)
{
    check("packaging/completions/ringwall.bash", "", "--");
}

static void test_zsh(void **state)
{
    check("packaging/completions/_ringwall", "'", "--");
}

static void test_help_is_complete(void **state)
{
    for (size_t i = 0; wall_commands[i]; i++) {
        const struct wall_command *command = wall_commands[i];
        assert_non_null(command->summary);
        assert_non_null(command->usage);
        assert_non_null(command->run);
        assert_true(command->summary[strlen(command->summary) - 1] == '.');
        // Every example runs this very command.
        char start[64];
        snprintf(start, sizeof(start), "  ringwall %s", command->name);
        assert_int_equal(strncmp(command->examples, start, strlen(start)), 0);
        assert_ptr_equal(wall_command_find(command->name), command);
    }
    assert_null(wall_command_find("nothing"));
}

// With a mount namespace of its own the service would take its pins along when it dies.
static void test_unit_has_no_mount_namespace(void **state)
{
    static const char *const options[] = {
        "ProtectSystem", "ProtectHome", "ProtectKernelModules", "ProtectKernelLogs", "ProtectKernelTunables",
        "ProtectControlGroups", "ProtectProc", "ProcSubset", "PrivateTmp", "PrivateDevices", "PrivateMounts",
        "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "BindPaths", "TemporaryFileSystem", "DynamicUser",
        "RootDirectory", "MountFlags",
    };
    char *text = read_source("packaging/ringwalld.service.in");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        char line[64];
        snprintf(line, sizeof(line), "\n%s=", options[i]);
        assert_null(strstr(text, line));
    }
    assert_non_null(strstr(text, "\nType=notify\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_bash),
        cmocka_unit_test(test_zsh),
        cmocka_unit_test(test_help_is_complete),
        cmocka_unit_test(test_unit_has_no_mount_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
