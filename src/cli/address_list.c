#include "cli/address_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/selector.h"

#define LINE_BYTES 4096
#define NAME_BYTES_MAX 253  // RFC 1035, without the final dot
#define LABEL_BYTES_MAX 63
#define PROGRESS_LINES 65536

// --- Addresses ---

static int compare_words(const uint32_t *a, const uint32_t *b)
{
    for (int i = 0; i < 4; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static void words_of(const struct wall_network *network, uint32_t *ret_words)
{
    memset(ret_words, 0, 4 * sizeof(*ret_words));
    for (int i = 0; i < (network->is_v6 ? 16 : 4); i++) {
        uint32_t *word = &ret_words[network->is_v6 ? i / 4 : 3];
        *word = *word << 8 | network->address[i];
    }
}

static void range_of(const struct wall_network *network, struct wall_address_range *ret_range)
{
    unsigned bits = network->is_v6 ? 128 : 32, host = bits - network->prefix_length;
    words_of(network, ret_range->first);
    words_of(network, ret_range->last);
    for (int i = 3; host > 0; i--, host = host > 32 ? host - 32 : 0)
        ret_range->last[i] |= host >= 32 ? UINT32_MAX : (1u << host) - 1;
}

static bool add_addresses(struct wall_address_list *list, const char *text, int *ret_code)
{
    struct wall_network network, end;
    struct wall_address_range range;
    char first[LINE_BYTES];
    const char *dash = strchr(text, '-');
    if (!dash && wall_network_parse(text, &network, NULL) == 0) {
        range_of(&network, &range);
    } else {
        if (!dash)
            return false;
        memcpy(first, text, (size_t)(dash - text));
        first[dash - text] = '\0';
        if (wall_network_parse(first, &network, NULL) < 0 || wall_network_parse(dash + 1, &end, NULL) < 0 ||
            network.is_v6 != end.is_v6 || strchr(text, '/'))
            return false;
        words_of(&network, range.first);
        words_of(&end, range.last);
        if (compare_words(range.first, range.last) > 0)
            return false;
    }
    *ret_code = wall_vector_add(network.is_v6 ? &list->v6 : &list->v4, &range);
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    return compare_words(((const struct wall_address_range *)a)->first, ((const struct wall_address_range *)b)->first);
}

// Whether `next` begins inside the range that ends at `last`, or right behind it.
static bool joins(const uint32_t *last, const uint32_t *next)
{
    uint32_t behind[4];
    memcpy(behind, last, sizeof(behind));
    for (int i = 3; i >= 0 && ++behind[i] == 0; i--)
        ;
    return compare_words(next, last) <= 0 || compare_words(next, behind) == 0;
}

static void merge(struct wall_vector *vector)
{
    struct wall_address_range *ranges = vector->items;
    size_t used = 0;
    if (vector->count == 0)
        return;
    qsort(ranges, vector->count, sizeof(*ranges), compare_ranges);
    for (size_t i = 1; i < vector->count; i++) {
        if (!joins(ranges[used].last, ranges[i].first))
            ranges[++used] = ranges[i];
        else if (compare_words(ranges[i].last, ranges[used].last) > 0)
            memcpy(ranges[used].last, ranges[i].last, sizeof(ranges[used].last));
    }
    wall_vector_truncate(vector, used + 1);
}

// --- Names ---

// Lower-cases the name and takes its final dot away. Returns false when it is none.
static bool clean_name(char *name)
{
    size_t length = strlen(name), label = 0;
    if (length > 0 && name[length - 1] == '.')
        name[--length] = '\0';
    bool has_dot = false, has_letter = false;
    for (size_t i = 0; i < length; i++) {
        name[i] = (char)tolower((unsigned char)name[i]);
        bool is_dot = name[i] == '.';
        bool is_hyphen = name[i] == '-';
        if (!is_dot && !is_hyphen && name[i] != '_' && !isalnum((unsigned char)name[i]))
            return false;
        if ((is_dot && label == 0) || (is_hyphen && label == 0) || ++label > LABEL_BYTES_MAX + (unsigned)is_dot)
            return false;
        has_dot = has_dot || is_dot;
        has_letter = has_letter || isalpha((unsigned char)name[i]);
        label = is_dot ? 0 : label;
    }
    return length > 0 && length <= NAME_BYTES_MAX && label > 0 && has_dot && has_letter;
}

static int add_name(struct wall_vector *names, char *name)
{
    char *copy = strdup(name);
    int r = copy ? wall_vector_add(names, &copy) : -ENOMEM;
    if (r < 0)
        free(copy);
    return r;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Puts the names behind each other, each once.
static int join_names(struct wall_address_list *list, struct wall_vector *names)
{
    char **items = names->items;
    size_t bytes = 0, used = 0;
    if (names->count == 0)
        return 0;
    qsort(items, names->count, sizeof(*items), compare_names);
    for (size_t i = 0; i < names->count; i++)
        bytes += strlen(items[i]) + 1;
    list->names = malloc(bytes);
    if (!list->names)
        return -ENOMEM;
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0 && strcmp(items[i], items[i - 1]) == 0)
            continue;
        size_t length = strlen(items[i]) + 1;
        memcpy(list->names + used, items[i], length);
        used += length;
        list->name_count++;
    }
    list->name_bytes = used;
    return 0;
}

// --- Lines ---

// Addresses that a hosts file gives to names that shall lead nowhere.
static bool leads_nowhere(const char *text)
{
    static const char *const nowhere[] = { "0.0.0.0", "127.0.0.1", "::", "::1", "::0" };
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
        if (strcmp(text, nowhere[i]) == 0)
            return true;
    return false;
}

// Names that every hosts file has for the host itself.
static bool is_own_name(const char *name)
{
    static const char *const own[] = { "localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost",
                                       "ip6-loopback", "0.0.0.0" };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(name, own[i]) == 0)
            return true;
    return false;
}

// Returns 1 when the line is bad.
static int read_hosts(struct wall_vector *names, char *words)
{
    int r = 0;
    char *rest = words;
    for (char *name; r == 0 && (name = strtok_r(NULL, " \t\r\n", &rest));)
        if (!is_own_name(name))
            r = clean_name(name) ? add_name(names, name) : 1;
    return r;
}

// Returns 0, 1 when the line is bad, or a negative errno.
static int read_line(struct wall_address_list *list, struct wall_vector *names, char *line)
{
    char *rest = NULL;
    int r = 0;
    line[strcspn(line, "#;")] = '\0';
    char *word = strtok_r(line, " \t\r\n", &rest);
    if (!word)
        return 0;
    bool is_alone = rest[strspn(rest, " \t\r\n")] == '\0';
    if (!is_alone)
        return leads_nowhere(word) ? read_hosts(names, rest) : 1;
    if (add_addresses(list, word, &r))
        return r;
    size_t length = strlen(word);
    if (length > 3 && word[0] == '|' && word[1] == '|' && word[length - 1] == '^') {
        word[length - 1] = '\0';
        word += 2;
    }
    return clean_name(word) ? add_name(names, word) : 1;
}

static int read_lines(FILE *file, const char *path, wall_address_list_progress progress, struct wall_address_list *list,
                      struct wall_vector *names, struct wall_error *err)
{
    char line[LINE_BYTES + 2], text[64];
    while (fgets(line, sizeof(line), file)) {
        list->line_count++;
        if (strlen(line) > LINE_BYTES)
            return wall_error_set(err, -E2BIG, "%s: line %zu is longer than %d bytes", path, list->line_count,
                                  LINE_BYTES);
        (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\r\n"), line);
        int r = read_line(list, names, line);
        if (r < 0)
            return wall_error_set(err, r, "%s: line %zu: %s", path, list->line_count, strerror(-r));
        if (r > 0 && list->bad_count++ == 0)
            (void)wall_error_set(&list->first_bad, -EINVAL,
                                 "%s: line %zu is no address, network, range or name: '%s'", path, list->line_count,
                                 text);
        if (progress && list->line_count % PROGRESS_LINES == 0)
            progress(list->line_count);
    }
    return ferror(file) ? wall_error_set(err, -EIO, "%s cannot be read: %s", path, strerror(errno)) : 0;
}

int wall_address_list_read(FILE *file, const char *path, wall_address_list_progress progress,
                           struct wall_address_list *ret_list, struct wall_error *err)
{
    struct wall_vector names;
    *ret_list = (struct wall_address_list){ 0 };
    wall_vector_init(&ret_list->v4, sizeof(struct wall_address_range), 0);
    wall_vector_init(&ret_list->v6, sizeof(struct wall_address_range), 0);
    wall_vector_init(&names, sizeof(char *), 0);
    int r = read_lines(file, path, progress, ret_list, &names, err);
    if (r == 0) {
        merge(&ret_list->v4);
        merge(&ret_list->v6);
        r = join_names(ret_list, &names);
        if (r < 0)
            (void)wall_error_set(err, r, "no memory for the names of %s", path);
    }
    for (size_t i = 0; i < names.count; i++)
        free(*(char **)wall_vector_at(&names, i));
    wall_vector_done(&names);
    return r;
}

void wall_address_list_done(struct wall_address_list *list)
{
    wall_vector_done(&list->v4);
    wall_vector_done(&list->v6);
    free(list->names);
    list->names = NULL;
}
