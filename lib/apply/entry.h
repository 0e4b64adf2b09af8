/* What a log entry says: our own binary format, so that what the log holds for years does not
 * depend on a wire protocol's library. Format and limits: docs/format.md, entry.c.
 *
 * The encoding is canonical: bytes that decode are exactly the bytes that encoding the result
 * gives. Pure functions, any thread. */
#ifndef APPLY_ENTRY_H
#define APPLY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/types.h"
#include "lease/lease.h"

#define APPLY_TXN_DEPTH_MAX   16    /* transactions inside of each other */
#define APPLY_TXN_OPS_MAX     65536 /* compares and operations of one entry */
#define APPLY_CHECKPOINTS_MAX LEASE_CHECKPOINT_MAX
#define APPLY_MEMBERS_MAX     64
#define APPLY_URLS_MAX        32
#define APPLY_URL_BYTES_MAX   2048
#define APPLY_NAME_BYTES_MAX  1024

/* Stored in the log: numbers never change their meaning. */
enum apply_kind {
    APPLY_PUT = 1,
    APPLY_DELETE = 2,
    APPLY_TXN = 3,
    APPLY_COMPACT = 4,
    APPLY_LEASE_GRANT = 5,
    APPLY_LEASE_REVOKE = 6,
    APPLY_LEASE_CHECKPOINT = 7,
    APPLY_ALARM = 8,
    APPLY_MEMBER_ATTRIBUTES = 9,
    APPLY_MEMBER_CHANGE = 10, /* only as the context of a configuration change */
    APPLY_KIND_COUNT,
};

/* "put", ...; "unknown" for anything else. Static storage. */
const char *apply_kind_name(enum apply_kind kind);

struct apply_lease_revoke {
    kvs_lease_id id;
    uint64_t only_term; /* not 0: void unless committed in this term (a leader's expiry) */
};

struct apply_lease_checkpoint {
    struct lease_checkpoint *items;
    size_t n_items;
    uint64_t only_term; /* as above; 0 for the clearing one of a renewal */
};

struct apply_alarm {
    bool activate;
    int type; /* KVS_ALARM_NOSPACE or KVS_ALARM_CORRUPT */
    uint64_t member_id;
};

/* What a member publishes of itself when it is up. */
struct apply_member_attributes {
    uint64_t id;
    struct kvs_view name;
    struct kvs_view *client_urls;
    size_t n_client_urls;
};

enum apply_member_op {
    APPLY_MEMBER_ADD = 1,
    APPLY_MEMBER_REMOVE = 2,
    APPLY_MEMBER_UPDATE = 3, /* peer URLs */
    APPLY_MEMBER_PROMOTE = 4,
    APPLY_MEMBER_OP_COUNT,
};

struct apply_member_change {
    enum apply_member_op op;
    uint64_t id;
    bool is_learner;            /* ADD */
    struct kvs_view *peer_urls; /* ADD, UPDATE */
    size_t n_peer_urls;
};

struct apply_entry {
    enum apply_kind kind;
    uint64_t request_id; /* chosen by the proposer, found again in the result; 0: nobody asks */
    union {
        struct kvs_put_req put;
        struct kvs_delete_req del;
        struct kvs_txn_req txn;
        struct kvs_compact_req compact;         /* `physical` is not encoded: the asker waits */
        struct kvs_lease_grant_req lease_grant; /* final id and TTL: lease_ttl_adjust */
        struct apply_lease_revoke lease_revoke;
        struct apply_lease_checkpoint lease_checkpoint;
        struct apply_alarm alarm;
        struct apply_member_attributes attributes;
        struct apply_member_change change;
    } u;
};

/* Appends the entry's bytes. KVS_E_NOMEM; KVS_E_TOO_LONG if a limit is exceeded, KVS_E_INVALID if
 * the entry is none (unknown kind, empty operation): then `to` is as before. */
KVS_MUST_USE int apply_encode(const struct apply_entry *entry, struct buf *to);

/* Reads a whole entry. Views of `ret_entry` borrow from `bytes`, arrays are in `arena`.
 * KVS_E_MALFORMED, KVS_E_VERSION (written by a newer version), KVS_E_TOO_LONG, KVS_E_NOMEM. */
KVS_MUST_USE int
apply_decode(struct kvs_view bytes, struct arena *arena, struct apply_entry *ret_entry);

/* The request id in an entry's bytes without decoding the rest; 0 if there is none. */
uint64_t apply_entry_request_id(struct kvs_view bytes);

#endif
