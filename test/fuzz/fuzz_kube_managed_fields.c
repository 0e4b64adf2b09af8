/* FieldsV1 of any JSON, two of them separated by a NUL: reading and writing agree, and the algebra
 * of sets holds. Both as bodies of one object, too: applied by two managers, one after the other.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/apply.h"
#include "kube/decode.h"
#include "kube/field_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static yyjson_mut_val *fuzz_tree(yyjson_mut_doc *doc, const uint8_t *json, size_t size)
{
    const struct kube_json_limits limits = {1 << 16, 60};
    yyjson_mut_val *value = NULL;

    return kube_json_read_into(doc, view_make(json, size), &limits, &value, NULL) == 0 ? value
                                                                                       : NULL;
}

static const struct kube_field_set *
fuzz_read(struct arena *a, yyjson_mut_doc *doc, yyjson_mut_val *fields)
{
    const struct kube_field_set *set = NULL;
    const struct kube_field_set *again = NULL;
    yyjson_mut_val *written;

    if (kube_field_set_read(a, doc, fields, &set) == 0) {
        kvs_assert(kube_field_set_write(doc, set, &written) == 0);
        kvs_assert(kube_field_set_read(a, doc, written, &again) == 0);
        kvs_assert(kube_field_set_equal(set, again));
    }
    return set;
}

/* x = (x - y) + (x and y); (x + y) - y = x - y */
static void
fuzz_algebra(struct arena *a, const struct kube_field_set *x, const struct kube_field_set *y)
{
    const struct kube_field_set *rest;
    const struct kube_field_set *both;
    const struct kube_field_set *sum;

    kvs_assert(kube_field_set_difference(a, x, y, false, &rest) == 0);
    kvs_assert(kube_field_set_intersection(a, x, y, &both) == 0);
    kvs_assert(kube_field_set_union(a, rest, both, &sum) == 0);
    kvs_assert(kube_field_set_equal(sum, x));
    kvs_assert(kube_field_set_union(a, x, y, &sum) == 0);
    kvs_assert(kube_field_set_difference(a, sum, y, false, &sum) == 0);
    kvs_assert(kube_field_set_equal(sum, rest));
}

/* False: refused. */
static bool
fuzz_apply(yyjson_mut_doc *doc, const char *name, yyjson_mut_val *body, yyjson_mut_val **object)
{
    struct kube_manager manager = {.doc = doc,
                                   .type = kube_message_find(view_str("io.k8s.api.core.v1.Pod")),
                                   .name = view_str(name),
                                   .api_version = VIEW_LITERAL("v1"),
                                   .subresource = "",
                                   .has_status = true};
    struct kube_status status;
    struct kube_apply apply = {&manager, "Pod", false, &status};
    struct kube_report report;
    int err;

    kube_status_init(&status);
    err = kube_apply(&apply, *object, body, object);
    kvs_assert(err == 0 || err == KVS_E_TOO_LONG || (err == KVS_E_INVALID && status.code != 0));
    kube_status_fini(&status);
    if (err == 0) {
        kube_report_init(&report, false);
        err = kube_decode(doc, manager.type, *object, &report);
        kube_report_fini(&report);
    }
    return err == 0;
}

static void fuzz_bodies(yyjson_mut_doc *doc, yyjson_mut_val *first, yyjson_mut_val *second)
{
    yyjson_mut_val *object = NULL;

    if (yyjson_mut_is_obj(first) && yyjson_mut_is_obj(second) &&
        fuzz_apply(doc, "a", first, &object) && fuzz_apply(doc, "b", second, &object)) {
        (void)fuzz_apply(doc, "a", second, &object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *middle = size > 0 ? memchr(data, 0, size) : NULL;
    yyjson_mut_doc *doc;
    yyjson_mut_val *x;
    yyjson_mut_val *y;
    struct arena arena;

    if (middle == NULL) {
        return 0;
    }
    arena_init(&arena, 0);
    doc = kube_json_new(kube_json_heap());
    x = fuzz_tree(doc, data, (size_t)(middle - data));
    y = fuzz_tree(doc, middle + 1, size - (size_t)(middle - data) - 1);
    if (x != NULL && y != NULL) {
        fuzz_algebra(&arena, fuzz_read(&arena, doc, x), fuzz_read(&arena, doc, y));
        fuzz_bodies(doc, x, y);
    }
    yyjson_mut_doc_free(doc);
    arena_fini(&arena);
    return 0;
}
