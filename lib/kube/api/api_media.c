/* What the client takes: clauses of the Accept header in its order, the first that we serve. */
#include <string.h>

#include "base/view.h"
#include "kube/api/api_int.h"

static struct kvs_view media_trim(const char *from, size_t len)
{
    while (len > 0 && *from == ' ') {
        from++;
        len--;
    }
    while (len > 0 && from[len - 1] == ' ') {
        len--;
    }
    return view_make(from, len);
}

/* The next piece up to `separator`; false at the end. */
static bool media_next(struct kvs_view *rest, char separator, struct kvs_view *ret_piece)
{
    const char *from = rest->data;
    const char *end;
    size_t len;

    if (rest->len == 0) {
        return false;
    }
    end = memchr(from, separator, rest->len);
    len = end == NULL ? rest->len : (size_t)(end - from);
    *ret_piece = media_trim(from, len);
    *rest = end == NULL ? view_make(NULL, 0) : view_make(end + 1, rest->len - len - 1);
    return true;
}

static bool media_is_json(struct kvs_view type)
{
    return view_equal_str(type, "application/json") || view_equal_str(type, "*/*") ||
           view_equal_str(type, "application/*");
}

/* False: not ours. */
static bool media_clause(struct kvs_view clause, enum api_format *ret_format)
{
    struct kvs_view rest = clause;
    struct kvs_view piece;
    struct kvs_view as = {NULL, 0};
    struct kvs_view version = {NULL, 0};

    if (!media_next(&rest, ';', &piece) || !media_is_json(piece)) {
        return false;
    }
    while (media_next(&rest, ';', &piece)) {
        if (piece.len > 3 && memcmp(piece.data, "as=", 3) == 0) {
            as = view_make((const char *)piece.data + 3, piece.len - 3);
        } else if (piece.len > 2 && memcmp(piece.data, "v=", 2) == 0) {
            version = view_make((const char *)piece.data + 2, piece.len - 2);
        }
    }
    if (as.len == 0) {
        *ret_format = API_JSON;
        return true;
    }
    if (view_equal_str(as, "Table") && view_equal_str(version, "v1")) {
        *ret_format = API_TABLE;
        return true;
    }
    if (view_equal_str(as, "APIGroupDiscoveryList")) {
        *ret_format = view_equal_str(version, "v2") ? API_AGGREGATED_V2 : API_AGGREGATED_V2BETA1;
        return view_equal_str(version, "v2") || view_equal_str(version, "v2beta1");
    }
    return false;
}

enum api_format api_accept(struct rpc_call *call)
{
    enum api_format format;
    struct kvs_view rest;
    struct kvs_view clause;

    if (!rpc_call_header(call, "accept", &rest)) {
        return API_JSON;
    }
    while (media_next(&rest, ',', &clause)) {
        if (media_clause(clause, &format)) {
            return format;
        }
    }
    return API_JSON;
}
