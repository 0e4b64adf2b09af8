/* Transactions: compares, operations of both branches, transactions inside of them. Recursion is
 * bounded by APPLY_TXN_DEPTH_MAX, memory by APPLY_TXN_OPS_MAX for the entry as a whole. */
#include "apply/entry_txn.h"

#include "apply/entry.h"

enum range_flag {
    RANGE_SERIALIZABLE = 1 << 0,
    RANGE_KEYS_ONLY = 1 << 1,
    RANGE_COUNT_ONLY = 1 << 2,
    RANGE_FLAGS = RANGE_SERIALIZABLE | RANGE_KEYS_ONLY | RANGE_COUNT_ONLY,
};

/* The least that one takes. */
#define COMPARE_BYTES 6
#define OP_BYTES      4

/* What is left of the limits. */
struct budget {
    size_t ops;
    unsigned depth;
};

struct txn_reader {
    struct reader *r;
    struct arena *arena;
    struct budget budget;
};

static const struct budget budget_full = {APPLY_TXN_OPS_MAX, APPLY_TXN_DEPTH_MAX};

static int budget_take(struct budget *budget, size_t ops)
{
    if (ops > budget->ops) {
        return KVS_E_TOO_LONG;
    }
    budget->ops -= ops;
    return 0;
}

static void range_encode(const struct kvs_range_req *range, struct buf *to)
{
    unsigned flags = 0;

    flags |= range->serializable ? RANGE_SERIALIZABLE : 0;
    flags |= range->keys_only ? RANGE_KEYS_ONLY : 0;
    flags |= range->count_only ? RANGE_COUNT_ONLY : 0;
    buf_append_u8(to, (uint8_t)flags);
    write_bytes(to, range->key);
    write_bytes(to, range->range_end);
    write_signed(to, range->limit);
    write_signed(to, range->revision);
    write_signed(to, range->sort_order);
    write_signed(to, range->sort_target);
    write_signed(to, range->min_mod_revision);
    write_signed(to, range->max_mod_revision);
    write_signed(to, range->min_create_revision);
    write_signed(to, range->max_create_revision);
}

static void range_decode(struct reader *r, struct kvs_range_req *ret_range)
{
    unsigned flags = read_flags(r, RANGE_FLAGS);

    *ret_range = (struct kvs_range_req){
        .serializable = (flags & RANGE_SERIALIZABLE) != 0,
        .keys_only = (flags & RANGE_KEYS_ONLY) != 0,
        .count_only = (flags & RANGE_COUNT_ONLY) != 0,
    };
    ret_range->key = read_bytes(r, SIZE_MAX);
    ret_range->range_end = read_bytes(r, SIZE_MAX);
    ret_range->limit = read_signed(r);
    ret_range->revision = read_signed(r);
    ret_range->sort_order = read_int(r);
    ret_range->sort_target = read_int(r);
    ret_range->min_mod_revision = read_signed(r);
    ret_range->max_mod_revision = read_signed(r);
    ret_range->min_create_revision = read_signed(r);
    ret_range->max_create_revision = read_signed(r);
}

static void compare_encode(const struct kvs_compare *compare, struct buf *to)
{
    write_signed(to, compare->result);
    write_signed(to, compare->target);
    write_bytes(to, compare->key);
    write_bytes(to, compare->range_end);
    write_signed(to, compare->number);
    write_bytes(to, compare->value);
}

static void compare_decode(struct reader *r, struct kvs_compare *ret_compare)
{
    ret_compare->result = read_int(r);
    ret_compare->target = read_int(r);
    ret_compare->key = read_bytes(r, SIZE_MAX);
    ret_compare->range_end = read_bytes(r, SIZE_MAX);
    ret_compare->number = read_signed(r);
    ret_compare->value = read_bytes(r, SIZE_MAX);
}

/* --- Encoding --------------------------------------------------------------------------------- */

static int nested_encode(const struct kvs_txn_req *txn, struct budget *budget, struct buf *to);

static int op_encode(const struct kvs_op *op, struct budget *budget, struct buf *to)
{
    buf_append_u8(to, (uint8_t)op->type);
    switch (op->type) {
    case KVS_OP_RANGE:
        range_encode(&op->u.range, to);
        return 0;
    case KVS_OP_PUT:
        put_encode(&op->u.put, to);
        return 0;
    case KVS_OP_DELETE:
        delete_encode(&op->u.del, to);
        return 0;
    case KVS_OP_TXN:
        return nested_encode(op->u.txn, budget, to);
    case KVS_OP_NONE:
        break;
    }
    return KVS_E_INVALID;
}

static int ops_encode(const struct kvs_op *ops, size_t n, struct budget *budget, struct buf *to)
{
    int err = budget_take(budget, n);

    write_varint(to, n);
    for (size_t i = 0; i < n && err == 0; i++) {
        err = op_encode(&ops[i], budget, to);
    }
    return err;
}

static int nested_encode(const struct kvs_txn_req *txn, struct budget *budget, struct buf *to)
{
    int err = budget_take(budget, txn->n_compares);

    if (err != 0 || budget->depth == 0) {
        return KVS_E_TOO_LONG;
    }
    budget->depth--;
    write_varint(to, txn->n_compares);
    for (size_t i = 0; i < txn->n_compares; i++) {
        compare_encode(&txn->compares[i], to);
    }
    err = ops_encode(txn->success, txn->n_success, budget, to);
    if (err == 0) {
        err = ops_encode(txn->failure, txn->n_failure, budget, to);
    }
    budget->depth++;
    return err;
}

int txn_encode(const struct kvs_txn_req *txn, struct buf *to)
{
    struct budget budget = budget_full;

    return nested_encode(txn, &budget, to);
}

/* --- Decoding --------------------------------------------------------------------------------- */

/* A zeroed array for a count that was read and that the budget allows; NULL if it is 0 or fails. */
static void *txn_array(struct txn_reader *t, size_t bytes_each, size_t item_size, size_t *ret_n)
{
    size_t n = read_count(t->r, t->budget.ops, bytes_each);
    void *items;

    *ret_n = 0;
    if (n == 0) {
        return NULL;
    }
    t->budget.ops -= n;
    items = arena_calloc(t->arena, n, item_size);
    if (items == NULL) {
        reader_fail(t->r, KVS_E_NOMEM);
        return NULL;
    }
    *ret_n = n;
    return items;
}

static void nested_decode(struct txn_reader *t, struct kvs_txn_req *ret_txn);

static void op_decode(struct txn_reader *t, struct kvs_op *ret_op)
{
    uint8_t type = read_u8(t->r);

    switch (type) {
    case KVS_OP_RANGE:
        range_decode(t->r, &ret_op->u.range);
        break;
    case KVS_OP_PUT:
        put_decode(t->r, &ret_op->u.put);
        break;
    case KVS_OP_DELETE:
        delete_decode(t->r, &ret_op->u.del);
        break;
    case KVS_OP_TXN:
        ret_op->u.txn = arena_calloc(t->arena, 1, sizeof *ret_op->u.txn);
        if (ret_op->u.txn == NULL) {
            reader_fail(t->r, KVS_E_NOMEM);
            return;
        }
        nested_decode(t, ret_op->u.txn);
        break;
    default:
        reader_fail(t->r, KVS_E_MALFORMED);
        return;
    }
    ret_op->type = (enum kvs_op_type)type;
}

static struct kvs_op *ops_decode(struct txn_reader *t, size_t *ret_n)
{
    struct kvs_op *ops = txn_array(t, OP_BYTES, sizeof *ops, ret_n);

    for (size_t i = 0; i < *ret_n && t->r->err == 0; i++) {
        op_decode(t, &ops[i]);
    }
    return ops;
}

static void nested_decode(struct txn_reader *t, struct kvs_txn_req *ret_txn)
{
    if (t->budget.depth == 0) {
        reader_fail(t->r, KVS_E_TOO_LONG);
        return;
    }
    t->budget.depth--;
    ret_txn->compares =
        txn_array(t, COMPARE_BYTES, sizeof *ret_txn->compares, &ret_txn->n_compares);
    for (size_t i = 0; i < ret_txn->n_compares && t->r->err == 0; i++) {
        compare_decode(t->r, &ret_txn->compares[i]);
    }
    ret_txn->success = ops_decode(t, &ret_txn->n_success);
    ret_txn->failure = ops_decode(t, &ret_txn->n_failure);
    t->budget.depth++;
}

void txn_decode(struct reader *r, struct arena *arena, struct kvs_txn_req *ret_txn)
{
    struct txn_reader t = {.r = r, .arena = arena, .budget = budget_full};

    nested_decode(&t, ret_txn);
}
