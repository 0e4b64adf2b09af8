/* Any bytes as the protobuf of a kind, or as an envelope: refused, or an object that encodes to
 * bytes which decode to the same object. The first two bytes choose the kind, and which
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

static int decode(yyjson_mut_doc *doc,
                  struct kvs_view bytes,
                  const struct kube_kind **kind,
                  yyjson_mut_val **ret_value)
{
    if (kube_proto_is_envelope(bytes)) {
        return kube_proto_decode(doc, bytes, kind, ret_value);
    }
    return kube_proto_decode_message(doc, kube_kind_message(*kind), bytes, ret_value);
}

static int
encode(struct buf *to, const struct kube_kind *kind, bool envelope, yyjson_mut_val *value)
{
    const struct kube_message *m = kube_kind_message(kind);

    return envelope ? kube_proto_encode(to, m, value) : kube_proto_encode_message(to, m, value);
}

static void
check_again(yyjson_mut_doc *doc, const struct kube_kind *kind, bool envelope, yyjson_mut_val *value)
{
    struct buf first;
    struct buf second;
    struct buf text;
    yyjson_mut_val *again;

    buf_init(&first);
    buf_init(&second);
    buf_init(&text);
    kvs_assert(kube_json_write(&text, value) == 0);
    kvs_assert(encode(&first, kind, envelope, value) == 0);
    kvs_assert(decode(doc, buf_view(&first), &kind, &again) == 0);
    kvs_assert(kube_json_equal(value, again));
    kvs_assert(encode(&second, kind, envelope, again) == 0);
    kvs_assert(view_equal(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct kvs_allocator failing = {countdown_realloc, countdown_free, NULL};
    const struct kube_kind *kind;
    yyjson_mut_val *value;
    yyjson_mut_doc *doc;
    struct kvs_view bytes;
    int err;

    if (size < 2) {
        return 0;
    }
    kind = kube_kind_at((data[0] | (data[1] & 128U) << 1) % kube_n_kinds());
    bytes = view_make(data + 2, size - 2);
    kvs_alloc_set(&failing);
    doc = kube_json_new(kube_json_heap());
    kvs_assert(doc != NULL);
    countdown = data[1] & 63U;
    err = decode(doc, bytes, &kind, &value);
    countdown = 0;
    if (err == 0) {
        check_again(doc, kind, kube_proto_is_envelope(bytes), value);
    }
    yyjson_mut_doc_free(doc);
    return 0;
}
