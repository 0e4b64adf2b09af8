/* Refusing bad transactions before they are proposed: empty keys, too many operations, and keys
 * that one execution could put twice, or put and delete. The two branches of a transaction exclude
 * each other, so both may put the same key; the rules are etcd's:
 *
 * - within a branch, deletions of that level are known to all puts, nested ones included;
 * - nested transactions are taken in order: the puts of a later one must not meet puts or
 *   deletions of an earlier one (its deletions may meet earlier puts);
 * - last, the puts of the level itself must not meet any of these;
 * - a deletion to the end of the key space meets nothing (observed on etcd): such a key is then put
 *   and deleted in one revision, in the order of the operations. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "base/view.h"
#include "mvcc/mvcc.h"

#define TXN_DEPTH_MAX 128

static int check_op_form(const struct kvs_op *op, uint32_t max_ops, unsigned depth);

static int check_ops_form(const struct kvs_op *ops, size_t n, uint32_t max_ops, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        int err = check_op_form(&ops[i], max_ops, depth);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* A nested transaction has what its parent left of the budget. */
static int check_txn_form(const struct kvs_txn_req *req, uint32_t max_ops, unsigned depth)
{
    size_t widest = req->n_compares;
    uint32_t left;
    int err;

    widest = req->n_success > widest ? req->n_success : widest;
    widest = req->n_failure > widest ? req->n_failure : widest;
    if (widest > max_ops || depth > TXN_DEPTH_MAX) {
        return KVS_E_TOO_MANY_OPS;
    }
    for (size_t i = 0; i < req->n_compares; i++) {
        if (req->compares[i].key.len == 0) {
            return KVS_E_EMPTY_KEY;
        }
    }
    left = max_ops - (uint32_t)widest;
    err = check_ops_form(req->success, req->n_success, left, depth);
    return err != 0 ? err : check_ops_form(req->failure, req->n_failure, left, depth);
}

static int check_op_form(const struct kvs_op *op, uint32_t max_ops, unsigned depth)
{
    switch (op->type) {
    case KVS_OP_RANGE:
        return mvcc_range_check(&op->u.range);
    case KVS_OP_PUT:
        return mvcc_put_check(&op->u.put);
    case KVS_OP_DELETE:
        return mvcc_delete_check(&op->u.del);
    case KVS_OP_TXN:
        return check_txn_form(op->u.txn, max_ops, depth + 1);
    case KVS_OP_NONE:
    default:
        return KVS_E_KEY_NOT_FOUND;
    }
}

/* ---- Keys that are put: a set, open addressing ------------------------------------------------
 */

struct key_set {
    struct kvs_view *slots; /* data NULL: free */
    size_t n_slots;         /* power of two, or 0 */
    size_t n;
};

static struct kvs_view *key_set_slot(const struct key_set *s, struct kvs_view key)
{
    size_t mask = s->n_slots - 1;
    size_t i = (size_t)checksum64(key.data, key.len, 0) & mask;

    while (s->slots[i].data != NULL && !view_equal(s->slots[i], key)) {
        i = (i + 1) & mask;
    }
    return &s->slots[i];
}

static bool key_set_has(const struct key_set *s, struct kvs_view key)
{
    return s->n > 0 && key_set_slot(s, key)->data != NULL;
}

static int key_set_grow(struct key_set *s)
{
    struct key_set bigger = {.n_slots = s->n_slots > 0 ? s->n_slots * 2 : 16, .n = s->n};

    bigger.slots = kvs_calloc(bigger.n_slots, sizeof *bigger.slots);
    if (bigger.slots == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < s->n_slots; i++) {
        if (s->slots[i].data != NULL) {
            *key_set_slot(&bigger, s->slots[i]) = s->slots[i];
        }
    }
    kvs_free(s->slots);
    *s = bigger;
    return 0;
}

static int key_set_add(struct key_set *s, struct kvs_view key)
{
    struct kvs_view *slot;

    if ((s->n + 1) * 2 > s->n_slots && key_set_grow(s) != 0) {
        return KVS_E_NOMEM;
    }
    slot = key_set_slot(s, key);
    if (slot->data == NULL) {
        *slot = key;
        s->n++;
    }
    return 0;
}

/* ---- Ranges that are deleted: sorted and joined when they are asked ----------------------------
 */

struct span {
    struct kvs_view begin;
    struct kvs_view end; /* empty: the one key */
};

struct span_set {
    struct span *spans;
    size_t n;
    size_t capacity;
    bool sorted; /* by begin, and none reaches beyond the next one's begin */
};

static int span_set_add(struct span_set *s, struct span span)
{
    if (s->n == s->capacity) {
        size_t capacity = s->capacity > 0 ? s->capacity * 2 : 16;
        struct span *spans = kvs_realloc(s->spans, capacity * sizeof *spans);

        if (spans == NULL) {
            return KVS_E_NOMEM;
        }
        s->spans = spans;
        s->capacity = capacity;
    }
    s->spans[s->n++] = span;
    s->sorted = false;
    return 0;
}

static int span_compare(const void *a, const void *b)
{
    const struct span *sa = a;
    const struct span *sb = b;

    return view_compare(sa->begin, sb->begin);
}

/* Order of where two spans end, whose begins may be equal. */
static int span_compare_ends(const struct span *a, const struct span *b)
{
    /* A single key ends where its begin does, but after everything that ends at it. */
    if (a->end.len == 0 || b->end.len == 0) {
        int order =
            view_compare(a->end.len > 0 ? a->end : a->begin, b->end.len > 0 ? b->end : b->begin);

        return order != 0 ? order : (int)(a->end.len == 0) - (int)(b->end.len == 0);
    }
    return view_compare(a->end, b->end);
}

/* After this the furthest reach of all spans up to i is that of the last one kept up to i. */
static void span_set_sort(struct span_set *s)
{
    size_t n = 0;

    qsort(s->spans, s->n, sizeof *s->spans, span_compare);
    for (size_t i = 0; i < s->n; i++) {
        if (n == 0 || span_compare_ends(&s->spans[n - 1], &s->spans[i]) < 0) {
            s->spans[n++] = s->spans[i];
        }
    }
    s->n = n;
    s->sorted = true;
}

static bool span_set_has(struct span_set *s, struct kvs_view key)
{
    size_t low = 0;
    size_t high;

    if (!s->sorted && s->n > 0) {
        span_set_sort(s);
    }
    high = s->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (view_compare(s->spans[mid].begin, key) <= 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 && view_in_range(key, s->spans[low - 1].begin, s->spans[low - 1].end);
}

/* ---- Overlaps ------------------------------------------------------------------------------- */

struct effects {
    struct key_set puts;
    struct span_set dels;
};

static void effects_fini(struct effects *e)
{
    kvs_free(e->puts.slots);
    kvs_free(e->dels.spans);
}

static int check_effects(const struct kvs_op *ops, size_t n, struct effects *e);

/* Adds the puts of one branch of a nested transaction; `other` is its other branch. */
static int
effects_add_puts(struct effects *e, const struct key_set *puts, const struct key_set *other)
{
    for (size_t i = 0; i < puts->n_slots; i++) {
        struct kvs_view key = puts->slots[i];
        int err;

        if (key.data == NULL) {
            continue;
        }
        if ((key_set_has(&e->puts, key) && !key_set_has(other, key)) ||
            span_set_has(&e->dels, key)) {
            return KVS_E_DUPLICATE_KEY;
        }
        err = key_set_add(&e->puts, key);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int effects_add_dels(struct effects *e, const struct span_set *dels)
{
    for (size_t i = 0; i < dels->n; i++) {
        int err = span_set_add(&e->dels, dels->spans[i]);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int effects_add_txn(struct effects *e, const struct kvs_txn_req *req)
{
    static const struct key_set none;
    struct effects success = {0};
    struct effects failure = {0};
    int err;

    if ((err = check_effects(req->success, req->n_success, &success)) == 0 &&
        (err = check_effects(req->failure, req->n_failure, &failure)) == 0 &&
        (err = effects_add_puts(e, &success.puts, &none)) == 0 &&
        (err = effects_add_puts(e, &failure.puts, &success.puts)) == 0 &&
        (err = effects_add_dels(e, &success.dels)) == 0) {
        err = effects_add_dels(e, &failure.dels);
    }
    effects_fini(&success);
    effects_fini(&failure);
    return err;
}

static int effects_add_put(struct effects *e, struct kvs_view key)
{
    if (key_set_has(&e->puts, key) || span_set_has(&e->dels, key)) {
        return KVS_E_DUPLICATE_KEY;
    }
    return key_set_add(&e->puts, key);
}

static int check_effects(const struct kvs_op *ops, size_t n, struct effects *e)
{
    int err = 0;

    for (size_t i = 0; i < n && err == 0; i++) {
        if (ops[i].type == KVS_OP_DELETE && !view_is_open_end(ops[i].u.del.range_end)) {
            err = span_set_add(&e->dels, (struct span){ops[i].u.del.key, ops[i].u.del.range_end});
        }
    }
    for (size_t i = 0; i < n && err == 0; i++) {
        if (ops[i].type == KVS_OP_TXN) {
            err = effects_add_txn(e, ops[i].u.txn);
        }
    }
    for (size_t i = 0; i < n && err == 0; i++) {
        if (ops[i].type == KVS_OP_PUT) {
            err = effects_add_put(e, ops[i].u.put.key);
        }
    }
    return err;
}

static int check_branch(const struct kvs_op *ops, size_t n)
{
    struct effects effects = {0};
    int err = check_effects(ops, n, &effects);

    effects_fini(&effects);
    return err;
}

int mvcc_txn_check(const struct kvs_txn_req *req, uint32_t max_ops)
{
    int err = check_txn_form(req, max_ops, 1);

    if (err == 0) {
        err = check_branch(req->success, req->n_success);
    }
    return err != 0 ? err : check_branch(req->failure, req->n_failure);
}
