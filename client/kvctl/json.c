#include "json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static void json_string(struct json *j, struct kvs_view text)
{
    const uint8_t *at = text.data;

    (void)fputc('"', j->out);
    for (size_t i = 0; i < text.len; i++) {
        if (at[i] == '"' || at[i] == '\\') {
            (void)fprintf(j->out, "\\%c", at[i]);
        } else if (at[i] < 0x20 || at[i] == '<' || at[i] == '>' || at[i] == '&') {
            (void)fprintf(j->out, "\\u%04x", at[i]); /* as Go's encoder does */
        } else {
            (void)fputc(at[i], j->out);
        }
    }
    (void)fputc('"', j->out);
}

static void json_key(struct json *j, const char *key)
{
    if (j->comma) {
        (void)fputc(',', j->out);
    }
    j->comma = true;
    if (key != NULL) {
        json_string(j, (struct kvs_view){key, strlen(key)});
        (void)fputc(':', j->out);
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    json_key(j, key);
    (void)fputc(bracket, j->out);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    (void)fputc(bracket, j->out);
    j->comma = true;
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    (void)fprintf(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    (void)fprintf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    json_key(j, key);
    (void)fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
    json_key(j, key);
    (void)fputs("null", j->out);
}

void json_text(struct json *j, const char *key, struct kvs_view text)
{
    json_key(j, key);
    json_string(j, text);
}

void json_bytes(struct json *j, const char *key, struct kvs_view bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes.data;

    json_key(j, key);
    (void)fputc('"', j->out);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                         (left > 2 ? at[i + 2] : 0);

        (void)fputc(digits[group >> 18], j->out);
        (void)fputc(digits[group >> 12 & 63], j->out);
        (void)fputc(left > 1 ? digits[group >> 6 & 63] : '=', j->out);
        (void)fputc(left > 2 ? digits[group & 63] : '=', j->out);
    }
    (void)fputc('"', j->out);
}

void json_u64_opt(struct json *j, const char *key, uint64_t value)
{
    if (value != 0) {
        json_u64(j, key, value);
    }
}

void json_i64_opt(struct json *j, const char *key, int64_t value)
{
    if (value != 0) {
        json_i64(j, key, value);
    }
}

void json_bool_opt(struct json *j, const char *key, bool value)
{
    if (value) {
        json_bool(j, key, value);
    }
}

void json_text_opt(struct json *j, const char *key, struct kvs_view text)
{
    if (text.len > 0) {
        json_text(j, key, text);
    }
}

void json_bytes_opt(struct json *j, const char *key, struct kvs_view bytes)
{
    if (bytes.len > 0) {
        json_bytes(j, key, bytes);
    }
}
