#include "replica/wal_format.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"

/* Offsets in the segment header. */
enum {
    H_MAGIC = 0,
    H_VERSION = 8,
    H_FLAGS = 12,
    H_SEGMENT = 16,
    H_SEGMENT_BYTES = 24,
    H_CLUSTER = 32,
    H_MEMBER = 40,
    H_PREV_INDEX = 48,
    H_PREV_TERM = 56,
    H_HARD = 64,
    H_PREV_END = 88,
    H_RESERVED = 96, /* zero */
    H_SUM = WAL_HEADER_BYTES - 8,
};

/* Offsets in a record's head. */
enum {
    R_HEAD_SUM = 0,
    R_PAYLOAD_SUM = 8,
    R_SYNCED = 16,
    R_LEN = 24,
    R_COUNT = 28,
    R_TYPE = 32,
    R_RESERVED = 33, /* zero */
};

/* Offsets in an entry's head. */
enum {
    E_TERM = 0,
    E_LEN = 8,
    E_TYPE = 12,
    E_RESERVED = 13, /* zero */
};

_Static_assert(H_HARD + WAL_HARD_BYTES == H_PREV_END, "docs/format.md");
_Static_assert(WAL_RECORD_HEAD_BYTES % WAL_ALIGN == 0, "heads keep the alignment");
_Static_assert(WAL_HEADER_BYTES % WAL_ALIGN == 0, "the first record is aligned");

static bool all_zero(const uint8_t *at, size_t len)
{
    return len == 0 || (at[0] == 0 && memcmp(at, at + 1, len - 1) == 0);
}

uint64_t wal_header_encode(const struct wal_header *h, uint8_t *to)
{
    uint64_t sum;

    kvs_assert(h->segment > 0 && h->segment_bytes >= WAL_SEGMENT_BYTES_MIN);
    memset(to, 0, WAL_HEADER_BYTES);
    memcpy(to + H_MAGIC, WAL_MAGIC, sizeof WAL_MAGIC - 1);
    store_le32(to + H_VERSION, WAL_VERSION);
    store_le32(to + H_FLAGS, h->flags);
    store_le64(to + H_SEGMENT, h->segment);
    store_le64(to + H_SEGMENT_BYTES, h->segment_bytes);
    store_le64(to + H_CLUSTER, h->cluster_id);
    store_le64(to + H_MEMBER, h->member_id);
    store_le64(to + H_PREV_INDEX, h->prev_index);
    store_le64(to + H_PREV_TERM, h->prev_term);
    wal_hard_encode(&h->hard, to + H_HARD);
    store_le64(to + H_PREV_END, h->prev_end);
    sum = checksum64(to, H_SUM, 0);
    store_le64(to + H_SUM, sum);
    return sum;
}

int wal_header_decode(const uint8_t *from, struct wal_header *ret_header, uint64_t *ret_seed)
{
    uint64_t sum = load_le64(from + H_SUM);
    struct wal_header h;
    int rv;

    if (memcmp(from + H_MAGIC, WAL_MAGIC, sizeof WAL_MAGIC - 1) != 0) {
        return KVS_E_DAMAGED;
    }
    /* Before the checksum: another version may have it elsewhere. */
    if (load_le32(from + H_VERSION) != WAL_VERSION) {
        return KVS_E_VERSION;
    }
    if (checksum64(from, H_SUM, 0) != sum) {
        return KVS_E_DAMAGED;
    }
    h.flags = load_le32(from + H_FLAGS);
    h.segment = load_le64(from + H_SEGMENT);
    h.segment_bytes = load_le64(from + H_SEGMENT_BYTES);
    h.cluster_id = load_le64(from + H_CLUSTER);
    h.member_id = load_le64(from + H_MEMBER);
    h.prev_index = load_le64(from + H_PREV_INDEX);
    h.prev_term = load_le64(from + H_PREV_TERM);
    rv = wal_hard_decode(from + H_HARD, WAL_HARD_BYTES, &h.hard);
    h.prev_end = load_le64(from + H_PREV_END);
    if (rv != 0 || (h.flags & ~(uint32_t)WAL_FLAG_RECYCLED) != 0 || h.segment == 0 ||
        h.segment > WAL_NUMBER_MAX || h.prev_index > WAL_NUMBER_MAX ||
        h.segment_bytes < WAL_SEGMENT_BYTES_MIN || h.segment_bytes % WAL_ALIGN != 0 ||
        !all_zero(from + H_RESERVED, H_SUM - H_RESERVED)) {
        return KVS_E_DAMAGED;
    }
    *ret_header = h;
    *ret_seed = sum;
    return 0;
}

/* The head's sum covers the payload's; so the two need not differ in their seeds. */
static uint64_t record_seed(uint64_t seed, uint64_t offset)
{
    return seed + offset;
}

void wal_record_encode(const struct wal_record *r, uint64_t seed, uint64_t offset, uint8_t *to)
{
    uint8_t *payload = to + WAL_RECORD_HEAD_BYTES;
    uint64_t padded = wal_padded(r->len);

    kvs_assert(offset % WAL_ALIGN == 0 && r->synced <= offset);
    seed = record_seed(seed, offset);
    memset(payload + r->len, 0, (size_t)(padded - r->len));
    memset(to, 0, WAL_RECORD_HEAD_BYTES);
    store_le64(to + R_PAYLOAD_SUM, checksum64(payload, (size_t)padded, seed));
    store_le64(to + R_SYNCED, r->synced);
    store_le32(to + R_LEN, r->len);
    store_le32(to + R_COUNT, r->count);
    to[R_TYPE] = (uint8_t)r->type;
    store_le64(to + R_HEAD_SUM,
               checksum64(to + R_PAYLOAD_SUM, WAL_RECORD_HEAD_BYTES - R_PAYLOAD_SUM, seed));
}

bool wal_record_decode(const uint8_t *from,
                       uint64_t seed,
                       uint64_t offset,
                       struct wal_record *ret_record)
{
    uint8_t type = from[R_TYPE];
    uint64_t sum;

    /* Cheap refusals first: recovery asks this at each position of an unfinished tail. */
    if (type == 0 || type >= WAL_RECORD_TYPE_END ||
        !all_zero(from + R_RESERVED, WAL_RECORD_HEAD_BYTES - R_RESERVED) ||
        load_le64(from + R_SYNCED) > offset) {
        return false;
    }
    sum = checksum64(from + R_PAYLOAD_SUM, WAL_RECORD_HEAD_BYTES - R_PAYLOAD_SUM,
                     record_seed(seed, offset));
    if (sum != load_le64(from + R_HEAD_SUM)) {
        return false;
    }
    ret_record->type = (enum wal_record_type)type;
    ret_record->len = load_le32(from + R_LEN);
    ret_record->count = load_le32(from + R_COUNT);
    ret_record->synced = load_le64(from + R_SYNCED);
    ret_record->payload_sum = load_le64(from + R_PAYLOAD_SUM);
    return true;
}

bool wal_payload_valid(const struct wal_record *r,
                       uint64_t seed,
                       uint64_t offset,
                       const uint8_t *payload)
{
    return checksum64(payload, (size_t)wal_padded(r->len), record_seed(seed, offset)) ==
           r->payload_sum;
}

void wal_hard_encode(const struct wal_hard_state *hard, uint8_t *to)
{
    store_le64(to, hard->term);
    store_le64(to + 8, hard->vote);
    store_le64(to + 16, hard->commit);
}

int wal_hard_decode(const uint8_t *payload, uint32_t len, struct wal_hard_state *ret_hard)
{
    if (len != WAL_HARD_BYTES) {
        return KVS_E_DAMAGED;
    }
    ret_hard->term = load_le64(payload);
    ret_hard->vote = load_le64(payload + 8);
    ret_hard->commit = load_le64(payload + 16);
    return 0;
}

void wal_reset_encode(uint64_t index, uint64_t term, uint8_t *to)
{
    store_le64(to, index);
    store_le64(to + 8, term);
}

int wal_reset_decode(const uint8_t *payload, uint32_t len, uint64_t *ret_index, uint64_t *ret_term)
{
    if (len != WAL_RESET_BYTES || load_le64(payload) > WAL_NUMBER_MAX) {
        return KVS_E_DAMAGED;
    }
    *ret_index = load_le64(payload);
    *ret_term = load_le64(payload + 8);
    return 0;
}

uint64_t wal_entries_bytes(const struct wal_entry *entries, size_t n)
{
    uint64_t bytes = WAL_ENTRIES_HEAD_BYTES + (uint64_t)n * WAL_ENTRY_HEAD_BYTES;

    for (size_t i = 0; i < n; i++) {
        bytes += entries[i].data.len;
    }
    return bytes;
}

void wal_entries_encode(const struct wal_entry *entries, size_t n, uint64_t prev_term, uint8_t *to)
{
    uint8_t *head = to + WAL_ENTRIES_HEAD_BYTES;
    uint8_t *data = head + n * WAL_ENTRY_HEAD_BYTES;

    kvs_assert(n > 0);
    store_le64(to, entries[0].index);
    store_le64(to + 8, prev_term);
    for (size_t i = 0; i < n; i++) {
        memset(head, 0, WAL_ENTRY_HEAD_BYTES);
        store_le64(head + E_TERM, entries[i].term);
        store_le32(head + E_LEN, (uint32_t)entries[i].data.len);
        head[E_TYPE] = entries[i].type;
        head += WAL_ENTRY_HEAD_BYTES;
        if (entries[i].data.len > 0) {
            memcpy(data, entries[i].data.data, entries[i].data.len);
            data += entries[i].data.len;
        }
    }
}

int wal_entries_decode(const uint8_t *payload, const struct wal_record *r, struct wal_entries *ret)
{
    uint64_t bytes = WAL_ENTRIES_HEAD_BYTES + (uint64_t)r->count * WAL_ENTRY_HEAD_BYTES;

    if (r->count == 0 || bytes > r->len) {
        return KVS_E_DAMAGED;
    }
    ret->first_index = load_le64(payload);
    ret->prev_term = load_le64(payload + 8);
    ret->count = r->count;
    ret->heads = payload + WAL_ENTRIES_HEAD_BYTES;
    ret->data = payload + bytes;
    for (uint32_t i = 0; i < r->count; i++) {
        const uint8_t *head = ret->heads + (size_t)i * WAL_ENTRY_HEAD_BYTES;

        bytes += load_le32(head + E_LEN);
        if (!all_zero(head + E_RESERVED, WAL_ENTRY_HEAD_BYTES - E_RESERVED)) {
            return KVS_E_DAMAGED;
        }
    }
    if (bytes != r->len || ret->first_index == 0 || ret->first_index > WAL_NUMBER_MAX - r->count) {
        return KVS_E_DAMAGED;
    }
    return 0;
}

void wal_entries_next(struct wal_entries *e, uint32_t i, struct wal_entry *ret_entry)
{
    const uint8_t *head = e->heads + (size_t)i * WAL_ENTRY_HEAD_BYTES;

    kvs_dassert(i < e->count);
    ret_entry->index = e->first_index + i;
    ret_entry->term = load_le64(head + E_TERM);
    ret_entry->type = head[E_TYPE];
    ret_entry->data = (struct kvs_view){e->data, load_le32(head + E_LEN)};
    e->data += ret_entry->data.len;
}

void wal_segment_name(uint64_t segment, char name[WAL_NAME_BYTES])
{
    (void)snprintf(name, WAL_NAME_BYTES, "%016llx.wal", (unsigned long long)segment);
}

bool wal_segment_parse(const char *name, uint64_t *ret_segment)
{
    uint64_t segment = 0;

    for (int i = 0; i < 16; i++) {
        char c = name[i];

        if (c >= '0' && c <= '9') {
            segment = segment << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            segment = segment << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return false;
        }
    }
    if (segment == 0 || strcmp(name + 16, ".wal") != 0) {
        return false;
    }
    *ret_segment = segment;
    return true;
}
