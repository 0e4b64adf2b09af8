/* What updates and applies share about managedFields. */
#ifndef KUBE_MANAGED_FIELDS_INT_H
#define KUBE_MANAGED_FIELDS_INT_H

#include "kube/field_set.h"
#include "kube/managed_fields.h"
#include "kube/typed.h"

struct managed_entry {
    struct kvs_view manager;
    struct kvs_view api_version;
    struct kvs_view subresource;
    struct kvs_view time; /* as it is written; empty: none */
    bool applied;
    const struct kube_field_set *set;
};

/* The entries of an object, while they are changed. Entries with an empty set are left out when
 * they are written. */
struct managed {
    const struct kube_manager *manager;
    struct arena arena;
    struct kube_typed typed;
    struct managed_entry *entries;
    size_t n;
    size_t room;
    const struct kube_field_set *strip; /* what is never owned */
    const struct kube_field_set *reset; /* what this kind of request cannot set */
};

/* Scratch of one request. */
#define MANAGED_SCRATCH_MAX ((size_t)256 << 20)

KVS_MUST_USE int managed_init(struct managed *m, const struct kube_manager *manager);
void managed_fini(struct managed *m);

/* Reads an object's managedFields. KVS_E_MALFORMED: there are no entries then. */
KVS_MUST_USE int managed_read(struct managed *m, yyjson_mut_val *object);

/* Writes them to an object, sorted; entries of the same identity have been united before. */
KVS_MUST_USE int managed_write(struct managed *m, yyjson_mut_val *object);

/* The entry of a manager; NULL if there is none. */
struct managed_entry *managed_find(struct managed *m, struct kvs_view manager, bool applied);
KVS_MUST_USE int managed_add(struct managed *m, const struct managed_entry *entry);

/* An object of the type with nothing in it, in normal form. */
KVS_MUST_USE int managed_empty_object(struct managed *m, yyjson_mut_val **ret_object);

/* What differs, without what the request cannot set. */
KVS_MUST_USE int managed_compare(struct managed *m,
                                 yyjson_mut_val *from,
                                 yyjson_mut_val *to,
                                 struct kube_comparison *ret_comparison);

/* All but `self` (may be NULL) lose what has changed. */
KVS_MUST_USE int managed_reduce(struct managed *m,
                                const struct managed_entry *self,
                                const struct kube_comparison *comparison);

/* `manager` wrote what differs between the two. */
KVS_MUST_USE int managed_track(struct managed *m,
                               struct kvs_view manager,
                               const char *subresource,
                               yyjson_mut_val *from,
                               yyjson_mut_val *to);

/* Sets an entry's time to the request's. KVS_E_NOMEM. */
KVS_MUST_USE int managed_stamp(struct managed *m, struct managed_entry *entry);

#endif
