#include "kube/decode.h"

#include "base/assert.h"
#include "base/view.h"
#include "kube/decode_int.h"
#include "kube/schema_sizes.h"

static int decode_message(struct kube_decoder *d,
                          const struct kube_message *m,
                          yyjson_mut_val *value,
                          const struct kube_json_path *path);
static int decode_field(struct kube_decoder *d,
                        const struct kube_field *f,
                        yyjson_mut_val *value,
                        const struct kube_json_path *path);

/* An error that Go remembers while it goes on; what else may be wrong is not looked for here. */
static int decode_one(struct kube_decoder *d,
                      const struct kube_field *f,
                      yyjson_mut_val *value,
                      bool element,
                      const struct kube_json_path *path)
{
    const struct kube_message *inner = kube_field_message(f);

    if (yyjson_mut_is_null(value)) {
        return kube_decode_may_be_null(f, element) ? 0 : kube_decode_set_zero(d->doc, f, value);
    }
    if (inner == NULL) {
        return kube_decode_leaf(d, f, value, path);
    }
    if ((inner->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        return decode_field(d, kube_field_own(inner, 0), value, path);
    }
    return decode_message(d, inner, value, path);
}

static int decode_list(struct kube_decoder *d,
                       const struct kube_field *f,
                       yyjson_mut_val *value,
                       const struct kube_json_path *path)
{
    struct kube_json_path at = {path, KUBE_JSON_INDEX, {NULL, 0}, 0};
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *element;
    int err = 0;

    while (err == 0 && (element = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = decode_one(d, f, element, true, &at);
        at.index++;
    }
    return err;
}

static void found_duplicate(void *ctx, const struct kube_json_path *path)
{
    kube_report_add(ctx, "duplicate field", path);
}

static int decode_map(struct kube_decoder *d,
                      const struct kube_field *f,
                      yyjson_mut_val *value,
                      const struct kube_json_path *path)
{
    struct kube_json_path at = {path, KUBE_JSON_KEY, {NULL, 0}, 0};
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(value);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        at.name = kube_json_str(key);
        err = decode_one(d, f, yyjson_mut_obj_iter_get_val(key), true, &at);
    }
    return err != 0 ? err : kube_json_sort_members(value, false, path, found_duplicate, d->report);
}

static int decode_field(struct kube_decoder *d,
                        const struct kube_field *f,
                        yyjson_mut_val *value,
                        const struct kube_json_path *path)
{
    if (f->shape == KUBE_SHAPE_ONE || yyjson_mut_is_null(value)) {
        return decode_one(d, f, value, false, path);
    }
    if (f->shape == KUBE_SHAPE_LIST ? !yyjson_mut_is_arr(value) : !yyjson_mut_is_obj(value)) {
        return kube_decode_mismatch(d, value, view_str(kube_string(f->go_type)), path);
    }
    return f->shape == KUBE_SHAPE_LIST ? decode_list(d, f, value, path)
                                       : decode_map(d, f, value, path);
}

/* Decodes each member and notes it by its place in the struct. */
static int decode_members(struct kube_decoder *d,
                          const struct kube_message *m,
                          yyjson_mut_val *object,
                          const struct kube_json_path *path,
                          yyjson_mut_val **keys,
                          yyjson_mut_val **values)
{
    struct kube_json_path at = {path, KUBE_JSON_FIELD, {NULL, 0}, 0};
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *key;
    size_t hint = 0;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        int pos;

        at.name = kube_json_str(key);
        pos = kube_field_find(m, at.name, hint);
        if (pos < 0) {
            kube_report_add(d->report, "unknown field", &at);
            continue;
        }
        if (keys[pos] != NULL) {
            kube_report_add(d->report, "duplicate field", &at);
        }
        keys[pos] = key;
        values[pos] = yyjson_mut_obj_iter_get_val(key);
        hint = (size_t)pos + 1;
        err = decode_field(d, kube_field_flat(m, (size_t)pos), values[pos], &at);
    }
    return err;
}

static int decode_message(struct kube_decoder *d,
                          const struct kube_message *m,
                          yyjson_mut_val *value,
                          const struct kube_json_path *path)
{
    yyjson_mut_val *keys[KUBE_N_FLAT_MAX] = {NULL};
    yyjson_mut_val *values[KUBE_N_FLAT_MAX] = {NULL};
    const struct kube_message *outer = d->in;
    int err;

    if (!yyjson_mut_is_obj(value)) {
        return kube_decode_mismatch(d, value, view_str(kube_message_go_type(m)), path);
    }
    if (++d->depth > KUBE_DECODE_DEPTH_MAX) {
        return KVS_E_TOO_LONG;
    }
    d->in = m;
    err = decode_members(d, m, value, path, keys, values);
    d->in = outer;
    d->depth--;
    return err != 0 ? err : kube_decode_arrange(d->doc, m, value, keys, values);
}

int kube_decode(yyjson_mut_doc *doc,
                const struct kube_message *message,
                yyjson_mut_val *value,
                struct kube_report *report)
{
    struct kube_decoder d = {.doc = doc, .report = report};
    int err;

    if ((message->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        return KVS_E_INVALID; /* no kind is one */
    }
    if (yyjson_mut_is_null(value)) {
        (void)yyjson_mut_set_obj(value); /* null leaves a Go struct as it was: zero */
    }
    err = decode_message(&d, message, value, NULL);
    return err == 0 && report->findings.failed ? KVS_E_NOMEM : err;
}
