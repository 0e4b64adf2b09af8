/* Log entries from arbitrary bytes: refused, or decoded to something that encodes to the same
 * bytes. Memory stays within a multiple of the entry. */
#include <stddef.h>
#include <stdint.h>

#include "apply/entry.h"
#include "base/assert.h"
#include "base/view.h"

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct apply_entry entry;
    struct arena arena;
    struct buf again;

    arena_init(&arena, ARENA_BYTES);
    buf_init(&again);
    if (apply_decode(view_make(data, size), &arena, &entry) == 0) {
        kvs_assert(apply_encode(&entry, &again) == 0);
        kvs_assert(view_equal(buf_view(&again), view_make(data, size)));
        kvs_assert(apply_entry_request_id(view_make(data, size)) == entry.request_id);
    }
    kvs_assert(arena.used_bytes <= (size + 1) * 128);
    buf_fini(&again);
    arena_fini(&arena);
    return 0;
}
