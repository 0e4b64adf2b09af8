/* Flags as etcdctl takes them: --name=value, --name value, -w value, booleans without a value,
 * before and behind the arguments. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

bool ctl_parse_i64(const char *text, int64_t *ret_value)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        return false;
    }
    *ret_value = value;
    return true;
}

bool ctl_parse_hex(const char *text, uint64_t *ret_value)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 16);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
        return false;
    }
    *ret_value = value;
    return true;
}

/* "1m30s", "500ms", "2s" -> milliseconds; a bare number is refused, as etcdctl does. */
static bool parse_duration(const char *text, uint64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1},      {"us", 0.001}, {"ns", 0.000001},
                 {"h", 3600000}, {"m", 60000},  {"s", 1000}};
    double sum = 0;

    if (*text == '\0') {
        return false;
    }
    while (*text != '\0') {
        char *end;
        double number = strtod(text, &end);
        size_t i = 0;

        if (end == text || number < 0) {
            return false;
        }
        while (i < sizeof units / sizeof units[0] &&
               strncmp(end, units[i].unit, strlen(units[i].unit)) != 0) {
            i++;
        }
        if (i == sizeof units / sizeof units[0]) {
            return false;
        }
        sum += number * units[i].ms;
        text = end + strlen(units[i].unit);
    }
    *ret_ms = sum < 4e9 ? (uint64_t)sum : UINT32_MAX;
    return true;
}

static bool parse_bool(const char *text, bool *ret_value)
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "t") == 0;
    bool no = strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "f") == 0;

    *ret_value = yes;
    return yes || no;
}

static bool is_valid(const struct flag *flag, const char *text)
{
    int64_t number;
    uint64_t ms;
    bool yes;

    switch (flag->type) {
    case FLAG_BOOL:
        return parse_bool(text, &yes);
    case FLAG_INT:
        return ctl_parse_i64(text, &number);
    case FLAG_DURATION:
        return parse_duration(text, &ms);
    case FLAG_STRING:
        break;
    }
    return true;
}

void flags_add(struct flag_set *set, const struct flag *table)
{
    for (; table != NULL && table->name != NULL && set->n_values < FLAGS_MAX; table++) {
        set->values[set->n_values++] = (struct flag_value){table, table->def, false};
    }
}

const struct flag_value *flags_find(const struct flag_set *set, const char *name)
{
    for (size_t i = 0; i < set->n_values; i++) {
        if (strcmp(set->values[i].flag->name, name) == 0) {
            return &set->values[i];
        }
    }
    return NULL;
}

static struct flag_value *find_word(struct flag_set *set, const char *word, size_t len)
{
    for (size_t i = 0; i < set->n_values; i++) {
        const struct flag *flag = set->values[i].flag;
        const char *name = word[1] == '-' ? flag->name : flag->short_name;
        size_t dashes = word[1] == '-' ? 2 : 1;

        if (name != NULL && strlen(name) == len - dashes &&
            strncmp(word + dashes, name, len - dashes) == 0) {
            return &set->values[i];
        }
    }
    return NULL;
}

int flags_take(struct flag_set *set, int argc, char **argv, int *at, char *error, size_t error_size)
{
    const char *word = argv[*at];
    size_t len = word[1] == '-' || strchr(word, '=') != NULL ? strcspn(word, "=") : 2;
    struct flag_value *value = find_word(set, word, len);
    const char *text = NULL;

    if (value == NULL) {
        (void)snprintf(error, error_size, "unknown flag: %.*s", (int)len, word);
        return -1;
    }
    if (word[len] == '=') {
        text = word + len + 1;
    } else if (word[len] != '\0') {
        text = word + len; /* -wjson */
    } else if (value->flag->type == FLAG_BOOL) {
        text = "true";
    } else if (*at + 1 < argc) {
        text = argv[++*at];
    }
    if (text == NULL) {
        (void)snprintf(error, error_size, "flag needs an argument: %s", word);
        return -1;
    }
    if (!is_valid(value->flag, text)) {
        (void)snprintf(error, error_size, "invalid argument \"%.100s\" for \"--%s\" flag", text,
                       value->flag->name);
        return -1;
    }
    value->text = text;
    value->given = true;
    return 0;
}

/* ---- values ---- */

const char *ctl_string(const struct ctl *ctl, const char *name)
{
    const struct flag_value *value = flags_find(&ctl->flags, name);

    return value != NULL && value->text != NULL ? value->text : "";
}

bool ctl_given(const struct ctl *ctl, const char *name)
{
    const struct flag_value *value = flags_find(&ctl->flags, name);

    return value != NULL && value->given;
}

bool ctl_bool(const struct ctl *ctl, const char *name)
{
    bool yes = false;

    (void)parse_bool(ctl_string(ctl, name), &yes);
    return yes;
}

int64_t ctl_int(const struct ctl *ctl, const char *name)
{
    int64_t number = 0;

    (void)ctl_parse_i64(ctl_string(ctl, name), &number);
    return number;
}

uint32_t ctl_duration_ms(const struct ctl *ctl, const char *name)
{
    uint64_t ms = 0;

    (void)parse_duration(ctl_string(ctl, name), &ms);
    return (uint32_t)ms;
}
