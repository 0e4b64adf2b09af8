#include "shared/flags.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define FLAG_ENV_NAME_MAX 128

static int flags_fail(struct kvs_error *ret_error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int flags_fail(struct kvs_error *ret_error, const char *format, ...)
{
    va_list args;

    ret_error->code = KVS_E_INVALID;
    va_start(args, format);
    (void)vsnprintf(ret_error->msg, sizeof ret_error->msg, format, args);
    va_end(args);
    return KVS_E_INVALID;
}

static const struct {
    const char *unit;
    double ms;
} flag_units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}};

/* The longest unit that `text` starts with; 0 if none. */
static size_t flags_unit(const char *text, double *ret_ms)
{
    size_t found = 0;

    for (size_t i = 0; i < sizeof flag_units / sizeof flag_units[0]; i++) {
        size_t len = strlen(flag_units[i].unit);

        if (len > found && strncmp(text, flag_units[i].unit, len) == 0) {
            found = len;
            *ret_ms = flag_units[i].ms;
        }
    }
    return found;
}

int flags_parse_duration_ms(const char *text, uint32_t *ret_ms)
{
    double total = 0;

    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return 0;
    }
    if (*text == '\0') {
        return KVS_E_INVALID;
    }
    while (*text != '\0') {
        char *end;
        double number;
        double unit_ms = 0;
        size_t unit_len;

        number = strtod(text, &end);
        unit_len = flags_unit(end, &unit_ms);
        if (end == text || end != text + strspn(text, "0123456789.") ||
            unit_len == 0) { /* what Go does not take: 1e3s, 0x10s */
            return KVS_E_INVALID;
        }
        total += number * unit_ms;
        text = end + unit_len;
    }
    if (!(total >= 0 && total <= (double)UINT32_MAX)) {
        return KVS_E_INVALID;
    }
    *ret_ms = (uint32_t)total;
    return 0;
}

static int flags_parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end;
    unsigned long long value;

    if (!isdigit((unsigned char)text[0])) {
        return KVS_E_INVALID;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value > max) {
        return KVS_E_INVALID;
    }
    *ret_value = value;
    return 0;
}

static int flags_parse_i64(const char *text, int64_t *ret_value)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        return KVS_E_INVALID;
    }
    *ret_value = value;
    return 0;
}

/* The spellings that Go's strconv.ParseBool takes. */
static int flags_parse_bool(const char *text, bool *ret_value)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcmp(text, yes[i]) == 0) {
            *ret_value = true;
            return 0;
        }
        if (strcmp(text, no[i]) == 0) {
            *ret_value = false;
            return 0;
        }
    }
    return KVS_E_INVALID;
}

static int flags_assign(const struct flag *flag, const char *value)
{
    uint64_t number = 0;
    int err = 0;

    switch (flag->type) {
    case FLAG_STRING:
        *(const char **)flag->target = value;
        return 0;
    case FLAG_BOOL:
        return flags_parse_bool(value, flag->target);
    case FLAG_UINT:
    case FLAG_U32:
        err = flags_parse_u64(value, UINT32_MAX, &number);
        if (err == 0) {
            *(uint32_t *)flag->target = (uint32_t)number;
        }
        return err;
    case FLAG_U64:
        return flags_parse_u64(value, UINT64_MAX, flag->target);
    case FLAG_I64:
        return flags_parse_i64(value, flag->target);
    case FLAG_DURATION_MS:
        return flags_parse_duration_ms(value, flag->target);
    case FLAG_NO_EFFECT:
    case FLAG_NO_EFFECT_BOOL:
        return 0;
    }
    return KVS_E_INVALID;
}

static bool flag_is_bool(const struct flag *flag)
{
    return flag->type == FLAG_BOOL || flag->type == FLAG_NO_EFFECT_BOOL;
}

static const struct flag *flags_find(const struct flags *f, const char *name, size_t len)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strlen(f->table[i].name) == len && strncmp(f->table[i].name, name, len) == 0) {
            return &f->table[i];
        }
    }
    return NULL;
}

static int flags_set(const struct flags *f,
                     const struct flag *flag,
                     const char *value,
                     const char *from,
                     struct kvs_error *ret_error)
{
    if (flags_assign(flag, value) != 0) {
        return flags_fail(ret_error, "invalid value \"%s\" for %s--%s", value, from, flag->name);
    }
    if (f->warn != NULL && flag->type >= FLAG_NO_EFFECT) {
        f->warn(f->warn_ctx, flag->name, "accepted, but has no effect");
    }
    return 0;
}

static void flags_env_name(const struct flags *f, const struct flag *flag, char *ret_name)
{
    int len = snprintf(ret_name, FLAG_ENV_NAME_MAX, "%s%s", f->env_prefix, flag->name);

    for (int i = 0; i < len && i < FLAG_ENV_NAME_MAX - 1; i++) {
        ret_name[i] = ret_name[i] == '-' ? '_' : (char)toupper((unsigned char)ret_name[i]);
    }
}

static int flags_parse_env(const struct flags *f, struct kvs_error *ret_error)
{
    for (size_t i = 0; i < f->n; i++) {
        char name[FLAG_ENV_NAME_MAX];
        const char *value;
        int err;

        flags_env_name(f, &f->table[i], name);
        value = getenv(name);
        if (value == NULL || *value == '\0') {
            continue;
        }
        err = flags_set(f, &f->table[i], value, "environment variable of ", ret_error);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static void flags_warn_unknown_env(const struct flags *f)
{
    size_t prefix_len = strlen(f->env_prefix);

    for (char **env = environ; f->warn != NULL && *env != NULL; env++) {
        const char *equals = strchr(*env, '=');
        bool known = false;

        if (equals == NULL || strncmp(*env, f->env_prefix, prefix_len) != 0) {
            continue;
        }
        for (size_t i = 0; i < f->n && !known; i++) {
            char name[FLAG_ENV_NAME_MAX];

            flags_env_name(f, &f->table[i], name);
            known =
                strlen(name) == (size_t)(equals - *env) && strncmp(name, *env, strlen(name)) == 0;
        }
        if (!known) {
            f->warn(f->warn_ctx, *env, "unrecognized environment variable");
        }
    }
}

/* One argument, with the one after it when it carries the value. */
static int
flags_parse_arg(const struct flags *f, char **argv, int argc, int *at, struct kvs_error *ret_error)
{
    const char *arg = argv[*at];
    const char *name = arg + (arg[0] == '-' ? 1 : 0) + (arg[0] == '-' && arg[1] == '-' ? 1 : 0);
    const char *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct flag *flag;

    if (arg[0] != '-' || len == 0) {
        return flags_fail(ret_error, "'%s' is not a valid flag", arg);
    }
    flag = flags_find(f, name, len);
    if (flag == NULL) {
        return flags_fail(ret_error, "flag provided but not defined: -%.*s", (int)len, name);
    }
    if (equals != NULL) {
        return flags_set(f, flag, equals + 1, "", ret_error);
    }
    if (flag_is_bool(flag)) {
        return flags_set(f, flag, "true", "", ret_error);
    }
    if (*at + 1 >= argc) {
        return flags_fail(ret_error, "flag needs an argument: -%s", flag->name);
    }
    *at += 1;
    return flags_set(f, flag, argv[*at], "", ret_error);
}

int flags_parse(const struct flags *f, int argc, char **argv, struct kvs_error *ret_error)
{
    int err = flags_parse_env(f, ret_error);

    for (int at = 1; err == 0 && at < argc; at++) {
        err = flags_parse_arg(f, argv, argc, &at, ret_error);
    }
    if (err == 0) {
        flags_warn_unknown_env(f);
    }
    return err;
}

void flags_print(const struct flags *f)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct flag *flag = &f->table[i];
        const char *value = flag->default_text != NULL ? flag->default_text : "";

        if (flag->section != NULL) {
            (void)printf("\n%s:\n", flag->section);
        }
        (void)printf("  --%s '%s'\n      %s\n", flag->name, value, flag->help);
    }
}
