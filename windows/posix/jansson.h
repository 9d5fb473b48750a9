// The part of the jansson library that ringwall's commands use, for Windows, where Debian has no package of it. The
// functions do what jansson's manual says; json_pack() knows objects of s:s, s:o and s:b.
#pragma once

#include <stddef.h>
#include <stdio.h>

typedef struct json_value json_t;
typedef long long json_int_t;

#define JSON_INDENT(spaces) (spaces)

// Each returns a new value, NULL when memory is short.
json_t *json_object(void);
json_t *json_array(void);
json_t *json_string(const char *text);
json_t *json_stringn(const char *text, size_t length);
json_t *json_sprintf(const char *format, ...) __attribute__((format(gnu_printf, 1, 2)));
json_t *json_integer(json_int_t number);
json_t *json_real(double number);
json_t *json_boolean(int is_true);
json_t *json_null(void);
json_t *json_pack(const char *format, ...);

// They take `value` over, also when they return -1.
int json_object_set_new(json_t *object, const char *key, json_t *value);
int json_array_append_new(json_t *array, json_t *value);

// Releases a value and what it holds; `value` may be NULL.
void json_decref(json_t *value);

// Writes with JSON_INDENT(spaces). Returns 0 or -1.
int json_dumpf(const json_t *value, FILE *file, size_t flags);
