/* Small kinds of the core group. */
#include "kube/printer_int.h"

/* ---- namespaces ---- */

static const struct kube_column namespace_columns[] = {
    PRINTER_NAME,
    {"Status", "string", "", 0, PRINTER_SAYS("The status of the namespace")},
    PRINTER_AGE,
};

static void namespace_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "status.phase");
    kube_cell_age(row);
}

/* ---- config maps, secrets, service accounts ---- */

static const struct kube_column config_map_columns[] = {
    PRINTER_NAME,
    {"Data", "string", "", 0, PRINTER_DOC("core.v1.ConfigMap", "data")},
    PRINTER_AGE,
};

static void config_map_cells(struct kube_row *row)
{
    kube_cell_name(row);
    kube_cell_int(row, (int64_t)(yyjson_mut_obj_size(printer_at(row->object, "data")) +
                                 yyjson_mut_obj_size(printer_at(row->object, "binaryData"))));
    kube_cell_age(row);
}

static const struct kube_column secret_columns[] = {
    PRINTER_NAME,
    {"Type", "string", "", 0, PRINTER_DOC("core.v1.Secret", "type")},
    {"Data", "string", "", 0, PRINTER_DOC("core.v1.Secret", "data")},
    PRINTER_AGE,
};

static void secret_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "type");
    kube_cell_int(row, (int64_t)yyjson_mut_obj_size(printer_at(row->object, "data")));
    kube_cell_age(row);
}

static const struct kube_column service_account_columns[] = {
    PRINTER_NAME,
    {"Secrets", "string", "", 0, PRINTER_DOC("core.v1.ServiceAccount", "secrets")},
    PRINTER_AGE,
};

static void service_account_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_count(row, "secrets");
    kube_cell_age(row);
}

/* ---- component statuses ---- */

static const struct kube_column component_status_columns[] = {
    PRINTER_NAME,
    {"Status", "string", "", 0, PRINTER_SAYS("Status of the component conditions")},
    {"Message", "string", "", 0, PRINTER_SAYS("Message of the component conditions")},
    {"Error", "string", "", 0, PRINTER_SAYS("Error of the component conditions")},
};

static void component_status_cells(struct kube_row *row)
{
    yyjson_mut_val *condition =
        printer_with(printer_at(row->object, "conditions"), "type", "Healthy");
    bool is_true = view_equal_str(kube_json_get_str(condition, "status"), "True");

    kube_cell_name(row);
    if (condition == NULL) {
        kube_cell_text(row, VIEW_LITERAL("Unknown"));
    } else {
        kube_cell_text(row, view_str(is_true ? "Healthy" : "Unhealthy"));
    }
    kube_cell_text(row, kube_json_get_str(condition, "message"));
    kube_cell_text(row, kube_json_get_str(condition, "error"));
}

/* ---- resource quotas ---- */

/* The age stands last from 1.33 on only. */
static const struct kube_column resource_quota_columns[] = {
    PRINTER_NAME,
    PRINTER_AGE,
    {"Request", "string", "", 0,
     PRINTER_SAYS("Request represents a minimum amount of cpu/memory that a container may "
                  "consume.")},
    {"Limit", "string", "", 0,
     PRINTER_SAYS("Limits control the maximum amount of cpu/memory that a container may use "
                  "independent of contention on the node.")},
};

/* "cpu: 100m/1": what is used of what may be. Both sorted, so that one walk finds all. */
static void quota_append(struct buf *to,
                         const struct printer_word *hard,
                         const struct printer_words *used,
                         size_t *at)
{
    yyjson_mut_val *amount = NULL;

    while (*at < used->count && view_compare(used->items[*at].text, hard->text) < 0) {
        (*at)++;
    }
    if (*at < used->count && view_equal(used->items[*at].text, hard->text)) {
        amount = used->items[*at].value;
    }
    buf_append_str(to, to->len == 0 ? "" : ", ");
    buf_append_view(to, hard->text);
    buf_append_str(to, ": ");
    printer_append_quantity(to, amount, NULL);
    buf_append_str(to, "/");
    printer_append_quantity(to, hard->value, NULL);
}

static bool quota_is_limit(struct kvs_view name)
{
    static const char prefix[] = "limits.";

    return name.len >= sizeof prefix - 1 && memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

static void resource_quota_cells(struct kube_row *row)
{
    struct printer_words hard = {0};
    struct printer_words used = {0};
    struct buf requests;
    struct buf limits;
    size_t at = 0;

    buf_init(&requests);
    buf_init(&limits);
    printer_words_add_map(&hard, printer_at(row->object, "status.hard"));
    printer_words_add_map(&used, printer_at(row->object, "status.used"));
    printer_words_sort_unique(&hard);
    printer_words_sort_unique(&used);
    for (size_t i = 0; i < hard.count; i++) {
        quota_append(quota_is_limit(hard.items[i].text) ? &limits : &requests, &hard.items[i],
                     &used, &at);
    }
    requests.failed = requests.failed || hard.failed || used.failed;
    kube_cell_name(row);
    kube_cell_age(row);
    kube_cell_buf(row, &requests);
    kube_cell_buf(row, &limits);
    printer_words_fini(&hard);
    printer_words_fini(&used);
}

const struct kube_printer printers_core[] = {
    PRINTER_OF("namespaces", namespace_columns, namespace_cells),
    PRINTER_OF("configmaps", config_map_columns, config_map_cells),
    PRINTER_OF("secrets", secret_columns, secret_cells),
    PRINTER_OF("serviceaccounts", service_account_columns, service_account_cells),
    PRINTER_OF("componentstatuses", component_status_columns, component_status_cells),
    PRINTER_OF("resourcequotas", resource_quota_columns, resource_quota_cells),
    {0},
};
