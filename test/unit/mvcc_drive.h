/* Drives a store and the model of it with the same operations, with storing, crashes, compaction,
 * snapshots and long-lived reads in between. Where the choices come from (a seed, a fuzzer's
 * bytes) is the caller's business. A second store applies the same entries with storing at other
 * times: hashes must agree all the same. */
#ifndef TEST_MVCC_DRIVE_H
#define TEST_MVCC_DRIVE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/rand.h"
#include "mvcc/mvcc.h"
#include "mvcc_model.h"

#define DRIVE_ENTRIES_MAX 20000
#define DRIVE_LEASES      4

/* Choices: from the bytes while there are any, if there are; else from the seed. */
struct choices {
    const uint8_t *bytes; /* NULL: seed */
    size_t len;
    size_t at;
    struct rng rng;
};

static inline uint64_t choose(struct choices *c, uint64_t bound)
{
    uint64_t value = 0;

    if (c->bytes == NULL) {
        return rng_below(&c->rng, bound);
    }
    for (uint64_t left = bound - 1; left > 0; left >>= 8) {
        value = value << 8 | (c->at < c->len ? c->bytes[c->at++] : 0);
    }
    return value % bound;
}

static inline bool choose_percent(struct choices *c, unsigned percent)
{
    return choose(c, 100) < percent;
}

static inline bool choices_left(const struct choices *c)
{
    return c->bytes == NULL || c->at < c->len;
}

enum entry_kind { ENTRY_NOOP, ENTRY_PUT, ENTRY_DELETE, ENTRY_TXN, ENTRY_COMPACT, ENTRY_META };

struct entry {
    enum entry_kind kind;
    struct kvs_put_req put;
    struct kvs_delete_req del;
    struct kvs_txn_req *txn;
    kvs_revision compact;
    unsigned meta_key;
    unsigned meta_value; /* 0: delete */
};

struct drive_store {
    char dir[64];
    struct backend_inline device;
    struct mvcc *m;
    uint64_t now_ms;
};

struct drive {
    struct choices c;
    struct model model;
    struct drive_store a; /* crashes */
    struct drive_store b; /* stores rarely */
    struct arena keep;    /* bytes of the entries */
    struct entry *log;    /* log[i] has index i + 1 */
    uint64_t n_log;
    unsigned meta[8]; /* expected records of table alarms */
    /* A read that stays open, and what it saw. */
    bool reading;
    struct mvcc_read read;
    kvs_revision read_rev;
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "at entry %llu: ", (unsigned long long)d->n_log);                      \
            kvs_assert(condition);                                                                 \
        }                                                                                          \
    } while (0)

static inline bool drive_lease_exists(void *ctx, kvs_lease_id id)
{
    (void)ctx;
    return id > 0 && id < DRIVE_LEASES;
}

static const struct mvcc_leases drive_leases = {drive_lease_exists, NULL};

/* ---- Stores --------------------------------------------------------------------------------- */

static inline void drive_store_open(struct drive_store *s)
{
    struct mvcc_options options;
    struct kvs_error error;
    int err;

    mvcc_options_init(&options);
    options.dir = s->dir;
    options.map_bytes = (size_t)256 << 20;
    options.device = &s->device.device;
    options.freeze_bytes = 64 << 10;
    options.compact_step = 7;
    options.compact_window_bytes = 300; /* a handful of keys */
    options.count_keep_min = 2;
    options.hash_seed = 42;
    backend_inline_init(&s->device);
    err = mvcc_open(&options, &s->m, &error);
    if (err != 0) {
        fprintf(stderr, "open: %s\n", error.msg);
    }
    kvs_assert(err == 0);
}

static inline void drive_store_new(struct drive_store *s)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(s->dir, sizeof s->dir, "%s/mvcc.XXXXXX",
             tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    kvs_assert(mkdtemp(s->dir) != NULL);
    drive_store_open(s);
}

static inline void drive_store_free(struct drive_store *s)
{
    char path[128];

    backend_inline_drop(&s->device);
    mvcc_close(s->m);
    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", s->dir);
    (void)unlink(path);
    (void)rmdir(s->dir);
}

/* ---- Entries -------------------------------------------------------------------------------- */

static inline int drive_key(struct drive *d)
{
    return (int)choose(&d->c, (uint64_t)d->model.n_keys);
}

static inline void drive_range(struct drive *d, struct kvs_view *begin, struct kvs_view *end)
{
    uint64_t kind = choose(&d->c, 8);

    *begin = d->model.keys[drive_key(d)];
    *end = kind < 3    ? (struct kvs_view){0}
           : kind == 3 ? VIEW_LITERAL("\0")
           : kind == 4 ? VIEW_LITERAL("/reg/b")
                       : d->model.keys[drive_key(d)];
    if (kind == 7) {
        *begin = VIEW_LITERAL("/");
        *end = VIEW_LITERAL("0");
    }
}

static inline struct kvs_view drive_value(struct drive *d, unsigned value)
{
    char bytes[MODEL_VALUE_MAX];
    struct kvs_view view;

    kvs_assert(arena_copy(&d->keep, view_make(bytes, model_value(value, bytes)), &view) == 0);
    return view;
}

/* The number that made a value can be had back from the request for the model. */
static inline unsigned drive_value_number(const struct drive *d, struct kvs_view value)
{
    char bytes[MODEL_VALUE_MAX];

    (void)d;
    for (unsigned number = 0; number < 1000; number++) {
        if (view_equal(view_make(bytes, model_value(number, bytes)), value)) {
            return number;
        }
    }
    kvs_assert(false);
    return 0;
}

static inline struct kvs_put_req drive_put(struct drive *d)
{
    struct kvs_put_req put = {.key = d->model.keys[drive_key(d)]};

    put.prev_kv = choose_percent(&d->c, 30);
    put.ignore_value = choose_percent(&d->c, 8);
    put.ignore_lease = choose_percent(&d->c, 8);
    if (!put.ignore_value) {
        put.value = drive_value(d, (unsigned)choose(&d->c, 1000));
    }
    if (!put.ignore_lease) {
        put.lease = (kvs_lease_id)choose(&d->c, DRIVE_LEASES);
    }
    return put;
}

static inline struct kvs_delete_req drive_delete(struct drive *d)
{
    struct kvs_delete_req del = {.prev_kv = choose_percent(&d->c, 30)};

    drive_range(d, &del.key, &del.range_end);
    return del;
}

static inline kvs_revision drive_revision(struct drive *d)
{
    if (choose_percent(&d->c, 40)) {
        return 0;
    }
    return (kvs_revision)choose(&d->c, (uint64_t)d->model.revision + 2);
}

static inline struct kvs_range_req drive_range_req(struct drive *d)
{
    struct kvs_range_req req = {0};

    drive_range(d, &req.key, &req.range_end);
    req.revision = drive_revision(d);
    req.limit = choose_percent(&d->c, 40) ? (int64_t)choose(&d->c, 12) : 0;
    req.keys_only = choose_percent(&d->c, 20);
    req.count_only = choose_percent(&d->c, 20);
    if (choose_percent(&d->c, 30)) {
        req.sort_order = (int)choose(&d->c, 3);
        req.sort_target = (int)choose(&d->c, 5);
    }
    if (choose_percent(&d->c, 10)) {
        req.min_mod_revision = drive_revision(d);
        req.max_create_revision = drive_revision(d);
    } else if (choose_percent(&d->c, 10)) {
        req.max_mod_revision = drive_revision(d);
        req.min_create_revision = drive_revision(d);
    }
    return req;
}

static inline struct kvs_compare drive_compare(struct drive *d)
{
    struct kvs_compare c = {.result = (int)choose(&d->c, 4), .target = (int)choose(&d->c, 5)};

    drive_range(d, &c.key, &c.range_end);
    if (choose_percent(&d->c, 70)) {
        c.range_end = (struct kvs_view){0};
    }
    if (c.target == KVS_COMPARE_VALUE) {
        c.value = drive_value(d, (unsigned)choose(&d->c, 1000));
    } else {
        c.number = (int64_t)choose(&d->c, 4);
    }
    return c;
}

static inline struct kvs_txn_req *drive_txn(struct drive *d, unsigned depth);

static inline struct kvs_op *drive_ops(struct drive *d, unsigned depth, size_t *ret_n)
{
    size_t n = (size_t)choose(&d->c, 4);
    struct kvs_op *ops = arena_calloc(&d->keep, n, sizeof *ops);

    kvs_assert(ops != NULL);
    for (size_t i = 0; i < n; i++) {
        uint64_t kind = choose(&d->c, 10);

        if (kind < 5) {
            ops[i].type = KVS_OP_PUT;
            ops[i].u.put = drive_put(d);
        } else if (kind < 7) {
            ops[i].type = KVS_OP_DELETE;
            ops[i].u.del = drive_delete(d);
        } else if (kind < 9 || depth == 0) {
            ops[i].type = KVS_OP_RANGE;
            ops[i].u.range = drive_range_req(d);
            ops[i].u.range.revision = choose_percent(&d->c, 20) ? drive_revision(d) : 0;
        } else {
            ops[i].type = KVS_OP_TXN;
            ops[i].u.txn = drive_txn(d, depth - 1);
        }
    }
    *ret_n = n;
    return ops;
}

static inline struct kvs_txn_req *drive_txn(struct drive *d, unsigned depth)
{
    struct kvs_txn_req *txn = arena_calloc(&d->keep, 1, sizeof *txn);

    kvs_assert(txn != NULL);
    txn->n_compares = (size_t)choose(&d->c, 3);
    txn->compares = arena_calloc(&d->keep, txn->n_compares, sizeof *txn->compares);
    for (size_t i = 0; i < txn->n_compares; i++) {
        txn->compares[i] = drive_compare(d);
    }
    txn->success = drive_ops(d, depth, &txn->n_success);
    txn->failure = drive_ops(d, depth, &txn->n_failure);
    return txn;
}

#include "mvcc_answers.h"

/* ---- Applying ---------------------------------------------------------------------------------
 */

struct outcome {
    int err;
    struct kvs_put_resp put;
    struct kvs_delete_resp del;
    struct kvs_txn_resp txn;
    struct mvcc_commit commit;
};

static inline void drive_meta_bytes(unsigned number, char bytes[16], struct kvs_view *view)
{
    *view = view_make(bytes, (size_t)snprintf(bytes, 16, "m%u", number));
}

static inline int drive_apply_meta(struct mvcc *m, const struct entry *e)
{
    char key_bytes[16];
    char value_bytes[16];
    struct kvs_view key;
    struct kvs_view value;

    drive_meta_bytes(e->meta_key, key_bytes, &key);
    drive_meta_bytes(e->meta_value, value_bytes, &value);
    return e->meta_value == 0 ? mvcc_meta_delete(m, BACKEND_ALARMS, key)
                              : mvcc_meta_put(m, BACKEND_ALARMS, key, value);
}

/* `answer` false: as on a member where nobody waits. */
static inline void drive_apply(struct mvcc *m,
                               const struct entry *e,
                               uint64_t index,
                               bool answer,
                               struct arena *arena,
                               struct outcome *out)
{
    *out = (struct outcome){0};
    if (e->kind == ENTRY_COMPACT) {
        out->err = mvcc_compact(m, e->compact, index, 1);
        return;
    }
    if (e->kind == ENTRY_NOOP) {
        mvcc_set_applied(m, index, 1);
        return;
    }
    mvcc_txn_begin(m, index, 1);
    if (e->kind == ENTRY_PUT) {
        out->err = mvcc_txn_put(m, &e->put, arena, answer ? &out->put : NULL);
    } else if (e->kind == ENTRY_DELETE) {
        out->err = mvcc_txn_delete(m, &e->del, arena, answer ? &out->del : NULL);
    } else if (e->kind == ENTRY_TXN) {
        out->err = mvcc_txn_execute(m, e->txn, &drive_leases, arena, answer ? &out->txn : NULL);
    } else {
        out->err = drive_apply_meta(m, e);
    }
    mvcc_txn_end(m, &out->commit);
}

/* Applies the entry to the model and compares what the store answered. */
static inline void
drive_model_apply(struct drive *d, const struct entry *e, const struct outcome *out)
{
    int first = d->model.n_versions;
    bool path[64];
    size_t n = 0;
    size_t at = 0;

    if (e->kind == ENTRY_COMPACT) {
        int want = e->compact <= d->model.compact   ? KVS_E_COMPACTED
                   : e->compact > d->model.revision ? KVS_E_FUTURE_REV
                                                    : 0;

        CHECK(out->err == want);
        d->model.compact = want == 0 ? e->compact : d->model.compact;
        return;
    }
    if (e->kind == ENTRY_NOOP) {
        return;
    }
    model_begin(&d->model);
    if (e->kind == ENTRY_PUT) {
        drive_model_put(d, &e->put, out->err, &out->put);
    } else if (e->kind == ENTRY_DELETE) {
        CHECK(out->err == 0);
        drive_model_delete(d, &e->del, &out->del);
    } else if (e->kind == ENTRY_TXN) {
        int refusal;

        drive_model_path(d, e->txn, path, &n);
        refusal = drive_model_refusal(d, e->txn, path, &at);
        CHECK(out->err == refusal);
        if (refusal == 0) {
            at = 0;
            drive_model_txn(d, e->txn, path, &at, &out->txn);
        }
    } else {
        d->meta[e->meta_key] = e->meta_value;
    }
    model_end(&d->model);
    drive_check_commit(d, first, &out->commit);
    if (e->kind == ENTRY_TXN && out->err == 0) {
        CHECK(out->txn.header.revision == d->model.revision);
    }
}

static inline bool drive_make_entry(struct drive *d, struct entry *e)
{
    uint64_t kind = choose(&d->c, 100);

    *e = (struct entry){0};
    if (kind < 50) {
        e->kind = ENTRY_PUT;
        e->put = drive_put(d);
        return mvcc_put_check(&e->put) == 0;
    }
    if (kind < 60) {
        e->kind = ENTRY_DELETE;
        e->del = drive_delete(d);
        return true;
    }
    if (kind < 90) {
        e->kind = ENTRY_TXN;
        e->txn = drive_txn(d, 2);
        return mvcc_txn_check(e->txn, 128) == 0;
    }
    if (kind < 94) {
        e->kind = ENTRY_COMPACT;
        e->compact = choose_percent(&d->c, 10)
                         ? (kvs_revision)choose(&d->c, (uint64_t)d->model.revision + 2)
                         : d->model.compact + (kvs_revision)choose(&d->c, 30);
        return true;
    }
    e->kind = kind < 97 ? ENTRY_META : ENTRY_NOOP;
    e->meta_key = (unsigned)choose(&d->c, 8);
    e->meta_value = (unsigned)choose(&d->c, 3);
    return true;
}

static inline void drive_entry(struct drive *d)
{
    struct entry *e = &d->log[d->n_log];
    struct outcome out_a;
    struct outcome out_b;
    struct arena arena;

    if (d->n_log == DRIVE_ENTRIES_MAX || d->model.n_versions > MODEL_VERSIONS_MAX - 2000 ||
        !drive_make_entry(d, e)) {
        return;
    }
    arena_init(&arena, 0);
    d->n_log++;
    drive_apply(d->a.m, e, d->n_log, true, &arena, &out_a);
    drive_apply(d->b.m, e, d->n_log, false, &arena, &out_b);
    CHECK(out_a.err == out_b.err && out_a.commit.revision == out_b.commit.revision);
    drive_model_apply(d, e, &out_a);
    arena_fini(&arena);
    mvcc_check(d->a.m);
}

/* ---- Asking -----------------------------------------------------------------------------------
 */

static inline void drive_check_get(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    int key = drive_key(d);
    kvs_revision rev = drive_revision(d);
    struct kvs_kv kv;
    int err = mvcc_get(r, d->model.keys[key], rev, &kv);
    kvs_revision at = rev == 0 ? now : rev;
    int want = model_get(&d->model, key, at);

    if (rev > now || at < d->model.compact) {
        CHECK(err == (rev > now ? KVS_E_FUTURE_REV : KVS_E_COMPACTED));
        return;
    }
    CHECK(err == (want < 0 ? KVS_E_NOT_FOUND : 0));
    CHECK(err != 0 || model_matches(&d->model, want, &kv, true));
}

static inline void drive_check_range(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    struct kvs_range_req req = drive_range_req(d);
    struct kvs_range_resp resp;
    struct model_range want;
    struct arena arena;
    int64_t count;
    int err;

    arena_init(&arena, 0);
    CHECK(mvcc_range_check(&req) == 0);
    err = mvcc_range(r, &req, &arena, &resp);
    CHECK(err == model_range(&d->model, &req, now, &want));
    if (err == 0) {
        drive_check_range_resp(d, &req, now, &resp);
        CHECK(mvcc_count(r, req.key, req.range_end, req.revision, &count) == 0);
        CHECK(count == want.count);
    }
    arena_fini(&arena);
}

static inline void drive_check_iter(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    struct kvs_range_req req = {0};
    struct mvcc_iter *it;
    struct model_range want;
    struct kvs_kv kv;
    int err;

    drive_range(d, &req.key, &req.range_end);
    req.revision = drive_revision(d);
    err = mvcc_iter_open(r, req.key, req.range_end, req.revision, &it);
    CHECK(err == model_range(&d->model, &req, now, &want));
    if (err != 0) {
        return;
    }
    for (size_t i = 0; i < want.n; i++) {
        CHECK(mvcc_iter_next(it, &kv) == 0);
        CHECK(model_matches(&d->model, want.versions[i], &kv, true));
    }
    CHECK(mvcc_iter_next(it, &kv) == KVS_E_NOT_FOUND);
    mvcc_iter_close(it);
}

static inline void drive_check_history(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    kvs_revision from = (kvs_revision)choose(&d->c, (uint64_t)now + 2);
    kvs_revision to = drive_revision(d);
    kvs_revision last = to > 0 && to < now ? to : now;
    struct mvcc_history *h;
    struct kvs_event event;
    struct kvs_kv prev;
    int err = mvcc_history_open(r, from, to, &h);

    CHECK(err == (from < d->model.compact ? KVS_E_COMPACTED : 0));
    if (err != 0) {
        return;
    }
    for (int i = 0; i < d->model.n_versions; i++) {
        const struct model_version *v = &d->model.versions[i];
        bool has_prev = v->prev >= 0 && v->main > d->model.compact;

        if (v->main < from || v->main > last) {
            continue;
        }
        CHECK(mvcc_history_next(h, &event) == 0);
        CHECK(event.type == (v->tombstone ? KVS_EVENT_DELETE : KVS_EVENT_PUT));
        CHECK(model_matches(&d->model, i, &event.kv, true));
        CHECK(event.has_prev == has_prev);
        CHECK(mvcc_history_prev(h, &prev) == (has_prev ? 0 : KVS_E_NOT_FOUND));
        CHECK(!has_prev || model_matches(&d->model, v->prev, &prev, true));
    }
    CHECK(mvcc_history_next(h, &event) == KVS_E_NOT_FOUND);
    CHECK(mvcc_history_next(h, &event) == KVS_E_NOT_FOUND);
    mvcc_history_close(h);
}

static inline void drive_check_leases(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    kvs_lease_id lease = 1 + (kvs_lease_id)choose(&d->c, DRIVE_LEASES - 1);
    struct kvs_view *keys;
    struct arena arena;
    size_t n;
    size_t i = 0;

    arena_init(&arena, 0);
    CHECK(mvcc_lease_keys(r, lease, &arena, &keys, &n) == 0);
    for (int key = 0; key < d->model.n_keys; key++) {
        int at = model_get(&d->model, key, now);

        if (at >= 0 && d->model.versions[at].lease == lease) {
            CHECK(i < n && view_equal(keys[i], d->model.keys[key]));
            i++;
        }
    }
    CHECK(i == n);
    arena_fini(&arena);
}

static inline uint64_t drive_hash(struct drive *d, struct mvcc *m, kvs_revision rev, size_t step)
{
    struct mvcc_hash_result result;
    struct mvcc_hash *h;
    int err;

    CHECK(mvcc_hash_begin(m, rev, &h) == 0);
    while ((err = mvcc_hash_run(h, step)) == KVS_E_AGAIN) {
    }
    CHECK(err == 0);
    mvcc_hash_end(h, &result);
    CHECK(result.revision == rev && result.current_revision == d->model.revision);
    return result.hash;
}

static inline void drive_check_hash(struct drive *d)
{
    kvs_revision low = d->model.compact > 1 ? d->model.compact : 1;
    kvs_revision rev = low + (kvs_revision)choose(&d->c, (uint64_t)(d->model.revision - low) + 1);

    CHECK(drive_hash(d, d->a.m, rev, 5) == drive_hash(d, d->b.m, rev, 1000));
}

static inline int drive_meta_seen(void *ctx, struct kvs_view key, struct kvs_view value)
{
    unsigned *seen = ctx;

    seen[((const char *)key.data)[1] - '0'] = (unsigned)(((const char *)value.data)[1] - '0');
    return 0;
}

static inline void drive_ask(struct drive *d, struct mvcc_read *r, kvs_revision now)
{
    switch (choose(&d->c, 6)) {
    case 0:
        drive_check_get(d, r, now);
        break;
    case 1:
    case 2:
        drive_check_range(d, r, now);
        break;
    case 3:
        drive_check_iter(d, r, now);
        break;
    case 4:
        drive_check_history(d, r, now);
        break;
    default:
        drive_check_leases(d, r, now);
        break;
    }
}

static inline void drive_ask_now(struct drive *d)
{
    struct mvcc_read r;

    mvcc_read_begin(d->a.m, &r);
    drive_ask(d, &r, d->model.revision);
    mvcc_read_end(&r);
}

/* A read that was opened long ago sees what it saw, whatever has been stored since. The compacted
 * revision is the one it was opened with, so the model is asked with that. */
static inline void drive_ask_old(struct drive *d)
{
    kvs_revision compact = d->model.compact;

    if (!d->reading) {
        mvcc_read_begin(d->a.m, &d->read);
        d->read_rev = d->model.revision;
        d->reading = true;
        return;
    }
    d->model.compact = d->read.compact_revision;
    drive_ask(d, &d->read, d->read_rev);
    d->model.compact = compact;
    if (choose_percent(&d->c, 30)) {
        mvcc_read_end(&d->read);
        d->reading = false;
    }
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static inline void drive_end_reading(struct drive *d)
{
    if (d->reading) {
        mvcc_read_end(&d->read);
        d->reading = false;
    }
}

static inline void drive_replay(struct drive *d, struct drive_store *s)
{
    struct outcome out;

    while (mvcc_applied_index(s->m) < d->n_log) {
        uint64_t at = mvcc_applied_index(s->m);

        drive_apply(s->m, &d->log[at], at + 1, false, NULL, &out);
    }
    CHECK(mvcc_revision(s->m) == d->model.revision);
    CHECK(mvcc_compact_revision(s->m) == (d->model.compact > 0 ? d->model.compact : 0));
}

static inline void drive_crash(struct drive *d)
{
    uint64_t stored = mvcc_stored_index(d->a.m);

    drive_end_reading(d);
    backend_inline_drop(&d->a.device);
    mvcc_close(d->a.m);
    drive_store_open(&d->a);
    CHECK(mvcc_applied_index(d->a.m) >= stored);
    drive_replay(d, &d->a);
}

/* After compaction has come to its end, the tables hold exactly what is to be kept. */
static inline void drive_check_space(struct drive *d)
{
    struct backend *backend = mvcc_backend_ref(d->a.m);
    struct backend_txn *txn;
    uint64_t hist = 0;
    uint64_t cur = 0;
    uint64_t leases = 0;

    for (int i = 0; mvcc_physical_revision(d->a.m) < mvcc_compact_revision(d->a.m); i++) {
        CHECK(i < DRIVE_ENTRIES_MAX);
        d->a.now_ms += 20;
        mvcc_tick(d->a.m, d->a.now_ms);
        backend_inline_drain(&d->a.device);
    }
    for (int i = 0; i < d->model.n_versions; i++) {
        const struct model_version *v = &d->model.versions[i];

        hist += v->main >= d->model.compact ||
                (!v->tombstone && model_newest(&d->model, v->key, d->model.compact) == i);
    }
    for (int key = 0; key < d->model.n_keys; key++) {
        int at = model_get(&d->model, key, d->model.revision);

        cur += at >= 0;
        leases += at >= 0 && d->model.versions[at].lease != 0;
    }
    CHECK(backend_read_begin(backend, &txn) == 0);
    CHECK(backend_count(txn, BACKEND_HIST) == hist && backend_count(txn, BACKEND_IDX) == hist);
    CHECK(backend_count(txn, BACKEND_CUR) == cur &&
          backend_count(txn, BACKEND_LEASE_KEYS) == leases);
    backend_end(txn);
    backend_unref(backend);
}

/* Everything stored, then a restart: nothing is replayed, so the tables alone are the state. */
static inline void drive_restart(struct drive *d)
{
    unsigned seen[8] = {0};

    drive_end_reading(d);
    mvcc_flush(d->a.m);
    backend_inline_drain(&d->a.device);
    CHECK(mvcc_is_clean(d->a.m) && mvcc_stored_index(d->a.m) == d->n_log);
    if (choose_percent(&d->c, 50)) {
        drive_check_space(d);
    }
    mvcc_close(d->a.m);
    drive_store_open(&d->a);
    CHECK(mvcc_applied_index(d->a.m) == d->n_log);
    CHECK(mvcc_meta_scan(d->a.m, BACKEND_ALARMS, drive_meta_seen, seen) == 0);
    CHECK(memcmp(seen, d->meta, sizeof seen) == 0);
}

/* Store b's state replaces that of a, as for a member that fell behind. */
static inline void drive_install(struct drive *d)
{
    struct backend *backend = mvcc_backend_ref(d->b.m);
    struct mvcc_snapshot s;
    char path[128];
    char from[64];

    backend_inline_drain(&d->a.device);
    backend_inline_drain(&d->b.device);
    CHECK(mvcc_snapshot_take(backend, d->b.dir, &s) == 0);
    backend_unref(backend);
    CHECK(s.index == mvcc_stored_index(d->b.m) && s.index <= d->n_log);
    snprintf(path, sizeof path, "%s/incoming", d->a.dir);
    snprintf(from, sizeof from, "/proc/self/fd/%d", s.fd);
    CHECK(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ||
          rename(from, path) == 0);
    close(s.fd);
    CHECK(mvcc_install(d->a.m, path) == 0);
    CHECK(mvcc_applied_index(d->a.m) == s.index && mvcc_revision(d->a.m) == s.revision);
    drive_replay(d, &d->a);
}

static inline void drive_step(struct drive *d)
{
    uint64_t kind = choose(&d->c, 1000);

    if (kind < 500) {
        drive_entry(d);
    } else if (kind < 700) {
        drive_ask_now(d);
    } else if (kind < 760) {
        drive_ask_old(d);
    } else if (kind < 860) {
        d->a.now_ms += choose(&d->c, 600);
        mvcc_tick(d->a.m, d->a.now_ms);
    } else if (kind < 940) {
        (void)backend_inline_step(&d->a.device);
        mvcc_check(d->a.m);
    } else if (kind < 960) {
        mvcc_flush(d->a.m);
    } else if (kind < 970) {
        mvcc_flush(d->b.m);
        (void)backend_inline_step(&d->b.device);
    } else if (kind < 985) {
        drive_check_hash(d);
    } else if (kind < 992) {
        drive_crash(d);
    } else if (kind < 996) {
        drive_restart(d);
    } else {
        drive_install(d);
    }
}

static inline void drive_init(struct drive *d, struct choices choices)
{
    *d = (struct drive){.c = choices};
    model_init(&d->model);
    arena_init(&d->keep, 0);
    d->log = calloc(DRIVE_ENTRIES_MAX, sizeof *d->log);
    kvs_assert(d->log != NULL);
    drive_store_new(&d->a);
    drive_store_new(&d->b);
}

static inline void drive_fini(struct drive *d)
{
    drive_end_reading(d);
    drive_check_hash(d);
    drive_restart(d);
    drive_check_hash(d);
    drive_store_free(&d->a);
    drive_store_free(&d->b);
    model_fini(&d->model);
    arena_fini(&d->keep);
    free(d->log);
}

#endif
