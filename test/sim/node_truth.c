/* What the cluster did, revision by revision, as its nodes' watches tell it; and the verdict on
 * what each client was told. The model knows nothing of how the store works: an array of keys.
 *
 * The first node that applies a revision writes it down; every other node, and each replay after a
 * restart, has to tell the same. Each write carries the id of its operation as value, so that a
 * lost or repeated one shows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "node_world.h"

/* --- keys --- */

struct kvs_view key_view(unsigned key)
{
    static char names[KEYS][KEY_BYTES + 1];

    kvs_assert(key < KEYS);
    if (names[key][0] == '\0') {
        const char kind = key < KEY_MARK ? 'k' : key < KEY_LEASE ? 'm' : 't';
        unsigned number = key < KEY_MARK ? key : key < KEY_LEASE ? key - KEY_MARK : key - KEY_LEASE;

        (void)snprintf(names[key], sizeof names[key], "%c/%02u", kind, number % 100);
    }
    return view_make(names[key], KEY_BYTES);
}

unsigned key_number(const struct world *w, struct kvs_view key)
{
    for (unsigned i = 0; i < KEYS; i++) {
        if (view_equal(key, key_view(i))) {
            return i;
        }
    }
    sim_fail(&w->sim, "a key that nobody wrote: %.*s", (int)key.len, (const char *)key.data);
}

/* --- recording --- */

static struct op *truth_op(struct world *w, uint64_t id)
{
    if (id == 0 || id > w->n_ops) {
        sim_fail(&w->sim, "a value that nobody wrote: %" PRIu64, id);
    }
    return w->ops[id - 1];
}

static struct truth_event truth_event_of(const struct world *w, const struct kvs_event *e)
{
    struct truth_event t = {.key = key_number(w, e->kv.key),
                            .is_delete = e->type == KVS_EVENT_DELETE};

    if (!t.is_delete) {
        if (e->kv.value.len < 8) {
            sim_fail(&w->sim, "a value was cut short");
        }
        t.kv = (struct truth_kv){.exists = true,
                                 .value = load_le64(e->kv.value.data),
                                 .create = e->kv.create_revision,
                                 .mod = e->kv.mod_revision,
                                 .version = e->kv.version,
                                 .lease = e->kv.lease};
    }
    return t;
}

static bool truth_kv_equal(const struct truth_kv *a, const struct truth_kv *b)
{
    return a->exists == b->exists &&
           (!a->exists || (a->value == b->value && a->create == b->create && a->mod == b->mod &&
                           a->version == b->version && a->lease == b->lease));
}

static void truth_apply(struct truth_kv *state, const struct truth_event *e)
{
    state[e->key] = e->is_delete ? (struct truth_kv){0} : e->kv;
}

/* The model's own idea of create_revision and version. */
static void truth_check_put(struct world *w, kvs_revision revision, const struct truth_event *e)
{
    const struct truth_kv *old = &w->truth.now[e->key];
    kvs_revision create = old->exists ? old->create : revision;
    int64_t version = old->exists ? old->version + 1 : 1;

    if (e->kv.mod != revision || e->kv.create != create || e->kv.version != version) {
        sim_fail(&w->sim,
                 "revision %" PRId64 ", key %u: create %" PRId64 " mod %" PRId64 " version %" PRId64
                 ", should be %" PRId64 " %" PRId64 " %" PRId64,
                 revision, e->key, e->kv.create, e->kv.mod, e->kv.version, create, revision,
                 version);
    }
}

static bool op_writes_key(const struct op *op, unsigned key)
{
    switch ((int)op->kind) {
    case OP_PUT:
    case OP_CAS:
    case OP_ATTACH:
        return key == op->key;
    case OP_PUT_MANY:
        return key == op->key || key == op->key_end;
    case OP_DELETE_MANY:
        return key == KEY_MARK + op->client->at;
    default:
        return false;
    }
}

static void truth_attribute_put(struct world *w, kvs_revision revision, const struct truth_event *e)
{
    struct op *op = truth_op(w, e->kv.value);

    if (!op_writes_key(op, e->key)) {
        sim_fail(&w->sim, "operation %" PRIu64 " wrote another key, %u", op->id, e->key);
    }
    if (op->seen != 0 && op->seen != revision) {
        sim_fail(&w->sim, "operation %" PRIu64 " was applied twice, at %" PRId64 " and %" PRId64,
                 op->id, op->seen, revision);
    }
    if (op->sure) {
        sim_fail(&w->sim, "operation %" PRIu64 " was refused (%s), yet applied at %" PRId64, op->id,
                 kvs_strerror(op->status), revision);
    }
    if (revision <= op->floor) {
        sim_fail(&w->sim, "operation %" PRIu64 " came before %" PRId64 ", asked for later", op->id,
                 op->floor);
    }
    op->seen = revision;
}

static struct lease_record *truth_lease(struct world *w, kvs_lease_id id)
{
    for (size_t i = 0; i < w->n_leases; i++) {
        if (w->leases[i]->id == id) {
            return w->leases[i];
        }
    }
    sim_fail(&w->sim, "a lease that nobody asked for: %" PRId64, id);
}

/* A key with a lease goes only with the lease, and all of that lease's keys go at once. */
static void truth_lease_ended(struct world *w,
                              const struct truth_revision *r,
                              const struct truth_event *e,
                              struct truth_kv *before)
{
    struct lease_record *l = truth_lease(w, before[e->key].lease);

    if (!l->revoked && w->sim.now_us + 2000 < l->alive_us) {
        sim_fail(&w->sim, "lease %" PRId64 " ended, but lives until %" PRIu64, l->id, l->alive_us);
    }
    for (unsigned key = KEY_LEASE; key < KEYS; key++) {
        bool deleted = false;

        for (size_t i = 0; i < r->n_events; i++) {
            deleted = deleted || (r->events[i].key == key && r->events[i].is_delete);
        }
        if (before[key].exists && before[key].lease == l->id && !deleted) {
            sim_fail(&w->sim, "lease %" PRId64 " ended without key %u", l->id, key);
        }
    }
    l->ended_us = w->sim.now_us;
}

static void truth_add(struct world *w, kvs_revision revision, struct truth_revision *r)
{
    struct truth *t = &w->truth;
    struct truth_kv before[KEYS];

    memcpy(before, t->now, sizeof before);
    for (size_t i = 0; i < r->n_events; i++) {
        const struct truth_event *e = &r->events[i];

        if (!e->is_delete) {
            truth_check_put(w, revision, e);
            truth_attribute_put(w, revision, e);
        } else if (!t->now[e->key].exists) {
            sim_fail(&w->sim, "revision %" PRId64 " deletes key %u, which is not there", revision,
                     e->key);
        } else if (e->key >= KEY_LEASE) {
            truth_lease_ended(w, r, e, before);
        }
        truth_apply(t->now, e);
    }
    if (t->n == t->capacity) {
        t->capacity = t->capacity > 0 ? t->capacity * 2 : 256;
        t->revisions = kvs_realloc(t->revisions, t->capacity * sizeof *t->revisions);
        kvs_assert(t->revisions != NULL);
    }
    t->revisions[t->n++] = *r;
    sim_note(&w->sim, (uint64_t)revision * 1000 + r->n_events);
}

static void truth_compare(struct world *w,
                          const struct sim_node *n,
                          kvs_revision revision,
                          const struct truth_revision *r)
{
    const struct truth_revision *known = &w->truth.revisions[revision - 2];
    bool equal = known->n_events == r->n_events;

    for (size_t i = 0; equal && i < r->n_events; i++) {
        const struct truth_event *a = &known->events[i];
        const struct truth_event *b = &r->events[i];

        equal = a->key == b->key && a->is_delete == b->is_delete && truth_kv_equal(&a->kv, &b->kv);
    }
    if (!equal) {
        sim_fail(&w->sim, "node %u has another revision %" PRId64 " than the others", n->at,
                 revision);
    }
}

void truth_observe(struct world *w,
                   const struct sim_node *n,
                   kvs_revision revision,
                   const struct kvs_event *events,
                   size_t n_events)
{
    struct truth *t = &w->truth;
    struct truth_revision r = {.at_us = w->sim.now_us, .n_events = n_events};

    if (revision > truth_last(t) + 1 || revision < 2) {
        sim_fail(&w->sim, "node %u is at revision %" PRId64 " after %" PRId64, n->at, revision,
                 truth_last(t));
    }
    r.events = arena_calloc(&t->arena, n_events, sizeof *r.events);
    kvs_assert(r.events != NULL);
    for (size_t i = 0; i < n_events; i++) {
        r.events[i] = truth_event_of(w, &events[i]);
    }
    for (size_t i = 0; revision > truth_last(t) && i < n_events; i++) {
        sim_trace(&w->sim, "  revision %" PRId64 " at node %u: key %u %s by %" PRIu64, revision,
                  n->at, r.events[i].key, r.events[i].is_delete ? "deleted" : "written",
                  r.events[i].kv.value);
    }
    if (revision <= truth_last(t)) {
        truth_compare(w, n, revision, &r);
    } else {
        truth_add(w, revision, &r);
    }
}

/* --- the verdict on answers --- */

static void verdict_fail(const struct world *w, const struct op *op, const char *what)
{
    sim_fail(&w->sim,
             "operation %" PRIu64 " (kind %d, node %u, asked at %" PRIu64
             " us after revision %" PRId64 ", answered %" PRId64 ", seen at %" PRId64
             ", status %d): %s",
             op->id, op->kind, op->node->at, op->asked_us, op->floor, op->revision, op->seen,
             op->status, what);
}

static void verdict_write(const struct world *w, const struct op *op)
{
    bool writes = op->kind == OP_PUT || op->kind == OP_PUT_MANY || op->kind == OP_DELETE_MANY ||
                  op->kind == OP_ATTACH || (op->kind == OP_CAS && op->succeeded);

    if (writes && op->seen == 0) {
        verdict_fail(w, op, "acknowledged and lost");
    }
    if (writes && op->seen != op->revision) {
        verdict_fail(w, op, "acknowledged with another revision");
    }
    if (op->kind == OP_CAS && !op->succeeded && op->seen != 0) {
        verdict_fail(w, op, "said not to have succeeded, yet it did");
    }
}

static void verdict_order(const struct world *w, const struct op *op)
{
    bool writes = op->seen != 0 || (op->kind == OP_DELETE && op->count > 0);

    if (op->kind == OP_READ_LOCAL || op->kind == OP_KEEP) {
        return;
    }
    if (op->revision < op->floor || (writes && op->revision <= op->floor)) {
        verdict_fail(w, op, "answered from the past");
    }
    if (op->revision > truth_last(&w->truth)) {
        verdict_fail(w, op, "answered from a future that never came");
    }
}

static void verdict_items(const struct world *w, const struct op *op, const struct truth_kv *state)
{
    size_t at = 0;
    int64_t count = 0;

    for (unsigned key = op->key; key < op->key_end; key++) {
        if (!state[key].exists) {
            continue;
        }
        count++;
        if (at < op->n_items && op->items[at].key == key &&
            truth_kv_equal(&op->items[at].kv, &state[key])) {
            at++;
        } else {
            verdict_fail(w, op, "read what was not there");
        }
    }
    if (at != op->n_items || count != op->count) {
        verdict_fail(w, op, "read what was not there, or a wrong count");
    }
}

/* `state` is as of the revision that the answer speaks of, `before` one revision earlier. */
static void verdict_state(const struct world *w,
                          const struct op *op,
                          const struct truth_kv *before,
                          const struct truth_kv *state)
{
    switch ((int)op->kind) {
    case OP_READ:
    case OP_READ_LOCAL:
    case OP_READ_OLD:
        verdict_items(w, op, state);
        break;
    case OP_CAS:
        if ((op->succeeded ? before : state)[op->key].mod != op->at && op->succeeded) {
            verdict_fail(w, op, "compared wrongly: succeeded");
        }
        if (!op->succeeded && state[op->key].mod == op->at) {
            verdict_fail(w, op, "compared wrongly: failed");
        }
        break;
    case OP_DELETE:
        if (op->count == 0 && state[op->key].exists) {
            verdict_fail(w, op, "found nothing to delete");
        }
        break;
    default:
        break;
    }
}

static kvs_revision op_state_revision(const struct op *op)
{
    return op->kind == OP_READ_OLD ? op->at : op->revision;
}

/* Answers by the revision of the state that they show. */
static size_t *verdict_index(const struct world *w)
{
    size_t *order = kvs_calloc(w->n_ops + (size_t)truth_last(&w->truth) + 2, sizeof *order);
    size_t *heads = order + w->n_ops;

    /* order[i]: the next operation of the same revision; heads[r]: the first; counted from 1. */
    kvs_assert(order != NULL);
    for (size_t i = w->n_ops; i > 0; i--) {
        const struct op *op = w->ops[i - 1];
        kvs_revision r = op_state_revision(op);

        if (op->answered && op->status == 0 && r >= 1 && r <= truth_last(&w->truth)) {
            order[i - 1] = heads[r];
            heads[r] = i;
        }
    }
    return order;
}

static void verdict_states(const struct world *w)
{
    struct truth_kv state[KEYS] = {{0}};
    struct truth_kv before[KEYS] = {{0}};
    size_t *order = verdict_index(w);
    const size_t *heads = order + w->n_ops;

    for (kvs_revision r = 1; r <= truth_last(&w->truth); r++) {
        memcpy(before, state, sizeof before);
        for (size_t i = 0; r > 1 && i < w->truth.revisions[r - 2].n_events; i++) {
            truth_apply(state, &w->truth.revisions[r - 2].events[i]);
        }
        for (size_t at = heads[r]; at != 0; at = order[at - 1]) {
            verdict_state(w, w->ops[at - 1], before, state);
        }
    }
    kvs_free(order);
}

/* --- deletions, which carry no id --- */

static bool revision_has_put(const struct truth_revision *r)
{
    for (size_t i = 0; i < r->n_events; i++) {
        if (!r->events[i].is_delete) {
            return true;
        }
    }
    return false;
}

static struct op *deletion_find(
    const struct world *w, unsigned key, kvs_revision revision, uint64_t at_us, bool acked)
{
    for (size_t i = 0; i < w->n_ops; i++) {
        struct op *op = w->ops[i];

        if (op->kind != OP_DELETE || op->key != key || op->matched || op->sure ||
            op->asked_us > at_us || op->floor >= revision) {
            continue;
        }
        if (acked ? op->answered && op->status == 0 && op->revision == revision && op->count > 0
                  : !op->answered || op->status != 0) {
            return op;
        }
    }
    return NULL;
}

static bool deletion_is_matched(const struct world *w, kvs_revision revision)
{
    for (size_t i = 0; i < w->n_ops; i++) {
        if (w->ops[i]->kind == OP_DELETE && w->ops[i]->seen == revision) {
            return true;
        }
    }
    return false;
}

static void verdict_deletion(const struct world *w, kvs_revision revision, bool acked_ones)
{
    const struct truth_revision *r = &w->truth.revisions[revision - 2];
    struct op *op;

    if (r->n_events != 1 || revision_has_put(r) || r->events[0].key >= KEY_MARK ||
        deletion_is_matched(w, revision)) {
        return;
    }
    op = deletion_find(w, r->events[0].key, revision, r->at_us, acked_ones);
    if (op != NULL) {
        op->matched = true;
        op->seen = revision;
    } else if (!acked_ones) {
        sim_fail(&w->sim, "key %u was deleted at %" PRId64 ", which nobody asked for",
                 r->events[0].key, revision);
    }
}

static void verdict_deletions(const struct world *w)
{
    for (kvs_revision r = 2; r <= truth_last(&w->truth); r++) {
        verdict_deletion(w, r, true);
    }
    for (size_t i = 0; i < w->n_ops; i++) {
        const struct op *op = w->ops[i];

        if (op->kind == OP_DELETE && op->answered && op->status == 0 && op->count > 0 &&
            !op->matched) {
            verdict_fail(w, op, "acknowledged and lost");
        }
    }
    for (kvs_revision r = 2; r <= truth_last(&w->truth); r++) {
        verdict_deletion(w, r, false);
    }
}

void truth_verdict(struct world *w)
{
    for (size_t i = 0; i < w->n_ops; i++) {
        const struct op *op = w->ops[i];

        if (!op->answered) {
            verdict_fail(w, op, "never answered");
        }
        if (op->status == 0) {
            verdict_write(w, op);
            verdict_order(w, op);
        }
    }
    verdict_states(w);
    verdict_deletions(w);
    for (unsigned i = 0; i < w->n_watchers; i++) {
        watcher_verdict(&w->watchers[i]);
    }
}

void truth_compare_node(struct world *w, struct sim_node *n)
{
    const struct kvs_range_req req = {.key = view_make("", 1), .range_end = view_make("", 1)};
    struct kvs_range_resp resp;
    struct mvcc_read read;
    struct arena arena;
    size_t n_kvs = 0;

    arena_init(&arena, 0);
    mvcc_read_begin(node_mvcc(n->node), &read);
    if (mvcc_range(&read, &req, &arena, &resp) != 0) {
        sim_fail(&w->sim, "node %u cannot be read", n->at);
    }
    for (size_t i = 0; i < resp.n_kvs; i++) {
        const struct kvs_event put = {.type = KVS_EVENT_PUT, .kv = resp.kvs[i]};
        struct truth_event e = truth_event_of(w, &put);

        if (!truth_kv_equal(&e.kv, &w->truth.now[e.key])) {
            sim_fail(&w->sim, "node %u: key %u is not as it should be", n->at, e.key);
        }
    }
    for (unsigned key = 0; key < KEYS; key++) {
        n_kvs += w->truth.now[key].exists;
    }
    if (n_kvs != resp.n_kvs || resp.header.revision != truth_last(&w->truth)) {
        sim_fail(&w->sim, "node %u has %zu keys at %" PRId64 ", should have %zu at %" PRId64, n->at,
                 resp.n_kvs, resp.header.revision, n_kvs, truth_last(&w->truth));
    }
    mvcc_read_end(&read);
    arena_fini(&arena);
}
