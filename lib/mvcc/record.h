/* Records as they are on disk (docs/format.md), and their decoded form, which versions in memory
 * share. Every record carries a checksum bound to its key: LMDB has none, so a damaged page would
 * otherwise turn into a wrong answer. */
#ifndef MVCC_RECORD_H
#define MVCC_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/types.h"

/* Place of one change: the entry's revision and the number of the change in it. */
struct rev {
    kvs_revision main; /* 0: none */
    uint32_t sub;
};

static inline bool rev_equal(struct rev a, struct rev b)
{
    return a.main == b.main && a.sub == b.sub;
}

static inline int rev_compare(struct rev a, struct rev b)
{
    if (a.main != b.main) {
        return a.main < b.main ? -1 : 1;
    }
    return (a.sub > b.sub) - (a.sub < b.sub);
}

struct record {
    struct kvs_view key;
    struct kvs_view value;
    struct rev mod;
    struct rev prev; /* the live version that this one replaced; not known from table cur */
    kvs_revision create;
    int64_t version;
    kvs_lease_id lease;
    bool tombstone;
};

#define RECORD_FORMAT_VERSION 1

#define RECORD_REV_BYTES  12 /* key of hist: main BE, sub BE */
#define RECORD_IDX_BYTES  16 /* value of idx: ~main BE, ~sub BE, flags BE */
#define RECORD_CUR_BYTES  44 /* header of a value of cur */
#define RECORD_HIST_BYTES 48 /* header of a value of hist */

void record_rev_encode(struct rev rev, uint8_t to[RECORD_REV_BYTES]);
KVS_MUST_USE int record_rev_decode(struct kvs_view from, struct rev *ret_rev);

/* Newest first in byte order. */
void record_idx_encode(struct rev rev, bool tombstone, uint8_t to[RECORD_IDX_BYTES]);
KVS_MUST_USE int record_idx_decode(struct kvs_view from, struct rev *ret_rev, bool *ret_tombstone);

/* Appends the value of cur for `dbkey`; the key is part of it if it is longer than `dbkey` holds
 * (then `dbkey` is not the key). */
void record_cur_encode(const struct record *r, struct kvs_view dbkey, struct buf *to);

/* `ret_record` borrows from both. `verify` false: the value may be damaged, only the header is
 * looked at. KVS_E_DAMAGED. */
KVS_MUST_USE int record_cur_decode(struct kvs_view dbkey,
                                   struct kvs_view from,
                                   bool verify,
                                   struct record *ret_record);

void record_hist_encode(const struct record *r, struct buf *to);
KVS_MUST_USE int
record_hist_decode(struct rev rev, struct kvs_view from, bool verify, struct record *ret_record);

void record_to_kv(const struct record *r, struct kvs_kv *ret_kv);

/* State of the store as of one commit: written with every batch. */
struct state_record {
    uint64_t index; /* entry applied last */
    uint64_t term;
    kvs_revision revision;
    kvs_revision compact;
};

#define STATE_BYTES 40

void state_encode(const struct state_record *s, uint8_t to[STATE_BYTES]);
KVS_MUST_USE int state_decode(struct kvs_view from, struct state_record *ret_state);

/* How far the deletion of compacted history has come. */
struct compacted_record {
    kvs_revision finished; /* done completely up to here */
    kvs_revision target;   /* being done up to here; equal to `finished`: idle */
    struct rev at;         /* next record to look at */
};

#define COMPACTED_BYTES 36

void compacted_encode(const struct compacted_record *c, uint8_t to[COMPACTED_BYTES]);
KVS_MUST_USE int compacted_decode(struct kvs_view from, struct compacted_record *ret_compacted);

#endif
