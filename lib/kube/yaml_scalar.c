/* YAML 1.1's scalars as Go's reader resolves them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/view.h"
#include "kube/json_int.h"
#include "kube/yaml_int.h"

#define CORE_TAG "tag:yaml.org,2002:"

static bool yaml_is_one_of(struct kvs_view text, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (view_equal_str(text, names[i])) {
            return true;
        }
    }
    return false;
}

static bool yaml_is_null(struct kvs_view text)
{
    static const char *const names[] = {"", "~", "null", "Null", "NULL"};

    return yaml_is_one_of(text, names, ARRAY_LEN(names));
}

static bool yaml_is_true(struct kvs_view text)
{
    static const char *const names[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                        "True", "TRUE", "on",  "On",  "ON"};

    return yaml_is_one_of(text, names, ARRAY_LEN(names));
}

static bool yaml_is_false(struct kvs_view text)
{
    static const char *const names[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                        "False", "FALSE", "off", "Off", "OFF"};

    return yaml_is_one_of(text, names, ARRAY_LEN(names));
}

static bool yaml_is_not_finite(struct kvs_view text)
{
    static const char *const names[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                        "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

    return yaml_is_one_of(text, names, ARRAY_LEN(names));
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool yaml_is_float(const char *at)
{
    size_t whole;
    size_t part = 0;

    at += *at == '-' || *at == '+' ? 1 : 0;
    whole = strspn(at, "0123456789");
    at += whole;
    if (*at == '.') {
        part = strspn(++at, "0123456789");
        at += part;
    }
    if (whole + part == 0) {
        return false;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '-' || *at == '+' ? 1 : 0;
        if (*at == '\0') {
            return false;
        }
        at += strspn(at, "0123456789");
    }
    return *at == '\0';
}

/* Digits of a base, with its prefix: 0x, 0o, 0b, or 0 for octal. */
static int yaml_base(const char **at)
{
    if ((*at)[0] != '0' || (*at)[1] == '\0') {
        return 10;
    }
    switch ((*at)[1]) {
    case 'x':
    case 'X':
        *at += 2;
        return 16;
    case 'o':
    case 'O':
        *at += 2;
        return 8;
    case 'b':
    case 'B':
        *at += 2;
        return 2;
    default:
        *at += 1;
        return 8;
    }
}

/* False if it is no integer that 64 bits hold. */
static bool yaml_integer(const char *text, bool *ret_negative, uint64_t *ret_amount)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = text + (*text == '-' || *text == '+' ? 1 : 0);
    int base = yaml_base(&at);
    char *end;

    if (*at == '\0' || strchr(digits, *at) == NULL) {
        return false;
    }
    errno = 0;
    *ret_amount = strtoull(at, &end, base);
    *ret_negative = *text == '-';
    return *end == '\0' && errno == 0 && (!*ret_negative || *ret_amount <= (uint64_t)INT64_MAX + 1);
}

/* A number without its underscores; NULL if it is none. */
static yyjson_mut_val *yaml_number(yyjson_mut_doc *doc, const char *plain, bool *ret_bad)
{
    bool negative;
    uint64_t amount;
    double real;

    if (yaml_integer(plain, &negative, &amount)) {
        return negative ? yyjson_mut_sint(doc, (int64_t)(0 - amount))
                        : yyjson_mut_uint(doc, amount);
    }
    if (!yaml_is_float(plain)) {
        return NULL;
    }
    real = strtod(plain, NULL);
    if (!isfinite(real)) {
        *ret_bad = true;
        return NULL;
    }
    return yyjson_mut_real(doc, real);
}

static yyjson_mut_val *yaml_text(yyjson_mut_doc *doc, struct kvs_view text)
{
    return yyjson_mut_strncpy(doc, text.len == 0 ? "" : text.data, text.len);
}

/* Longer ones are strings: no number needs so many digits. */
#define NUMBER_MAX 400

static yyjson_mut_val *yaml_maybe_number(yyjson_mut_doc *doc, struct kvs_view text, bool *ret_bad)
{
    const char *from = text.data;
    char plain[NUMBER_MAX + 1];
    size_t n = 0;
    yyjson_mut_val *number;

    if (text.len > NUMBER_MAX || memchr(from, 0, text.len) != NULL ||
        strchr("+-.0123456789", from[0]) == NULL) {
        return yaml_text(doc, text);
    }
    for (size_t i = 0; i < text.len; i++) {
        if (from[i] != '_') {
            plain[n++] = from[i];
        }
    }
    plain[n] = '\0';
    number = yaml_number(doc, plain, ret_bad);
    return number != NULL || *ret_bad ? number : yaml_text(doc, text);
}

yyjson_mut_val *yaml_plain(yyjson_mut_doc *doc, struct kvs_view text, bool *ret_bad)
{
    *ret_bad = false;
    if (yaml_is_null(text)) {
        return yyjson_mut_null(doc);
    }
    if (yaml_is_true(text) || yaml_is_false(text)) {
        return yyjson_mut_bool(doc, yaml_is_true(text));
    }
    if (yaml_is_not_finite(text)) {
        *ret_bad = true;
        return NULL;
    }
    return yaml_maybe_number(doc, text, ret_bad);
}

/* The bytes of !!binary are a string; JSON has only UTF-8. */
static yyjson_mut_val *yaml_binary(yyjson_mut_doc *doc, struct kvs_view text, bool *ret_bad)
{
    uint8_t *bytes = kvs_malloc(text.len / 4 * 3 + 3);
    yyjson_mut_val *value = NULL;
    size_t len;
    size_t bad_at;

    if (bytes == NULL) {
        return NULL;
    }
    if (kube_base64_decode(bytes, text, &len, &bad_at)) {
        value = yyjson_mut_strncpy(doc, (const char *)bytes, len);
    } else {
        *ret_bad = true;
    }
    kvs_free(bytes);
    return value;
}

yyjson_mut_val *
yaml_tagged(yyjson_mut_doc *doc, struct kvs_view text, const char *tag, bool *ret_bad)
{
    yyjson_mut_val *value;

    *ret_bad = false;
    if (strcmp(tag, CORE_TAG "binary") == 0) {
        return yaml_binary(doc, text, ret_bad);
    }
    if (strcmp(tag, CORE_TAG "null") != 0 && strcmp(tag, CORE_TAG "bool") != 0 &&
        strcmp(tag, CORE_TAG "int") != 0 && strcmp(tag, CORE_TAG "float") != 0) {
        return yaml_text(doc, text);
    }
    value = yaml_plain(doc, text, ret_bad);
    if (value != NULL && yyjson_mut_is_str(value)) {
        *ret_bad = true;
        return NULL;
    }
    return value;
}
