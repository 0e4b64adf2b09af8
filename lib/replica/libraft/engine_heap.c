/* libraft's memory comes from base/alloc.h, like everybody's; its errors become ours. */
#include "replica/libraft/engine_int.h"

#include <threads.h>

#include "base/alloc.h"

char engine_batch;

static void *heap_malloc(void *data, size_t size)
{
    (void)data;
    return kvs_malloc(size);
}

static void heap_free(void *data, void *memory)
{
    (void)data;
    if (memory != &engine_batch) {
        kvs_free(memory);
    }
}

static void *heap_calloc(void *data, size_t n, size_t size)
{
    (void)data;
    return kvs_calloc(n, size);
}

static void *heap_realloc(void *data, void *memory, size_t size)
{
    (void)data;
    return kvs_realloc(memory, size);
}

/* For direct I/O, which libraft's own disk backend does; it is not used here. */
static void *heap_aligned_alloc(void *data, size_t alignment, size_t size)
{
    (void)data;
    (void)alignment;
    (void)size;
    return NULL;
}

static void heap_aligned_free(void *data, size_t alignment, void *memory)
{
    (void)data;
    (void)alignment;
    kvs_free(memory);
}

static void heap_set(void)
{
    static struct raft_heap heap = {
        .malloc = heap_malloc,
        .free = heap_free,
        .calloc = heap_calloc,
        .realloc = heap_realloc,
        .aligned_alloc = heap_aligned_alloc,
        .aligned_free = heap_aligned_free,
    };

    raft_heap_set(&heap);
}

/* libraft has one heap per process. */
void engine_heap_use(void)
{
    static once_flag once = ONCE_FLAG_INIT;

    call_once(&once, heap_set);
}

/* Whatever comes in was checked before, so anything else means that a peer contradicts what is
 * committed (RAFT_SHUTDOWN). */
int engine_error(int code)
{
    if (code == 0) {
        return 0;
    }
    if (code == RAFT_CANTCHANGE || code == RAFT_NOTLEADER) {
        return KVS_E_BUSY;
    }
    return code == RAFT_NOMEM ? KVS_E_NOMEM : KVS_E_MALFORMED;
}
