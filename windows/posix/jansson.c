#include <jansson.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_OBJECT, KIND_ARRAY, KIND_STRING, KIND_WORD };

// A number, true, false and null are words: their text is what is printed.
struct json_value {
    enum kind kind;
    char *text;
    size_t count;
    char **keys;  // of an object
    json_t **values;
};

static json_t *new_value(enum kind kind)
{
    json_t *value = calloc(1, sizeof(*value));
    if (value)
        value->kind = kind;
    return value;
}

static json_t *new_text(enum kind kind, const char *text, size_t length)
{
    json_t *value = new_value(kind);
    char *copy = value ? malloc(length + 1) : NULL;
    if (!copy) {
        free(value);
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    value->text = copy;
    return value;
}

json_t *json_object(void)
{
    return new_value(KIND_OBJECT);
}

json_t *json_array(void)
{
    return new_value(KIND_ARRAY);
}

json_t *json_stringn(const char *text, size_t length)
{
    return new_text(KIND_STRING, text, length);
}

json_t *json_string(const char *text)
{
    return text ? json_stringn(text, strlen(text)) : NULL;
}

json_t *json_sprintf(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    json_t *value = length >= 0 ? json_stringn(text, (size_t)length) : NULL;
    if (length >= 0)
        free(text);
    return value;
}

static json_t *new_word(const char *text)
{
    return new_text(KIND_WORD, text, strlen(text));
}

json_t *json_integer(json_int_t number)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", number);
    return new_word(text);
}

json_t *json_real(double number)
{
    char text[64];
    snprintf(text, sizeof(text), "%.17g", number);
    if (strcspn(text, ".eE") == strlen(text))
        snprintf(text, sizeof(text), "%.1f", number);  // a real stays one
    return new_word(text);
}

json_t *json_boolean(int is_true)
{
    return new_word(is_true ? "true" : "false");
}

json_t *json_null(void)
{
    return new_word("null");
}

static int append(json_t *target, char *key, json_t *value)
{
    json_t **values = target ? realloc(target->values, (target->count + 1) * sizeof(*values)) : NULL;
    if (values)
        target->values = values;
    char **keys = values && key ? realloc(target->keys, (target->count + 1) * sizeof(*keys)) : NULL;
    if (keys)
        target->keys = keys;
    if (!value || !values || (key && !keys)) {
        json_decref(value);
        free(key);
        return -1;
    }
    if (key)
        target->keys[target->count] = key;
    target->values[target->count++] = value;
    return 0;
}

int json_array_append_new(json_t *array, json_t *value)
{
    return append(array, NULL, value);
}

int json_object_set_new(json_t *object, const char *key, json_t *value)
{
    char *copy = strdup(key);
    if (!copy) {
        json_decref(value);
        return -1;
    }
    return append(object, copy, value);
}

json_t *json_pack(const char *format, ...)
{
    json_t *object = json_object();
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; (at = strstr(at, "s:")) != NULL; at += 3) {
        const char *key = va_arg(arguments, const char *);
        json_t *value = at[2] == 's'   ? json_string(va_arg(arguments, const char *))
                        : at[2] == 'o' ? va_arg(arguments, json_t *)
                                       : json_boolean(va_arg(arguments, int));
        if (!object)
            json_decref(value);
        else if (json_object_set_new(object, key, value) < 0) {
            json_decref(object);
            object = NULL;
        }
    }
    va_end(arguments);
    return object;
}

void json_decref(json_t *value)
{
    if (!value)
        return;
    for (size_t i = 0; i < value->count; i++) {
        json_decref(value->values[i]);
        if (value->keys)
            free(value->keys[i]);
    }
    free(value->keys);
    free(value->values);
    free(value->text);
    free(value);
}

// --- Writing ---

static void write_text(const char *text, FILE *file)
{
    putc('"', file);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else if (byte == '\n')
            fputs("\\n", file);
        else if (byte == '\t')
            fputs("\\t", file);
        else if (byte < 0x20)
            fprintf(file, "\\u%04X", byte);
        else
            putc(byte, file);
    }
    putc('"', file);
}

static void write_value(const json_t *value, FILE *file, int indent, int depth)
{
    if (value->kind == KIND_STRING)
        write_text(value->text, file);
    else if (value->kind == KIND_WORD)
        fputs(value->text, file);
    if (value->text)
        return;
    bool is_object = value->kind == KIND_OBJECT;
    putc(is_object ? '{' : '[', file);
    for (size_t i = 0; i < value->count; i++) {
        fprintf(file, "%s\n%*s", i > 0 ? "," : "", indent * (depth + 1), "");
        if (is_object) {
            write_text(value->keys[i], file);
            fputs(": ", file);
        }
        write_value(value->values[i], file, indent, depth + 1);
    }
    if (value->count > 0)
        fprintf(file, "\n%*s", indent * depth, "");
    putc(is_object ? '}' : ']', file);
}

int json_dumpf(const json_t *value, FILE *file, size_t flags)
{
    write_value(value, file, (int)flags, 0);
    return ferror(file) ? -1 : 0;
}
