#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

int wall_error_set(struct wall_error *err, int code, const char *format, ...)
{
    if (!err)
        return code;

    err->code = code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    return code;
}
