/* Method, path and query of a request: three parts divided by newlines. Whatever is accepted leads
 * to a resource of the table, and its names are inside the arena's copy. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct kvs_view part(const char **from, const char *end)
{
    const char *begin = *from;
    const char *newline = begin == end ? NULL : memchr(begin, '\n', (size_t)(end - begin));

    *from = newline == NULL ? end : newline + 1;
    return view_make(begin, (size_t)((newline == NULL ? end : newline) - begin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    const char *end = at + size;
    struct kvs_view method = part(&at, end);
    struct kvs_view path = part(&at, end);
    struct kvs_view query = view_make(at, (size_t)(end - at));
    struct kube_status status;
    struct kube_route route;
    struct kube_query options;
    struct arena arena;
    int err;

    arena_init(&arena, 1 << 20);
    kube_status_init(&status);
    err = kube_route_parse(&arena, method, path, query, &route, &options, &status);
    kvs_assert(err == 0 || err == KVS_E_NOMEM || status.code >= 400);
    if (err == 0 && route.kind == KUBE_ROUTE_RESOURCE) {
        kvs_assert(route.resource != NULL);
        kvs_assert(route.resource->namespaced || route.namespace.len == 0);
        kvs_assert(route.sub == KUBE_SUB_NONE || (route.resource->subresources & route.sub) != 0);
        kvs_assert(route.name.len + route.namespace.len <= path.len);
    }
    kube_status_fini(&status);
    arena_fini(&arena);
    return 0;
}
