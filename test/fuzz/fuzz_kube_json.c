/* Any bytes as the JSON of a kind: refused, or brought into a normal form that is its own normal
 * form and comes back from protobuf the same. The first two bytes choose the kind, and which
 * allocation fails. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/decode.h"
#include "kube/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t countdown; /* 0: no allocation fails */

static void *countdown_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    return countdown > 0 && --countdown == 0 ? NULL : realloc(old, size);
}

static void countdown_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static bool has_protobuf(const struct kube_message *m)
{
    for (size_t n = 0; n < m->n_fields; n++) {
        const struct kube_field *f = kube_field_own(m, n);

        if (f->type == KUBE_TYPE_ANY || (f->type == KUBE_TYPE_MESSAGE && f->number == 0)) {
            return false;
        }
    }
    return true;
}

/* The object from protobuf is another in what protobuf cannot say (empty lists); from then on it
 * stays the same. */
static void check_protobuf(const struct kube_message *m, yyjson_mut_val *root)
{
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    yyjson_mut_val *again;
    struct kube_report report;
    struct buf bytes;
    struct buf other;

    buf_init(&bytes);
    buf_init(&other);
    kube_report_init(&report, false);
    kvs_assert(doc != NULL && kube_proto_encode_message(&bytes, m, root) == 0);
    kvs_assert(kube_proto_decode_message(doc, m, buf_view(&bytes), &again) == 0);
    buf_clear(&bytes);
    kvs_assert(kube_proto_encode_message(&bytes, m, again) == 0);
    kvs_assert(kube_decode(doc, m, again, &report) == 0);
    kvs_assert(kube_proto_encode_message(&other, m, again) == 0);
    kvs_assert(view_equal(buf_view(&bytes), buf_view(&other)));
    kube_report_fini(&report);
    buf_fini(&bytes);
    buf_fini(&other);
    yyjson_mut_doc_free(doc);
}

static void check_stable(yyjson_mut_doc *doc, const struct kube_message *m)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kube_report report;
    struct buf first;
    struct buf second;

    buf_init(&first);
    buf_init(&second);
    kube_report_init(&report, true);
    kvs_assert(kube_json_write(&first, root) == 0);
    kvs_assert(kube_decode(doc, m, root, &report) == 0);
    kvs_assert(report.n_findings == 0);
    kvs_assert(kube_json_write(&second, root) == 0);
    kvs_assert(view_equal(buf_view(&first), buf_view(&second)));
    if (has_protobuf(m)) {
        check_protobuf(m, root);
    }
    kube_report_fini(&report);
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct kvs_allocator failing = {countdown_realloc, countdown_free, NULL};
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_message *m;
    struct kube_report report;
    yyjson_mut_doc *doc;
    struct kvs_error error;
    int err;

    if (size < 2) {
        return 0;
    }
    m = kube_kind_message(kube_kind_at((data[0] | (data[1] & 128U) << 1) % kube_n_kinds()));
    kvs_alloc_set(&failing);
    countdown = data[1] & 63U; /* mostly more than are made */
    err = kube_json_read(view_make(data + 2, size - 2), &limits, kube_json_heap(), &doc, &error);
    if (err == 0) {
        kube_report_init(&report, true);
        err = kube_decode(doc, m, yyjson_mut_doc_get_root(doc), &report);
        kube_report_fini(&report);
        countdown = 0;
        if (err == 0) {
            check_stable(doc, m);
        }
        yyjson_mut_doc_free(doc);
    }
    countdown = 0;
    return 0;
}
