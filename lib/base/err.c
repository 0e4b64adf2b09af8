/* Look-ups in the one table of errors (kvstore/err.h). It is short: a scan is enough. */
#include "kvstore/err.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"

static const struct err_row {
    int code;
    int grpc;
    const char *name;
    const char *text;
} err_rows[] = {
#define X(name, code, grpc, text) {code, grpc, #name, text},
    KVS_ERR_MAP(X)
#undef X
};

static const struct err_row *err_find(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(err_rows); i++) {
        if (err_rows[i].code == code) {
            return &err_rows[i];
        }
    }
    return NULL;
}

const char *kvs_strerror(int code)
{
    const struct err_row *row = err_find(code);

    if (code == 0) {
        return "OK";
    }
    return row != NULL ? row->text : "unknown error";
}

const char *kvs_err_name(int code)
{
    const struct err_row *row = err_find(code);

    if (code == 0) {
        return "OK";
    }
    return row != NULL ? row->name : "UNKNOWN";
}

int kvs_err_grpc_status(int code)
{
    const struct err_row *row = err_find(code);

    if (code == 0) {
        return 0;
    }
    return row != NULL ? row->grpc : 2;
}

int kvs_err_from_text(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(err_rows); i++) {
        if (strcmp(err_rows[i].text, text) == 0) {
            return err_rows[i].code;
        }
    }
    return KVS_E_UNKNOWN;
}

bool kvs_err_is_fatal(int code)
{
    return code <= KVS_E_IO && code >= KVS_E_LOCKED;
}
