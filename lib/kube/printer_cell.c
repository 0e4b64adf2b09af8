/* Cells: JSON values with commas between, and the texts that many kinds show. */
#include <inttypes.h>
#include <string.h>

#include "kube/duration.h"
#include "kube/label_selector.h"
#include "kube/printer_int.h"

static void cell_next(struct kube_row *row)
{
    if (row->n_cells++ > 0) {
        buf_append_str(row->to, ",");
    }
}

void kube_cell_text(struct kube_row *row, struct kvs_view text)
{
    yyjson_mut_val value = {0};

    cell_next(row);
    (void)yyjson_mut_set_strn(&value, text.len == 0 ? "" : text.data, text.len);
    if (kube_json_write(row->to, &value) != 0) {
        buf_append_str(row->to, "\"\""); /* no UTF-8 */
    }
}

void kube_cell_text_or(struct kube_row *row, struct kvs_view text, const char *absent)
{
    kube_cell_text(row, text.len == 0 ? view_str(absent) : text);
}

void kube_cell_buf(struct kube_row *row, struct buf *text)
{
    if (text->failed) {
        row->to->failed = true;
    }
    kube_cell_text(row, buf_view(text));
    buf_fini(text);
}

void kube_cell_int(struct kube_row *row, int64_t number)
{
    cell_next(row);
    buf_printf(row->to, "%" PRId64, number);
}

void kube_cell_bool(struct kube_row *row, bool value)
{
    cell_next(row);
    buf_append_str(row->to, value ? "true" : "false");
}

void kube_cell_name(struct kube_row *row)
{
    printer_cell_str(row, "metadata.name");
}

void kube_cell_since(struct kube_row *row, struct kvs_view time)
{
    struct buf text;
    int64_t at;

    buf_init(&text);
    if (printer_time(time, &at)) {
        printer_append_span(&text, at, (int64_t)row->now_ns);
    } else {
        buf_append_str(&text, "<unknown>");
    }
    kube_cell_buf(row, &text);
}

void kube_cell_age(struct kube_row *row)
{
    kube_cell_since(row, printer_str(row->object, "metadata.creationTimestamp"));
}

/* ---- of a path ---- */

void printer_cell_str(struct kube_row *row, const char *path)
{
    kube_cell_text(row, printer_str(row->object, path));
}

void printer_cell_str_or(struct kube_row *row, const char *path, const char *absent)
{
    kube_cell_text_or(row, printer_str(row->object, path), absent);
}

void printer_cell_int(struct kube_row *row, const char *path)
{
    kube_cell_int(row, printer_int(row->object, path));
}

void printer_cell_count(struct kube_row *row, const char *path)
{
    yyjson_mut_val *value = printer_at(row->object, path);

    kube_cell_int(row, (int64_t)(yyjson_mut_arr_size(value) + yyjson_mut_obj_size(value)));
}

void printer_cell_ratio(struct kube_row *row, int64_t part, int64_t whole)
{
    struct buf text;

    buf_init(&text);
    buf_printf(&text, "%" PRId64 "/%" PRId64, part, whole);
    kube_cell_buf(row, &text);
}

static void cell_of_each(struct kube_row *row, yyjson_mut_val *list, const char *name)
{
    yyjson_mut_val *item;
    size_t i;
    size_t n;
    struct buf text;

    buf_init(&text);
    yyjson_mut_arr_foreach(list, i, n, item)
    {
        buf_append_str(&text, i == 0 ? "" : ",");
        buf_append_view(&text, kube_json_get_str(item, name));
    }
    kube_cell_buf(row, &text);
}

void printer_cell_containers(struct kube_row *row, const char *path)
{
    yyjson_mut_val *list = printer_at(row->object, path);

    cell_of_each(row, list, "name");
    cell_of_each(row, list, "image");
}

void printer_cell_labels(struct kube_row *row, const char *path)
{
    struct printer_words labels = {0};
    struct buf text;

    printer_words_add_map(&labels, printer_at(row->object, path));
    printer_words_sort(&labels);
    buf_init(&text);
    for (size_t i = 0; i < labels.count; i++) {
        buf_append_str(&text, i == 0 ? "" : ",");
        buf_append_view(&text, labels.items[i].text);
        buf_append_str(&text, "=");
        buf_append_view(&text, kube_json_str(labels.items[i].value));
    }
    if (labels.count == 0) {
        buf_append_str(&text, "<none>");
    }
    text.failed = text.failed || labels.failed;
    printer_words_fini(&labels);
    kube_cell_buf(row, &text);
}

void printer_cell_selector(struct kube_row *row,
                           const char *path,
                           const char *empty,
                           const char *invalid)
{
    struct kube_label_selector selector;
    struct buf text;
    int err = kube_label_selector_read(printer_at(row->object, path), &selector, NULL);

    buf_init(&text);
    if (err == 0) {
        kube_label_selector_print(&selector, &text);
        kube_label_selector_fini(&selector);
        buf_append_str(&text, text.len == 0 ? empty : "");
    } else {
        buf_append_str(&text, invalid);
        text.failed = text.failed || err == KVS_E_NOMEM;
    }
    kube_cell_buf(row, &text);
}

void printer_cell_words(struct kube_row *row,
                        struct printer_words *w,
                        const char *between,
                        const char *absent)
{
    struct buf text;

    buf_init(&text);
    printer_words_join(w, between, &text);
    buf_append_str(&text, text.len == 0 ? absent : "");
    printer_words_fini(w);
    kube_cell_buf(row, &text);
}
