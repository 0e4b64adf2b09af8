/* What a member tells a process that wants to join: the cluster's members with their ids, which a
 * newcomer cannot compute, since they depend on when each was added. */
#ifndef NODE_IDENT_INFO_H
#define NODE_IDENT_INFO_H

#include "base/buf.h"
#include "node/ident.h"

/* Appends the description. */
void ident_info_encode(struct buf *b, const struct kvs_member *members, size_t n_members);

/* Reads it into `ret_cluster` (members only); strings live in `arena`. Comes from the network:
 * KVS_E_MALFORMED, KVS_E_NOMEM. */
KVS_MUST_USE int
ident_info_decode(struct kvs_view bytes, struct arena *arena, struct ident_cluster *ret_cluster);

/* True if the member has exactly these peer URLs. */
bool ident_has_urls(const struct kvs_member *m, const struct kvs_view *urls, size_t n_urls);

/* The member that has exactly these peer URLs, or NULL: how a newcomer finds itself. */
const struct kvs_member *
ident_find_urls(const struct ident_cluster *c, const struct kvs_view *urls, size_t n_urls);

#endif
