/* /openapi/v3, /openapi/v3/NAME and /openapi/v2: what every kind looks like, for clients.
 *
 * A document is made when it is first asked for (some milliseconds), kept while it is asked for,
 * and dropped after some minutes without a request; all together are 5.4 MB. Of each document a
 * hash stays: it is the ETag, and stands in the index of v3, so that what a client has kept is good
 * for as long as the hash is the same. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "base/rcbuf.h"
#include "base/view.h"
#include "kube/api/api_int.h"
#include "kube/openapi_v2.h"
#include "kube/openapi_v3.h"

enum {
    KEPT_MS = 5 * 60 * 1000,
    SWEEP_MS = 60 * 1000,
};

struct openapi_document {
    struct rcbuf *body; /* NULL: not made, or dropped */
    uint64_t hash;      /* of the body; stays */
    bool has_hash;
    uint64_t used_ms;
};

struct api_openapi {
    struct loop *loop;
    struct loop_timer sweep; /* active while a body is kept */
    size_t n_v3;             /* documents 0 .. n_v3 - 1; then the index, v2, v2 as protobuf */
    struct openapi_document documents[];
};

/* --- keeping ---------------------------------------------------------------------------------- */

static size_t openapi_index_of(const struct api_openapi *a)
{
    return a->n_v3;
}

static size_t openapi_v2_of(const struct api_openapi *a, bool proto)
{
    return a->n_v3 + (proto ? 2 : 1);
}

static size_t openapi_count(const struct api_openapi *a)
{
    return a->n_v3 + 3;
}

static void openapi_sweep_cb(struct loop_timer *t)
{
    struct api_openapi *a = container_of(t, struct api_openapi, sweep);
    uint64_t now_ms = loop_now_ms(a->loop);
    bool any = false;

    for (size_t i = 0; i < openapi_count(a); i++) {
        struct openapi_document *d = &a->documents[i];

        if (now_ms - d->used_ms >= KEPT_MS) {
            rcbuf_unref(d->body);
            d->body = NULL;
        }
        any |= d->body != NULL;
    }
    if (!any) {
        loop_timer_stop(&a->sweep);
    }
}

int api_openapi_new(struct loop *loop, struct api_openapi **ret_openapi)
{
    size_t n_v3 = kube_openapi_v3_count();
    struct api_openapi *a = kvs_calloc(1, sizeof *a + (n_v3 + 3) * sizeof(struct openapi_document));

    if (a == NULL) {
        return KVS_E_NOMEM;
    }
    a->loop = loop;
    a->n_v3 = n_v3;
    loop_timer_init(loop, &a->sweep, openapi_sweep_cb);
    *ret_openapi = a;
    return 0;
}

void api_openapi_free(struct api_openapi *a)
{
    if (a == NULL) {
        return;
    }
    loop_timer_stop(&a->sweep);
    for (size_t i = 0; i < openapi_count(a); i++) {
        rcbuf_unref(a->documents[i].body);
    }
    kvs_free(a);
}

/* --- making ----------------------------------------------------------------------------------- */

/* The index tells the hash of every document; each is made once for that and not kept. */
static int openapi_make_index(struct api_openapi *a, struct buf *to)
{
    uint64_t *hashes = kvs_calloc(a->n_v3, sizeof *hashes);
    int err = hashes == NULL ? KVS_E_NOMEM : 0;
    struct buf body;

    buf_init(&body);
    for (size_t i = 0; err == 0 && i < a->n_v3; i++) {
        struct openapi_document *d = &a->documents[i];

        if (!d->has_hash) {
            buf_clear(&body);
            err = kube_openapi_v3_write(i, &body);
            d->hash = checksum64(body.data, body.len, 0);
            d->has_hash = err == 0;
        }
        hashes[i] = d->hash;
    }
    if (err == 0) {
        kube_openapi_v3_index(hashes, to);
        err = to->failed ? KVS_E_NOMEM : 0;
    }
    buf_fini(&body);
    kvs_free(hashes);
    return err;
}

static int openapi_write(struct api_openapi *a, size_t n, struct buf *to)
{
    if (n < a->n_v3) {
        return kube_openapi_v3_write(n, to);
    }
    if (n == openapi_index_of(a)) {
        return openapi_make_index(a, to);
    }
    return n == openapi_v2_of(a, true) ? kube_openapi_v2_proto(to) : kube_openapi_v2_json(to);
}

/* What is kept is of its exact size, unlike what it was written into. */
static int openapi_make(struct api_openapi *a, struct openapi_document *d)
{
    struct buf body;
    int err;

    buf_init(&body);
    err = openapi_write(a, (size_t)(d - a->documents), &body);
    if (err == 0) {
        d->body = rcbuf_copy(buf_view(&body));
        err = d->body == NULL ? KVS_E_NOMEM : 0;
    }
    buf_fini(&body);
    if (err != 0) {
        return err;
    }
    d->hash = checksum64(d->body->data, d->body->len, 0);
    d->has_hash = true;
    if (!a->sweep.active) {
        loop_timer_start_repeat(&a->sweep, SWEEP_MS, SWEEP_MS);
    }
    return 0;
}

/* --- answering -------------------------------------------------------------------------------- */

struct openapi_request {
    size_t document;
    const char *type;     /* Content-Type */
    struct kvs_view hash; /* of the URL; empty: none */
};

/* An entity tag in the list of If-None-Match; weak ones count as well. */
static bool openapi_client_has(struct api_call *c, const char *hash)
{
    struct kvs_view tags;

    return rpc_call_header(c->call, "if-none-match", &tags) && tags.len > 0 &&
           (view_equal_str(tags, "*") || memmem(tags.data, tags.len, hash, strlen(hash)) != NULL);
}

static void
openapi_reply(struct api_call *c, const struct openapi_request *r, const struct openapi_document *d)
{
    char hash[KUBE_OPENAPI_HASH_SIZE];
    char etag[KUBE_OPENAPI_HASH_SIZE + 2];
    const struct rpc_http_field fields[] = {
        {"etag", etag},
        {"vary", "Accept"},
        {"cache-control",
         r->hash.len > 0 ? "public, max-age=31536000, immutable" : "no-cache, private"},
    };
    struct buf copy;

    kube_openapi_hash_text(d->hash, hash);
    (void)snprintf(etag, sizeof etag, "\"%s\"", hash);
    buf_init(&copy);
    if (openapi_client_has(c, hash)) {
        rpc_http_reply(c->call, 304, NULL, fields, 3, buf_take(&copy));
        return;
    }
    buf_append_view(&copy, rcbuf_view(d->body));
    if (copy.failed) {
        buf_fini(&copy);
        rpc_fail(c->call, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    rpc_http_reply(c->call, 200, r->type, fields, 3, buf_take(&copy));
}

/* The URL names a hash that is not the document's any more: there is a newer one. */
static void openapi_redirect(struct api_call *c, const struct openapi_document *d)
{
    struct kvs_view path = rpc_call_path(c->call);
    char hash[KUBE_OPENAPI_HASH_SIZE];
    char location[300];
    const struct rpc_http_field fields[] = {{"location", location}};
    struct buf nothing;

    kube_openapi_hash_text(d->hash, hash);
    (void)snprintf(location, sizeof location, "%.*s?hash=%s", (int)path.len,
                   (const char *)path.data, hash);
    buf_init(&nothing);
    rpc_http_reply(c->call, 301, NULL, fields, 1, buf_take(&nothing));
}

static void openapi_serve(struct api_call *c, const struct openapi_request *r)
{
    struct api_openapi *a = c->api->openapi;
    struct openapi_document *d = &a->documents[r->document];
    char hash[KUBE_OPENAPI_HASH_SIZE];

    if (d->body == NULL && openapi_make(a, d) != 0) {
        rpc_fail(c->call, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    d->used_ms = loop_now_ms(a->loop);
    kube_openapi_hash_text(d->hash, hash);
    if (r->hash.len > 0 && !view_equal_str(r->hash, hash)) {
        openapi_redirect(c, d);
    } else {
        openapi_reply(c, r, d);
    }
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The value of `hash` in the query. */
static struct kvs_view openapi_query_hash(struct kvs_view query)
{
    static const char key[] = "hash=";
    const char *at = query.len == 0 ? "" : query.data;
    const char *end = at + query.len;

    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        size_t len = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);

        if (len >= sizeof key - 1 && memcmp(at, key, sizeof key - 1) == 0) {
            return view_make(at + sizeof key - 1, len - (sizeof key - 1));
        }
        at += len + (stop != NULL);
    }
    return view_make(NULL, 0);
}

/* Clients name the protobuf form with an '@', which no media type may have; an answer of that type
 * is one that they cannot read. */
static bool openapi_wants_proto(struct api_call *c)
{
    static const char old[] = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    static const char now[] = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    struct kvs_view accept;

    return rpc_call_header(c->call, "accept", &accept) && accept.len > 0 &&
           (memmem(accept.data, accept.len, old, sizeof old - 1) != NULL ||
            memmem(accept.data, accept.len, now, sizeof now - 1) != NULL);
}

static bool openapi_v3_document(const struct api_openapi *a, struct kvs_view path, size_t *ret_n)
{
    static const char prefix[] = "/openapi/v3/";
    const size_t len = sizeof prefix - 1;
    size_t n;

    if (view_equal_str(path, "/openapi/v3") || view_equal_str(path, prefix)) {
        *ret_n = openapi_index_of(a);
        return true;
    }
    if (path.len < len || memcmp(path.data, prefix, len) != 0) {
        return false;
    }
    n = kube_openapi_v3_find(view_make((const char *)path.data + len, path.len - len));
    *ret_n = n;
    return n < a->n_v3;
}

bool api_openapi(struct api_call *c)
{
    struct openapi_request r = {.type = "application/json"};
    struct kvs_view path = rpc_call_path(c->call);

    if (view_equal_str(path, "/openapi/v2")) {
        bool proto = openapi_wants_proto(c);

        r.document = openapi_v2_of(c->api->openapi, proto);
        r.type = proto ? "application/octet-stream" : r.type;
    } else if (openapi_v3_document(c->api->openapi, path, &r.document)) {
        r.hash = r.document < c->api->openapi->n_v3 ? openapi_query_hash(rpc_http_query(c->call))
                                                    : view_make(NULL, 0);
    } else {
        return false;
    }
    openapi_serve(c, &r);
    return true;
}
