/* A unary call on the node of this process: what the gRPC services do between decoding and
 * encoding, with the same calls into lib/node.
 *
 *   sent -> there: started --(callback)--> returned -> back: done
 *             `-- canceled, or too late: the client is answered at once, the rest is dropped
 *
 * The message and its cancellation each come back; the storage goes with the later one. */
#include "base/alloc.h"
#include "base/assert.h"
#include "client/embedded_call_int.h"

void call_return(struct node_call *c, int status)
{
    c->pending = false;
    embedded_return(&c->msg, status);
}

int call_later(struct node_call *c, int err)
{
    c->pending = err == 0;
    return err != 0 ? err : CALL_LATER;
}

static void write_cb(struct node_write *w)
{
    struct node_call *c = container_of(w, struct node_call, u.write);
    int err = w->status != 0 ? w->status : w->result.status;

    if (err == 0) {
        /* Every response begins with its header: the revision is the operation's. */
        struct kvs_header *header = c->resp;
        kvs_revision revision;

        c->type->take(&w->result, c->resp);
        revision = header->revision;
        *header = node_header(c->node);
        header->revision = revision;
    }
    call_return(c, err);
}

struct node_write *call_write_init(struct node_call *c)
{
    c->u.write = (struct node_write){.cb = write_cb, .arena = client_resp_arena(c->resp)};
    return &c->u.write;
}

void call_write_cancel(struct node_call *c)
{
    node_write_cancel(c->node, &c->u.write);
}

void call_read_cancel(struct node_call *c)
{
    node_read_cancel(c->node, &c->u.read);
}

int call_read_later(struct node_call *c, struct node *n, void (*cb)(struct node_read *r))
{
    c->u.read = (struct node_read){.cb = cb};
    return call_later(c, node_read(n, &c->u.read));
}

/* ---- there ---- */

static void call_there(struct embedded_msg *m, struct node *n)
{
    struct node_call *c = container_of(m, struct node_call, msg);
    int err;

    c->node = n;
    err = c->type->start(c, n);
    if (err != CALL_LATER) {
        call_return(c, err);
    }
}

static void call_cancel_there(struct embedded_msg *m, struct node *n)
{
    struct node_call *c = container_of(m, struct node_call, cancel);

    (void)n;
    if (c->pending && c->type->cancel != NULL) {
        c->type->cancel(c);
        call_return(c, KVS_E_CANCELED);
    }
    embedded_return(m, 0);
}

/* ---- here ---- */

static void call_unref(struct node_call *c)
{
    if (--c->n_out > 0) {
        return;
    }
    kvs_assert(c->call == NULL);
    kvs_resp_free(c->resp);
    arena_fini(&c->arena);
    kvs_free(c);
}

/* The client is answered; what the node still says is dropped. */
static void call_answer(struct node_call *c, int code, void *resp)
{
    struct client_call *call = c->call;

    c->call = NULL;
    loop_timer_stop(&c->timeout);
    client_call_done(call, code, NULL, resp);
}

static void call_back(struct embedded_msg *m)
{
    struct node_call *c = container_of(m, struct node_call, msg);

    if (c->call != NULL && m->status == 0) {
        void *resp = c->resp;

        c->resp = NULL;
        call_answer(c, 0, resp);
    } else if (c->call != NULL) {
        call_answer(c, m->status, NULL);
    }
    call_unref(c);
}

static void call_cancel_back(struct embedded_msg *m)
{
    call_unref(container_of(m, struct node_call, cancel));
}

static void call_give_up(struct node_call *c, int code)
{
    struct embedded *e = c->msg.owner;

    c->n_out++;
    embedded_send(e, &c->cancel);
    call_answer(c, code, NULL);
}

static void call_timeout_cb(struct loop_timer *t)
{
    call_give_up(container_of(t, struct node_call, timeout), KVS_E_DEADLINE_EXCEEDED);
}

void embedded_call_cancel(struct client_backend *b, struct client_call *call)
{
    (void)b;
    call_give_up(call->backend, KVS_E_CANCELED);
}

void embedded_call(struct client_backend *b, struct client_call *call)
{
    struct embedded *e = container_of(b, struct embedded, base);
    size_t id = (size_t)(call->method - client_method(CLIENT_RANGE)); /* the first of the table */
    struct node_call *c = kvs_calloc(1, sizeof *c);
    void *resp = client_resp_new(call->method->resp->size_bytes);

    kvs_assert(id < CLIENT_WATCH);
    if (c == NULL || resp == NULL) {
        kvs_free(c);
        kvs_resp_free(resp);
        client_call_done(call, KVS_E_NOMEM, NULL, NULL);
        return;
    }
    c->msg = (struct embedded_msg){.there = call_there, .back = call_back};
    c->cancel = (struct embedded_msg){.there = call_cancel_there, .back = call_cancel_back};
    c->call = call;
    c->type =
        embedded_kv_types[id].start != NULL ? &embedded_kv_types[id] : &embedded_cluster_types[id];
    c->req = call->request;
    c->arena = call->arena; /* moved: the call may end before the node has */
    arena_init(&call->arena, 0);
    c->resp = resp;
    c->n_out = 1;
    call->backend = c;
    loop_timer_init(b->client->loop, &c->timeout, call_timeout_cb);
    if (call->timeout_ms != 0) {
        loop_timer_start(&c->timeout, call->timeout_ms);
    }
    embedded_send(e, &c->msg);
}
