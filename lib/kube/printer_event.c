/* Events, in the form of either of their groups: events.k8s.io has other names for what the core
 * group knows, and one store holds both. */
#include "kube/printer_int.h"

#define EVENT "core.v1.Event"

static const struct kube_column event_columns[] = {
    {"Last Seen", "string", "", 0, PRINTER_DOC(EVENT, "lastTimestamp")},
    {"Type", "string", "", 0, PRINTER_DOC(EVENT, "type")},
    {"Reason", "string", "", 0, PRINTER_DOC(EVENT, "reason")},
    {"Object", "string", "", 0, PRINTER_DOC(EVENT, "involvedObject")},
    {"Subobject", "string", "", 1, PRINTER_DOC("core.v1.ObjectReference", "fieldPath")},
    {"Source", "string", "", 1, PRINTER_DOC(EVENT, "source")},
    {"Message", "string", "", 0, PRINTER_DOC(EVENT, "message")},
    {"First Seen", "string", "", 1, PRINTER_DOC(EVENT, "firstTimestamp")},
    {"Count", "string", "", 1, PRINTER_DOC(EVENT, "count")},
    {"Name", "string", "name", 1, PRINTER_META("ObjectMeta"), "name"},
};

static yyjson_mut_val *event_get(yyjson_mut_val *event, const char *name, const char *other)
{
    yyjson_mut_val *value = kube_json_get(event, name);

    return value != NULL ? value : kube_json_get(event, other);
}

/* The first that is a time. */
static struct kvs_view event_time(struct kvs_view a, struct kvs_view b)
{
    return printer_time(a, NULL) ? a : b;
}

static struct kvs_view event_first_seen(yyjson_mut_val *event)
{
    return event_time(kube_json_str(event_get(event, "firstTimestamp", "deprecatedFirstTimestamp")),
                      kube_json_get_str(event, "eventTime"));
}

static struct kvs_view event_last_seen(yyjson_mut_val *event)
{
    yyjson_mut_val *series = kube_json_get(event, "series");

    if (yyjson_mut_is_obj(series)) {
        return kube_json_get_str(series, "lastObservedTime");
    }
    return event_time(kube_json_str(event_get(event, "lastTimestamp", "deprecatedLastTimestamp")),
                      event_first_seen(event));
}

/* An event that happened once need not say so. */
static int64_t event_count(yyjson_mut_val *event)
{
    yyjson_mut_val *series = kube_json_get(event, "series");
    int64_t count;

    if (yyjson_mut_is_obj(series)) {
        return printer_int(series, "count");
    }
    count = printer_int(event_get(event, "count", "deprecatedCount"), NULL);
    return count == 0 ? 1 : count;
}

static void event_cell_object(struct kube_row *row, yyjson_mut_val *involved)
{
    struct kvs_view name = kube_json_get_str(involved, "name");
    struct buf text;

    buf_init(&text);
    printer_append_lower(&text, kube_json_get_str(involved, "kind"));
    if (name.len > 0) {
        buf_append_str(&text, "/");
        buf_append_view(&text, name);
    }
    kube_cell_buf(row, &text);
}

static void event_append_or(struct buf *to, struct kvs_view text, struct kvs_view instead)
{
    buf_append_view(to, text.len > 0 ? text : instead);
}

/* "kubelet, node-1": who saw it, and where. */
static void event_cell_source(struct kube_row *row)
{
    yyjson_mut_val *source = event_get(row->object, "source", "deprecatedSource");
    struct kvs_view controller =
        kube_json_str(event_get(row->object, "reportingComponent", "reportingController"));
    struct kvs_view host = kube_json_get_str(source, "host");
    struct kvs_view instance = kube_json_get_str(row->object, "reportingInstance");
    struct buf text;

    buf_init(&text);
    event_append_or(&text, kube_json_get_str(source, "component"), controller);
    buf_append_str(&text, host.len + instance.len > 0 ? ", " : "");
    event_append_or(&text, host, instance);
    kube_cell_buf(row, &text);
}

static bool event_is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without the white space around it; that beyond ASCII stays. */
static struct kvs_view event_message(yyjson_mut_val *event)
{
    struct kvs_view text = kube_json_str(event_get(event, "message", "note"));
    const unsigned char *bytes = text.data;
    size_t begin = 0;
    size_t end = text.len;

    while (begin < end && event_is_space(bytes[begin])) {
        begin++;
    }
    while (end > begin && event_is_space(bytes[end - 1])) {
        end--;
    }
    return begin == end ? view_make(NULL, 0) : view_make(bytes + begin, end - begin);
}

static void event_cells(struct kube_row *row)
{
    yyjson_mut_val *involved = event_get(row->object, "involvedObject", "regarding");

    kube_cell_since(row, event_last_seen(row->object));
    printer_cell_str(row, "type");
    printer_cell_str(row, "reason");
    event_cell_object(row, involved);
    kube_cell_text(row, kube_json_get_str(involved, "fieldPath"));
    event_cell_source(row);
    kube_cell_text(row, event_message(row->object));
    kube_cell_since(row, event_first_seen(row->object));
    kube_cell_int(row, event_count(row->object));
    kube_cell_name(row);
}

const struct kube_printer printers_event[] = {
    PRINTER_OF("events", event_columns, event_cells),
    {0},
};
