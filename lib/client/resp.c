/* Responses and their lifetime: the struct, its arrays and its bytes are one box with one arena.
 * The box is counted, since a callback may hand it to another thread, which frees it before the
 * callback has returned. */
#include <stdatomic.h>

#include "base/alloc.h"
#include "client/client_int.h"

struct resp_box {
    struct arena arena;
    atomic_uint refs;
    max_align_t body[]; /* the response's struct */
};

static struct resp_box *resp_box(const void *resp)
{
    return container_of((max_align_t *)(uintptr_t)resp, struct resp_box, body);
}

void *client_resp_new(size_t size)
{
    struct resp_box *box = kvs_calloc(1, sizeof *box + size);

    if (box == NULL) {
        return NULL;
    }
    atomic_init(&box->refs, 1);
    arena_init(&box->arena, 0); /* bounded by the size of the message it was made from */
    return box->body;
}

struct arena *client_resp_arena(const void *resp)
{
    return &resp_box(resp)->arena;
}

int client_resp_decode(const struct pb_message *message, struct kvs_view bytes, void **ret_resp)
{
    struct kvs_view copy;
    void *resp = client_resp_new(message->size_bytes);
    int err;

    if (resp == NULL) {
        return KVS_E_NOMEM;
    }
    err = arena_copy(client_resp_arena(resp), bytes, &copy);
    if (err == 0) {
        err = pb_decode(client_resp_arena(resp), copy, message, resp);
    }
    if (err != 0) {
        kvs_resp_free(resp);
        return err;
    }
    *ret_resp = resp;
    return 0;
}

void kvs_resp_keep(const void *resp)
{
    (void)atomic_fetch_add(&resp_box(resp)->refs, 1);
}

void kvs_resp_free(const void *resp)
{
    struct resp_box *box;

    if (resp == NULL) {
        return;
    }
    box = resp_box(resp);
    if (atomic_fetch_sub(&box->refs, 1) == 1) {
        arena_fini(&box->arena);
        kvs_free(box);
    }
}
