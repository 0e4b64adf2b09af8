/* Who is who: members and ids computed from the initial cluster, exactly as etcd computes them, so
 * that operators' tools and notes stay valid. */
#ifndef NODE_IDENT_H
#define NODE_IDENT_H

#include "base/arena.h"
#include "kvstore/types.h"

#define IDENT_MEMBERS_MAX   32
#define IDENT_URLS_MAX      16
#define IDENT_URL_BYTES_MAX 1024

struct ident_cluster {
    uint64_t cluster_id;
    struct kvs_member members[IDENT_MEMBERS_MAX]; /* sorted by id; strings live in the arena */
    size_t n_members;
};

/* Parses "name=url,name=url,..." (a name may come several times, once per URL) and computes the
 * ids. `ret_error` gets words. KVS_E_INVALID, KVS_E_NOMEM. */
KVS_MUST_USE int ident_parse_cluster(const char *initial_cluster,
                                     const char *token,
                                     struct arena *arena,
                                     struct ident_cluster *ret_cluster,
                                     struct kvs_error *ret_error);

/* Splits "url,url" and checks each: http, https or unix scheme, host and port, no path.
 * KVS_E_MEMBER_BAD_URLS, KVS_E_NOMEM. */
KVS_MUST_USE int
ident_parse_urls(const char *urls, struct arena *arena, struct kvs_view **ret_urls, size_t *ret_n);

/* True if `url` is one that a member may have. */
bool ident_url_is_valid(struct kvs_view url);

/* Id of a member: SHA-1 over its sorted URLs, the token and, for a member added later, the time in
 * seconds (0: none). Sorts `urls` in place. 0: out of memory. */
uint64_t
ident_member_id(struct kvs_view *urls, size_t n_urls, const char *token, uint64_t added_at_s);

/* Id of a cluster: SHA-1 over its sorted member ids. Sorts `ids` in place. */
uint64_t ident_cluster_id(uint64_t *ids, size_t n_ids);

/* The member of that name, or NULL. */
const struct kvs_member *ident_find_name(const struct ident_cluster *c, const char *name);

#endif
