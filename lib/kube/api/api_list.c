/* Lists: wait until the cache is recent enough, take a reference to each object that matches, then
 * send their bytes as the connection takes them. A list is of one revision however long it takes to
 * send, and costs a copy of its bytes, window by window. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/view.h"
#include "kube/api/api_int.h"

struct api_list_call {
    struct api_call *call;
    struct api_filter filter;
    struct api_fresh fresh;
    struct kube_item **items;
    size_t n;
    size_t at; /* next to be sent */
};

static void api_list_free(struct api_list_call *l)
{
    for (size_t i = 0; i < l->n; i++) {
        kube_item_unref(l->items[i]);
    }
    api_filter_fini(&l->filter);
    kvs_free(l);
}

/* --- sending ------------------------------------------------------------------------------------
 */

/* False: the client has gone, or there is no memory for it; on_closed tells. */
static bool api_list_send_item(struct api_list_call *l)
{
    struct rpc_call *call = l->call->call;
    struct kube_item *item = l->items[l->at];

    if ((l->at > 0 && rpc_http_write(call, view_str(",")) != 0) ||
        rpc_http_write(call, rcbuf_view(item->json)) != 0) {
        return false;
    }
    l->at++;
    return true;
}

static void api_list_continue(struct rpc_call *call)
{
    struct api_list_call *l = rpc_call_user(call);

    while (l->at < l->n && rpc_stream_queued(call) < RPC_QUEUE_HIGH) {
        if (!api_list_send_item(l)) {
            return;
        }
    }
    if (l->at == l->n) {
        if (rpc_http_write(call, view_str("]}\n")) == 0) {
            rpc_http_end(call);
        }
    }
}

static void api_list_closed(struct rpc_call *call, bool canceled)
{
    (void)canceled;
    api_list_free(rpc_call_user(call));
}

static void api_list_send(struct api_list_call *l)
{
    static const struct rpc_stream_ops ops = {.on_writable = api_list_continue,
                                              .on_closed = api_list_closed};
    static const struct rpc_http_field fields[] = {{"cache-control", "no-cache, private"}};
    struct api_call *c = l->call;
    const struct kube_resource *r = c->route.resource;
    char head[256];
    int len = snprintf(head, sizeof head,
                       "{\"kind\":\"%sList\",\"apiVersion\":\"%s%s%s\",\"metadata\":"
                       "{\"resourceVersion\":\"%" PRIu64 "\"},\"items\":[",
                       r->kind, r->group, r->group[0] == '\0' ? "" : "/", r->version,
                       l->fresh.cache->revision);

    rpc_call_set_user(c->call, l);
    rpc_http_begin(c->call, 200, "application/json", fields, 1, &ops);
    if (rpc_http_write(c->call, view_make(head, (size_t)len)) == 0) {
        api_list_continue(c->call);
    }
}

/* --- collecting ---------------------------------------------------------------------------------
 */

static void api_list_refuse(struct api_list_call *l, int err)
{
    struct kube_status status;

    kube_status_init(&status);
    kube_status_store(&status, err);
    api_reply_status(l->call, &status);
    kube_status_fini(&status);
    api_list_free(l);
}

static void api_list_fresh(struct api_fresh *f)
{
    struct api_list_call *l = container_of(f, struct api_list_call, fresh);
    int err = f->status;

    if (err == 0) {
        err = api_filter_collect(&l->filter, f->cache, l->call->arena, &l->items, &l->n);
    }
    if (err != 0) {
        api_list_refuse(l, err);
    } else if (l->call->format == API_TABLE) {
        api_reply_table_of(l->call, l->items, l->n, f->cache->revision);
        api_list_free(l);
    } else {
        api_list_send(l);
    }
}

/* resourceVersion: not given is now; 0 is whatever the cache has; else at least that. */
static void api_list_start(struct api_list_call *l, uint64_t revision)
{
    struct api_call *c = l->call;
    struct kube_cache *cache = kube_registry_cache(c->api->registry, c->route.resource);
    bool any = c->query.resource_version.len > 0 && revision == 0;

    api_fresh_start(&l->fresh, c->api->registry, cache, any ? cache->since : revision,
                    api_list_fresh);
}

void api_list(struct api_call *c)
{
    struct api_list_call *l = kvs_calloc(1, sizeof *l);
    struct kube_status status;
    uint64_t revision;
    int err = KVS_E_NOMEM;

    kube_status_init(&status);
    if (l != NULL) {
        l->call = c;
        err = api_filter_parse(c, &l->filter, &status);
    }
    if (err == 0) {
        err = api_revision_parse(c->query.resource_version, &revision, &status);
        if (err != 0) {
            api_filter_fini(&l->filter);
        }
    }
    if (err == 0) {
        api_list_start(l, revision);
    } else {
        if (err == KVS_E_NOMEM) {
            kube_status_internal(&status, "out of memory");
        }
        api_reply_status(c, &status);
        kvs_free(l);
    }
    kube_status_fini(&status);
}
