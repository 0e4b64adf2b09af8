/* What every client asks first: versions, groups, resources; and what needs no identity. */
#include <string.h>

#include "base/view.h"
#include "kube/api/api_int.h"
#include "kube/discovery.h"
#include "kube/version.h"

static const char *api_aggregated_version(const struct api_call *c)
{
    return c->format == API_AGGREGATED_V2        ? "v2"
           : c->format == API_AGGREGATED_V2BETA1 ? "v2beta1"
                                                 : NULL;
}

/* The aggregated form has a content type of its own, by which clients know it. */
static void api_reply_aggregated(struct api_call *c, const char *version, struct buf *json)
{
    static const struct rpc_http_field fields[] = {{"vary", "Accept"}};
    char type[96];

    (void)snprintf(type, sizeof type,
                   "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", version);
    if (json->failed) {
        rpc_fail(c->call, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    rpc_http_reply(c->call, 200, type, fields, 1, buf_take(json));
}

void api_discovery(struct api_call *c)
{
    const char *aggregated = api_aggregated_version(c);
    struct kube_status status;
    struct buf json;

    buf_init(&json);
    switch (c->route.kind) {
    case KUBE_ROUTE_VERSIONS:
    case KUBE_ROUTE_GROUPS:
        if (aggregated != NULL) {
            kube_discovery_aggregated(c->route.kind == KUBE_ROUTE_VERSIONS, aggregated, &json);
            api_reply_aggregated(c, aggregated, &json);
            break;
        }
        if (c->route.kind == KUBE_ROUTE_VERSIONS) {
            kube_discovery_versions(view_str(c->api->address), &json);
        } else {
            kube_discovery_groups(&json);
        }
        api_reply_json(c, 200, &json);
        break;
    case KUBE_ROUTE_GROUP:
        kube_discovery_group(kube_group_find(c->route.group), &json);
        api_reply_json(c, 200, &json);
        break;
    case KUBE_ROUTE_LIST:
        kube_discovery_resources(c->route.group, c->route.version, &json);
        api_reply_json(c, 200, &json);
        break;
    case KUBE_ROUTE_OTHER:
    case KUBE_ROUTE_RESOURCE:
        kube_status_init(&status);
        kube_status_no_path(&status);
        api_reply_status(c, &status);
        kube_status_fini(&status);
        break;
    }
    buf_fini(&json);
}

/* --- open to everybody --------------------------------------------------------------------------
 */

static void api_reply_text(struct api_call *c, unsigned code, const char *text)
{
    struct buf body;

    buf_init(&body);
    buf_append_str(&body, text);
    rpc_http_reply(c->call, code, "text/plain; charset=utf-8", NULL, 0, buf_take(&body));
}

static void api_version(struct api_call *c)
{
    struct buf json;

    buf_init(&json);
    kube_version_write(&json);
    api_reply_json(c, 200, &json);
    buf_fini(&json);
}

bool api_open_path(struct api_call *c)
{
    struct kvs_view path = rpc_call_path(c->call);
    bool ready = kube_registry_is_ready(c->api->registry) && !c->api->closing;

    if (view_equal_str(path, "/version") || view_equal_str(path, "/version/")) {
        api_version(c);
    } else if (view_equal_str(path, "/livez")) {
        api_reply_text(c, 200, "ok");
    } else if (view_equal_str(path, "/readyz") || view_equal_str(path, "/healthz")) {
        api_reply_text(c, ready ? 200 : 500, ready ? "ok" : "[-]store failed: not loaded yet\n");
    } else {
        return false;
    }
    return true;
}
