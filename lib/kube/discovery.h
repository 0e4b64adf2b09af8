/* The documents by which clients find out what the API has: plain discovery (a document a group
 * and version) and aggregated discovery (all in two documents, apidiscovery.k8s.io v2 and
 * v2beta1). All come from the resource table. */
#ifndef KUBE_DISCOVERY_H
#define KUBE_DISCOVERY_H

#include "base/buf.h"
#include "kube/resource.h"

/* What a subresource takes and answers, where it is not the resource's own kind. */
struct kube_sub_facts {
    enum kube_subresource sub;
    const char *group; /* NULL: the resource's */
    const char *version;
    const char *kind;
    unsigned verbs; /* enum kube_verb */
};

/* In the order of their names; NULL behind the last. */
const struct kube_sub_facts *kube_sub_facts_at(size_t n);

/* /api. `address` is host:port as clients may reach the server. */
void kube_discovery_versions(struct kvs_view address, struct buf *to);
/* /apis */
void kube_discovery_groups(struct buf *to);
/* /apis/GROUP */
void kube_discovery_group(const struct kube_group *g, struct buf *to);
/* /api/v1, /apis/GROUP/VERSION */
void kube_discovery_resources(struct kvs_view group, struct kvs_view version, struct buf *to);

/* All named groups, or the core, as an APIGroupDiscoveryList. `version`: "v2" or "v2beta1". */
void kube_discovery_aggregated(bool core, const char *version, struct buf *to);

#endif
