/* metadata.managedFields: who set which fields, and how. Every write keeps it: the writer owns what
 * it changed, and nobody owns what has changed since. As
 * k8s.io/apimachinery/pkg/util/managedfields 1.32.
 *
 * Objects are in normal form; all are of one document. Any thread. */
#ifndef KUBE_MANAGED_FIELDS_H
#define KUBE_MANAGED_FIELDS_H

#include "base/attr.h"
#include "kube/json.h"
#include "kube/schema.h"

/* Updates of so many managers are told apart; older ones become one, "ancient-changes". */
#define KUBE_MANAGED_UPDATES_MAX 10

/* A longer name of a manager is refused, or cut off if it comes from a User-Agent. */
#define KUBE_MANAGER_NAME_MAX 128

/* Who writes, and what. */
struct kube_manager {
    yyjson_mut_doc *doc;
    const struct kube_message *type;
    struct kvs_view name;        /* empty: "unknown" */
    struct kvs_view api_version; /* of the request */
    const char *subresource;     /* "status"; "" for the object itself */
    int64_t now_s;
    bool has_status; /* the status is a subresource: the object's own writers never own it */
};

/* The first word of a User-Agent, up to "/", without what is not printable. Borrows if it can,
 * else copies to `room`. */
struct kvs_view kube_manager_of_agent(struct kvs_view user_agent, char room[KUBE_MANAGER_NAME_MAX]);

/* `object` is about to be created (`old` NULL) or to replace `old` by a create, update or patch:
 * sets its managedFields. What is wrong in managedFields is dropped, as upstream does. KVS_E_NOMEM;
 * KVS_E_TOO_LONG. */
KVS_MUST_USE int kube_managed_update(const struct kube_manager *manager,
                                     yyjson_mut_val *old,
                                     yyjson_mut_val *object);

/* If all that differs between the two is when managedFields were written, `object` gets the times
 * of `old` and is the same: true. */
bool kube_managed_only_times(yyjson_mut_doc *doc, yyjson_mut_val *object, yyjson_mut_val *old);

#endif
