#include "cli/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct wall_option *find_in(const struct wall_option *options, const char *name, size_t length)
{
    for (; options && options->name; options++)
        if (strncmp(options->name, name, length) == 0 && options->name[length] == '\0')
            return options;
    return NULL;
}

static const struct wall_option *find_option(const struct wall_command *command, const char *name, size_t length)
{
    const struct wall_option *option = find_in(command->options, name, length);
    return option ? option : find_in(wall_common_options, name, length);
}

// Reads one option and perhaps the next word. `next` is NULL when there is none; *ret_used tells whether it was taken.
static int read_option(struct wall_arguments *arguments, const char *word, const char *next, bool *ret_used,
                       struct wall_error *err)
{
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct wall_option *option = NULL;
    if (strncmp(word, "--", 2) == 0)
        option = find_option(arguments->command, name, length);
    else if (strcmp(word, "-h") == 0)
        option = find_in(wall_common_options, "help", 4);
    if (!option)
        return wall_error_set(err, -EINVAL, "there is no option '%s'", word);

    *ret_used = false;
    const char *value = "";
    if (!option->value && equals)
        return wall_error_set(err, -EINVAL, "option '--%s' takes no value", option->name);
    if (option->value && equals) {
        value = equals + 1;
    } else if (option->value) {
        if (!next)
            return wall_error_set(err, -EINVAL, "option '--%s' needs a value: --%s %s", option->name, option->name,
                                  option->value);
        value = next;
        *ret_used = true;
    }
    if (option->value && value[0] == '\0')
        return wall_error_set(err, -EINVAL, "option '--%s' has an empty value", option->name);
    if (!option->many && wall_argument_given(arguments, option->name))
        return wall_error_set(err, -EINVAL, "option '--%s' is given twice", option->name);
    if (arguments->option_count == WALL_ARGUMENTS_OPTIONS_MAX)
        return wall_error_set(err, -EINVAL, "too many options (at most %d)", WALL_ARGUMENTS_OPTIONS_MAX);
    arguments->options[arguments->option_count].option = option;
    arguments->options[arguments->option_count].value = value;
    arguments->option_count++;
    return 0;
}

static int check_positional(const struct wall_arguments *arguments, struct wall_error *err)
{
    const struct wall_command *command = arguments->command;
    if (wall_argument_given(arguments, "help"))
        return 0;
    if (arguments->positional_count < command->positional_min)
        return wall_error_set(err, -EINVAL, "something is missing: ringwall %s %s", command->name, command->usage);
    if (arguments->positional_count > command->positional_max)
        return wall_error_set(err, -EINVAL, "'%s' is one word too many",
                              arguments->positional[command->positional_max]);
    return 0;
}

int wall_arguments_parse(const struct wall_command *command, int count, char *const *words,
                         struct wall_arguments *ret_arguments, struct wall_error *err)
{
    struct wall_arguments arguments = { .command = command };
    arguments.positional = calloc((size_t)count + 1, sizeof(*arguments.positional));
    if (!arguments.positional)
        return wall_error_set(err, -ENOMEM, "no memory");

    int r = 0;
    bool options_ended = false;
    for (int i = 0; i < count && r == 0; i++) {
        const char *word = words[i];
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && word[0] == '-' && word[1] != '\0') {
            bool used = false;
            r = read_option(&arguments, word, i + 1 < count ? words[i + 1] : NULL, &used, err);
            i += used;
        } else {
            arguments.positional[arguments.positional_count++] = word;
        }
    }
    if (r == 0)
        r = check_positional(&arguments, err);
    if (r < 0) {
        wall_arguments_done(&arguments);
        return r;
    }
    *ret_arguments = arguments;
    return 0;
}

void wall_arguments_done(struct wall_arguments *arguments)
{
    free(arguments->positional);
    arguments->positional = NULL;
    arguments->positional_count = 0;
}

const char *wall_argument(const struct wall_arguments *arguments, const char *name, size_t index)
{
    for (size_t i = 0; i < arguments->option_count; i++)
        if (strcmp(arguments->options[i].option->name, name) == 0 && index-- == 0)
            return arguments->options[i].value;
    return NULL;
}

bool wall_argument_given(const struct wall_arguments *arguments, const char *name)
{
    return wall_argument(arguments, name, 0) != NULL;
}
