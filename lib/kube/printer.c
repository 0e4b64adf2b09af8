#include "kube/printer.h"

#include <inttypes.h>
#include <string.h>

#include "base/view.h"
#include "kube/duration.h"
#include "kube/timestamp.h"

void kube_cell_text(struct buf *to, struct kvs_view text)
{
    yyjson_mut_val value = {0};

    (void)yyjson_mut_set_strn(&value, text.len == 0 ? "" : text.data, text.len);
    if (kube_json_write(to, &value) != 0) {
        buf_append_str(to, "\"\"");
    }
}

void kube_cell_int(struct buf *to, int64_t number)
{
    buf_printf(to, "%" PRId64, number);
}

void kube_cell_since(struct buf *to, struct kvs_view time, uint64_t now_ns)
{
    char text[KUBE_DURATION_TEXT_MAX];
    struct kube_time at;

    if (time.len == 0 || kube_time_parse(time, &at, NULL) != 0) {
        buf_append_str(to, "\"<unknown>\"");
        return;
    }
    (void)kube_duration_human((int64_t)now_ns - at.seconds * 1000000000 - at.nanos, text);
    buf_printf(to, "\"%s\"", text);
}

void kube_cell_age(struct buf *to, yyjson_mut_val *object, uint64_t now_ns)
{
    kube_cell_since(to, kube_json_get_str(kube_json_get(object, "metadata"), "creationTimestamp"),
                    now_ns);
}

/* --- any kind -----------------------------------------------------------------------------------
 */

static const struct kube_column any_columns[] = {
    {"Name", "string", "name", 0},
    {"Age", "string", "", 0},
};

static void any_cells(yyjson_mut_val *object, uint64_t now_ns, struct buf *to)
{
    kube_cell_text(to, kube_json_get_str(kube_json_get(object, "metadata"), "name"));
    buf_append_str(to, ",");
    kube_cell_age(to, object, now_ns);
}

static const struct kube_printer any_printer = {
    NULL, any_columns, sizeof any_columns / sizeof any_columns[0], any_cells};

const struct kube_printer *kube_printer_find(const struct kube_resource *r)
{
    (void)r;
    return &any_printer;
}
