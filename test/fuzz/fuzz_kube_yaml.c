/* YAML of any bytes: what is read can be written as JSON, within the limits of depth and copies,
 * and means the same read again, as JSON is YAML. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/view.h"
#include "kube/tree.h"
#include "kube/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_again(yyjson_mut_doc *doc, yyjson_mut_val *value)
{
    const struct kube_json_limits limits = {KUBE_JSON_BYTES_MAX * 8, KUBE_JSON_DEPTH_MAX};
    yyjson_mut_val *again = NULL;
    struct buf json;

    buf_init(&json);
    /* Bytes of !!binary may be no UTF-8: JSON cannot say them. */
    if (kube_json_write(&json, value) == 0 && !json.failed) {
        kvs_assert(kube_json_read_into(doc, buf_view(&json), &limits, &again, NULL) == 0);
        kvs_assert(kube_json_equal(again, value));
    }
    buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct kube_json_limits limits = {1 << 16, 40};
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    struct kvs_error error = {0};
    yyjson_mut_val *value = NULL;
    struct buf duplicates;
    int err;

    buf_init(&duplicates);
    err = kube_yaml_read_into(doc, view_make(data, size), &limits, &value, &duplicates, &error);
    if (err == 0) {
        kvs_assert(kube_tree_depth_within(value, limits.depth_max, NULL));
        fuzz_again(doc, value);
    } else {
        kvs_assert(error.code == err && error.msg[0] != '\0');
    }
    buf_fini(&duplicates);
    yyjson_mut_doc_free(doc);
    return 0;
}
