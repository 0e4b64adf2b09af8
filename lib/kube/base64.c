/* Base64 as Go's base64.StdEncoding has it: what []byte is in JSON. */
#include "kube/json_int.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void kube_base64_encode(char *to, struct kvs_view bytes)
{
    const uint8_t *from = bytes.data;
    size_t left = bytes.len;

    for (; left > 0; to += 4) {
        uint32_t group = (uint32_t)from[0] << 16;
        size_t n = left < 3 ? left : 3;

        group |= n > 1 ? (uint32_t)from[1] << 8 : 0;
        group |= n > 2 ? from[2] : 0;
        to[0] = alphabet[group >> 18];
        to[1] = alphabet[group >> 12 & 63];
        to[2] = n > 1 ? alphabet[group >> 6 & 63] : '=';
        to[3] = n > 2 ? alphabet[group & 63] : '=';
        from += n;
        left -= n;
    }
}

static int value_of(unsigned char c)
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

/* The next character that is not a line break; -1 at the end. */
static int next_of(struct kvs_view text, size_t *at)
{
    const unsigned char *chars = text.data;

    while (*at < text.len) {
        unsigned char c = chars[(*at)++];

        if (c != '\n' && c != '\r') {
            return c;
        }
    }
    return -1;
}

/* Four characters at most. Returns how many came before padding, or -1: malformed before `at`. */
static int read_group(struct kvs_view text, size_t *at, uint32_t *ret_group)
{
    uint32_t group = 0;

    for (int n = 0; n < 4; n++) {
        int c = next_of(text, at);

        if (c < 0) {
            *at = n == 0 ? text.len : text.len + 1;
            return n == 0 ? 0 : -1;
        }
        if (c == '=') {
            *ret_group = group << (6 * (4 - n));
            if (n < 2 || (n == 2 && next_of(text, at) != '=')) {
                return -1;
            }
            return next_of(text, at) < 0 ? n : -1; /* nothing follows padding */
        }
        if (value_of((unsigned char)c) < 0) {
            return -1;
        }
        group = group << 6 | (uint32_t)value_of((unsigned char)c);
    }
    *ret_group = group;
    return 4;
}

bool kube_base64_decode(uint8_t *to, struct kvs_view text, size_t *ret_len, size_t *ret_bad_at)
{
    size_t at = 0;
    size_t len = 0;
    int n = 4;

    while (n == 4) {
        uint32_t group = 0;

        n = read_group(text, &at, &group);
        if (n < 0) {
            *ret_bad_at = at - 1;
            return false;
        }
        for (int i = 1; i < n; i++) {
            to[len++] = (uint8_t)(group >> (24 - 8 * i));
        }
    }
    *ret_len = len;
    return true;
}
