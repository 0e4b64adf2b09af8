/* What is asked before an object is taken: webhooks and policies. */
#include "kube/printer_int.h"

/* ---- webhooks ---- */

static const struct kube_column webhook_columns[] = {
    PRINTER_NAME,
    {"Webhooks", "integer", "", 0,
     PRINTER_SAYS("Webhooks indicates the number of webhooks registered in this configuration")},
    PRINTER_AGE,
};

static void webhook_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_count(row, "webhooks");
    kube_cell_age(row);
}

/* ---- policies ---- */

static const struct kube_column policy_columns[] = {
    PRINTER_NAME,
    {"Validations", "integer", "", 0,
     PRINTER_SAYS("Validations indicates the number of validation rules defined in this "
                  "configuration")},
    {"ParamKind", "string", "", 0,
     PRINTER_SAYS("ParamKind specifies the kind of resources used to parameterize this policy")},
    PRINTER_AGE,
};

static void policy_cells(struct kube_row *row)
{
    yyjson_mut_val *kind = printer_at(row->object, "spec.paramKind");
    struct buf text;

    buf_init(&text);
    if (yyjson_mut_is_obj(kind)) {
        buf_append_view(&text, kube_json_get_str(kind, "apiVersion"));
        buf_append_str(&text, "/");
        buf_append_view(&text, kube_json_get_str(kind, "kind"));
    } else {
        buf_append_str(&text, "<unset>");
    }
    kube_cell_name(row);
    printer_cell_count(row, "spec.validations");
    kube_cell_buf(row, &text);
    kube_cell_age(row);
}

/* ---- bindings of policies ---- */

static const struct kube_column binding_columns[] = {
    PRINTER_NAME,
    {"PolicyName", "string", "", 0,
     PRINTER_SAYS("PolicyName indicates the policy definition which the policy binding binded "
                  "to")},
    {"ParamRef", "string", "", 0,
     PRINTER_SAYS("ParamRef indicates the param resource which sets the configration param")},
    PRINTER_AGE,
};

static void binding_append_labels(struct buf *to, yyjson_mut_val *labels)
{
    struct printer_words words = {0};

    printer_words_add_map(&words, labels);
    printer_words_sort(&words);
    for (size_t i = 0; i < words.count; i++) {
        buf_append_view(to, words.items[i].text);
        buf_append_str(to, ": ");
        buf_append_view(to, kube_json_str(words.items[i].value));
        buf_append_str(to, ",");
    }
    to->failed = to->failed || words.failed;
    printer_words_fini(&words);
}

static void binding_append_expression(struct buf *to, yyjson_mut_val *expression)
{
    struct printer_words values = {0};

    buf_append_str(to, "LabelSelectorRequirement{Key:");
    buf_append_view(to, kube_json_get_str(expression, "key"));
    buf_append_str(to, ",Operator:");
    buf_append_view(to, kube_json_get_str(expression, "operator"));
    buf_append_str(to, ",Values:[");
    printer_words_add_list(&values, kube_json_get(expression, "values"));
    printer_words_join(&values, " ", to);
    printer_words_fini(&values);
    buf_append_str(to, "],},");
}

/* As Go prints the message: this is what kubectl shows. */
static void binding_append_selector(struct buf *to, yyjson_mut_val *selector)
{
    yyjson_mut_val *expression;
    size_t i;
    size_t n;

    buf_append_str(to, "&LabelSelector{MatchLabels:map[string]string{");
    binding_append_labels(to, kube_json_get(selector, "matchLabels"));
    buf_append_str(to, "},MatchExpressions:[]LabelSelectorRequirement{");
    yyjson_mut_arr_foreach(kube_json_get(selector, "matchExpressions"), i, n, expression)
    {
        binding_append_expression(to, expression);
    }
    buf_append_str(to, "},}");
}

/* "*" is said for the namespace of a parameter that names none: it may have none. */
static void binding_cell_parameter(struct kube_row *row)
{
    yyjson_mut_val *reference = printer_at(row->object, "spec.paramRef");
    yyjson_mut_val *selector = kube_json_get(reference, "selector");
    struct kvs_view name = kube_json_get_str(reference, "name");
    struct kvs_view ns = kube_json_get_str(reference, "namespace");
    struct buf text;

    buf_init(&text);
    if (name.len > 0) {
        buf_append_view(&text, ns.len > 0 ? ns : VIEW_LITERAL("*"));
        buf_append_str(&text, "/");
        buf_append_view(&text, name);
    } else if (yyjson_mut_is_obj(selector)) {
        binding_append_selector(&text, selector);
    } else {
        buf_append_str(&text, "<unset>");
    }
    kube_cell_buf(row, &text);
}

static void binding_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "spec.policyName");
    binding_cell_parameter(row);
    kube_cell_age(row);
}

const struct kube_printer printers_admission[] = {
    PRINTER_OF("mutatingwebhookconfigurations", webhook_columns, webhook_cells),
    PRINTER_OF("validatingwebhookconfigurations", webhook_columns, webhook_cells),
    PRINTER_OF("validatingadmissionpolicies", policy_columns, policy_cells),
    PRINTER_OF("validatingadmissionpolicybindings", binding_columns, binding_cells),
    {0},
};
