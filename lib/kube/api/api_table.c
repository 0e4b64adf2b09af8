/* Tables: what kubectl shows, made of the kind's printer. */
#include <inttypes.h>

#include "base/view.h"
#include "kube/api/api_int.h"
#include "kube/json.h"
#include "kube/printer.h"

static const struct kube_printer *table_printer(const struct api_call *c)
{
    return c->route.sub == KUBE_SUB_SCALE ? kube_printer_scale()
                                          : kube_printer_find(c->route.resource);
}

static void table_text(const char *text, struct buf *to)
{
    yyjson_mut_val value = {0};

    (void)yyjson_mut_set_str(&value, text);
    if (kube_json_write(to, &value) != 0) {
        to->failed = true;
    }
}

static void table_columns(const struct kube_printer *p, struct buf *to)
{
    buf_append_str(to, "\"columnDefinitions\":[");
    for (size_t i = 0; i < p->n_columns; i++) {
        const struct kube_column *c = &p->columns[i];

        buf_printf(to, "%s{\"name\":\"%s\",\"type\":\"%s\",\"format\":\"%s\",\"description\":",
                   i == 0 ? "" : ",", c->name, c->type, c->format);
        table_text(kube_column_description(c), to);
        buf_printf(to, ",\"priority\":%u}", c->priority);
    }
    buf_append_str(to, "],");
}

/* What goes with a row: the metadata, everything, or nothing. */
static void
table_object(const struct api_call *c, yyjson_mut_val *object, struct kvs_view json, struct buf *to)
{
    if (view_equal_str(c->query.include_object, "None")) {
        buf_append_str(to, "null");
    } else if (view_equal_str(c->query.include_object, "Object")) {
        buf_append_view(to, json);
    } else {
        buf_append_str(
            to,
            "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":");
        if (kube_json_write(to, kube_json_get(object, "metadata")) != 0) {
            to->failed = true;
        }
        buf_append_str(to, "}");
    }
}

static void table_conditions(const struct kube_printer *p, yyjson_mut_val *object, struct buf *to)
{
    const char *conditions = p->conditions == NULL ? NULL : p->conditions(object);

    if (conditions != NULL) {
        buf_append_str(to, "\"conditions\":");
        buf_append_str(to, conditions);
        buf_append_str(to, ",");
    }
}

static void table_row(const struct api_call *c,
                      const struct kube_printer *p,
                      struct kvs_view json,
                      struct buf *to)
{
    const struct kube_json_limits limits = {SIZE_MAX, KUBE_JSON_DEPTH_MAX};
    const struct clock *clock = loop_clock(c->api->loop);
    yyjson_mut_val *object;
    yyjson_mut_doc *doc;

    if (kube_json_read(json, &limits, kube_json_heap(), &doc, NULL) != 0) {
        to->failed = true; /* it was JSON when it was encoded: there is no memory */
        return;
    }
    object = yyjson_mut_doc_get_root(doc);
    buf_append_str(to, "{\"cells\":[");
    kube_printer_write(p, object, clock->wall_ns(clock->ctx), to);
    buf_append_str(to, "],");
    table_conditions(p, object, to);
    buf_append_str(to, "\"object\":");
    table_object(c, object, json, to);
    buf_append_str(to, "}");
    yyjson_mut_doc_free(doc);
}

static void table_begin(const struct kube_printer *p, struct kvs_view revision, struct buf *to)
{
    buf_printf(to,
               "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"
               "{\"resourceVersion\":\"%.*s\"},",
               (int)revision.len, revision.len == 0 ? "" : (const char *)revision.data);
    table_columns(p, to);
    buf_append_str(to, "\"rows\":[");
}

void api_table_write(
    struct api_call *c, struct kube_item *const *items, size_t n, uint64_t revision, struct buf *to)
{
    const struct kube_printer *p = table_printer(c);
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, revision);

    table_begin(p, view_make(text, (size_t)len), to);
    for (size_t i = 0; i < n; i++) {
        buf_append_str(to, i == 0 ? "" : ",");
        table_row(c, p, rcbuf_view(items[i]->json), to);
    }
    buf_append_str(to, "]}");
}

void api_reply_table_of(struct api_call *c,
                        struct kube_item *const *items,
                        size_t n,
                        uint64_t revision)
{
    struct buf table;

    buf_init(&table);
    api_table_write(c, items, n, revision, &table);
    buf_append_str(&table, "\n");
    api_reply_json(c, 200, &table);
    buf_fini(&table);
}

void api_reply_table(struct api_call *c, unsigned code, struct kvs_view object)
{
    const struct kube_printer *p = table_printer(c);
    struct buf table;

    buf_init(&table);
    table_begin(p, view_make(NULL, 0), &table);
    table_row(c, p, object, &table);
    buf_append_str(&table, "]}\n");
    api_reply_json(c, code, &table);
    buf_fini(&table);
}
