#include "kube/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"

#define NAME_LABEL_MAX     63
#define NAME_SUBDOMAIN_MAX 253
#define NAME_PORT_MAX      15
#define NAME_IP_MAX        64 /* no address is longer, once its leading zeros are gone */

#define NAME_TOO_LONG_15  "must be no more than 15 characters"
#define NAME_TOO_LONG_63  "must be no more than 63 characters"
#define NAME_TOO_LONG_253 "must be no more than 253 characters"
#define NAME_EMPTY        "must be non-empty"

#define NAME_QUALIFIED_RE   "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define NAME_LABEL_RE       "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NAME_SUBDOMAIN_RE   NAME_LABEL_RE "(\\." NAME_LABEL_RE ")*"
#define NAME_RE_IS(pattern) "regex used for validation is '" pattern "')"

#define NAME_QUALIFIED_TEXT                                                                        \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', " NAME_RE_IS(            \
        NAME_QUALIFIED_RE)
#define NAME_SUBDOMAIN_TEXT                                                                        \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', " NAME_RE_IS( \
        NAME_SUBDOMAIN_RE)

/* ---- characters ---- */

enum {
    NAME_LOWER = 1,
    NAME_UPPER = 2,
    NAME_DIGIT = 4,
    NAME_DASH = 8,
    NAME_UNDERSCORE = 16,
    NAME_DOT = 32,
    NAME_COMMA = 64,
    NAME_COLON = 128,
    NAME_ALPHA = NAME_LOWER | NAME_UPPER,
    NAME_ALNUM = NAME_ALPHA | NAME_DIGIT,
    NAME_LOWER_ALNUM = NAME_LOWER | NAME_DIGIT,
};

static unsigned name_class(char c)
{
    if (c >= 'a' && c <= 'z') {
        return NAME_LOWER;
    }
    if (c >= 'A' && c <= 'Z') {
        return NAME_UPPER;
    }
    if (c >= '0' && c <= '9') {
        return NAME_DIGIT;
    }
    switch (c) {
    case '-':
        return NAME_DASH;
    case '_':
        return NAME_UNDERSCORE;
    case '.':
        return NAME_DOT;
    case ',':
        return NAME_COMMA;
    case ':':
        return NAME_COLON;
    default:
        return 0;
    }
}

/* One word: a first, any number of inner and a last character of the given classes. A word of one
 * character has to be a first one, and a last one too. */
static bool name_word(struct kvs_view value, unsigned first, unsigned inner, unsigned last)
{
    const char *p = value.data;

    if (value.len == 0 || (name_class(p[0]) & first) == 0) {
        return false;
    }
    for (size_t i = 1; i + 1 < value.len; i++) {
        if ((name_class(p[i]) & inner) == 0) {
            return false;
        }
    }
    return value.len == 1 || (name_class(p[value.len - 1]) & last) != 0;
}

static bool name_is_label(struct kvs_view value)
{
    return name_word(value, NAME_LOWER_ALNUM, NAME_LOWER_ALNUM | NAME_DASH, NAME_LOWER_ALNUM);
}

static bool name_is_subdomain(struct kvs_view value)
{
    const char *p = value.data;
    size_t start = 0;

    for (size_t i = 0; i <= value.len; i++) {
        if (i == value.len || p[i] == '.') {
            if (!name_is_label(view_make(p + start, i - start))) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

static bool name_contains(struct kvs_view value, char c)
{
    return value.len > 0 && memchr(value.data, c, value.len) != NULL;
}

/* ---- messages ---- */

static void name_start(struct kube_name_messages *messages)
{
    kvs_assert(messages != NULL);
    messages->count = 0;
}

static void name_say(struct kube_name_messages *messages, bool wrong, const char *text)
{
    if (wrong) {
        kvs_assert(messages->count < KUBE_NAME_MESSAGES_MAX);
        messages->text[messages->count++] = text;
    }
}

static void name_say_dots(struct kube_name_messages *messages, struct kvs_view value)
{
    if (view_equal_str(value, ".")) {
        name_say(messages, true, "must not be '.'");
    } else if (view_equal_str(value, "..")) {
        name_say(messages, true, "must not be '..'");
    } else {
        name_say(messages, value.len > 2 && memcmp(value.data, "..", 2) == 0,
                 "must not start with '..'");
    }
}

/* ---- DNS ---- */

bool kube_name_dns1123_label(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    bool valid = name_is_label(value);

    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_LABEL_MAX, NAME_TOO_LONG_63);
    if (!valid && name_is_subdomain(value)) {
        name_say(ret_messages, true, "must not contain dots");
    } else {
        name_say(ret_messages, !valid,
                 "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
                 "'-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
                 "'123-abc', " NAME_RE_IS(NAME_LABEL_RE));
    }
    return ret_messages->count == 0;
}

bool kube_name_dns1123_subdomain(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_SUBDOMAIN_MAX, NAME_TOO_LONG_253);
    name_say(ret_messages, !name_is_subdomain(value), NAME_SUBDOMAIN_TEXT);
    return ret_messages->count == 0;
}

bool kube_name_dns1035_label(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    bool valid = name_word(value, NAME_LOWER, NAME_LOWER_ALNUM | NAME_DASH, NAME_LOWER_ALNUM);

    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_LABEL_MAX, NAME_TOO_LONG_63);
    name_say(ret_messages, !valid,
             "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
             "with an alphabetic character, and end with an alphanumeric character (e.g. "
             "'my-name',  or 'abc-123', " NAME_RE_IS("[a-z]([-a-z0-9]*[a-z0-9])?"));
    return ret_messages->count == 0;
}

bool kube_name_wildcard_subdomain(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    const char *p = value.data;
    bool valid = value.len > 2 && memcmp(p, "*.", 2) == 0 &&
                 name_is_subdomain(view_make(p + 2, value.len - 2));

    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_SUBDOMAIN_MAX, NAME_TOO_LONG_253);
    name_say(ret_messages, !valid,
             "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS "
             "subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
             "end with an alphanumeric character (e.g. '*.example.com', " NAME_RE_IS(
                 "\\*\\." NAME_SUBDOMAIN_RE));
    return ret_messages->count == 0;
}

/* ---- labels ---- */

static bool name_is_qualified_part(struct kvs_view value)
{
    return name_word(value, NAME_ALNUM, NAME_ALNUM | NAME_DASH | NAME_UNDERSCORE | NAME_DOT,
                     NAME_ALNUM);
}

static void name_say_prefix(struct kube_name_messages *messages, struct kvs_view prefix)
{
    if (prefix.len == 0) {
        name_say(messages, true, "prefix part " NAME_EMPTY);
        return;
    }
    name_say(messages, prefix.len > NAME_SUBDOMAIN_MAX, "prefix part " NAME_TOO_LONG_253);
    name_say(messages, !name_is_subdomain(prefix), "prefix part " NAME_SUBDOMAIN_TEXT);
}

bool kube_name_qualified(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    const char *p = value.data;
    const char *slash = value.len > 0 ? memchr(p, '/', value.len) : NULL;
    struct kvs_view name = value;

    name_start(ret_messages);
    if (slash != NULL) {
        size_t prefix_len = (size_t)(slash - p);

        name = view_make(slash + 1, value.len - prefix_len - 1);
        if (name_contains(name, '/')) {
            name_say(ret_messages, true,
                     "a qualified name " NAME_QUALIFIED_TEXT
                     " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
            return false;
        }
        name_say_prefix(ret_messages, view_make(p, prefix_len));
    }
    name_say(ret_messages, name.len == 0, "name part " NAME_EMPTY);
    name_say(ret_messages, name.len > NAME_LABEL_MAX, "name part " NAME_TOO_LONG_63);
    name_say(ret_messages, !name_is_qualified_part(name), "name part " NAME_QUALIFIED_TEXT);
    return ret_messages->count == 0;
}

bool kube_name_label_value(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_LABEL_MAX, NAME_TOO_LONG_63);
    name_say(ret_messages, value.len > 0 && !name_is_qualified_part(value),
             "a valid label must be an empty string or consist of alphanumeric characters, '-', "
             "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  "
             "or 'my_value',  or '12345', " NAME_RE_IS("(" NAME_QUALIFIED_RE ")?"));
    return ret_messages->count == 0;
}

/* ---- programs ---- */

bool kube_name_env_var(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    unsigned first = NAME_ALPHA | NAME_DASH | NAME_UNDERSCORE | NAME_DOT;

    name_start(ret_messages);
    name_say(ret_messages, !name_word(value, first, first | NAME_DIGIT, first | NAME_DIGIT),
             "a valid environment variable name must consist of alphabetic characters, digits, "
             "'_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or "
             "'MY_ENV.NAME',  or 'MyEnvName1', " NAME_RE_IS("[-._a-zA-Z][-._a-zA-Z0-9]*"));
    name_say_dots(ret_messages, value);
    return ret_messages->count == 0;
}

bool kube_name_env_var_relaxed(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    const char *p = value.data;
    bool valid = true;

    for (size_t i = 0; i < value.len; i++) {
        valid = valid && p[i] >= ' ' && p[i] <= '~' && p[i] != '=';
    }
    name_start(ret_messages);
    name_say(ret_messages, value.len == 0, "environment variable name " NAME_EMPTY);
    name_say(ret_messages, !valid,
             "a valid environment variable name must consist only of printable ASCII characters "
             "other than '='");
    return ret_messages->count == 0;
}

bool kube_name_c_identifier(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    unsigned first = NAME_ALPHA | NAME_UNDERSCORE;

    name_start(ret_messages);
    name_say(ret_messages, !name_word(value, first, first | NAME_DIGIT, first | NAME_DIGIT),
             "a valid C identifier must start with alphabetic character or '_', followed by a "
             "string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or "
             "'MyName', " NAME_RE_IS("[A-Za-z_][A-Za-z0-9_]*"));
    return ret_messages->count == 0;
}

bool kube_name_port(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    const char *p = value.data;
    unsigned all = NAME_LOWER_ALNUM | NAME_DASH;
    bool has_letter = false;
    bool has_double = false;

    for (size_t i = 0; i < value.len; i++) {
        has_letter = has_letter || name_class(p[i]) == NAME_LOWER;
        has_double = has_double || (i > 0 && p[i] == '-' && p[i - 1] == '-');
    }
    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_PORT_MAX, NAME_TOO_LONG_15);
    name_say(ret_messages, !name_word(value, all, all, all),
             "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    name_say(ret_messages, !has_letter, "must contain at least one letter (a-z)");
    name_say(ret_messages, has_double, "must not contain consecutive hyphens");
    name_say(ret_messages, value.len > 0 && (p[0] == '-' || p[value.len - 1] == '-'),
             "must not begin or end with a hyphen");
    return ret_messages->count == 0;
}

bool kube_name_percent(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    const char *p = value.data;
    bool valid = value.len > 1 && p[value.len - 1] == '%' &&
                 name_word(view_make(p, value.len - 1), NAME_DIGIT, NAME_DIGIT, NAME_DIGIT);

    name_start(ret_messages);
    name_say(ret_messages, !valid,
             "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
             "'1%',  or '93%', " NAME_RE_IS("[0-9]+%"));
    return ret_messages->count == 0;
}

bool kube_name_config_key(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    unsigned all = NAME_ALNUM | NAME_DASH | NAME_UNDERSCORE | NAME_DOT;

    name_start(ret_messages);
    name_say(ret_messages, value.len > NAME_SUBDOMAIN_MAX, NAME_TOO_LONG_253);
    name_say(ret_messages, !name_word(value, all, all, all),
             "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
             "'key.name',  or 'KEY_NAME',  or 'key-name', " NAME_RE_IS("[-._a-zA-Z0-9]+"));
    name_say_dots(ret_messages, value);
    return ret_messages->count == 0;
}

bool kube_name_http_header(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    unsigned all = NAME_ALNUM | NAME_DASH;

    name_start(ret_messages);
    name_say(ret_messages, !name_word(value, all, all, all),
             "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
             "'X-Header-Name', " NAME_RE_IS("[-A-Za-z0-9]+"));
    return ret_messages->count == 0;
}

bool kube_name_condition_reason(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    unsigned last = NAME_ALNUM | NAME_UNDERSCORE;

    name_start(ret_messages);
    name_say(ret_messages, !name_word(value, NAME_ALPHA, last | NAME_COMMA | NAME_COLON, last),
             "a condition reason must start with alphabetic character, optionally followed by a "
             "string of alphanumeric characters or '_,:', and must end with an alphanumeric "
             "character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or "
             "'ReasonA,ReasonB',  or 'ReasonA:ReasonB', " NAME_RE_IS(
                 "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"));
    return ret_messages->count == 0;
}

/* ---- paths ---- */

bool kube_name_path_segment_prefix(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, name_contains(value, '/'), "may not contain '/'");
    name_say(ret_messages, name_contains(value, '%'), "may not contain '%'");
    return ret_messages->count == 0;
}

bool kube_name_path_segment(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    (void)kube_name_path_segment_prefix(value, ret_messages); /* Counted below. */
    name_say(ret_messages, view_equal_str(value, "."), "may not be '.'");
    name_say(ret_messages, view_equal_str(value, ".."), "may not be '..'");
    return ret_messages->count == 0;
}

/* ---- addresses ---- */

/* Copies an address for libc, without the leading zeros that Kubernetes forgives in the decimal
 * parts of IPv4. False if it cannot be an address. */
static bool name_ip_copy(struct kvs_view value, char ret_text[NAME_IP_MAX])
{
    const char *p = value.data;
    size_t n = 0;
    size_t decimal = 0; /* where the dotted part starts */

    if (value.len == 0 || memchr(p, '\0', value.len) != NULL) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        decimal = p[i] == ':' ? i + 1 : decimal;
    }
    if (!name_contains(value, '.')) {
        decimal = value.len;
    }
    for (size_t i = 0; i < value.len; i++) {
        bool starts = i >= decimal && (i == decimal || p[i - 1] == '.');

        while (starts && p[i] == '0' && i + 1 < value.len && name_class(p[i + 1]) == NAME_DIGIT) {
            i++;
        }
        if (n + 1 >= NAME_IP_MAX) {
            return false;
        }
        ret_text[n++] = p[i];
    }
    ret_text[n] = '\0';
    return true;
}

/* 4, 6 or 0. An IPv4 address that is mapped into IPv6 counts as IPv4, as in Go. */
static int name_ip_family(struct kvs_view value, bool *ret_mapped)
{
    char text[NAME_IP_MAX];
    struct in6_addr six;
    struct in_addr four;

    *ret_mapped = false;
    if (!name_ip_copy(value, text)) {
        return 0;
    }
    if (inet_pton(AF_INET, text, &four) == 1) {
        return 4;
    }
    if (inet_pton(AF_INET6, text, &six) != 1) {
        return 0;
    }
    *ret_mapped = IN6_IS_ADDR_V4MAPPED(&six);
    return *ret_mapped ? 4 : 6;
}

bool kube_name_ip(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    bool mapped;

    name_start(ret_messages);
    name_say(ret_messages, name_ip_family(value, &mapped) == 0,
             "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    return ret_messages->count == 0;
}

bool kube_name_ipv4(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    bool mapped;

    name_start(ret_messages);
    name_say(ret_messages, name_ip_family(value, &mapped) != 4, "must be a valid IPv4 address");
    return ret_messages->count == 0;
}

bool kube_name_ipv6(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    bool mapped;

    name_start(ret_messages);
    name_say(ret_messages, name_ip_family(value, &mapped) != 6, "must be a valid IPv6 address");
    return ret_messages->count == 0;
}

static bool name_is_cidr(struct kvs_view value)
{
    const char *p = value.data;
    const char *slash = value.len > 0 ? memchr(p, '/', value.len) : NULL;
    size_t at = slash != NULL ? (size_t)(slash - p) : 0;
    bool mapped = false;
    int family = slash != NULL ? name_ip_family(view_make(p, at), &mapped) : 0;
    int bits = 0;

    if (family == 0 || at + 1 == value.len) {
        return false;
    }
    for (size_t i = at + 1; i < value.len; i++) {
        if (name_class(p[i]) != NAME_DIGIT || bits > 128) {
            return false;
        }
        bits = bits * 10 + (p[i] - '0');
    }
    return bits <= (family == 4 && !mapped ? 32 : 128);
}

bool kube_name_cidr(struct kvs_view value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, !name_is_cidr(value),
             "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    return ret_messages->count == 0;
}

/* ---- numbers ---- */

bool kube_name_port_number(int64_t value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, value < 1 || value > 65535, "must be between 1 and 65535, inclusive");
    return ret_messages->count == 0;
}

bool kube_name_user_id(int64_t value, struct kube_name_messages *ret_messages)
{
    name_start(ret_messages);
    name_say(ret_messages, value < 0 || value > INT32_MAX,
             "must be between 0 and 2147483647, inclusive");
    return ret_messages->count == 0;
}
