/* Who may do what: role bindings and requests for certificates. */
#include "kube/printer_int.h"

/* ---- bindings ---- */

static const struct kube_column role_binding_columns[] = {
    PRINTER_NAME,
    {"Role", "string", "", 0, PRINTER_DOC("rbac.v1.RoleBinding", "roleRef")},
    PRINTER_AGE,
    {"Users", "string", "", 1, PRINTER_SAYS("Users in the roleBinding")},
    {"Groups", "string", "", 1, PRINTER_SAYS("Groups in the roleBinding")},
    {"ServiceAccounts", "string", "", 1, PRINTER_SAYS("ServiceAccounts in the roleBinding")},
};

static const struct kube_column cluster_role_binding_columns[] = {
    PRINTER_NAME,
    {"Role", "string", "", 0, PRINTER_DOC("rbac.v1.ClusterRoleBinding", "roleRef")},
    PRINTER_AGE,
    {"Users", "string", "", 1, PRINTER_SAYS("Users in the clusterRoleBinding")},
    {"Groups", "string", "", 1, PRINTER_SAYS("Groups in the clusterRoleBinding")},
    {"ServiceAccounts", "string", "", 1, PRINTER_SAYS("ServiceAccounts in the clusterRoleBinding")},
};

/* The subjects of a kind; service accounts with their namespace. */
static void binding_cell_subjects(struct kube_row *row, const char *kind, bool with_namespace)
{
    yyjson_mut_val *subject;
    size_t count = 0;
    size_t i;
    size_t n;
    struct buf text;

    buf_init(&text);
    yyjson_mut_arr_foreach(printer_at(row->object, "subjects"), i, n, subject)
    {
        if (!view_equal_str(kube_json_get_str(subject, "kind"), kind)) {
            continue;
        }
        buf_append_str(&text, count++ == 0 ? "" : ", ");
        if (with_namespace) {
            buf_append_view(&text, kube_json_get_str(subject, "namespace"));
            buf_append_str(&text, "/");
        }
        buf_append_view(&text, kube_json_get_str(subject, "name"));
    }
    kube_cell_buf(row, &text);
}

static void binding_cells(struct kube_row *row)
{
    struct buf role;

    buf_init(&role);
    buf_append_view(&role, printer_str(row->object, "roleRef.kind"));
    buf_append_str(&role, "/");
    buf_append_view(&role, printer_str(row->object, "roleRef.name"));
    kube_cell_name(row);
    kube_cell_buf(row, &role);
    kube_cell_age(row);
    binding_cell_subjects(row, "User", false);
    binding_cell_subjects(row, "Group", false);
    binding_cell_subjects(row, "ServiceAccount", true);
}

/* ---- requests for certificates ---- */

#define CSR_SPEC   "certificates.v1.CertificateSigningRequestSpec"
#define CSR_STATUS "certificates.v1.CertificateSigningRequestStatus"

static const struct kube_column csr_columns[] = {
    PRINTER_NAME,
    PRINTER_AGE,
    {"SignerName", "string", "", 0, PRINTER_DOC(CSR_SPEC, "signerName")},
    {"Requestor", "string", "", 0, PRINTER_DOC(CSR_SPEC, "request")},
    {"RequestedDuration", "string", "", 0, PRINTER_DOC(CSR_SPEC, "expirationSeconds")},
    {"Condition", "string", "", 0, PRINTER_DOC(CSR_STATUS, "conditions")},
};

static void csr_cell_duration(struct kube_row *row)
{
    int64_t seconds;
    struct buf text;

    buf_init(&text);
    if (printer_number(row->object, "spec.expirationSeconds", &seconds) && seconds >= INT32_MIN &&
        seconds <= INT32_MAX) {
        printer_append_span(&text, 0, seconds * 1000000000);
    } else {
        buf_append_str(&text, "<none>");
    }
    kube_cell_buf(row, &text);
}

/* A condition is there or is not; its status does not count. */
static bool csr_has(yyjson_mut_val *csr, const char *type)
{
    return printer_with(printer_at(csr, "status.conditions"), "type", type) != NULL;
}

static void csr_cell_condition(struct kube_row *row)
{
    struct buf text;

    buf_init(&text);
    if (csr_has(row->object, "Denied")) {
        buf_append_str(&text, "Denied");
    } else {
        buf_append_str(&text, csr_has(row->object, "Approved") ? "Approved" : "Pending");
    }
    buf_append_str(&text, csr_has(row->object, "Failed") ? ",Failed" : "");
    if (printer_str(row->object, "status.certificate").len > 0) {
        buf_append_str(&text, ",Issued");
    }
    kube_cell_buf(row, &text);
}

static void csr_cells(struct kube_row *row)
{
    kube_cell_name(row);
    kube_cell_age(row);
    printer_cell_str_or(row, "spec.signerName", "<none>");
    printer_cell_str(row, "spec.username");
    csr_cell_duration(row);
    csr_cell_condition(row);
}

const struct kube_printer printers_access[] = {
    PRINTER_OF("rolebindings", role_binding_columns, binding_cells),
    PRINTER_OF("clusterrolebindings", cluster_role_binding_columns, binding_cells),
    PRINTER_OF("certificatesigningrequests", csr_columns, csr_cells),
    {0},
};
