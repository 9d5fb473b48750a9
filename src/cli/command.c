#include "cli/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/platform.h"
#include "cli/text.h"

const struct wall_command *wall_command_find(const char *name)
{
    for (size_t i = 0; wall_commands[i]; i++)
        if (strcmp(wall_commands[i]->name, name) == 0)
            return wall_commands[i];
    return NULL;
}

// --- Complaints ---

void wall_complain(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    char *clean = length >= 0 ? wall_text_clean(text) : NULL;
    fprintf(stderr, "ringwall: %s\n", clean ? clean : "no memory");
    free(clean);
    free(text);
}

static enum wall_exit exit_from_errno(int code)
{
    switch (code) {
    case 0:
        return WALL_EXIT_OK;
    case -EACCES:
    case -EPERM:
        return WALL_EXIT_ACCESS_DENIED;
    case -ENOENT:
        return WALL_EXIT_NOT_FOUND;
    case -EEXIST:
        return WALL_EXIT_EXISTS;
    case -ETIMEDOUT:
        return WALL_EXIT_TIMEOUT;
    case -ECONNREFUSED:
        return WALL_EXIT_NOT_RUNNING;
    default:
        return WALL_EXIT_FAILED;
    }
}

int wall_complain_error(int code, const struct wall_error *err)
{
    if (err && err->text[0])
        wall_complain("%s", err->text);
    else
        wall_complain("%s", strerror(-code));
    return exit_from_errno(code);
}

int wall_complain_usage(const struct wall_arguments *arguments, const struct wall_error *err)
{
    const char *name = arguments->command->name;
    wall_complain("%s: %s; see ringwall %s --help", name, err->text, name);
    return WALL_EXIT_USAGE;
}

// --- Help ---

void wall_command_print_list(FILE *file)
{
    fputs("Ringwall decides which program may talk to whom.\n\nUsage: ringwall COMMAND [OPTION]...\n\n", file);
    for (size_t i = 0; wall_commands[i]; i++)
        fprintf(file, "  %-10s %s\n", wall_commands[i]->name, wall_commands[i]->summary);
    fputs("\nringwall COMMAND --help tells more about one of them; the manual is ringwall(1).\n", file);
}

static void print_options(const struct wall_option *options, FILE *file)
{
    for (; options && options->name; options++) {
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", options->name, options->value ? " " : "",
                 options->value ? options->value : "");
        fprintf(file, "  %-21s %s\n", left, options->help);
    }
}

void wall_command_print_help(const struct wall_command *command, FILE *file)
{
    fprintf(file, "Usage: ringwall %s %s%s[OPTION]...\n\n%s\n", command->name, command->usage,
            command->usage[0] ? " " : "", command->summary);
    if (command->description)
        fprintf(file, "\n%s", command->description);
    fputs("\nOptions:\n", file);
    print_options(command->options, file);
    print_options(wall_common_options, file);
    fprintf(file, "\nExamples:\n%s", command->examples);
}

// --- Running ---

static int run(const struct wall_arguments *arguments)
{
    if (wall_argument_given(arguments, "help")) {
        wall_command_print_help(arguments->command, stdout);
        return WALL_EXIT_OK;
    }
    int r = wall_platform_prepare(arguments);
    if (r < 0)
        return wall_complain_error(r, NULL);
    return arguments->command->run(arguments);
}

static const struct wall_command *find_command(const char *name)
{
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return &wall_command_help;
    if (strcmp(name, "--version") == 0)
        return &wall_command_version;
    return wall_command_find(name);
}

int wall_command_main(int count, char **words)
{
    struct wall_error err = { 0 };
    int r = wall_platform_leading_option(count, words, &err);
    if (r < 0) {
        wall_complain("%s", err.text);
        return r == -EINVAL ? WALL_EXIT_USAGE : WALL_EXIT_FAILED;
    }
    count -= r;
    words += r;
    if (count < 2) {
        wall_command_print_list(stderr);
        return WALL_EXIT_USAGE;
    }
    const struct wall_command *command = find_command(words[1]);
    if (!command) {
        wall_complain("there is no command '%s'; ringwall help lists them", words[1]);
        return WALL_EXIT_USAGE;
    }

    struct wall_arguments arguments = { .command = command };
    r = wall_arguments_parse(command, count - 2, words + 2, &arguments, &err);
    if (r == -EINVAL)
        return wall_complain_usage(&arguments, &err);
    if (r < 0)
        return wall_complain_error(r, &err);
    int code = run(&arguments);
    wall_arguments_done(&arguments);
    // A full disk or a closed pipe must not look like success to a script.
    if (fflush(stdout) != 0 && code == WALL_EXIT_OK) {
        wall_complain("the output could not be written: %s", strerror(errno));
        code = WALL_EXIT_FAILED;
    }
    return code;
}
