/* Reading objects that nobody has checked, and texts made of their values. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kube/duration.h"
#include "kube/printer_int.h"
#include "kube/timestamp.h"

yyjson_mut_val *printer_at(yyjson_mut_val *object, const char *path)
{
    while (path != NULL && *path != '\0' && object != NULL) {
        size_t len = strcspn(path, ".");

        object = kube_json_get_view(object, view_make(path, len));
        path += len + (path[len] == '.');
    }
    return object;
}

struct kvs_view printer_str(yyjson_mut_val *object, const char *path)
{
    return kube_json_str(printer_at(object, path));
}

bool printer_number(yyjson_mut_val *object, const char *path, int64_t *ret_number)
{
    yyjson_mut_val *value = printer_at(object, path);

    *ret_number = 0;
    if (!yyjson_mut_is_int(value) ||
        (yyjson_mut_is_uint(value) && yyjson_mut_get_uint(value) > INT64_MAX)) {
        return false;
    }
    *ret_number = yyjson_mut_get_sint(value);
    return true;
}

int64_t printer_int(yyjson_mut_val *object, const char *path)
{
    int64_t number;

    (void)printer_number(object, path, &number);
    return number;
}

bool printer_true(yyjson_mut_val *object, const char *path)
{
    return yyjson_mut_is_true(printer_at(object, path));
}

yyjson_mut_val *printer_with(yyjson_mut_val *list, const char *name, const char *value)
{
    yyjson_mut_val *item;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(list, i, n, item)
    {
        if (view_equal_str(kube_json_get_str(item, name), value)) {
            return item;
        }
    }
    return NULL;
}

bool printer_condition(yyjson_mut_val *conditions, const char *type)
{
    yyjson_mut_val *condition = printer_with(conditions, "type", type);

    return view_equal_str(kube_json_get_str(condition, "status"), "True");
}

/* The first second of the year 1: what Go takes for no time at all. */
#define TIME_ZERO_SECONDS (-62135596800)

static int64_t time_limit(__int128 ns)
{
    if (ns > INT64_MAX) {
        return INT64_MAX;
    }
    return ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

bool printer_time(struct kvs_view text, int64_t *ret_ns)
{
    struct kube_time at;

    if (text.len == 0 || kube_time_parse(text, &at, NULL) != 0 ||
        (at.seconds == TIME_ZERO_SECONDS && at.nanos == 0)) {
        return false;
    }
    if (ret_ns != NULL) {
        *ret_ns = time_limit((__int128)at.seconds * 1000000000 + at.nanos);
    }
    return true;
}

void printer_append_span(struct buf *to, int64_t from_ns, int64_t to_ns)
{
    char text[KUBE_DURATION_TEXT_MAX];

    (void)kube_duration_human(time_limit((__int128)to_ns - from_ns), text);
    buf_append_str(to, text);
}

void printer_append_lower(struct buf *to, struct kvs_view text)
{
    const unsigned char *bytes = text.data;

    for (size_t i = 0; i < text.len; i++) {
        bool is_upper = bytes[i] >= 'A' && bytes[i] <= 'Z';

        buf_append_u8(to, (uint8_t)(is_upper ? bytes[i] - 'A' + 'a' : bytes[i]));
    }
}

void printer_append_quantity(struct buf *to, yyjson_mut_val *object, const char *path)
{
    struct kvs_view text = printer_str(object, path);

    buf_append_view(to, text.len == 0 ? VIEW_LITERAL("0") : text);
}

/* ---- lists of texts ---- */

void printer_words_add(struct printer_words *w, struct kvs_view text, yyjson_mut_val *value)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity == 0 ? 8 : 2 * w->capacity;
        struct printer_word *items = kvs_realloc(w->items, capacity * sizeof *items);

        if (items == NULL) {
            w->failed = true;
            return;
        }
        w->items = items;
        w->capacity = capacity;
    }
    w->items[w->count++] = (struct printer_word){text, value};
}

void printer_words_add_list(struct printer_words *w, yyjson_mut_val *list)
{
    yyjson_mut_val *item;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(list, i, n, item)
    {
        if (yyjson_mut_is_str(item)) {
            printer_words_add(w, kube_json_str(item), NULL);
        }
    }
}

void printer_words_add_map(struct printer_words *w, yyjson_mut_val *map)
{
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    size_t i;
    size_t n;

    yyjson_mut_obj_foreach(map, i, n, key, value)
    {
        printer_words_add(w, kube_json_str(key), value);
    }
}

static int words_compare(const void *a, const void *b)
{
    const struct printer_word *x = a;
    const struct printer_word *y = b;

    return view_compare(x->text, y->text);
}

void printer_words_sort(struct printer_words *w)
{
    if (w->count > 1) {
        qsort(w->items, w->count, sizeof *w->items, words_compare);
    }
}

void printer_words_sort_unique(struct printer_words *w)
{
    size_t kept = 0;

    printer_words_sort(w);
    for (size_t i = 0; i < w->count; i++) {
        if (kept == 0 || !view_equal(w->items[kept - 1].text, w->items[i].text)) {
            w->items[kept++] = w->items[i];
        }
    }
    w->count = kept;
}

bool printer_words_has(const struct printer_words *w, struct kvs_view text)
{
    const struct printer_word key = {text, NULL};

    return w->count > 0 && bsearch(&key, w->items, w->count, sizeof key, words_compare) != NULL;
}

void printer_words_join(const struct printer_words *w, const char *between, struct buf *to)
{
    for (size_t i = 0; i < w->count; i++) {
        buf_append_str(to, i == 0 ? "" : between);
        buf_append_view(to, w->items[i].text);
    }
    to->failed = to->failed || w->failed;
}

void printer_words_fini(struct printer_words *w)
{
    kvs_free(w->items);
    *w = (struct printer_words){0};
}
