/* One object: the call becomes a registry request, and its answer the reply. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"
#include "kube/api/api_int.h"

struct api_object_call {
    struct api_call *call;
    struct kube_request request;
};

enum { WARNINGS_MAX = 32 };

/* Warning: 299 - "text", one field each. */
static size_t
api_warnings(struct api_call *c, const struct buf *warnings, struct rpc_http_field *fields)
{
    const char *from = (const char *)warnings->data;
    const char *end = from + warnings->len;
    size_t n = 0;

    while (warnings->len > 0 && from < end && n < WARNINGS_MAX) {
        size_t len = strlen(from);
        struct buf text;
        char *value;

        buf_init(&text);
        buf_append_str(&text, "299 - \"");
        for (size_t i = 0; i < len; i++) {
            if (from[i] == '"' || from[i] == '\\') {
                buf_append_u8(&text, '\\');
            }
            buf_append_u8(&text, (uint8_t)from[i]);
        }
        buf_append_str(&text, "\"");
        value = text.failed ? NULL : arena_strndup(c->arena, (const char *)text.data, text.len);
        buf_fini(&text);
        if (value != NULL) {
            fields[n++] = (struct rpc_http_field){"warning", value};
        }
        from += len + 1;
    }
    return n;
}

static void api_object_done(struct kube_request *q)
{
    struct api_object_call *o = container_of(q, struct api_object_call, request);
    struct api_call *c = o->call;
    struct rpc_http_field fields[WARNINGS_MAX + 1] = {{"cache-control", "no-cache, private"}};
    size_t n;

    if (q->status.code != 0) {
        api_reply_status(c, &q->status);
    } else if (c->format == API_TABLE) {
        api_reply_table(c, q->code, buf_view(&q->json));
    } else {
        n = api_warnings(c, &q->warnings, fields + 1);
        buf_append_str(&q->json, "\n");
        rpc_http_reply(c->call, q->code, "application/json", fields, n + 1, buf_take(&q->json));
    }
    kube_request_fini(q);
    kvs_free(o);
}

void api_object(struct api_call *c)
{
    struct api_object_call *o = kvs_malloc(sizeof *o);
    struct kvs_view content_type = {NULL, 0};
    int err = KVS_E_NOMEM;

    if (o != NULL) {
        o->call = c;
        kube_request_init(&o->request);
        (void)rpc_call_header(c->call, "content-type", &content_type);
        o->request.cb = api_object_done;
        o->request.arena = c->arena;
        o->request.route = &c->route;
        o->request.query = &c->query;
        o->request.media = kube_media_parse(content_type);
        (void)rpc_call_header(c->call, "user-agent", &o->request.user_agent);
        o->request.body = rpc_call_request(c->call);
        err = kube_registry_submit(c->api->registry, &o->request);
    }
    if (err != 0) {
        if (o != NULL) {
            kube_request_fini(&o->request);
        }
        kvs_free(o);
        rpc_fail_err(c->call, err);
    }
}
