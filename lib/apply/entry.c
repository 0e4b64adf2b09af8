/* Entry:  version u8 (1) | kind u8 | request id le64 | body
 *
 * Body, in the order of the structs' use here: flags u8, integers as varints (signed ones zigzag),
 * bytes with a varint length before them, lists with a varint count. Transactions: entry_txn.c. */
#include "apply/entry.h"

#include "apply/codec.h"
#include "apply/entry_txn.h"
#include "base/assert.h"
#include "base/bytes.h"

#define ENTRY_VERSION    1
#define ENTRY_HEAD_BYTES 10 /* version, kind, request id */

enum put_flag {
    PUT_PREV_KV = 1 << 0,
    PUT_IGNORE_VALUE = 1 << 1,
    PUT_IGNORE_LEASE = 1 << 2,
    PUT_FLAGS = PUT_PREV_KV | PUT_IGNORE_VALUE | PUT_IGNORE_LEASE,
};

#define DELETE_PREV_KV   1u
#define ALARM_ACTIVATE   1u
#define CHANGE_LEARNER   1u
#define CHECKPOINT_BYTES 2 /* the least that one takes */

static const char *const kind_names[] = {
    [APPLY_PUT] = "put",
    [APPLY_DELETE] = "delete",
    [APPLY_TXN] = "txn",
    [APPLY_COMPACT] = "compact",
    [APPLY_LEASE_GRANT] = "lease grant",
    [APPLY_LEASE_REVOKE] = "lease revoke",
    [APPLY_LEASE_CHECKPOINT] = "lease checkpoint",
    [APPLY_ALARM] = "alarm",
    [APPLY_MEMBER_ATTRIBUTES] = "member attributes",
    [APPLY_MEMBER_CHANGE] = "member change",
};
_Static_assert(ARRAY_LEN(kind_names) == APPLY_KIND_COUNT, "every kind has a name");

const char *apply_kind_name(enum apply_kind kind)
{
    bool known = (int)kind > 0 && (int)kind < APPLY_KIND_COUNT;

    return known ? kind_names[kind] : "unknown";
}

/* --- Bodies ----------------------------------------------------------------------------------- */

void put_encode(const struct kvs_put_req *put, struct buf *to)
{
    unsigned flags = 0;

    flags |= put->prev_kv ? PUT_PREV_KV : 0;
    flags |= put->ignore_value ? PUT_IGNORE_VALUE : 0;
    flags |= put->ignore_lease ? PUT_IGNORE_LEASE : 0;
    buf_append_u8(to, (uint8_t)flags);
    write_signed(to, put->lease);
    write_bytes(to, put->key);
    write_bytes(to, put->value);
}

void put_decode(struct reader *r, struct kvs_put_req *ret_put)
{
    unsigned flags = read_flags(r, PUT_FLAGS);

    *ret_put = (struct kvs_put_req){
        .prev_kv = (flags & PUT_PREV_KV) != 0,
        .ignore_value = (flags & PUT_IGNORE_VALUE) != 0,
        .ignore_lease = (flags & PUT_IGNORE_LEASE) != 0,
    };
    ret_put->lease = read_signed(r);
    ret_put->key = read_bytes(r, SIZE_MAX);
    ret_put->value = read_bytes(r, SIZE_MAX);
}

void delete_encode(const struct kvs_delete_req *del, struct buf *to)
{
    buf_append_u8(to, del->prev_kv ? DELETE_PREV_KV : 0);
    write_bytes(to, del->key);
    write_bytes(to, del->range_end);
}

void delete_decode(struct reader *r, struct kvs_delete_req *ret_del)
{
    *ret_del = (struct kvs_delete_req){.prev_kv = read_flags(r, DELETE_PREV_KV) != 0};
    ret_del->key = read_bytes(r, SIZE_MAX);
    ret_del->range_end = read_bytes(r, SIZE_MAX);
}

static int checkpoint_encode(const struct apply_lease_checkpoint *checkpoint, struct buf *to)
{
    if (checkpoint->n_items > APPLY_CHECKPOINTS_MAX) {
        return KVS_E_TOO_LONG;
    }
    write_varint(to, checkpoint->only_term);
    write_varint(to, checkpoint->n_items);
    for (size_t i = 0; i < checkpoint->n_items; i++) {
        write_signed(to, checkpoint->items[i].id);
        write_signed(to, checkpoint->items[i].remaining_ttl_s);
    }
    return 0;
}

static void checkpoint_decode(struct reader *r,
                              struct arena *arena,
                              struct apply_lease_checkpoint *ret_checkpoint)
{
    uint64_t only_term = read_varint(r);
    size_t n = read_count(r, APPLY_CHECKPOINTS_MAX, CHECKPOINT_BYTES);
    struct lease_checkpoint *items = NULL;

    if (n > 0) {
        items = arena_calloc(arena, n, sizeof *items);
        if (items == NULL) {
            reader_fail(r, KVS_E_NOMEM);
            n = 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        items[i].id = read_signed(r);
        items[i].remaining_ttl_s = read_signed(r);
    }
    *ret_checkpoint = (struct apply_lease_checkpoint){items, n, only_term};
}

static bool alarm_type_is_known(uint64_t type)
{
    return type == KVS_ALARM_NOSPACE || type == KVS_ALARM_CORRUPT;
}

static int alarm_encode(const struct apply_alarm *alarm, struct buf *to)
{
    if (alarm->type < 0 || !alarm_type_is_known((uint64_t)alarm->type)) {
        return KVS_E_INVALID;
    }
    buf_append_u8(to, alarm->activate ? ALARM_ACTIVATE : 0);
    write_varint(to, (uint64_t)alarm->type);
    write_varint(to, alarm->member_id);
    return 0;
}

static void alarm_decode(struct reader *r, struct apply_alarm *ret_alarm)
{
    unsigned flags = read_flags(r, ALARM_ACTIVATE);
    uint64_t type = read_varint(r);

    if (!alarm_type_is_known(type)) {
        reader_fail(r, KVS_E_MALFORMED);
        type = KVS_ALARM_NONE;
    }
    *ret_alarm = (struct apply_alarm){.activate = flags != 0, .type = (int)type};
    ret_alarm->member_id = read_varint(r);
}

static int attributes_encode(const struct apply_member_attributes *attributes, struct buf *to)
{
    if (attributes->name.len > APPLY_NAME_BYTES_MAX) {
        return KVS_E_TOO_LONG;
    }
    write_varint(to, attributes->id);
    write_bytes(to, attributes->name);
    return write_urls(to, attributes->client_urls, attributes->n_client_urls);
}

static void attributes_decode(struct reader *r,
                              struct arena *arena,
                              struct apply_member_attributes *ret_attributes)
{
    ret_attributes->id = read_varint(r);
    ret_attributes->name = read_bytes(r, APPLY_NAME_BYTES_MAX);
    ret_attributes->client_urls = read_urls(r, arena, &ret_attributes->n_client_urls);
}

static bool change_op_is_known(unsigned op)
{
    return op >= APPLY_MEMBER_ADD && op < APPLY_MEMBER_OP_COUNT;
}

static int change_encode(const struct apply_member_change *change, struct buf *to)
{
    if (!change_op_is_known(change->op)) {
        return KVS_E_INVALID;
    }
    buf_append_u8(to, (uint8_t)change->op);
    buf_append_u8(to, change->is_learner ? CHANGE_LEARNER : 0);
    write_varint(to, change->id);
    return write_urls(to, change->peer_urls, change->n_peer_urls);
}

static void
change_decode(struct reader *r, struct arena *arena, struct apply_member_change *ret_change)
{
    unsigned op = read_u8(r);

    if (!change_op_is_known(op)) {
        reader_fail(r, KVS_E_MALFORMED);
        op = APPLY_MEMBER_ADD;
    }
    ret_change->op = (enum apply_member_op)op;
    ret_change->is_learner = read_flags(r, CHANGE_LEARNER) != 0;
    ret_change->id = read_varint(r);
    ret_change->peer_urls = read_urls(r, arena, &ret_change->n_peer_urls);
}

/* --- Entries ---------------------------------------------------------------------------------- */

static int body_encode(const struct apply_entry *e, struct buf *to)
{
    switch (e->kind) {
    case APPLY_PUT:
        put_encode(&e->u.put, to);
        return 0;
    case APPLY_DELETE:
        delete_encode(&e->u.del, to);
        return 0;
    case APPLY_TXN:
        return txn_encode(&e->u.txn, to);
    case APPLY_COMPACT:
        write_signed(to, e->u.compact.revision);
        return 0;
    case APPLY_LEASE_GRANT:
        write_signed(to, e->u.lease_grant.id);
        write_signed(to, e->u.lease_grant.ttl_s);
        return 0;
    case APPLY_LEASE_REVOKE:
        write_signed(to, e->u.lease_revoke.id);
        write_varint(to, e->u.lease_revoke.only_term);
        return 0;
    case APPLY_LEASE_CHECKPOINT:
        return checkpoint_encode(&e->u.lease_checkpoint, to);
    case APPLY_ALARM:
        return alarm_encode(&e->u.alarm, to);
    case APPLY_MEMBER_ATTRIBUTES:
        return attributes_encode(&e->u.attributes, to);
    case APPLY_MEMBER_CHANGE:
        return change_encode(&e->u.change, to);
    case APPLY_KIND_COUNT:
        break;
    }
    return KVS_E_INVALID;
}

int apply_encode(const struct apply_entry *entry, struct buf *to)
{
    size_t len = to->len;
    int err;

    buf_append_u8(to, ENTRY_VERSION);
    buf_append_u8(to, (uint8_t)entry->kind);
    buf_append_le64(to, entry->request_id);
    err = body_encode(entry, to);
    if (err == 0 && to->failed) {
        err = KVS_E_NOMEM;
    }
    if (err != 0) {
        to->len = len;
    }
    return err;
}

static void body_decode(struct reader *r, struct arena *arena, struct apply_entry *e)
{
    switch (e->kind) {
    case APPLY_PUT:
        put_decode(r, &e->u.put);
        return;
    case APPLY_DELETE:
        delete_decode(r, &e->u.del);
        return;
    case APPLY_TXN:
        txn_decode(r, arena, &e->u.txn);
        return;
    case APPLY_COMPACT:
        e->u.compact.revision = read_signed(r);
        return;
    case APPLY_LEASE_GRANT:
        e->u.lease_grant.id = read_signed(r);
        e->u.lease_grant.ttl_s = read_signed(r);
        return;
    case APPLY_LEASE_REVOKE:
        e->u.lease_revoke.id = read_signed(r);
        e->u.lease_revoke.only_term = read_varint(r);
        return;
    case APPLY_LEASE_CHECKPOINT:
        checkpoint_decode(r, arena, &e->u.lease_checkpoint);
        return;
    case APPLY_ALARM:
        alarm_decode(r, &e->u.alarm);
        return;
    case APPLY_MEMBER_ATTRIBUTES:
        attributes_decode(r, arena, &e->u.attributes);
        return;
    case APPLY_MEMBER_CHANGE:
        change_decode(r, arena, &e->u.change);
        return;
    case APPLY_KIND_COUNT:
        break;
    }
    reader_fail(r, KVS_E_VERSION); /* a kind that a later version has added */
}

int apply_decode(struct kvs_view bytes, struct arena *arena, struct apply_entry *ret_entry)
{
    struct apply_entry entry = {0};
    struct reader r;
    uint8_t version;
    int err;

    reader_init(&r, bytes);
    version = read_u8(&r);
    if (r.err == 0 && version != ENTRY_VERSION) {
        return KVS_E_VERSION;
    }
    entry.kind = (enum apply_kind)read_u8(&r);
    entry.request_id = read_le64(&r);
    if (r.err == 0) {
        body_decode(&r, arena, &entry);
    }
    err = reader_finish(&r);
    if (err == 0) {
        *ret_entry = entry;
    }
    return err;
}

uint64_t apply_entry_request_id(struct kvs_view bytes)
{
    const uint8_t *at = bytes.data;

    return bytes.len >= ENTRY_HEAD_BYTES && at[0] == ENTRY_VERSION ? load_le64(at + 2) : 0;
}
