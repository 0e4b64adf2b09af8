/* The built-in resources of the API: what exists under which group, version and name, how it is
 * called on a command line, and where it is stored. Discovery, routing, authorization and storage
 * all read this one table; what an object of a kind looks like is the schema's business.
 *
 * Facts: Kubernetes 1.32 (`kubectl api-resources -o wide`, `kubectl get --raw /apis`); storage
 * prefixes as kube-apiserver writes them. Everything is constant; any thread. */
#ifndef KUBE_RESOURCE_H
#define KUBE_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "kvstore/types.h"

enum kube_verb {
    KUBE_VERB_CREATE = 1u << 0,
    KUBE_VERB_DELETE = 1u << 1,
    KUBE_VERB_DELETECOLLECTION = 1u << 2,
    KUBE_VERB_GET = 1u << 3,
    KUBE_VERB_LIST = 1u << 4,
    KUBE_VERB_PATCH = 1u << 5,
    KUBE_VERB_UPDATE = 1u << 6,
    KUBE_VERB_WATCH = 1u << 7,
    KUBE_VERB_ALL = 0xffu,
};

/* Order is that of kube_resource.subresources' bits. */
enum kube_subresource {
    KUBE_SUB_NONE = 0,
    KUBE_SUB_STATUS = 1u << 0,
    KUBE_SUB_SCALE = 1u << 1,
    KUBE_SUB_BINDING = 1u << 2,
    KUBE_SUB_EVICTION = 1u << 3,
    KUBE_SUB_EPHEMERALCONTAINERS = 1u << 4,
    KUBE_SUB_FINALIZE = 1u << 5,
    KUBE_SUB_APPROVAL = 1u << 6,
    KUBE_SUB_TOKEN = 1u << 7,
    KUBE_SUB_LOG = 1u << 8,
    KUBE_SUB_EXEC = 1u << 9,
    KUBE_SUB_ATTACH = 1u << 10,
    KUBE_SUB_PORTFORWARD = 1u << 11,
    KUBE_SUB_PROXY = 1u << 12,
};

enum { KUBE_SUB_COUNT = 13 };

/* One resource in one version of its group. */
struct kube_resource {
    const char *group; /* "" for the core */
    const char *version;
    const char *kind;
    const char *plural;
    const char *singular;
    const char *short_names; /* comma-separated; "" for none */
    const char *categories;  /* likewise */
    const char *storage;     /* below /registry/, "pods"; NULL: nothing is stored */
    unsigned verbs;          /* enum kube_verb */
    unsigned subresources;   /* enum kube_subresource */
    bool namespaced;
    bool graceful; /* deletion waits for somebody: pods */
};

size_t kube_resource_count(void);
const struct kube_resource *kube_resource_at(size_t i);

/* NULL if there is none. `group` "" is the core. */
const struct kube_resource *
kube_resource_find(struct kvs_view group, struct kvs_view version, struct kvs_view plural);
const struct kube_resource *
kube_resource_by_kind(struct kvs_view group, struct kvs_view version, struct kvs_view kind);

/* Position in the table, for arrays beside it. */
size_t kube_resource_index(const struct kube_resource *r);

/* A group and the versions that it is served in. */
struct kube_group {
    const char *name;
    const char *versions[3]; /* preferred first, then NULL */
};

/* Named groups in the order in which discovery lists them; the core is not among them. */
size_t kube_group_count(void);
const struct kube_group *kube_group_at(size_t i);
const struct kube_group *kube_group_find(struct kvs_view name);

/* "status"; NULL for KUBE_SUB_NONE. */
const char *kube_subresource_name(enum kube_subresource sub);
/* KUBE_SUB_NONE if there is no such. */
enum kube_subresource kube_subresource_find(struct kvs_view name);

#endif
