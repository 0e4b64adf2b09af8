#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct printer *const printers[] = {
    &printer_simple, &printer_json, &printer_fields, &printer_table, &printer_protobuf,
};

const struct printer *printer_at(size_t i)
{
    return i < sizeof printers / sizeof printers[0] ? printers[i] : NULL;
}

const struct printer *printer_find(const char *name)
{
    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++) {
        if (strcmp(printers[i]->name, name) == 0) {
            return printers[i];
        }
    }
    return NULL;
}

int printer_check(const struct ctl *ctl, bool has_function)
{
    if (has_function) {
        return 0;
    }
    return ctl_fail(EXIT_BAD_FEATURE, "%s not supported as output format", ctl->printer->name);
}

/* Thousands, one decimal below ten: as the library that etcdctl uses for it. */
const char *text_size(uint64_t bytes, char text[TEXT_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 10) {
        (void)snprintf(text, TEXT_SIZE, "%" PRIu64 " B", bytes);
        return text;
    }
    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    value = (double)(uint64_t)(value * 10 + 0.5) / 10;
    (void)snprintf(text, TEXT_SIZE, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

const char *text_duration(uint64_t ns, char text[TEXT_SIZE])
{
    static const struct {
        uint64_t ns;
        int digits;
        const char *unit;
    } units[] = {{1000000000, 9, "s"}, {1000000, 6, "ms"}, {1000, 3, "\xc2\xb5s"}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t len;

        if (ns < units[i].ns) {
            continue;
        }
        len = (size_t)snprintf(text, TEXT_SIZE, "%" PRIu64 ".%0*" PRIu64, ns / units[i].ns,
                               units[i].digits, ns % units[i].ns);
        while (text[len - 1] == '0') {
            len--;
        }
        len -= text[len - 1] == '.' ? 1 : 0;
        (void)snprintf(text + len, TEXT_SIZE - len, "%s", units[i].unit);
        return text;
    }
    (void)snprintf(text, TEXT_SIZE, "%" PRIu64 "ns", ns);
    return text;
}

const char *text_alarm(int type)
{
    return type == KVS_ALARM_NOSPACE ? "NOSPACE" : type == KVS_ALARM_CORRUPT ? "CORRUPT" : "NONE";
}

char *text_join(const struct kvs_view *list, size_t count)
{
    size_t size = 1;
    char *text;
    char *at;

    for (size_t i = 0; i < count; i++) {
        size += list[i].len + 1;
    }
    text = at = ctl_alloc(size);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            *at++ = ',';
        }
        memcpy(at, list[i].data, list[i].len);
        at += list[i].len;
    }
    return text;
}
