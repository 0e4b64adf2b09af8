#include "kube/registry/store.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"

struct kube_store {
    struct loop *loop;
    struct kvs_client *client;
    struct loop_mbox *mbox;
    struct loop_hook hook; /* sends the turn's barriers as one read */
    struct list barriers;  /* struct kube_store_barrier.node: wait for the hook */
};

/* The barriers of one turn. */
struct store_round {
    struct kube_store_message message;
    struct kube_store *store;
    struct list barriers;
    int status;
    uint64_t revision;
};

static void store_deliver(void *ctx, struct list *node)
{
    struct kube_store_message *m = container_of(node, struct kube_store_message, node);

    (void)ctx;
    m->deliver(m);
}

void kube_store_post(struct kube_store *s, struct kube_store_message *m)
{
    loop_mbox_post(s->mbox, &m->node);
}

static void store_flush(struct loop_hook *h);

int kube_store_new(struct loop *l, struct kvs_client *client, struct kube_store **ret_store)
{
    struct kube_store *s = kvs_calloc(1, sizeof *s);

    if (s == NULL || loop_mbox_new(l, store_deliver, s, &s->mbox) != 0) {
        kvs_free(s);
        kvs_client_close(client);
        return KVS_E_NOMEM;
    }
    s->loop = l;
    s->client = client;
    list_init(&s->barriers);
    loop_hook_init(l, &s->hook, LOOP_PHASE_WORK, store_flush);
    *ret_store = s;
    return 0;
}

struct kvs_client *kube_store_client(struct kube_store *s)
{
    return s->client;
}

/* --- reads ------------------------------------------------------------------------------------ */

static void store_read_deliver(struct kube_store_message *m)
{
    struct kube_store_read *r = container_of(m, struct kube_store_read, message);
    const struct kvs_range_resp *resp = r->resp;

    if (resp != NULL) {
        r->revision = (uint64_t)resp->header.revision;
        r->found = resp->n_kvs > 0;
        if (r->found) {
            r->value = resp->kvs[0].value;
            r->mod_revision = (uint64_t)resp->kvs[0].mod_revision;
        }
    }
    r->cb(r);
    kvs_resp_free(resp);
}

/* On the client's thread. */
static void
store_read_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *resp)
{
    struct kube_store_read *r = ctx;

    r->status = error->code;
    if (resp != NULL) {
        kvs_resp_keep(resp);
        r->resp = resp;
    }
    kube_store_post(r->store, &r->message);
}

int kube_store_read(struct kube_store *s, struct kvs_view key, struct kube_store_read *r)
{
    struct kvs_range_req req = {.key = key};

    *r = (struct kube_store_read){
        .cb = r->cb, .store = s, .message = {.deliver = store_read_deliver}};
    return kvs_range(s->client, &req, NULL, store_read_cb, r);
}

/* --- barriers --------------------------------------------------------------------------------- */

static void store_round_deliver(struct kube_store_message *m)
{
    struct store_round *round = container_of(m, struct store_round, message);

    while (!list_empty(&round->barriers)) {
        struct list *node = list_pop_front(&round->barriers);
        struct kube_store_barrier *b = container_of(node, struct kube_store_barrier, node);

        b->status = round->status;
        b->revision = round->revision;
        b->cb(b);
    }
    kvs_free(round);
}

/* On the client's thread. */
static void
store_round_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *resp)
{
    struct store_round *round = ctx;

    round->status = error->code;
    round->revision = resp == NULL ? 0 : (uint64_t)resp->header.revision;
    kube_store_post(round->store, &round->message);
}

static void store_fail_barriers(struct kube_store *s, int status)
{
    struct list failed;

    list_init(&failed);
    list_splice_back(&failed, &s->barriers);
    while (!list_empty(&failed)) {
        struct list *node = list_pop_front(&failed);
        struct kube_store_barrier *b = container_of(node, struct kube_store_barrier, node);

        b->status = status;
        b->cb(b);
    }
}

static void store_flush(struct loop_hook *h)
{
    struct kube_store *s = container_of(h, struct kube_store, hook);
    struct kvs_range_req req = {.key = view_str("/"), .count_only = true};
    struct store_round *round = kvs_calloc(1, sizeof *round);
    int err = KVS_E_NOMEM;

    if (round != NULL) {
        round->store = s;
        round->message.deliver = store_round_deliver;
        list_init(&round->barriers);
        list_splice_back(&round->barriers, &s->barriers);
        err = kvs_range(s->client, &req, NULL, store_round_cb, round);
        if (err != 0) {
            list_splice_back(&s->barriers, &round->barriers);
            kvs_free(round);
        }
    }
    if (err != 0) {
        store_fail_barriers(s, err);
    }
}

void kube_store_barrier(struct kube_store *s, struct kube_store_barrier *b)
{
    list_push_back(&s->barriers, &b->node);
    loop_hook_mark(&s->hook);
}

/* --- writes ----------------------------------------------------------------------------------- */

static void store_write_deliver(struct kube_store_message *m)
{
    struct kube_store_write *w = container_of(m, struct kube_store_write, message);
    const struct kvs_txn_resp *resp = w->resp;

    if (resp != NULL) {
        w->done = resp->succeeded;
        w->revision = (uint64_t)resp->header.revision;
        if (!w->done && resp->n_responses == 1 && resp->responses[0].type == KVS_OP_RANGE &&
            resp->responses[0].u.range.n_kvs == 1) {
            w->current = resp->responses[0].u.range.kvs[0].value;
            w->current_revision = (uint64_t)resp->responses[0].u.range.kvs[0].mod_revision;
        }
    }
    w->cb(w);
    kvs_resp_free(resp);
}

/* On the client's thread. */
static void
store_write_cb(void *ctx, const struct kvs_error *error, const struct kvs_txn_resp *resp)
{
    struct kube_store_write *w = ctx;

    w->status = error->code;
    if (resp != NULL) {
        kvs_resp_keep(resp);
        w->resp = resp;
    }
    kube_store_post(w->store, &w->message);
}

int kube_store_write(struct kube_store *s, struct kube_store_write *w)
{
    struct kvs_compare compare = {.result = KVS_COMPARE_EQUAL,
                                  .target = KVS_COMPARE_MOD,
                                  .key = w->key,
                                  .number = (int64_t)w->expected};
    struct kvs_op put = {.type = KVS_OP_PUT,
                         .u.put = {.key = w->key, .value = w->value, .lease = w->lease}};
    struct kvs_op del = {.type = KVS_OP_DELETE, .u.del = {.key = w->key}};
    struct kvs_op get = {.type = KVS_OP_RANGE, .u.range = {.key = w->key}};
    struct kvs_txn_req req = {.compares = &compare,
                              .n_compares = 1,
                              .success = w->op == KUBE_STORE_PUT ? &put : &del,
                              .n_success = 1,
                              .failure = &get,
                              .n_failure = 1};

    w->status = 0;
    w->done = false;
    w->revision = 0;
    w->current = view_make(NULL, 0);
    w->current_revision = 0;
    w->resp = NULL;
    w->store = s;
    w->message.deliver = store_write_deliver;
    return kvs_txn(s->client, &req, NULL, store_write_cb, w);
}

/* --- the end ---------------------------------------------------------------------------------- */

void kube_store_free(struct kube_store *s)
{
    if (s == NULL) {
        return;
    }
    kvs_client_close(s->client); /* posts every completion */
    loop_mbox_free(s->mbox);     /* delivers them */
    store_fail_barriers(s, KVS_E_CANCELED);
    loop_hook_fini(&s->hook);
    kvs_free(s);
}
