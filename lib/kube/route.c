#include "kube/route.h"

#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/query.h"

enum { SEGMENTS_MAX = 16 };

static const struct {
    const char *name;
    enum kube_verb verb;
} actions[KUBE_ACTION_COUNT] = {
    [KUBE_ACTION_GET] = {"get", KUBE_VERB_GET},
    [KUBE_ACTION_LIST] = {"list", KUBE_VERB_LIST},
    [KUBE_ACTION_WATCH] = {"watch", KUBE_VERB_WATCH},
    [KUBE_ACTION_CREATE] = {"create", KUBE_VERB_CREATE},
    [KUBE_ACTION_UPDATE] = {"update", KUBE_VERB_UPDATE},
    [KUBE_ACTION_PATCH] = {"patch", KUBE_VERB_PATCH},
    [KUBE_ACTION_DELETE] = {"delete", KUBE_VERB_DELETE},
    [KUBE_ACTION_DELETECOLLECTION] = {"deletecollection", KUBE_VERB_DELETECOLLECTION},
};

const char *kube_action_name(enum kube_action action)
{
    kvs_assert(action < KUBE_ACTION_COUNT);
    return actions[action].name;
}

enum kube_verb kube_action_verb(enum kube_action action)
{
    kvs_assert(action < KUBE_ACTION_COUNT);
    return actions[action].verb;
}

/* A path as its segments; empty ones (a double slash, one at the end) are left out. */
struct segments {
    struct kvs_view at[SEGMENTS_MAX];
    size_t n;
    size_t next;
};

static bool segments_split(struct kvs_view path, struct segments *s)
{
    const char *from = path.len == 0 ? "" : path.data;
    const char *end = from + path.len;

    *s = (struct segments){.n = 0};
    while (from < end) {
        const char *slash = memchr(from, '/', (size_t)(end - from));
        size_t len = (size_t)((slash == NULL ? end : slash) - from);

        if (len > 0) {
            if (s->n == SEGMENTS_MAX) {
                return false;
            }
            s->at[s->n++] = view_make(from, len);
        }
        from += len + 1;
    }
    return true;
}

static struct kvs_view segments_take(struct segments *s)
{
    return s->next < s->n ? s->at[s->next++] : view_make(NULL, 0);
}

static size_t segments_left(const struct segments *s)
{
    return s->n - s->next;
}

/* --- the resource ----------------------------------------------------------------------------- */

/* Behind group and version: namespaces/NS/RESOURCE/NAME/SUB, or without the first two. The
 * namespaces themselves are namespaces/NAME/SUB. */
static bool route_resource(struct kube_route *route, struct segments *s)
{
    struct kvs_view first = segments_take(s);
    bool below = view_equal_str(first, "namespaces") && segments_left(s) >= 2 &&
                 kube_subresource_find(s->at[s->next + 1]) == KUBE_SUB_NONE;
    struct kvs_view sub;

    if (below) {
        route->namespace = segments_take(s);
        first = segments_take(s);
    }
    route->resource = kube_resource_find(route->group, route->version, first);
    if (route->resource == NULL || (below && !route->resource->namespaced)) {
        return false;
    }
    route->name = segments_take(s);
    sub = segments_take(s);
    if (sub.len > 0) {
        route->sub = kube_subresource_find(sub);
        if ((route->resource->subresources & route->sub) == 0) {
            return false;
        }
    }
    if (route->resource->namespaced && route->name.len > 0 && route->namespace.len == 0) {
        return false;
    }
    if (segments_left(s) > 0 && route->sub != KUBE_SUB_PROXY) {
        return false;
    }
    if (segments_left(s) > 0) {
        const char *from = s->at[s->next].data;
        struct kvs_view last = s->at[s->n - 1];

        route->rest = view_make(from, (size_t)((const char *)last.data + last.len - from));
    }
    return true;
}

static bool route_path(struct kube_route *route, struct segments *s)
{
    struct kvs_view root = segments_take(s);

    if (view_equal_str(root, "api")) {
        route->kind = KUBE_ROUTE_VERSIONS;
        route->group = view_str("");
    } else if (view_equal_str(root, "apis")) {
        route->kind = KUBE_ROUTE_GROUPS;
        if (segments_left(s) == 0) {
            return true;
        }
        route->group = segments_take(s);
        route->kind = KUBE_ROUTE_GROUP;
        if (kube_group_find(route->group) == NULL) {
            return false;
        }
    } else {
        route->kind = KUBE_ROUTE_OTHER;
        return true;
    }
    if (segments_left(s) == 0) {
        return true;
    }
    route->version = segments_take(s);
    route->kind = segments_left(s) == 0 ? KUBE_ROUTE_LIST : KUBE_ROUTE_RESOURCE;
    if (route->kind == KUBE_ROUTE_RESOURCE) {
        return route_resource(route, s);
    }
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        if (view_equal_str(route->group, r->group) && view_equal_str(route->version, r->version)) {
            return true;
        }
    }
    return false;
}

/* --- the action ------------------------------------------------------------------------------- */

static bool
route_action(struct kube_route *route, struct kvs_view method, const struct kube_query *query)
{
    bool one = route->name.len > 0;

    if (view_equal_str(method, "GET") || view_equal_str(method, "HEAD")) {
        route->action = one ? KUBE_ACTION_GET : query->watch ? KUBE_ACTION_WATCH : KUBE_ACTION_LIST;
        return true;
    }
    if (view_equal_str(method, "POST")) {
        route->action = KUBE_ACTION_CREATE;
        return !one || route->sub != KUBE_SUB_NONE;
    }
    if (view_equal_str(method, "PUT")) {
        route->action = KUBE_ACTION_UPDATE;
        return one;
    }
    if (view_equal_str(method, "PATCH")) {
        route->action = KUBE_ACTION_PATCH;
        return one;
    }
    if (view_equal_str(method, "DELETE")) {
        route->action = one ? KUBE_ACTION_DELETE : KUBE_ACTION_DELETECOLLECTION;
        return true;
    }
    return false;
}

int kube_route_parse(struct arena *arena,
                     struct kvs_view method,
                     struct kvs_view path,
                     struct kvs_view query,
                     struct kube_route *ret_route,
                     struct kube_query *ret_query,
                     struct kube_status *status)
{
    struct kvs_view decoded;
    struct segments segments;
    int err = kube_percent_decode(arena, path, false, &decoded);

    *ret_route = (struct kube_route){.kind = KUBE_ROUTE_OTHER};
    if (err == KVS_E_INVALID) {
        kube_status_bad_request(status, "invalid URL escape in path");
    }
    if (err == 0) {
        err = kube_query_parse(arena, query, ret_query, status);
    }
    if (err != 0) {
        return err;
    }
    if (!segments_split(decoded, &segments) || !route_path(ret_route, &segments)) {
        kube_status_no_path(status);
        return KVS_E_INVALID;
    }
    if (ret_route->kind == KUBE_ROUTE_RESOURCE && !route_action(ret_route, method, ret_query)) {
        kube_status_no_method(status, NULL, "");
        return KVS_E_INVALID;
    }
    return 0;
}
