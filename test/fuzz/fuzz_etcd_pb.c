/* Every decoder of etcd's messages on arbitrary bytes: the first byte chooses the message. What
 * decodes must encode to its announced size, and decode again to the same encoding. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/view.h"
#include "rpc/etcd_pb.h"

enum { STRUCT_MAX = 512, ARENA_MAX = 4 << 20 };

static const struct pb_message *const messages[] = {
#define X(name, type) &etcd_pb_##name,
    ETCD_PB_MESSAGES(X)
#undef X
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode_again(const struct pb_message *message, const void *m, struct buf *b, struct arena *a)
{
    union {
        uint8_t bytes[STRUCT_MAX];
        max_align_t align;
    } again;
    struct buf second;

    buf_init(&second);
    pb_encode(b, message, m);
    if (!b->failed && pb_decode(a, buf_view(b), message, &again) == 0) {
        pb_encode(&second, message, &again);
        kvs_assert(second.failed || view_equal(buf_view(b), buf_view(&second)));
    }
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union {
        uint8_t bytes[STRUCT_MAX];
        max_align_t align;
    } m;
    const struct pb_message *message;
    struct arena a;
    struct buf b;

    if (size == 0) {
        return 0;
    }
    message = messages[data[0] % ARRAY_LEN(messages)];
    kvs_assert(message->size_bytes <= STRUCT_MAX);
    arena_init(&a, ARENA_MAX);
    buf_init(&b);
    if (pb_decode(&a, view_make(data + 1, size - 1), message, &m) == 0) {
        encode_again(message, &m, &b, &a);
    }
    buf_fini(&b);
    arena_fini(&a);
    return 0;
}
