/* Applying: single operations of the open transaction.
 *
 * Changes go straight into the active generation under the next revision, which no reader looks at
 * before mvcc_txn_end; there is no undo, so whatever can be refused is refused before the first
 * change. Running out of memory or a damaged record half-way is the store's failure: the process
 * has to stop, and the log replays the entry. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"
#include "mvcc/range.h"

#define APPLY_KEEP_EVENTS 4096
#define APPLY_KEEP_BYTES  ((size_t)1 << 20)

int mvcc_put_check(const struct kvs_put_req *req)
{
    if (req->key.len == 0) {
        return KVS_E_EMPTY_KEY;
    }
    if (req->ignore_value && req->value.len > 0) {
        return KVS_E_VALUE_PROVIDED;
    }
    if (req->ignore_lease && req->lease != 0) {
        return KVS_E_LEASE_PROVIDED;
    }
    return 0;
}

int mvcc_delete_check(const struct kvs_delete_req *req)
{
    return req->key.len == 0 ? KVS_E_EMPTY_KEY : 0;
}

/* One huge entry shall not hold on to its memory. */
static void apply_trim(struct apply *a)
{
    if (a->events_capacity > APPLY_KEEP_EVENTS) {
        kvs_free(a->events);
        a->events = NULL;
        a->events_capacity = 0;
    }
    if (a->scratch.used_bytes > APPLY_KEEP_BYTES) {
        arena_fini(&a->scratch);
    } else {
        arena_reset(&a->scratch);
    }
}

void mvcc_txn_begin(struct mvcc *m, uint64_t index, uint64_t term)
{
    kvs_assert(!m->apply.open && index > m->state.index && term >= m->state.term);
    m->apply.open = true;
    m->apply.index = index;
    m->apply.term = term;
    m->apply.n_changes = 0;
    m->apply.owner = NULL;
    apply_trim(&m->apply);
}

void mvcc_txn_lend(struct mvcc *m, struct rcbuf *owner)
{
    kvs_assert(m->apply.open);
    m->apply.owner = owner;
}

void mvcc_txn_end(struct mvcc *m, struct mvcc_commit *ret_commit)
{
    kvs_assert(m->apply.open);
    m->apply.open = false;
    if (m->apply.n_changes > 0) {
        m->state.revision++;
    }
    *ret_commit = (struct mvcc_commit){m->state.revision, m->apply.events, m->apply.n_changes};
    mvcc_set_applied(m, m->apply.index, m->apply.term);
}

void mvcc_set_applied(struct mvcc *m, uint64_t index, uint64_t term)
{
    kvs_assert(!m->apply.open && index > m->state.index && term >= m->state.term);
    m->state.index = index;
    m->state.term = term;
    mvcc_active(m)->dirty = true;
}

static int meta_add(struct mvcc *m,
                    enum backend_table table,
                    struct kvs_view key,
                    struct kvs_view value,
                    bool deleted)
{
    kvs_assert(table >= BACKEND_LEASES && table < BACKEND_TABLE_COUNT);
    kvs_assert(key.len > 0 && key.len <= BACKEND_KEY_MAX);
    return mvcc_fail(m, gen_add_meta(mvcc_active(m), table, key, value, deleted));
}

int mvcc_meta_put(struct mvcc *m,
                  enum backend_table table,
                  struct kvs_view key,
                  struct kvs_view value)
{
    return meta_add(m, table, key, value, false);
}

int mvcc_meta_delete(struct mvcc *m, enum backend_table table, struct kvs_view key)
{
    return meta_add(m, table, key, (struct kvs_view){0}, true);
}

/* The revision of the open transaction's changes; reads at it see them. */
static kvs_revision apply_revision(const struct mvcc *m)
{
    return m->state.revision + 1;
}

/* What a header shows: the new revision as soon as there is a change. */
static kvs_revision apply_header_revision(const struct mvcc *m)
{
    return m->state.revision + (m->apply.n_changes > 0 ? 1 : 0);
}

static int apply_reserve_event(struct apply *a)
{
    size_t capacity = a->events_capacity > 0 ? a->events_capacity * 2 : 16;
    struct kvs_event *events;

    if (a->n_changes < a->events_capacity) {
        return 0;
    }
    events = kvs_realloc(a->events, capacity * sizeof *events);
    if (events == NULL) {
        return KVS_E_NOMEM;
    }
    a->events = events;
    a->events_capacity = capacity;
    return 0;
}

/* Adds the change `r` of a key that was `old` before (NULL: absent). */
static int apply_change(struct mvcc *m, struct record *r, uint64_t hash, const struct record *old)
{
    struct gen_version *v;
    struct kvs_event *event;
    int err = apply_reserve_event(&m->apply);

    if (err != 0) {
        return err;
    }
    r->mod = (struct rev){apply_revision(m), m->apply.n_changes};
    r->prev = old != NULL ? old->mod : (struct rev){0};
    err = gen_add(mvcc_active(m), r, hash, old != NULL ? old->lease : 0, m->apply.owner, &v);
    if (err != 0) {
        return err;
    }
    event = &m->apply.events[m->apply.n_changes++];
    *event = (struct kvs_event){.type = r->tombstone ? KVS_EVENT_DELETE : KVS_EVENT_PUT,
                                .has_prev = old != NULL};
    record_to_kv(&v->record, &event->kv);
    if (old != NULL) {
        record_to_kv(old, &event->prev_kv);
        event->prev_kv.key = v->record.key;
    }
    return 0;
}

/* Reads as the transaction sees the key. `*ret_old` is NULL or `buffer`. */
static int apply_lookup(struct mvcc *m,
                        struct kvs_view key,
                        uint64_t hash,
                        struct record *buffer,
                        const struct record **ret_old)
{
    int err = view_get(m->view, key, hash, apply_revision(m), true, buffer);

    if (err != 0 && err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_old = err == 0 ? buffer : NULL;
    return 0;
}

static int apply_put(struct mvcc *m,
                     const struct kvs_put_req *req,
                     const struct record **ret_old,
                     struct record *buffer)
{
    uint64_t hash = view_hash(m->view, req->key);
    struct record r = {.key = req->key, .value = req->value, .lease = req->lease};
    const struct record *old;
    int err = apply_lookup(m, req->key, hash, buffer, &old);

    if (err != 0) {
        return err;
    }
    if ((req->ignore_value || req->ignore_lease) && old == NULL) {
        return KVS_E_KEY_NOT_FOUND;
    }
    if (req->ignore_value) {
        r.value = old->value;
    }
    if (req->ignore_lease) {
        r.lease = old->lease;
    }
    r.create = old != NULL ? old->create : apply_revision(m);
    r.version = old != NULL ? old->version + 1 : 1;
    *ret_old = old;
    return apply_change(m, &r, hash, old);
}

int mvcc_txn_put(struct mvcc *m,
                 const struct kvs_put_req *req,
                 struct arena *arena,
                 struct kvs_put_resp *ret_resp)
{
    struct kvs_put_resp resp = {0};
    const struct record *old;
    struct record buffer;
    int err;

    kvs_assert(m->apply.open && req->key.len > 0);
    if (m->failure != 0) {
        return m->failure;
    }
    err = apply_put(m, req, &old, &buffer);
    if (err == 0 && ret_resp != NULL) {
        resp.header.revision = apply_revision(m);
        resp.has_prev = req->prev_kv && old != NULL;
        if (resp.has_prev) {
            record_to_kv(old, &resp.prev_kv);
            err = range_copy_kv(arena, &resp.prev_kv);
        }
        *ret_resp = resp;
    }
    return mvcc_fail(m, err);
}

/* The live records that a delete names, in key order, in the scratch arena. */
struct victims {
    struct record *records;
    size_t n;
    size_t capacity;
};

static int victims_add(struct arena *arena, struct victims *v, const struct record *r)
{
    if (v->n == v->capacity) {
        size_t capacity = v->capacity > 0 ? v->capacity * 2 : 16;
        struct record *records = arena_calloc(arena, capacity, sizeof *records);

        if (records == NULL) {
            return KVS_E_NOMEM;
        }
        if (v->n > 0) {
            memcpy(records, v->records, v->n * sizeof *records);
        }
        v->records = records;
        v->capacity = capacity;
    }
    v->records[v->n++] = *r;
    return 0;
}

static int apply_find_victims(struct mvcc *m, const struct kvs_delete_req *req, struct victims *v)
{
    struct mvcc_iter it;
    struct record record;
    int err;

    if (req->range_end.len == 0) {
        err = view_get(m->view, req->key, view_hash(m->view, req->key), apply_revision(m), true,
                       &record);
        if (err == 0) {
            return victims_add(&m->apply.scratch, v, &record);
        }
        return err == KVS_E_NOT_FOUND ? 0 : err;
    }
    err = iter_init(&it, m->view, req->key, req->range_end, apply_revision(m));
    if (err != 0) {
        return err;
    }
    while ((err = iter_next(&it, &record)) == 0 &&
           (err = victims_add(&m->apply.scratch, v, &record)) == 0) {
    }
    iter_fini(&it);
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

static int apply_delete(struct mvcc *m, const struct victims *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const struct record *old = &v->records[i];
        struct record r = {.key = old->key, .tombstone = true};
        int err = apply_change(m, &r, view_hash(m->view, old->key), old);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int
delete_respond(struct arena *arena, const struct victims *v, struct kvs_delete_resp *resp)
{
    resp->prev_kvs = arena_calloc(arena, v->n, sizeof *resp->prev_kvs);
    if (resp->prev_kvs == NULL) {
        return KVS_E_NOMEM;
    }
    resp->n_prev_kvs = v->n;
    for (size_t i = 0; i < v->n; i++) {
        int err;

        record_to_kv(&v->records[i], &resp->prev_kvs[i]);
        err = range_copy_kv(arena, &resp->prev_kvs[i]);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

int mvcc_txn_delete(struct mvcc *m,
                    const struct kvs_delete_req *req,
                    struct arena *arena,
                    struct kvs_delete_resp *ret_resp)
{
    struct kvs_delete_resp resp = {0};
    struct victims victims = {0};
    int err;

    kvs_assert(m->apply.open && req->key.len > 0);
    if (m->failure != 0) {
        return m->failure;
    }
    err = apply_find_victims(m, req, &victims);
    if (err == 0) {
        err = apply_delete(m, &victims);
    }
    if (err == 0 && ret_resp != NULL) {
        resp.header.revision = apply_header_revision(m);
        resp.deleted = (int64_t)victims.n;
        if (req->prev_kv && victims.n > 0) {
            err = delete_respond(arena, &victims, &resp);
        }
        *ret_resp = resp;
    }
    return mvcc_fail(m, err);
}

int mvcc_txn_range(struct mvcc *m,
                   const struct kvs_range_req *req,
                   struct arena *arena,
                   struct kvs_range_resp *ret_resp)
{
    struct mvcc_read read = read_internal(m, apply_header_revision(m));
    int err;

    kvs_assert(m->apply.open);
    if (m->failure != 0) {
        return m->failure;
    }
    err = mvcc_range(&read, req, arena, ret_resp);
    if (err == 0) {
        err = range_copy_bytes(arena, ret_resp);
    }
    return mvcc_fail(m, err);
}
