/* A small JSON writer: it keeps track of commas, nothing else. `key` NULL inside arrays. The
 * `..._opt` forms leave zero values out, as etcdctl's output does for most fields. */
#ifndef KVCTL_JSON_H
#define KVCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kvstore/types.h"

struct json {
    FILE *out;
    bool comma; /* a value has been written at this level */
};

void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_text(struct json *j, const char *key, struct kvs_view text);
void json_bytes(struct json *j, const char *key, struct kvs_view bytes); /* base64 */
void json_null(struct json *j, const char *key);

void json_u64_opt(struct json *j, const char *key, uint64_t value);
void json_i64_opt(struct json *j, const char *key, int64_t value);
void json_bool_opt(struct json *j, const char *key, bool value);
void json_text_opt(struct json *j, const char *key, struct kvs_view text);
void json_bytes_opt(struct json *j, const char *key, struct kvs_view bytes);

#endif
