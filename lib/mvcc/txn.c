/* etcd's Txn, on the open transaction or on a view.
 *
 *   1. All compares, of nested transactions too, on the state at the start: they fix the path.
 *   2. Checks of the operations on the path, on the same state: a failure refuses the whole.
 *   3. The operations in order, each seeing the changes before it.
 *
 * Nothing after step 2 can be refused, so a transaction is applied in full or not at all, and on
 * every member alike: both steps look only at replicated state (the compacted revision included,
 * how far its deletion has come never). */
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

struct txn_run {
    struct mvcc *m;        /* NULL: read-only */
    struct mvcc_read read; /* the state at the start */
    const struct mvcc_leases *leases;
    struct arena *arena;
    bool answer; /* responses are wanted */
    bool *path;  /* outcome of each transaction on the path, in order of visiting */
    size_t n_path;
    size_t path_at;
};

static bool txn_ops_any(const struct kvs_op *ops, size_t n, bool (*test)(const struct kvs_op *op))
{
    for (size_t i = 0; i < n; i++) {
        if (ops[i].type == KVS_OP_TXN) {
            const struct kvs_txn_req *inner = ops[i].u.txn;

            if (txn_ops_any(inner->success, inner->n_success, test) ||
                txn_ops_any(inner->failure, inner->n_failure, test)) {
                return true;
            }
        } else if (test(&ops[i])) {
            return true;
        }
    }
    return false;
}

static bool txn_op_writes(const struct kvs_op *op)
{
    return op->type == KVS_OP_PUT || op->type == KVS_OP_DELETE;
}

static bool txn_op_linearizable(const struct kvs_op *op)
{
    return op->type != KVS_OP_RANGE || !op->u.range.serializable;
}

bool mvcc_txn_is_readonly(const struct kvs_txn_req *req)
{
    return !txn_ops_any(req->success, req->n_success, txn_op_writes) &&
           !txn_ops_any(req->failure, req->n_failure, txn_op_writes);
}

bool mvcc_txn_is_serializable(const struct kvs_txn_req *req)
{
    return !txn_ops_any(req->success, req->n_success, txn_op_linearizable) &&
           !txn_ops_any(req->failure, req->n_failure, txn_op_linearizable);
}

/* ---- Compares ------------------------------------------------------------------------------- */

static int compare_ints(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* An unknown target compares as equal, an unknown result holds: as in etcd. */
static bool compare_holds(const struct kvs_compare *c, const struct record *r)
{
    int order = 0;

    switch (c->target) {
    case KVS_COMPARE_VERSION:
        order = compare_ints(r->version, c->number);
        break;
    case KVS_COMPARE_CREATE:
        order = compare_ints(r->create, c->number);
        break;
    case KVS_COMPARE_MOD:
        order = compare_ints(r->mod.main, c->number);
        break;
    case KVS_COMPARE_VALUE:
        order = view_compare(r->value, c->value);
        break;
    case KVS_COMPARE_LEASE:
        order = compare_ints(r->lease, c->number);
        break;
    default:
        break;
    }
    switch (c->result) {
    case KVS_COMPARE_EQUAL:
        return order == 0;
    case KVS_COMPARE_GREATER:
        return order > 0;
    case KVS_COMPARE_LESS:
        return order < 0;
    case KVS_COMPARE_NOT_EQUAL:
        return order != 0;
    default:
        return true;
    }
}

/* A missing key counts as zeroes; a value that does not exist compares with nothing. */
static bool compare_holds_missing(const struct kvs_compare *c)
{
    static const struct record zero;

    return c->target != KVS_COMPARE_VALUE && compare_holds(c, &zero);
}

static int compare_range(const struct txn_run *t, const struct kvs_compare *c, bool *ret_holds)
{
    struct mvcc_iter it;
    struct record record;
    bool any = false;
    bool holds = true;
    int err = iter_init(&it, t->read.view, c->key, c->range_end, t->read.revision);

    if (err != 0) {
        return err;
    }
    while (holds && (err = iter_next(&it, &record)) == 0) {
        any = true;
        holds = compare_holds(c, &record);
    }
    iter_fini(&it);
    if (err != 0 && err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_holds = any ? holds : compare_holds_missing(c);
    return 0;
}

static int compare_one(const struct txn_run *t, const struct kvs_compare *c, bool *ret_holds)
{
    const struct mvcc_view *v = t->read.view;
    struct record record;
    int err;

    if (c->range_end.len > 0) {
        return compare_range(t, c, ret_holds);
    }
    err = view_get(v, c->key, view_hash(v, c->key), t->read.revision, true, &record);
    if (err != 0 && err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_holds = err == 0 ? compare_holds(c, &record) : compare_holds_missing(c);
    return 0;
}

static const struct kvs_op *txn_branch(const struct kvs_txn_req *req, bool succeeded, size_t *ret_n)
{
    *ret_n = succeeded ? req->n_success : req->n_failure;
    return succeeded ? req->success : req->failure;
}

/* Fixes the path below `req`. */
static int txn_compare(struct txn_run *t, const struct kvs_txn_req *req)
{
    bool succeeded = true;
    const struct kvs_op *ops;
    size_t n;

    for (size_t i = 0; i < req->n_compares && succeeded; i++) {
        int err = compare_one(t, &req->compares[i], &succeeded);

        if (err != 0) {
            return err;
        }
    }
    t->path[t->n_path++] = succeeded;
    ops = txn_branch(req, succeeded, &n);
    for (size_t i = 0; i < n; i++) {
        int err = ops[i].type == KVS_OP_TXN ? txn_compare(t, ops[i].u.txn) : 0;

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* ---- Checks --------------------------------------------------------------------------------- */

static int check_range(const struct txn_run *t, const struct kvs_range_req *req)
{
    if (req->revision == 0) {
        return 0;
    }
    if (req->revision > t->read.revision) {
        return KVS_E_FUTURE_REV;
    }
    return req->revision < t->read.compact_revision ? KVS_E_COMPACTED : 0;
}

static int check_put(const struct txn_run *t, const struct kvs_put_req *req)
{
    const struct mvcc_view *v = t->read.view;
    struct record record;

    if (req->ignore_value || req->ignore_lease) {
        int err = view_get(v, req->key, view_hash(v, req->key), t->read.revision, false, &record);

        if (err != 0) {
            return err == KVS_E_NOT_FOUND ? KVS_E_KEY_NOT_FOUND : err;
        }
    }
    if (req->lease != 0 && (t->leases == NULL || !t->leases->exists(t->leases->ctx, req->lease))) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    return 0;
}

static int txn_check_path(struct txn_run *t, const struct kvs_txn_req *req);

static int check_op(struct txn_run *t, const struct kvs_op *op)
{
    switch (op->type) {
    case KVS_OP_RANGE:
        return check_range(t, &op->u.range);
    case KVS_OP_PUT:
        return check_put(t, &op->u.put);
    case KVS_OP_TXN:
        return txn_check_path(t, op->u.txn);
    case KVS_OP_NONE:
    case KVS_OP_DELETE:
    default:
        return 0;
    }
}

static int txn_check_path(struct txn_run *t, const struct kvs_txn_req *req)
{
    size_t n;
    const struct kvs_op *ops = txn_branch(req, t->path[t->path_at++], &n);

    for (size_t i = 0; i < n; i++) {
        int err = check_op(t, &ops[i]);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* ---- Operations ----------------------------------------------------------------------------- */

static int
txn_run_path(struct txn_run *t, const struct kvs_txn_req *req, struct kvs_txn_resp *ret_resp);

static int
run_range(struct txn_run *t, const struct kvs_range_req *req, struct kvs_op_resp *ret_resp)
{
    if (!t->answer) {
        return 0; /* changes nothing */
    }
    if (t->m != NULL) {
        return mvcc_txn_range(t->m, req, t->arena, &ret_resp->u.range);
    }
    return mvcc_range(&t->read, req, t->arena, &ret_resp->u.range);
}

static int run_put(struct txn_run *t, const struct kvs_put_req *req, struct kvs_op_resp *ret_resp)
{
    int err = mvcc_txn_put(t->m, req, t->arena, t->answer ? &ret_resp->u.put : NULL);

    /* A deletion to the end of the key space may have taken the key whose value or lease the put
     * wants to keep (mvcc_txn_check does not see that, nor does etcd's): it has no effect then. */
    return err == KVS_E_KEY_NOT_FOUND ? 0 : err;
}

static int run_txn(struct txn_run *t, const struct kvs_txn_req *req, struct kvs_op_resp *ret_resp)
{
    struct kvs_txn_resp *inner = NULL;

    if (t->answer) {
        inner = arena_calloc(t->arena, 1, sizeof *inner);
        if (inner == NULL) {
            return KVS_E_NOMEM;
        }
        ret_resp->u.txn = inner;
    }
    return txn_run_path(t, req, inner);
}

static int run_op(struct txn_run *t, const struct kvs_op *op, struct kvs_op_resp *ret_resp)
{
    if (t->answer) {
        ret_resp->type = op->type;
    }
    switch (op->type) {
    case KVS_OP_RANGE:
        return run_range(t, &op->u.range, ret_resp);
    case KVS_OP_PUT:
        return run_put(t, &op->u.put, ret_resp);
    case KVS_OP_DELETE:
        return mvcc_txn_delete(t->m, &op->u.del, t->arena, t->answer ? &ret_resp->u.del : NULL);
    case KVS_OP_TXN:
        return run_txn(t, op->u.txn, ret_resp);
    case KVS_OP_NONE:
    default:
        return 0;
    }
}

static int
txn_run_path(struct txn_run *t, const struct kvs_txn_req *req, struct kvs_txn_resp *ret_resp)
{
    bool succeeded = t->path[t->path_at++];
    struct kvs_op_resp *responses = NULL;
    size_t n;
    const struct kvs_op *ops = txn_branch(req, succeeded, &n);

    if (t->answer) {
        responses = arena_calloc(t->arena, n, sizeof *responses);
        if (responses == NULL) {
            return KVS_E_NOMEM;
        }
        *ret_resp =
            (struct kvs_txn_resp){.succeeded = succeeded, .responses = responses, .n_responses = n};
    }
    for (size_t i = 0; i < n; i++) {
        int err = run_op(t, &ops[i], t->answer ? &responses[i] : NULL);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static size_t txn_count(const struct kvs_txn_req *req)
{
    size_t count = 1;

    for (size_t i = 0; i < req->n_success; i++) {
        count += req->success[i].type == KVS_OP_TXN ? txn_count(req->success[i].u.txn) : 0;
    }
    for (size_t i = 0; i < req->n_failure; i++) {
        count += req->failure[i].type == KVS_OP_TXN ? txn_count(req->failure[i].u.txn) : 0;
    }
    return count;
}

/* Steps 1 and 2. */
static int txn_prepare(struct txn_run *t, const struct kvs_txn_req *req, struct arena *scratch)
{
    int err;

    t->path = arena_calloc(scratch, txn_count(req), sizeof *t->path);
    if (t->path == NULL) {
        return KVS_E_NOMEM;
    }
    err = txn_compare(t, req);
    if (err == 0) {
        err = txn_check_path(t, req);
    }
    t->path_at = 0;
    return err;
}

int mvcc_txn_execute(struct mvcc *m,
                     const struct kvs_txn_req *req,
                     const struct mvcc_leases *leases,
                     struct arena *arena,
                     struct kvs_txn_resp *ret_resp)
{
    struct txn_run t = {.m = m,
                        .read = read_internal(m, m->state.revision),
                        .leases = leases,
                        .arena = arena,
                        .answer = ret_resp != NULL};
    int err;

    kvs_assert(m->apply.open && m->apply.n_changes == 0);
    if (m->failure != 0) {
        return m->failure;
    }
    err = txn_prepare(&t, req, &m->apply.scratch);
    if (err == 0) {
        err = txn_run_path(&t, req, ret_resp);
        kvs_assert(err == 0 || err == KVS_E_NOMEM || kvs_err_is_fatal(err));
    }
    if (err == 0 && ret_resp != NULL) {
        ret_resp->header.revision = m->state.revision + (m->apply.n_changes > 0 ? 1 : 0);
    }
    return mvcc_fail(m, err);
}

int mvcc_read_txn(struct mvcc_read *r,
                  const struct kvs_txn_req *req,
                  struct arena *arena,
                  struct kvs_txn_resp *ret_resp)
{
    struct txn_run t = {.read = *r, .arena = arena, .answer = true};
    int err;

    kvs_assert(mvcc_txn_is_readonly(req));
    err = txn_prepare(&t, req, arena);
    if (err == 0) {
        err = txn_run_path(&t, req, ret_resp);
    }
    if (err == 0) {
        ret_resp->header.revision = r->revision;
    }
    return err;
}
