/* grpc-timeout, grpc-message, "-bin" metadata, names of statuses. */
#include "rpc/rpc_text.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_status.h"

const char *rpc_status_name(unsigned status)
{
    static const char *const names[RPC_STATUS_COUNT] = {
#define X(number, name, text) [number] = text,
        RPC_STATUS_MAP(X)
#undef X
    };

    return status < RPC_STATUS_COUNT ? names[status] : "Unknown";
}

unsigned rpc_status_http(unsigned status)
{
    switch (status) {
    case RPC_OK:
        return 200;
    case RPC_INVALID_ARGUMENT:
    case RPC_FAILED_PRECONDITION:
    case RPC_OUT_OF_RANGE:
        return 400;
    case RPC_UNAUTHENTICATED:
        return 401;
    case RPC_PERMISSION_DENIED:
        return 403;
    case RPC_NOT_FOUND:
        return 404;
    case RPC_CANCELED:
        return 499;
    case RPC_ALREADY_EXISTS:
    case RPC_ABORTED:
        return 409;
    case RPC_RESOURCE_EXHAUSTED:
        return 429;
    case RPC_UNIMPLEMENTED:
        return 501;
    case RPC_UNAVAILABLE:
        return 503;
    case RPC_DEADLINE_EXCEEDED:
        return 504;
    default:
        return 500;
    }
}

/* Nanoseconds of a unit; 0 for a character that is none. */
static uint64_t timeout_unit_ns(char unit)
{
    switch (unit) {
    case 'H':
        return UINT64_C(3600000000000);
    case 'M':
        return UINT64_C(60000000000);
    case 'S':
        return UINT64_C(1000000000);
    case 'm':
        return UINT64_C(1000000);
    case 'u':
        return 1000;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

int rpc_timeout_parse(struct kvs_view text, uint64_t *ret_ms)
{
    const char *at = text.data;
    uint64_t value = 0;
    uint64_t unit_ns;
    uint64_t ms;

    if (text.len < 2 || text.len > 9) {
        return KVS_E_MALFORMED;
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (at[i] < '0' || at[i] > '9') {
            return KVS_E_MALFORMED;
        }
        value = value * 10 + (uint64_t)(at[i] - '0');
    }
    unit_ns = timeout_unit_ns(at[text.len - 1]);
    if (unit_ns == 0) {
        return KVS_E_MALFORMED;
    }
    if (unit_ns >= 1000000) { /* eight digits of hours do not fit nanoseconds */
        ms = value * (unit_ns / 1000000);
    } else {
        ms = (value * unit_ns + 999999) / 1000000;
    }
    *ret_ms = ms > 0 ? ms : 1;
    return 0;
}

size_t rpc_timeout_format(uint64_t ms, char *text)
{
    static const struct {
        uint64_t ms;
        char unit;
    } units[] = {{1, 'm'}, {1000, 'S'}, {60000, 'M'}, {3600000, 'H'}};
    size_t i = 0;
    int n;

    while (i + 1 < ARRAY_LEN(units) && ms / units[i].ms > 99999999) {
        i++;
    }
    n = snprintf(text, RPC_TIMEOUT_TEXT_MAX, "%u%c",
                 (unsigned)(ms / units[i].ms > 99999999 ? 99999999 : ms / units[i].ms),
                 units[i].unit);
    kvs_assert(n > 0 && n < RPC_TIMEOUT_TEXT_MAX);
    return (size_t)n;
}

size_t rpc_percent_encode(struct kvs_view from, char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    const uint8_t *at = from.data;
    size_t n = 0;

    for (size_t i = 0; i < from.len; i++) {
        if (at[i] >= 0x20 && at[i] <= 0x7e && at[i] != '%') {
            text[n++] = (char)at[i];
        } else {
            text[n++] = '%';
            text[n++] = hex[at[i] >> 4];
            text[n++] = hex[at[i] & 15];
        }
    }
    return n;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t rpc_percent_decode(struct kvs_view from, char *text)
{
    const char *at = from.data;
    size_t n = 0;

    for (size_t i = 0; i < from.len; i++) {
        if (at[i] == '%' && i + 2 < from.len && hex_digit(at[i + 1]) >= 0 &&
            hex_digit(at[i + 2]) >= 0) {
            text[n++] = (char)(hex_digit(at[i + 1]) * 16 + hex_digit(at[i + 2]));
            i += 2;
        } else {
            text[n++] = at[i];
        }
    }
    return n;
}

size_t rpc_base64_encode(struct kvs_view from, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = from.data;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;

    for (size_t i = 0; i < from.len; i++) {
        bits = bits << 8 | at[i];
        n_bits += 8;
        while (n_bits >= 6) {
            n_bits -= 6;
            text[n++] = digits[bits >> n_bits & 63];
        }
    }
    if (n_bits > 0) {
        text[n++] = digits[bits << (6 - n_bits) & 63];
    }
    return n;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int rpc_base64_decode(struct kvs_view from, uint8_t *to, size_t *ret_len)
{
    const char *at = from.data;
    size_t n = 0;
    uint32_t bits = 0;
    unsigned n_bits = 0;

    while (from.len > 0 && at[from.len - 1] == '=') {
        from.len--;
    }
    if (from.len % 4 == 1) {
        return KVS_E_MALFORMED;
    }
    for (size_t i = 0; i < from.len; i++) {
        int digit = base64_digit(at[i]);

        if (digit < 0) {
            return KVS_E_MALFORMED;
        }
        bits = bits << 6 | (uint32_t)digit;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            to[n++] = (uint8_t)(bits >> n_bits);
        }
    }
    *ret_len = n;
    return 0;
}

bool rpc_is_grpc_content_type(struct kvs_view value)
{
    static const char grpc[] = "application/grpc";
    size_t len = sizeof grpc - 1;
    char next;

    if (value.len < len || memcmp(value.data, grpc, len) != 0) {
        return false;
    }
    next = value.len > len ? ((const char *)value.data)[len] : ';';
    return next == ';' || next == '+';
}
