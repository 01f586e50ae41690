#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

enum err err_set(struct err_info *info, enum err err, const char *field, const char *fmt, ...)
{
    must(err != OK);
    if (info == NULL)
        return err;
    info->err = err;
    (void)snprintf(info->field, sizeof info->field, "%s", field ? field : "");
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(info->text, sizeof info->text, fmt, args);
    va_end(args);
    return err;
}

const char *err_text(enum err err)
{
    switch (err) {
    case OK: return "no error";
    case ERR_LIMIT: return "over a limit";
    case ERR_SYNTAX: return "malformed";
    case ERR_VALUE: return "not allowed";
    case ERR_NOT_FOUND: return "not found";
    case ERR_CONFLICT: return "differs from what is stored";
    case ERR_KEY: return "no valid key";
    case ERR_FORBIDDEN: return "not permitted with this key";
    case ERR_IO: return "input or output failed";
    case ERR_FULL: return "no space left";
    case ERR_CORRUPT: return "stored data is damaged";
    case ERR_BUSY: return "busy";
    case ERR_STALE: return "changed meanwhile";
    case ERR_STOPPED: return "stopping";
    }
    return "unknown error";
}
