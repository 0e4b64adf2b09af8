/* The words of decoding: types that do not fit, fields that nobody knows. As Kubernetes' decoder
 * (sigs.k8s.io/json) puts them. */
#include <ctype.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/decode_int.h"

void kube_report_init(struct kube_report *r, bool find)
{
    *r = (struct kube_report){.find = find};
    buf_init(&r->error);
    buf_init(&r->findings);
}

void kube_report_fini(struct kube_report *r)
{
    buf_fini(&r->error);
    buf_fini(&r->findings);
}

const char *kube_report_finding(const struct kube_report *r, size_t n)
{
    const char *at = (const char *)r->findings.data;

    if (n >= r->n_findings) {
        return NULL;
    }
    for (; n > 0; n--) {
        at += strlen(at) + 1;
    }
    return at;
}

/* Quotes what stands behind `from`: names are the client's, and may hold anything. */
static void quote_tail(struct buf *b, size_t from)
{
    struct buf raw;

    buf_init(&raw);
    buf_append(&raw, b->data + from, b->len - from);
    b->len = from;
    buf_append_u8(b, '"');
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = raw.data[i];

        if (c == '"' || c == '\\') {
            buf_append_u8(b, '\\');
            buf_append_u8(b, c);
        } else if (c == '\n') {
            buf_append_str(b, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\x%02x", c);
        } else {
            buf_append_u8(b, c);
        }
    }
    buf_append_u8(b, '"');
    b->failed = b->failed || raw.failed;
    buf_fini(&raw);
}

static bool is_known(const struct kube_report *r, const char *text)
{
    for (size_t i = 0; i < r->n_findings; i++) {
        if (strcmp(kube_report_finding(r, i), text) == 0) {
            return true;
        }
    }
    return false;
}

void kube_report_add(struct kube_report *r, const char *what, const struct kube_json_path *path)
{
    size_t begin = r->findings.len;
    size_t quoted_from;

    if (!r->find) {
        return;
    }
    if (r->n_findings == KUBE_FINDINGS_MAX) {
        r->n_dropped++;
        return;
    }
    buf_append_str(&r->findings, what);
    buf_append_u8(&r->findings, ' ');
    quoted_from = r->findings.len;
    kube_json_path_write(&r->findings, path, false);
    if (r->findings.failed) {
        return;
    }
    quote_tail(&r->findings, quoted_from);
    buf_append_u8(&r->findings, '\0');
    if (r->findings.failed) {
        return;
    }
    if (is_known(r, (const char *)r->findings.data + begin)) {
        r->findings.len = begin;
        return;
    }
    r->n_findings++;
}

void kube_report_strict(const struct kube_report *r, struct buf *to)
{
    buf_append_str(to, "strict decoding error: ");
    for (size_t i = 0; i < r->n_findings; i++) {
        if (i > 0) {
            buf_append_str(to, ", ");
        }
        buf_append_str(to, kube_report_finding(r, i));
    }
}

/* "number 1.5" where a number is asked for, but another one; else what JSON calls the value. */
static void describe_value(struct buf *to, yyjson_mut_val *value, struct kvs_view go_type)
{
    bool wants_number = go_type.len > 3 && memcmp(go_type.data, "int", 3) == 0 &&
                        isdigit(((const unsigned char *)go_type.data)[3]);

    switch (yyjson_mut_get_type(value)) {
    case YYJSON_TYPE_NUM:
        buf_append_str(to, "number");
        if (wants_number) {
            buf_append_u8(to, ' ');
            if (kube_json_write(to, value) != 0) {
                to->failed = true;
            }
        }
        break;
    case YYJSON_TYPE_STR:
        buf_append_str(to, "string");
        break;
    case YYJSON_TYPE_BOOL:
        buf_append_str(to, "bool");
        break;
    case YYJSON_TYPE_ARR:
        buf_append_str(to, "array");
        break;
    default:
        buf_append_str(to, "object");
        break;
    }
}

int kube_decode_mismatch(struct kube_decoder *d,
                         yyjson_mut_val *value,
                         struct kvs_view go_type,
                         const struct kube_json_path *path)
{
    struct buf *e = &d->report->error;

    if (e->len > 0) {
        return KVS_E_INVALID; /* Go keeps the first */
    }
    buf_append_str(e, "json: cannot unmarshal ");
    describe_value(e, value, go_type);
    if (d->in != NULL && path != NULL) {
        buf_append_str(e, " into Go struct field ");
        buf_append_str(e, kube_message_go_name(d->in));
        buf_append_u8(e, '.');
        kube_json_path_write(e, path, true);
        buf_append_str(e, " of type ");
    } else {
        buf_append_str(e, " into Go value of type ");
    }
    buf_append_view(e, go_type);
    return e->failed ? KVS_E_NOMEM : KVS_E_INVALID;
}

struct kvs_view kube_decode_element_type(const struct kube_field *f)
{
    const char *type = kube_string(f->go_type);
    const char *close;

    if (f->shape == KUBE_SHAPE_LIST && type[0] == '[') {
        return view_str(type + 2);
    }
    if (f->shape == KUBE_SHAPE_MAP && strncmp(type, "map[", 4) == 0) {
        close = strchr(type, ']');
        kvs_assert(close != NULL);
        return view_str(close + 1);
    }
    return view_str(type);
}
