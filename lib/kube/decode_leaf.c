/* Values that are no structs: each is checked against its type and brought into the text that Go
 * would write for it. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/decode_int.h"

int kube_json_set_text(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view text)
{
    yyjson_mut_val *copy = yyjson_mut_strncpy(doc, text.data, text.len);

    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    (void)yyjson_mut_set_strn(value, yyjson_mut_get_str(copy), text.len);
    return 0;
}

/* An error of the type's own decoder, which does not know where it stands. */
static int own_error(struct kube_decoder *d, const char *text)
{
    struct buf *e = &d->report->error;

    if (e->len == 0) {
        buf_append_str(e, text);
    }
    return e->failed ? KVS_E_NOMEM : KVS_E_INVALID;
}

static int wrong_value(struct kube_decoder *d, yyjson_mut_val *value, const char *go_type)
{
    return kube_decode_mismatch(d, value, view_str(go_type), NULL);
}

static bool fits_int(yyjson_mut_val *value, bool wide)
{
    int64_t number;

    if (!yyjson_mut_is_int(value) ||
        (yyjson_mut_is_uint(value) && yyjson_mut_get_uint(value) > INT64_MAX)) {
        return false;
    }
    number = yyjson_mut_get_sint(value);
    return wide || (number >= INT32_MIN && number <= INT32_MAX);
}

static int decode_bytes(struct kube_decoder *d,
                        yyjson_mut_val *value,
                        struct kvs_view go_type,
                        const struct kube_json_path *path)
{
    struct kvs_view text = kube_json_str(value);
    size_t len = 0;
    size_t bad_at = 0;
    uint8_t *bytes;
    char why[64];
    int err = 0;

    if (!yyjson_mut_is_str(value)) {
        return kube_decode_mismatch(d, value, go_type, path);
    }
    bytes = kvs_malloc(text.len / 4 * 3 + 3);
    if (bytes == NULL) {
        return KVS_E_NOMEM;
    }
    if (!kube_base64_decode(bytes, text, &len, &bad_at)) {
        (void)snprintf(why, sizeof why, "illegal base64 data at input byte %zu", bad_at);
        err = own_error(d, why);
    } else if (kube_base64_size(len) != text.len) {
        char *canonical = kvs_malloc(kube_base64_size(len)); /* there were line breaks */

        if (canonical != NULL) {
            kube_base64_encode(canonical, view_make(bytes, len));
        }
        err = canonical == NULL
                  ? KVS_E_NOMEM
                  : kube_json_set_text(d->doc, value, view_make(canonical, kube_base64_size(len)));
        kvs_free(canonical);
    }
    kvs_free(bytes);
    return err;
}

/* ^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$ */
static bool is_quantity(struct kvs_view text)
{
    char copy[64];
    char *at = copy;
    size_t n;

    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    at += *at == '+' || *at == '-' ? 1 : 0;
    n = strspn(at, "0123456789.");
    at += n;
    at += strspn(at, "eEinumkKMGTP");
    at += *at == '+' || *at == '-' ? 1 : 0;
    at += strspn(at, "0123456789");
    return n > 0 && *at == '\0';
}

static int decode_quantity(struct kube_decoder *d, yyjson_mut_val *value)
{
    static const char *const why = "quantities must match the regular expression "
                                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    struct buf text;
    int err;

    if (yyjson_mut_is_str(value)) {
        return is_quantity(kube_json_str(value)) ? 0 : own_error(d, why);
    }
    if (!yyjson_mut_is_num(value)) {
        return own_error(d, why);
    }
    buf_init(&text);
    err = kube_json_write(&text, value);
    if (err == 0) {
        err = kube_json_set_text(d->doc, value, buf_view(&text));
    }
    buf_fini(&text);
    return err;
}

static int decode_time(struct kube_decoder *d, yyjson_mut_val *value, bool micro)
{
    const char *layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
    struct kvs_view text = kube_json_str(value);
    char canonical[KUBE_WIRE_TIME_TEXT_MAX];
    int64_t seconds;
    int32_t nanos;
    char why[256];
    size_t len;

    if (!yyjson_mut_is_str(value)) {
        return wrong_value(d, value, "string");
    }
    if (!kube_wire_time_parse(text, micro, &seconds, &nanos)) {
        (void)snprintf(why, sizeof why, "parsing time \"%.*s\" as \"%s\": cannot parse \"%.*s\"",
                       (int)(text.len < 64 ? text.len : 64), (const char *)text.data, layout,
                       (int)(text.len < 64 ? text.len : 64), (const char *)text.data);
        return own_error(d, why);
    }
    if (text.len ==
            (micro ? sizeof "2006-01-02T15:04:05.000000Z" : sizeof "2006-01-02T15:04:05Z") - 1 &&
        ((const char *)text.data)[text.len - 1] == 'Z') {
        return 0; /* no other time of this length is in UTC */
    }
    len = kube_wire_time_print(canonical, micro, seconds, nanos);
    if (len == 0) {
        return own_error(d, "Time.MarshalJSON: year outside of range [0,9999]");
    }
    return kube_json_set_text(d->doc, value, view_make(canonical, len));
}

int kube_decode_leaf(struct kube_decoder *d,
                     const struct kube_field *f,
                     yyjson_mut_val *value,
                     const struct kube_json_path *path)
{
    bool fits = true;

    switch (f->type) {
    case KUBE_TYPE_BOOL:
        fits = yyjson_mut_is_bool(value);
        break;
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
        fits = fits_int(value, f->type == KUBE_TYPE_INT64);
        break;
    case KUBE_TYPE_STRING:
        fits = yyjson_mut_is_str(value);
        break;
    case KUBE_TYPE_BYTES:
        return decode_bytes(d, value, kube_decode_element_type(f), path);
    case KUBE_TYPE_QUANTITY:
        return decode_quantity(d, value);
    case KUBE_TYPE_INT_OR_STRING:
        return yyjson_mut_is_str(value) || fits_int(value, false) ? 0
                                                                  : wrong_value(d, value, "int32");
    case KUBE_TYPE_TIME:
        return decode_time(d, value, false);
    case KUBE_TYPE_MICRO_TIME:
        return decode_time(d, value, true);
    default:
        return 0; /* free-form: stays as it is */
    }
    return fits ? 0 : kube_decode_mismatch(d, value, kube_decode_element_type(f), path);
}
