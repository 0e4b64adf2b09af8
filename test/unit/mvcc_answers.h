/* What the store answers, held against the model: included by mvcc_drive.h, whose types it uses. */
#ifndef TEST_MVCC_ANSWERS_H
#define TEST_MVCC_ANSWERS_H

/* ---- Checking answers -------------------------------------------------------------------------
 */

static inline int drive_key_index(const struct drive *d, struct kvs_view key)
{
    for (int i = 0; i < d->model.n_keys; i++) {
        if (view_equal(d->model.keys[i], key)) {
            return i;
        }
    }
    kvs_assert(false);
    return -1;
}

static inline void drive_check_range_resp(const struct drive *d,
                                          const struct kvs_range_req *req,
                                          kvs_revision now,
                                          const struct kvs_range_resp *resp)
{
    struct model_range want;

    CHECK(model_range(&d->model, req, now, &want) == 0);
    CHECK(resp->header.revision == now);
    CHECK(resp->count == want.count && resp->more == want.more && resp->n_kvs == want.n);
    for (size_t i = 0; i < want.n; i++) {
        CHECK(model_matches(&d->model, want.versions[i], &resp->kvs[i], !req->keys_only));
    }
}

/* Checks the answer against the model's state before the put, then does it there. */
static inline void drive_model_put(struct drive *d,
                                   const struct kvs_put_req *req,
                                   int err,
                                   const struct kvs_put_resp *resp)
{
    int key = drive_key_index(d, req->key);
    int old = model_get(&d->model, key, d->model.revision + 1);
    unsigned value = req->ignore_value ? 0 : drive_value_number(d, req->value);
    bool done = model_put(&d->model, key, value, req->lease, req->ignore_value, req->ignore_lease);

    CHECK(err == (done ? 0 : KVS_E_KEY_NOT_FOUND));
    if (!done || resp == NULL) {
        return;
    }
    CHECK(resp->header.revision == d->model.revision + 1);
    CHECK(resp->has_prev == (req->prev_kv && old >= 0));
    CHECK(!resp->has_prev || model_matches(&d->model, old, &resp->prev_kv, true));
}

static inline void drive_model_delete(struct drive *d,
                                      const struct kvs_delete_req *req,
                                      const struct kvs_delete_resp *resp)
{
    int first = d->model.n_versions;
    int64_t deleted = model_delete(&d->model, req->key, req->range_end);

    CHECK(resp->deleted == deleted);
    CHECK(resp->header.revision == model_now(&d->model));
    CHECK(resp->n_prev_kvs == (req->prev_kv ? (size_t)deleted : 0));
    for (size_t i = 0; i < resp->n_prev_kvs; i++) {
        int prev = d->model.versions[first + (int)i].prev;

        CHECK(model_matches(&d->model, prev, &resp->prev_kvs[i], true));
    }
}

/* The outcome of each transaction on the path, as the model sees it at the start. */
static inline void
drive_model_path(const struct drive *d, const struct kvs_txn_req *txn, bool *path, size_t *n)
{
    bool succeeded = true;

    for (size_t i = 0; i < txn->n_compares && succeeded; i++) {
        succeeded = model_compare(&d->model, &txn->compares[i]);
    }
    path[(*n)++] = succeeded;
    for (size_t i = 0; i < (succeeded ? txn->n_success : txn->n_failure); i++) {
        const struct kvs_op *op = succeeded ? &txn->success[i] : &txn->failure[i];

        if (op->type == KVS_OP_TXN) {
            drive_model_path(d, op->u.txn, path, n);
        }
    }
}

/* First refusal on the path, on the model's state at the start. */
static inline int drive_model_refusal(const struct drive *d,
                                      const struct kvs_txn_req *txn,
                                      const bool *path,
                                      size_t *at)
{
    bool succeeded = path[(*at)++];

    for (size_t i = 0; i < (succeeded ? txn->n_success : txn->n_failure); i++) {
        const struct kvs_op *op = succeeded ? &txn->success[i] : &txn->failure[i];
        int err = 0;

        if (op->type == KVS_OP_TXN) {
            err = drive_model_refusal(d, op->u.txn, path, at);
        } else if (op->type == KVS_OP_RANGE && op->u.range.revision > d->model.revision) {
            err = KVS_E_FUTURE_REV;
        } else if (op->type == KVS_OP_RANGE && op->u.range.revision > 0 &&
                   op->u.range.revision < d->model.compact) {
            err = KVS_E_COMPACTED;
        } else if (op->type == KVS_OP_PUT && (op->u.put.ignore_value || op->u.put.ignore_lease) &&
                   model_get(&d->model, drive_key_index(d, op->u.put.key), d->model.revision) < 0) {
            err = KVS_E_KEY_NOT_FOUND;
        }
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

/* A put that keeps value or lease of a key which the same transaction has deleted does nothing. */
static inline void
drive_model_txn_put(struct drive *d, const struct kvs_put_req *req, const struct kvs_put_resp *resp)
{
    int key = drive_key_index(d, req->key);

    if ((req->ignore_value || req->ignore_lease) &&
        model_get(&d->model, key, d->model.revision + 1) < 0) {
        return;
    }
    drive_model_put(d, req, 0, resp);
}

/* Does the path in the model, comparing each answer on the way. */
static inline void drive_model_txn(struct drive *d,
                                   const struct kvs_txn_req *txn,
                                   const bool *path,
                                   size_t *at,
                                   const struct kvs_txn_resp *resp)
{
    bool succeeded = path[(*at)++];
    size_t n = succeeded ? txn->n_success : txn->n_failure;

    CHECK(resp->succeeded == succeeded && resp->n_responses == n);
    for (size_t i = 0; i < n; i++) {
        const struct kvs_op *op = succeeded ? &txn->success[i] : &txn->failure[i];
        const struct kvs_op_resp *r = &resp->responses[i];

        CHECK(r->type == op->type);
        if (op->type == KVS_OP_PUT) {
            drive_model_txn_put(d, &op->u.put, &r->u.put);
        } else if (op->type == KVS_OP_DELETE) {
            drive_model_delete(d, &op->u.del, &r->u.del);
        } else if (op->type == KVS_OP_RANGE) {
            drive_check_range_resp(d, &op->u.range, model_now(&d->model), &r->u.range);
        } else {
            drive_model_txn(d, op->u.txn, path, at, r->u.txn);
        }
    }
}

/* Events must be the model's new versions, in order, previous states included. */
static inline void
drive_check_commit(const struct drive *d, int first, const struct mvcc_commit *commit)
{
    CHECK(commit->revision == d->model.revision);
    CHECK((int)commit->n_events == d->model.n_versions - first);
    for (size_t i = 0; i < commit->n_events; i++) {
        const struct model_version *v = &d->model.versions[first + (int)i];
        const struct kvs_event *event = &commit->events[i];

        CHECK(event->type == (v->tombstone ? KVS_EVENT_DELETE : KVS_EVENT_PUT));
        CHECK(model_matches(&d->model, first + (int)i, &event->kv, true));
        CHECK(event->has_prev == (v->prev >= 0));
        CHECK(!event->has_prev || model_matches(&d->model, v->prev, &event->prev_kv, true));
    }
}

#endif
