/* Clients: each has one request under way, at one node, and moves to another one when that fails.
 * Every request and its answer are kept for the verdict. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "node_world.h"

enum { LEASE_SLOTS = KEYS_LEASE / 2 };

static void client_step(struct sim *s, struct sim_event *e);

static void client_after(struct client *c, uint64_t after_us)
{
    sim_at(&c->world->sim, after_us, client_step, NULL, c, 0);
}

static struct op *op_new(struct client *c, enum op_kind kind)
{
    struct world *w = c->world;
    struct op *op = kvs_calloc(1, sizeof *op);

    kvs_assert(op != NULL);
    if (w->n_ops == w->ops_capacity) {
        w->ops_capacity = w->ops_capacity > 0 ? w->ops_capacity * 2 : 256;
        w->ops = kvs_realloc(w->ops, w->ops_capacity * sizeof *w->ops);
        kvs_assert(w->ops != NULL);
    }
    w->ops[w->n_ops++] = op;
    op->id = w->n_ops;
    op->kind = kind;
    op->client = c;
    op->node = c->node;
    op->asked_us = w->sim.now_us;
    op->floor = truth_last(&w->truth);
    arena_init(&op->arena, 0);
    c->op = op;
    return op;
}

/* --- answers --- */

static void lease_gone(const struct op *op)
{
    const struct lease_record *l = op->lease;
    const struct sim *s = &op->client->world->sim;

    if (l->granted && !l->revoked && s->now_us + 2000 < l->alive_us) {
        sim_fail(s, "operation %" PRIu64 ": lease %" PRId64 " is gone, but lives until %" PRIu64,
                 op->id, l->id, l->alive_us);
    }
}

static void lease_alive(const struct op *op, int64_t ttl_s)
{
    struct lease_record *l = op->lease;
    uint64_t until_us = op->asked_us + (uint64_t)ttl_s * 1000000;

    if (l->ended_us != 0 && !l->revoked && l->ended_us + 2000 < until_us) {
        sim_fail(&op->client->world->sim,
                 "operation %" PRIu64 ": lease %" PRId64 " said to live until %" PRIu64
                 " has ended at %" PRIu64,
                 op->id, l->id, until_us, l->ended_us);
    }
    if (until_us > l->alive_us) {
        l->alive_us = until_us;
    }
}

static void client_lease_answer(struct client *c, const struct op *op)
{
    if (op->status == KVS_E_LEASE_NOT_FOUND && op->sure) {
        lease_gone(op);
        c->lease = NULL;
    } else if (op->kind == OP_REVOKE && op->status == 0) {
        c->lease = NULL;
    } else if (op->kind == OP_GRANT && op->status != 0) {
        c->lease = NULL; /* if it exists, it ends by itself */
    }
}

static void op_answer(struct op *op, int status, bool sure)
{
    struct client *c = op->client;
    struct sim *s = &c->world->sim;

    kvs_assert(c->op == op && !op->answered);
    op->answered = true;
    op->status = status;
    op->sure = sure && status != 0;
    c->op = NULL;
    sim_note(s, op->id * 31 + (uint64_t)op->revision + (uint64_t)(int64_t)status);
    sim_trace(s,
              "  client %u, node %u: operation %" PRIu64 " kind %d key %u: %s, revision %" PRId64,
              c->at, op->node->at, op->id, op->kind, op->key,
              status == 0 ? "ok" : kvs_strerror(status), op->revision);
    if (op->lease != NULL) {
        client_lease_answer(c, op);
    }
    if (status != 0 && !(op->lease != NULL && op->sure)) {
        c->node = NULL; /* try another one */
    }
    arena_fini(&op->arena);
    client_after(c, (status != 0 ? 20000 : 500) + rng_below(&s->rng, c->think_ms * 1000 + 1));
}

static void op_write_result(struct op *op)
{
    const struct apply_result *r = &op->write.result;

    switch ((int)op->kind) {
    case OP_PUT:
    case OP_ATTACH:
        op->revision = r->u.put.header.revision;
        break;
    case OP_DELETE:
        op->revision = r->u.del.header.revision;
        op->count = r->u.del.deleted;
        break;
    case OP_CAS:
    case OP_PUT_MANY:
    case OP_DELETE_MANY:
        op->revision = r->u.txn.header.revision;
        op->succeeded = r->u.txn.succeeded;
        break;
    case OP_COMPACT:
        op->revision = r->u.compact.header.revision;
        break;
    case OP_GRANT:
        op->revision = r->u.lease_grant.header.revision;
        op->lease->granted = true;
        lease_alive(op, r->u.lease_grant.ttl_s);
        break;
    case OP_REVOKE:
        op->revision = r->u.lease_revoke.header.revision;
        break;
    default:
        kvs_assert(false);
    }
}

static void op_write_cb(struct node_write *write)
{
    struct op *op = container_of(write, struct op, write);

    if (write->status != 0) {
        op_answer(op, write->status, false);
        return;
    }
    if (write->result.status == 0) {
        op_write_result(op);
    } else if (op->kind == OP_GRANT ||
               (op->kind == OP_ATTACH && write->result.status != KVS_E_LEASE_NOT_FOUND)) {
        sim_fail(&op->client->world->sim, "operation %" PRIu64 ": %s", op->id,
                 kvs_strerror(write->result.status));
    }
    op_answer(op, write->result.status, true);
}

static void op_keep_items(struct op *op, const struct kvs_range_resp *resp)
{
    struct world *w = op->client->world;

    op->items = arena_calloc(&w->truth.arena, resp->n_kvs, sizeof *op->items);
    kvs_assert(op->items != NULL);
    op->n_items = resp->n_kvs;
    op->count = resp->count;
    op->revision = resp->header.revision;
    for (size_t i = 0; i < resp->n_kvs; i++) {
        const struct kvs_kv *kv = &resp->kvs[i];

        op->items[i].key = key_number(w, kv->key);
        op->items[i].kv = (struct truth_kv){.exists = true,
                                            .value = load_le64(kv->value.data),
                                            .create = kv->create_revision,
                                            .mod = kv->mod_revision,
                                            .version = kv->version,
                                            .lease = kv->lease};
        if (op->items[i].key < KEYS_PLAIN) {
            op->client->seen_mod[op->items[i].key] = kv->mod_revision;
        }
    }
}

static void op_read_now(struct op *op)
{
    const struct kvs_range_req req = {
        .key = key_view(op->key),
        .range_end = op->key_end < KEYS ? key_view(op->key_end) : view_make("", 1),
        .revision = op->at,
        .serializable = op->kind == OP_READ_LOCAL,
    };
    struct kvs_range_resp resp;
    struct mvcc_read read;
    int err;

    mvcc_read_begin(node_mvcc(op->node->node), &read);
    err = mvcc_range(&read, &req, &op->arena, &resp);
    if (err == 0) {
        op_keep_items(op, &resp);
    } else if (op->kind != OP_READ_OLD || err != KVS_E_COMPACTED ||
               op->at >= op->client->world->compacted) {
        sim_fail(&op->client->world->sim, "operation %" PRIu64 ": read at %" PRId64 ": %s", op->id,
                 op->at, kvs_strerror(err));
    }
    mvcc_read_end(&read);
    op_answer(op, err, true);
}

static void op_read_cb(struct node_read *read)
{
    struct op *op = container_of(read, struct op, read);

    if (read->status != 0) {
        op_answer(op, read->status, true);
    } else {
        op_read_now(op);
    }
}

static void op_keep_cb(struct node_lease_op *lease_op)
{
    struct op *op = container_of(lease_op, struct op, lease_op);

    if (lease_op->status == 0) {
        lease_alive(op, lease_op->ttl_s);
    }
    op_answer(op, lease_op->status, lease_op->status == KVS_E_LEASE_NOT_FOUND);
}

/* --- requests --- */

/* Values differ in length, so that records do. */
static struct kvs_view op_value(const struct op *op)
{
    static uint8_t bytes[VALUE_BYTES_MAX + 8];
    size_t max = op->id % 8 == 0 ? op->client->world->value_max : 40;

    store_le64(bytes, op->id);
    return view_make(bytes, 8 + (op->id * 7919) % max);
}

static void op_submitted(struct op *op, int err)
{
    if (err != 0) {
        op_answer(op, err, true);
    }
}

static struct kvs_op op_part_put(const struct op *op, unsigned key)
{
    return (struct kvs_op){.type = KVS_OP_PUT,
                           .u.put = {.key = key_view(key), .value = op_value(op)}};
}

static void op_txn(struct op *op, const struct kvs_compare *compare, struct kvs_op *ops, size_t n)
{
    struct kvs_compare compares[1];
    struct kvs_op failure = {.type = KVS_OP_RANGE, .u.range = {.key = key_view(op->key)}};
    struct kvs_txn_req req = {.success = ops, .n_success = n};

    if (compare != NULL) {
        compares[0] = *compare;
        req.compares = compares;
        req.n_compares = 1;
        req.failure = &failure;
        req.n_failure = 1;
    }
    op_submitted(op, node_txn(op->node->node, &req, &op->write));
}

static void op_put(struct op *op)
{
    const struct kvs_put_req req = {.key = key_view(op->key),
                                    .value = op_value(op),
                                    .lease = op->lease != NULL ? op->lease->id : 0};

    op_submitted(op, node_put(op->node->node, &req, &op->write));
}

static void op_delete_many(struct op *op)
{
    struct kvs_op ops[2] = {
        {.type = KVS_OP_DELETE,
         .u.del = {.key = key_view(op->key), .range_end = key_view(op->key_end)}},
        op_part_put(op, KEY_MARK + op->client->at),
    };

    op_txn(op, NULL, ops, 2);
}

static void op_cas(struct op *op)
{
    const struct kvs_compare compare = {.result = KVS_COMPARE_EQUAL,
                                        .target = KVS_COMPARE_MOD,
                                        .key = key_view(op->key),
                                        .number = op->at};
    struct kvs_op put = op_part_put(op, op->key);

    op_txn(op, &compare, &put, 1);
}

static void op_put_many(struct op *op)
{
    struct kvs_op ops[2] = {op_part_put(op, op->key), op_part_put(op, op->key_end)};

    op_txn(op, NULL, ops, 2);
}

static void op_submit(struct op *op)
{
    struct node *n = op->node->node;

    op->write.cb = op_write_cb;
    op->write.arena = &op->arena;
    op->read.cb = op_read_cb;
    switch ((int)op->kind) {
    case OP_PUT:
    case OP_ATTACH:
        op_put(op);
        break;
    case OP_DELETE:
        op_submitted(
            op, node_delete(n, &(struct kvs_delete_req){.key = key_view(op->key)}, &op->write));
        break;
    case OP_DELETE_MANY:
        op_delete_many(op);
        break;
    case OP_PUT_MANY:
        op_put_many(op);
        break;
    case OP_CAS:
        op_cas(op);
        break;
    case OP_READ:
    case OP_READ_OLD:
        op_submitted(op, node_read(n, &op->read));
        break;
    case OP_READ_LOCAL:
        if (node_read_check(n, true) == 0) {
            op_read_now(op);
        } else {
            op_submitted(op, KVS_E_STOPPED);
        }
        break;
    case OP_COMPACT:
        op_submitted(op,
                     node_compact(n, &(struct kvs_compact_req){.revision = op->at}, &op->write));
        break;
    case OP_GRANT:
        op_submitted(op, node_lease_grant(n,
                                          &(struct kvs_lease_grant_req){.id = op->lease->id,
                                                                        .ttl_s = op->lease->ttl_s},
                                          &op->write));
        break;
    case OP_KEEP:
        op->lease_op = (struct node_lease_op){.cb = op_keep_cb, .id = op->lease->id};
        op_submitted(op, node_lease_keepalive(n, &op->lease_op));
        break;
    case OP_REVOKE:
        op->lease->revoked = true;
        op_submitted(op, node_lease_revoke(n, op->lease->id, &op->write));
        break;
    case OP_KIND_COUNT:
    default:
        kvs_assert(false);
    }
}

/* --- what clients do --- */

static enum op_kind client_choose(struct rng *rng)
{
    static const struct {
        enum op_kind kind;
        unsigned percent;
    } table[] = {{OP_PUT, 32},       {OP_DELETE, 6},   {OP_DELETE_MANY, 4},
                 {OP_PUT_MANY, 8},   {OP_CAS, 12},     {OP_READ, 22},
                 {OP_READ_LOCAL, 8}, {OP_READ_OLD, 6}, {OP_COMPACT, 2}};
    uint64_t dice = rng_below(rng, 100);

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (dice < table[i].percent) {
            return table[i].kind;
        }
        dice -= table[i].percent;
    }
    return OP_PUT;
}

static kvs_revision client_past(struct world *w, kvs_revision back_max)
{
    kvs_revision last = truth_last(&w->truth);
    kvs_revision back = (kvs_revision)rng_below(&w->sim.rng, (uint64_t)back_max + 1);

    return last > back ? last - back : 1;
}

static void client_act(struct client *c)
{
    struct world *w = c->world;
    struct rng *rng = &w->sim.rng;
    struct op *op = op_new(c, client_choose(rng));

    op->key = (unsigned)rng_below(rng, KEYS_PLAIN);
    op->key_end = op->key + 1;
    switch ((int)op->kind) {
    case OP_READ:
    case OP_READ_LOCAL:
    case OP_READ_OLD:
        if (rng_percent(rng, 30)) {
            op->key = 0;
            op->key_end = KEYS;
        }
        op->at = op->kind == OP_READ_OLD ? client_past(w, 60) : 0;
        break;
    case OP_DELETE_MANY:
        op->key_end = op->key + 1 + (unsigned)rng_below(rng, 4);
        op->key_end = op->key_end < KEYS_PLAIN ? op->key_end : KEYS_PLAIN;
        break;
    case OP_PUT_MANY:
        op->key_end = (op->key + 1 + (unsigned)rng_below(rng, KEYS_PLAIN - 1)) % KEYS_PLAIN;
        break;
    case OP_CAS:
        op->at = rng_percent(rng, 70) ? w->truth.now[op->key].mod : c->seen_mod[op->key];
        break;
    case OP_COMPACT:
        op->at = client_past(w, 150);
        w->compacted = op->at > w->compacted ? op->at : w->compacted;
        break;
    default:
        break;
    }
    op_submit(op);
}

static struct lease_record *lease_new(struct client *c)
{
    struct world *w = c->world;
    struct lease_record *l = kvs_calloc(1, sizeof *l);
    unsigned slot = c->at % LEASE_SLOTS;

    kvs_assert(l != NULL);
    if (w->n_leases == w->leases_capacity) {
        w->leases_capacity = w->leases_capacity > 0 ? w->leases_capacity * 2 : 16;
        w->leases = kvs_realloc(w->leases, w->leases_capacity * sizeof(struct lease_record *));
        kvs_assert(w->leases != NULL);
    }
    w->leases[w->n_leases++] = l;
    l->id = (kvs_lease_id)(w->n_leases * 1000 + c->at);
    l->ttl_s = (int64_t)rng_between(&w->sim.rng, 1, 4);
    l->keys[0] = KEY_LEASE + 2 * slot;
    l->keys[1] = KEY_LEASE + 2 * slot + 1;
    return l;
}

static bool lease_has_keys(const struct world *w, const struct lease_record *l)
{
    return w->truth.now[l->keys[0]].lease == l->id || w->truth.now[l->keys[1]].lease == l->id;
}

/* Granted, given one or two keys, kept for a while; then revoked or left to end by itself. */
static void client_act_lease(struct client *c)
{
    struct rng *rng = &c->world->sim.rng;
    struct op *op;

    if (c->lease == NULL) {
        c->lease = lease_new(c);
        c->keeps_left = (unsigned)rng_below(rng, 12);
        op = op_new(c, OP_GRANT);
    } else if (!lease_has_keys(c->world, c->lease) || rng_percent(rng, 10)) {
        op = op_new(c, OP_ATTACH);
        op->key = c->lease->keys[rng_below(rng, 2)];
    } else if (c->keeps_left > 0) {
        c->keeps_left--;
        op = op_new(c, OP_KEEP);
    } else if (rng_percent(rng, 30)) {
        op = op_new(c, OP_REVOKE);
    } else {
        client_after(c, 200000);
        if (c->lease->ended_us != 0) {
            c->lease = NULL;
        }
        return;
    }
    op->lease = c->lease;
    op_submit(op);
}

static void client_step(struct sim *s, struct sim_event *e)
{
    struct client *c = e->arg;

    if (!c->world->clients_on || c->op != NULL) {
        return;
    }
    if (c->node != NULL && c->node->up && !c->node->stopped && !sim_is_running(c->node)) {
        client_after(c, 100000); /* paused: the connection stands */
        return;
    }
    if (c->node == NULL || !sim_is_running(c->node) || rng_percent(&s->rng, 2)) {
        c->node = world_pick(c->world);
    }
    if (c->node == NULL) {
        client_after(c, 50000);
    } else if (c->leases) {
        client_act_lease(c);
    } else {
        client_act(c);
    }
}

void client_put(struct client *c, struct sim_node *n, unsigned key)
{
    struct op *op;

    c->node = n;
    op = op_new(c, OP_PUT);
    op->key = key;
    op_submit(op);
}

void client_start(struct client *c)
{
    struct rng *rng = &c->world->sim.rng;

    c->think_ms = (unsigned)rng_below(rng, c->leases ? 400 : 150);
    client_after(c, rng_below(rng, 1000000));
}
