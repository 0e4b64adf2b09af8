/* Endpoints and their slices: a few addresses of perhaps many. */
#include <inttypes.h>

#include "kube/printer_int.h"

enum { SHOWN_MAX = 3 };

/* A list of which only the first few are written. */
struct shown {
    struct buf text;
    size_t n_shown;
    size_t n_all;
};

/* True if the next one is to be written to `text`. */
static bool shown_next(struct shown *s)
{
    s->n_all++;
    if (s->n_shown == SHOWN_MAX) {
        return false;
    }
    buf_append_str(&s->text, s->n_shown++ == 0 ? "" : ",");
    return true;
}

static void shown_cell(struct kube_row *row, struct shown *s, const char *absent)
{
    if (s->n_all > SHOWN_MAX) {
        buf_printf(&s->text, " + %zu more...", s->n_all - SHOWN_MAX);
    } else if (s->text.len == 0) {
        buf_append_str(&s->text, absent);
    }
    kube_cell_buf(row, &s->text);
}

/* ---- endpoints ---- */

static const struct kube_column endpoints_columns[] = {
    PRINTER_NAME,
    {"Endpoints", "string", "", 0, PRINTER_DOC("core.v1.Endpoints", "subsets")},
    PRINTER_AGE,
};

/* `port` NULL: a headless service may have none. */
static void endpoints_show(struct shown *s, yyjson_mut_val *addresses, yyjson_mut_val *port)
{
    yyjson_mut_val *address;
    size_t i;
    size_t n;

    if (s->n_shown == SHOWN_MAX) {
        s->n_all += yyjson_mut_arr_size(addresses);
        return; /* ports times addresses may be a great many */
    }
    yyjson_mut_arr_foreach(addresses, i, n, address)
    {
        struct kvs_view ip = kube_json_get_str(address, "ip");
        bool brackets = port != NULL && ip.len > 0 && memchr(ip.data, ':', ip.len) != NULL;

        if (shown_next(s)) {
            buf_append_str(&s->text, brackets ? "[" : "");
            buf_append_view(&s->text, ip);
            buf_append_str(&s->text, brackets ? "]" : "");
            if (port != NULL) {
                buf_printf(&s->text, ":%" PRId64, printer_int(port, "port"));
            }
        }
    }
}

static void endpoints_show_subset(struct shown *s, yyjson_mut_val *subset)
{
    yyjson_mut_val *addresses = kube_json_get(subset, "addresses");
    yyjson_mut_val *ports = kube_json_get(subset, "ports");
    yyjson_mut_val *port;
    size_t i;
    size_t n;

    if (yyjson_mut_arr_size(ports) == 0) {
        endpoints_show(s, addresses, NULL);
        return;
    }
    yyjson_mut_arr_foreach(ports, i, n, port)
    {
        endpoints_show(s, addresses, port);
    }
}

static void endpoints_cells(struct kube_row *row)
{
    yyjson_mut_val *subsets = printer_at(row->object, "subsets");
    yyjson_mut_val *subset;
    size_t i;
    size_t n;
    struct shown s = {0};

    buf_init(&s.text);
    yyjson_mut_arr_foreach(subsets, i, n, subset)
    {
        endpoints_show_subset(&s, subset);
    }
    kube_cell_name(row);
    shown_cell(row, &s, yyjson_mut_arr_size(subsets) == 0 ? "<none>" : "");
    kube_cell_age(row);
}

/* ---- slices ---- */

static const struct kube_column slice_columns[] = {
    PRINTER_NAME,
    {"AddressType", "string", "", 0, PRINTER_DOC("discovery.v1.EndpointSlice", "addressType")},
    {"Ports", "string", "", 0, PRINTER_DOC("discovery.v1.EndpointSlice", "ports")},
    {"Endpoints", "string", "", 0, PRINTER_DOC("discovery.v1.EndpointSlice", "endpoints")},
    PRINTER_AGE,
};

static void slice_cell_ports(struct kube_row *row)
{
    yyjson_mut_val *port;
    size_t i;
    size_t n;
    struct shown s = {0};

    buf_init(&s.text);
    yyjson_mut_arr_foreach(printer_at(row->object, "ports"), i, n, port)
    {
        yyjson_mut_val *name = kube_json_get(port, "name");
        int64_t number;

        if (!shown_next(&s)) {
            continue;
        }
        if (printer_number(port, "port", &number)) {
            printer_append_int(&s.text, number);
        } else {
            buf_append_view(&s.text,
                            yyjson_mut_is_str(name) ? kube_json_str(name) : VIEW_LITERAL("*"));
        }
    }
    shown_cell(row, &s, "<unset>");
}

static void slice_cell_endpoints(struct kube_row *row)
{
    yyjson_mut_val *endpoint;
    yyjson_mut_val *address;
    size_t i;
    size_t n;
    size_t j;
    size_t m;
    struct shown s = {0};

    buf_init(&s.text);
    yyjson_mut_arr_foreach(printer_at(row->object, "endpoints"), i, n, endpoint)
    {
        yyjson_mut_arr_foreach(kube_json_get(endpoint, "addresses"), j, m, address)
        {
            if (shown_next(&s)) {
                buf_append_view(&s.text, kube_json_str(address));
            }
        }
    }
    shown_cell(row, &s, "<unset>");
}

static void slice_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "addressType");
    slice_cell_ports(row);
    slice_cell_endpoints(row);
    kube_cell_age(row);
}

const struct kube_printer printers_endpoints[] = {
    PRINTER_OF("services/endpoints", endpoints_columns, endpoints_cells),
    PRINTER_OF("endpointslices", slice_columns, slice_cells),
    {0},
};
