#include "mvcc/record.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/view.h"
#include "mvcc/dbkey.h"

#define FLAG_TOMBSTONE 1u

void record_rev_encode(struct rev rev, uint8_t to[RECORD_REV_BYTES])
{
    store_be64(to, (uint64_t)rev.main);
    store_be32(to + 8, rev.sub);
}

int record_rev_decode(struct kvs_view from, struct rev *ret_rev)
{
    const uint8_t *at = from.data;
    uint64_t main;

    if (from.len != RECORD_REV_BYTES) {
        return KVS_E_DAMAGED;
    }
    main = load_be64(at);
    if (main == 0 || main > INT64_MAX) {
        return KVS_E_DAMAGED;
    }
    *ret_rev = (struct rev){(kvs_revision)main, load_be32(at + 8)};
    return 0;
}

void record_idx_encode(struct rev rev, bool tombstone, uint8_t to[RECORD_IDX_BYTES])
{
    store_be64(to, ~(uint64_t)rev.main);
    store_be32(to + 8, ~rev.sub);
    store_be32(to + 12, tombstone ? FLAG_TOMBSTONE : 0);
}

int record_idx_decode(struct kvs_view from, struct rev *ret_rev, bool *ret_tombstone)
{
    const uint8_t *at = from.data;
    uint64_t main;
    uint32_t flags;

    if (from.len != RECORD_IDX_BYTES) {
        return KVS_E_DAMAGED;
    }
    main = ~load_be64(at);
    flags = load_be32(at + 12);
    if (main == 0 || main > INT64_MAX || flags > FLAG_TOMBSTONE) {
        return KVS_E_DAMAGED;
    }
    *ret_rev = (struct rev){(kvs_revision)main, ~load_be32(at + 8)};
    *ret_tombstone = flags == FLAG_TOMBSTONE;
    return 0;
}

/* The sum covers everything after itself and is bound to the record's place by the seed. */
static uint32_t record_sum(struct kvs_view record, uint64_t seed)
{
    const uint8_t *at = record.data;

    return (uint32_t)checksum64(at + 4, record.len - 4, seed);
}

static uint64_t record_cur_seed(struct kvs_view dbkey)
{
    return checksum64(dbkey.data, dbkey.len, 0);
}

static uint64_t record_hist_seed(struct rev rev)
{
    return (uint64_t)rev.main * UINT64_C(0x9e3779b97f4a7c15) + rev.sub;
}

void record_cur_encode(const struct record *r, struct kvs_view dbkey, struct buf *to)
{
    bool long_key = dbkey_is_long(dbkey);
    size_t key_len = long_key ? r->key.len : 0;
    size_t len = RECORD_CUR_BYTES + key_len + r->value.len;
    uint8_t *at = buf_reserve(to, len);

    kvs_assert(!r->tombstone && r->mod.main > 0 && r->version > 0);
    if (at == NULL) {
        return;
    }
    store_le32(at + 4, r->mod.sub);
    store_le64(at + 8, (uint64_t)r->mod.main);
    store_le64(at + 16, (uint64_t)r->create);
    store_le64(at + 24, (uint64_t)r->version);
    store_le64(at + 32, (uint64_t)r->lease);
    store_le32(at + 40, (uint32_t)key_len);
    if (key_len > 0) {
        memcpy(at + RECORD_CUR_BYTES, r->key.data, key_len);
    }
    if (r->value.len > 0) {
        memcpy(at + RECORD_CUR_BYTES + key_len, r->value.data, r->value.len);
    }
    store_le32(at, record_sum(view_make(at, len), record_cur_seed(dbkey)));
    to->len += len;
}

int record_cur_decode(struct kvs_view dbkey,
                      struct kvs_view from,
                      bool verify,
                      struct record *ret_record)
{
    const uint8_t *at = from.data;
    bool long_key = dbkey_is_long(dbkey);
    size_t key_len;
    struct record r = {0};

    if (from.len < RECORD_CUR_BYTES) {
        return KVS_E_DAMAGED;
    }
    key_len = load_le32(at + 40);
    if (key_len > from.len - RECORD_CUR_BYTES || (key_len > 0) != long_key ||
        (verify && load_le32(at) != record_sum(from, record_cur_seed(dbkey)))) {
        return KVS_E_DAMAGED;
    }
    r.key = long_key ? view_make(at + RECORD_CUR_BYTES, key_len) : dbkey;
    r.value = view_make(at + RECORD_CUR_BYTES + key_len, from.len - RECORD_CUR_BYTES - key_len);
    r.mod = (struct rev){(kvs_revision)load_le64(at + 8), load_le32(at + 4)};
    r.create = (kvs_revision)load_le64(at + 16);
    r.version = (int64_t)load_le64(at + 24);
    r.lease = (kvs_lease_id)load_le64(at + 32);
    *ret_record = r;
    return 0;
}

void record_hist_encode(const struct record *r, struct buf *to)
{
    size_t len = RECORD_HIST_BYTES + r->key.len + r->value.len;
    uint8_t *at = buf_reserve(to, len);

    kvs_assert(r->mod.main > 0 && r->key.len > 0);
    if (at == NULL) {
        return;
    }
    store_le32(at + 4, r->tombstone ? FLAG_TOMBSTONE : 0);
    store_le64(at + 8, (uint64_t)r->create);
    store_le64(at + 16, (uint64_t)r->version);
    store_le64(at + 24, (uint64_t)r->lease);
    store_le64(at + 32, (uint64_t)r->prev.main);
    store_le32(at + 40, r->prev.sub);
    store_le32(at + 44, (uint32_t)r->key.len);
    memcpy(at + RECORD_HIST_BYTES, r->key.data, r->key.len);
    if (r->value.len > 0) {
        memcpy(at + RECORD_HIST_BYTES + r->key.len, r->value.data, r->value.len);
    }
    store_le32(at, record_sum(view_make(at, len), record_hist_seed(r->mod)));
    to->len += len;
}

int record_hist_decode(struct rev rev, struct kvs_view from, bool verify, struct record *ret_record)
{
    const uint8_t *at = from.data;
    size_t key_len;
    uint32_t flags;
    struct record r = {.mod = rev};

    if (from.len < RECORD_HIST_BYTES) {
        return KVS_E_DAMAGED;
    }
    flags = load_le32(at + 4);
    key_len = load_le32(at + 44);
    if (key_len == 0 || key_len > from.len - RECORD_HIST_BYTES || flags > FLAG_TOMBSTONE ||
        (verify && load_le32(at) != record_sum(from, record_hist_seed(rev)))) {
        return KVS_E_DAMAGED;
    }
    r.tombstone = flags == FLAG_TOMBSTONE;
    r.create = (kvs_revision)load_le64(at + 8);
    r.version = (int64_t)load_le64(at + 16);
    r.lease = (kvs_lease_id)load_le64(at + 24);
    r.prev = (struct rev){(kvs_revision)load_le64(at + 32), load_le32(at + 40)};
    r.key = view_make(at + RECORD_HIST_BYTES, key_len);
    r.value = view_make(at + RECORD_HIST_BYTES + key_len, from.len - RECORD_HIST_BYTES - key_len);
    *ret_record = r;
    return 0;
}

void record_to_kv(const struct record *r, struct kvs_kv *ret_kv)
{
    *ret_kv = (struct kvs_kv){.key = r->key,
                              .value = r->value,
                              .create_revision = r->create,
                              .mod_revision = r->mod.main,
                              .version = r->version,
                              .lease = r->lease};
}

void state_encode(const struct state_record *s, uint8_t to[STATE_BYTES])
{
    store_le64(to, s->index);
    store_le64(to + 8, s->term);
    store_le64(to + 16, (uint64_t)s->revision);
    store_le64(to + 24, (uint64_t)s->compact);
    store_le64(to + 32, checksum64(to, 32, 0));
}

int state_decode(struct kvs_view from, struct state_record *ret_state)
{
    const uint8_t *at = from.data;

    if (from.len != STATE_BYTES || load_le64(at + 32) != checksum64(at, 32, 0)) {
        return KVS_E_DAMAGED;
    }
    *ret_state = (struct state_record){.index = load_le64(at),
                                       .term = load_le64(at + 8),
                                       .revision = (kvs_revision)load_le64(at + 16),
                                       .compact = (kvs_revision)load_le64(at + 24)};
    return ret_state->revision >= 1 && ret_state->compact <= ret_state->revision ? 0
                                                                                 : KVS_E_DAMAGED;
}

void compacted_encode(const struct compacted_record *c, uint8_t to[COMPACTED_BYTES])
{
    store_le64(to, (uint64_t)c->finished);
    store_le64(to + 8, (uint64_t)c->target);
    store_le64(to + 16, (uint64_t)c->at.main);
    store_le32(to + 24, c->at.sub);
    store_le64(to + 28, checksum64(to, 28, 0));
}

int compacted_decode(struct kvs_view from, struct compacted_record *ret_compacted)
{
    const uint8_t *at = from.data;

    if (from.len != COMPACTED_BYTES || load_le64(at + 28) != checksum64(at, 28, 0)) {
        return KVS_E_DAMAGED;
    }
    *ret_compacted = (struct compacted_record){
        .finished = (kvs_revision)load_le64(at),
        .target = (kvs_revision)load_le64(at + 8),
        .at = {(kvs_revision)load_le64(at + 16), load_le32(at + 24)},
    };
    return ret_compacted->target >= ret_compacted->finished ? 0 : KVS_E_DAMAGED;
}
