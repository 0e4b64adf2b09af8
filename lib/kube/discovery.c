#include "kube/discovery.h"

#include <string.h>

#include "base/view.h"

static const char *const verb_names[] = {
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
};

#define CHANGE (KUBE_VERB_GET | KUBE_VERB_PATCH | KUBE_VERB_UPDATE)

/* In the order of their names, which is that of the documents. */
static const struct kube_sub_facts subs[] = {
    {KUBE_SUB_APPROVAL, NULL, NULL, NULL, CHANGE},
    {KUBE_SUB_ATTACH, NULL, NULL, "PodAttachOptions", KUBE_VERB_CREATE | KUBE_VERB_GET},
    {KUBE_SUB_BINDING, NULL, NULL, "Binding", KUBE_VERB_CREATE},
    {KUBE_SUB_EPHEMERALCONTAINERS, NULL, NULL, NULL, CHANGE},
    {KUBE_SUB_EVICTION, "policy", "v1", "Eviction", KUBE_VERB_CREATE},
    {KUBE_SUB_EXEC, NULL, NULL, "PodExecOptions", KUBE_VERB_CREATE | KUBE_VERB_GET},
    {KUBE_SUB_FINALIZE, NULL, NULL, NULL, KUBE_VERB_UPDATE},
    {KUBE_SUB_LOG, NULL, NULL, NULL, KUBE_VERB_GET},
    {KUBE_SUB_PORTFORWARD, NULL, NULL, "PodPortForwardOptions", KUBE_VERB_CREATE | KUBE_VERB_GET},
    {KUBE_SUB_SCALE, "autoscaling", "v1", "Scale", CHANGE},
    {KUBE_SUB_STATUS, NULL, NULL, NULL, CHANGE},
    {KUBE_SUB_TOKEN, "authentication.k8s.io", "v1", "TokenRequest", KUBE_VERB_CREATE},
};

enum { N_SUBS = sizeof subs / sizeof subs[0] };

const struct kube_sub_facts *kube_sub_facts_at(size_t n)
{
    return n < N_SUBS ? &subs[n] : NULL;
}

static void write_verbs(unsigned verbs, struct buf *to)
{
    bool first = true;

    buf_append_str(to, "\"verbs\":[");
    for (unsigned i = 0; i < sizeof verb_names / sizeof verb_names[0]; i++) {
        if ((verbs & 1u << i) != 0) {
            buf_printf(to, "%s\"%s\"", first ? "" : ",", verb_names[i]);
            first = false;
        }
    }
    buf_append_str(to, "]");
}

/* ,"shortNames":["po"] from "po"; nothing from "". */
static void write_words(const char *name, const char *words, struct buf *to)
{
    if (words[0] == '\0') {
        return;
    }
    buf_printf(to, ",\"%s\":[", name);
    for (const char *at = words; *at != '\0';) {
        size_t len = strcspn(at, ",");

        buf_printf(to, "%s\"%.*s\"", at == words ? "" : ",", (int)len, at);
        at += len + (at[len] == ',');
    }
    buf_append_str(to, "]");
}

static void write_api_version(const char *group, const char *version, struct buf *to)
{
    buf_printf(to, "\"%s%s%s\"", group, group[0] == '\0' ? "" : "/", version);
}

/* --- plain ------------------------------------------------------------------------------------ */

void kube_discovery_versions(struct kvs_view address, struct buf *to)
{
    buf_printf(to,
               "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
               "\"serverAddressByClientCIDRs\":[{\"clientCIDR\":\"0.0.0.0/0\","
               "\"serverAddress\":\"%.*s\"}]}",
               (int)address.len, (const char *)address.data);
}

static void write_version_pair(const char *group, const char *version, struct buf *to)
{
    buf_append_str(to, "{\"groupVersion\":");
    write_api_version(group, version, to);
    buf_printf(to, ",\"version\":\"%s\"}", version);
}

static void write_group_body(const struct kube_group *g, struct buf *to)
{
    buf_printf(to, "\"name\":\"%s\",\"versions\":[", g->name);
    for (size_t i = 0; g->versions[i] != NULL; i++) {
        buf_append_str(to, i == 0 ? "" : ",");
        write_version_pair(g->name, g->versions[i], to);
    }
    buf_append_str(to, "],\"preferredVersion\":");
    write_version_pair(g->name, g->versions[0], to);
}

void kube_discovery_groups(struct buf *to)
{
    buf_append_str(to, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    for (size_t i = 0; i < kube_group_count(); i++) {
        buf_append_str(to, i == 0 ? "{" : ",{");
        write_group_body(kube_group_at(i), to);
        buf_append_str(to, "}");
    }
    buf_append_str(to, "]}");
}

void kube_discovery_group(const struct kube_group *g, struct buf *to)
{
    buf_append_str(to, "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
    write_group_body(g, to);
    buf_append_str(to, "}");
}

static void write_resource(const struct kube_resource *r, struct buf *to)
{
    buf_printf(to, "{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\",",
               r->plural, r->singular, r->namespaced ? "true" : "false", r->kind);
    write_verbs(r->verbs, to);
    write_words("shortNames", r->short_names, to);
    write_words("categories", r->categories, to);
    buf_append_str(to, "}");
}

static void
write_subresource(const struct kube_resource *r, const struct kube_sub_facts *s, struct buf *to)
{
    buf_printf(to, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s,", r->plural,
               kube_subresource_name(s->sub), r->namespaced ? "true" : "false");
    if (s->group != NULL) {
        buf_printf(to, "\"group\":\"%s\",\"version\":\"%s\",", s->group, s->version);
    }
    buf_printf(to, "\"kind\":\"%s\",", s->kind == NULL ? r->kind : s->kind);
    write_verbs(s->verbs, to);
    buf_append_str(to, "}");
}

static bool
resource_is_of(const struct kube_resource *r, struct kvs_view group, struct kvs_view version)
{
    return view_equal_str(group, r->group) && view_equal_str(version, r->version);
}

void kube_discovery_resources(struct kvs_view group, struct kvs_view version, struct buf *to)
{
    bool first = true;

    buf_append_str(to, "{\"kind\":\"APIResourceList\",");
    if (group.len > 0) {
        buf_append_str(to, "\"apiVersion\":\"v1\",");
    }
    buf_printf(to, "\"groupVersion\":\"%.*s%s%.*s\",\"resources\":[", (int)group.len,
               (const char *)group.data, group.len > 0 ? "/" : "", (int)version.len,
               (const char *)version.data);
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        if (!resource_is_of(r, group, version)) {
            continue;
        }
        buf_append_str(to, first ? "" : ",");
        first = false;
        write_resource(r, to);
        for (size_t j = 0; j < N_SUBS; j++) {
            if ((r->subresources & subs[j].sub) != 0) {
                write_subresource(r, &subs[j], to);
            }
        }
    }
    buf_append_str(to, "]}");
}

/* --- aggregated ------------------------------------------------------------------------------- */

static void
write_response_kind(const char *group, const char *version, const char *kind, struct buf *to)
{
    buf_printf(to, "\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"}", group,
               version, kind);
}

static void write_aggregated_subs(const struct kube_resource *r, struct buf *to)
{
    bool first = true;

    for (size_t j = 0; j < N_SUBS; j++) {
        const struct kube_sub_facts *s = &subs[j];

        if ((r->subresources & s->sub) == 0) {
            continue;
        }
        buf_append_str(to, first ? ",\"subresources\":[" : ",");
        first = false;
        buf_printf(to, "{\"subresource\":\"%s\",", kube_subresource_name(s->sub));
        write_response_kind(s->group == NULL ? r->group : s->group,
                            s->version == NULL ? r->version : s->version,
                            s->kind == NULL ? r->kind : s->kind, to);
        buf_append_str(to, ",");
        write_verbs(s->verbs, to);
        buf_append_str(to, "}");
    }
    buf_append_str(to, first ? "" : "]");
}

static void write_aggregated_resource(const struct kube_resource *r, struct buf *to)
{
    buf_printf(to, "{\"resource\":\"%s\",", r->plural);
    write_response_kind(r->group, r->version, r->kind, to);
    buf_printf(to, ",\"scope\":\"%s\",\"singularResource\":\"%s\",",
               r->namespaced ? "Namespaced" : "Cluster", r->singular);
    write_verbs(r->verbs, to);
    write_words("shortNames", r->short_names, to);
    write_words("categories", r->categories, to);
    write_aggregated_subs(r, to);
    buf_append_str(to, "}");
}

static void write_aggregated_version(const char *group, const char *version, struct buf *to)
{
    bool first = true;

    buf_printf(to, "{\"version\":\"%s\",\"resources\":[", version);
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        if (resource_is_of(r, view_str(group), view_str(version))) {
            buf_append_str(to, first ? "" : ",");
            first = false;
            write_aggregated_resource(r, to);
        }
    }
    buf_append_str(to, "],\"freshness\":\"Current\"}");
}

static void write_aggregated_group(const char *name, const char *const *versions, struct buf *to)
{
    buf_append_str(to, "{\"metadata\":{");
    if (name[0] != '\0') {
        buf_printf(to, "\"name\":\"%s\",", name);
    }
    buf_append_str(to, "\"creationTimestamp\":null},\"versions\":[");
    for (size_t i = 0; versions[i] != NULL; i++) {
        buf_append_str(to, i == 0 ? "" : ",");
        write_aggregated_version(name, versions[i], to);
    }
    buf_append_str(to, "]}");
}

void kube_discovery_aggregated(bool core, const char *version, struct buf *to)
{
    static const char *const core_versions[] = {"v1", NULL};

    buf_printf(to,
               "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/%s\","
               "\"metadata\":{},\"items\":[",
               version);
    if (core) {
        write_aggregated_group("", core_versions, to);
    }
    for (size_t i = 0; !core && i < kube_group_count(); i++) {
        buf_append_str(to, i == 0 ? "" : ",");
        write_aggregated_group(kube_group_at(i)->name, kube_group_at(i)->versions, to);
    }
    buf_append_str(to, "]}");
}
