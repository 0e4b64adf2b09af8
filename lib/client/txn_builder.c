/* A transaction built piece by piece. Everything is copied into one arena; arrays grow there by
 * doubling. */
#include <string.h>

#include "base/alloc.h"
#include "client/client_int.h"

struct kvs_txn_builder {
    struct arena arena;
    struct kvs_txn_req req;
    size_t compares_room;
    size_t success_room;
    size_t failure_room;
    bool failed;
};

struct kvs_txn_builder *kvs_txn_builder_new(void)
{
    struct kvs_txn_builder *b = kvs_calloc(1, sizeof *b);

    if (b != NULL) {
        arena_init(&b->arena, 0);
    }
    return b;
}

void kvs_txn_builder_free(struct kvs_txn_builder *b)
{
    if (b != NULL) {
        arena_fini(&b->arena);
        kvs_free(b);
    }
}

/* A list with room for one more element; NULL if there is no memory. */
static void *
grow(struct kvs_txn_builder *b, void *list, size_t count, size_t *room, size_t element_size)
{
    size_t more = *room == 0 ? 8 : *room * 2;
    void *larger;

    if (count < *room) {
        return list;
    }
    larger = arena_calloc(&b->arena, more, element_size);
    if (larger == NULL) {
        b->failed = true;
        return NULL;
    }
    if (count > 0) {
        memcpy(larger, list, count * element_size);
    }
    *room = more;
    return larger;
}

static void own(struct kvs_txn_builder *b, struct kvs_view *view)
{
    if (arena_copy(&b->arena, *view, view) != 0) {
        b->failed = true;
    }
}

void kvs_txn_builder_if(struct kvs_txn_builder *b, const struct kvs_compare *compare)
{
    struct kvs_compare *list =
        grow(b, b->req.compares, b->req.n_compares, &b->compares_room, sizeof *list);

    if (list == NULL) {
        return;
    }
    b->req.compares = list;
    list += b->req.n_compares++;
    *list = *compare;
    own(b, &list->key);
    own(b, &list->range_end);
    own(b, &list->value);
}

/* A nested transaction is encoded and decoded again: the codec knows how to copy one. */
static void own_txn(struct kvs_txn_builder *b, struct kvs_txn_req **txn)
{
    const struct pb_message *message = client_method(CLIENT_TXN)->req;
    struct kvs_txn_req *copy = arena_alloc(&b->arena, sizeof *copy);
    size_t size = pb_size(message, *txn);
    uint8_t *bytes = arena_alloc(&b->arena, size);

    if (copy == NULL || bytes == NULL) {
        b->failed = true;
        return;
    }
    (void)pb_put(bytes, message, *txn);
    if (pb_decode(&b->arena, (struct kvs_view){bytes, size}, message, copy) != 0) {
        b->failed = true;
        return;
    }
    *txn = copy;
}

static void own_op(struct kvs_txn_builder *b, struct kvs_op *op)
{
    switch (op->type) {
    case KVS_OP_NONE:
        break;
    case KVS_OP_RANGE:
        own(b, &op->u.range.key);
        own(b, &op->u.range.range_end);
        break;
    case KVS_OP_PUT:
        own(b, &op->u.put.key);
        own(b, &op->u.put.value);
        break;
    case KVS_OP_DELETE:
        own(b, &op->u.del.key);
        own(b, &op->u.del.range_end);
        break;
    case KVS_OP_TXN:
        own_txn(b, &op->u.txn);
        break;
    }
}

static void add_op(struct kvs_txn_builder *b,
                   const struct kvs_op *op,
                   struct kvs_op **ops,
                   size_t *count,
                   size_t *room)
{
    struct kvs_op *list = grow(b, *ops, *count, room, sizeof *list);

    if (list == NULL) {
        return;
    }
    *ops = list;
    list += (*count)++;
    *list = *op;
    own_op(b, list);
}

void kvs_txn_builder_then(struct kvs_txn_builder *b, const struct kvs_op *op)
{
    add_op(b, op, &b->req.success, &b->req.n_success, &b->success_room);
}

void kvs_txn_builder_else(struct kvs_txn_builder *b, const struct kvs_op *op)
{
    add_op(b, op, &b->req.failure, &b->req.n_failure, &b->failure_room);
}

const struct kvs_txn_req *kvs_txn_builder_req(struct kvs_txn_builder *b)
{
    return b->failed ? NULL : &b->req;
}
