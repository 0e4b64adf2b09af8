/* Records of leases, members and alarms in the store's file (docs/format.md):
 *
 *   leases   id be64                -> version u8 | granted TTL le64 | remaining TTL le64
 *   members  'c'                    -> version u8 | cluster id le64 | Raft's configuration
 *            'm' id be64            -> member_encode
 *            'r' id be64            -> (removed); of the one that is leaving: member_encode
 *   alarms   type u8, member be64   -> (raised) */
#include "apply/apply_int.h"
#include "apply/codec.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"

#define RECORD_VERSION 1

#define MEMBERS_CLUSTER 'c'
#define MEMBERS_MEMBER  'm'
#define MEMBERS_REMOVED 'r'

/* A letter or type, then an id. */
struct tagged_key {
    uint8_t bytes[9];
};
_Static_assert(sizeof(struct tagged_key) == 9, "tagged keys are 9 bytes, docs/format.md");

static struct kvs_view tagged_key_make(struct tagged_key *key, uint8_t tag, uint64_t id)
{
    key->bytes[0] = tag;
    store_be64(key->bytes + 1, id);
    return view_make(key->bytes, sizeof key->bytes);
}

static int tagged_key_read(struct kvs_view key, uint8_t *ret_tag, uint64_t *ret_id)
{
    const uint8_t *bytes = key.data;

    if (key.len != sizeof(struct tagged_key)) {
        return KVS_E_DAMAGED;
    }
    *ret_tag = bytes[0];
    *ret_id = load_be64(bytes + 1);
    return 0;
}

static int persist_record(struct apply *a, enum backend_table table, struct kvs_view key)
{
    return a->record.failed ? KVS_E_NOMEM
                            : mvcc_meta_put(a->store, table, key, buf_view(&a->record));
}

/* --- Writing ---------------------------------------------------------------------------------- */

int persist_cluster(struct apply *a)
{
    const struct kvs_blob *conf = &a->members.raft_conf;
    const uint8_t tag = MEMBERS_CLUSTER;

    buf_clear(&a->record);
    buf_append_u8(&a->record, RECORD_VERSION);
    buf_append_le64(&a->record, a->members.cluster_id);
    buf_append(&a->record, conf->data, conf->len);
    return persist_record(a, BACKEND_MEMBERS, view_make(&tag, 1));
}

int persist_member(struct apply *a, const struct kvs_member *member)
{
    struct tagged_key key;
    int err;

    buf_clear(&a->record);
    err = member_encode(member, &a->record);
    if (err != 0) {
        return err;
    }
    return persist_record(a, BACKEND_MEMBERS, tagged_key_make(&key, MEMBERS_MEMBER, member->id));
}

int persist_member_removed(struct apply *a, uint64_t id, const struct kvs_member *leaving)
{
    struct tagged_key key;
    int err =
        mvcc_meta_delete(a->store, BACKEND_MEMBERS, tagged_key_make(&key, MEMBERS_MEMBER, id));

    buf_clear(&a->record);
    if (err == 0 && leaving != NULL) {
        err = member_encode(leaving, &a->record);
    }
    if (err != 0) {
        return err;
    }
    return persist_record(a, BACKEND_MEMBERS, tagged_key_make(&key, MEMBERS_REMOVED, id));
}

int persist_lease(struct apply *a, kvs_lease_id id)
{
    struct lease_info info;
    uint8_t key[8];

    kvs_assert(lease_get(a->leases, id, &info));
    store_be64(key, (uint64_t)id);
    buf_clear(&a->record);
    buf_append_u8(&a->record, RECORD_VERSION);
    buf_append_le64(&a->record, (uint64_t)info.granted_ttl_s);
    buf_append_le64(&a->record, (uint64_t)info.remaining_ttl_s);
    return persist_record(a, BACKEND_LEASES, view_make(key, sizeof key));
}

int persist_lease_revoked(struct apply *a, kvs_lease_id id)
{
    uint8_t key[8];

    store_be64(key, (uint64_t)id);
    return mvcc_meta_delete(a->store, BACKEND_LEASES, view_make(key, sizeof key));
}

int persist_alarm(struct apply *a, const struct kvs_alarm *alarm, bool set)
{
    struct tagged_key key;
    struct kvs_view view = tagged_key_make(&key, (uint8_t)alarm->type, alarm->member_id);

    if (!set) {
        return mvcc_meta_delete(a->store, BACKEND_ALARMS, view);
    }
    buf_clear(&a->record);
    return persist_record(a, BACKEND_ALARMS, view);
}

/* --- Loading ---------------------------------------------------------------------------------- */

struct load {
    struct apply *a;
    uint64_t now_ms;
};

/* What cannot be on disk if we wrote it. */
static int load_error(int err)
{
    return err == 0 || err == KVS_E_NOMEM || err == KVS_E_VERSION ? err : KVS_E_DAMAGED;
}

static int load_lease(void *ctx, struct kvs_view key, struct kvs_view value)
{
    struct load *load = ctx;
    struct lease_info info;
    struct reader r;
    uint8_t version;

    if (key.len != 8) {
        return KVS_E_DAMAGED;
    }
    reader_init(&r, value);
    version = read_u8(&r);
    if (r.err == 0 && version != RECORD_VERSION) {
        return KVS_E_VERSION;
    }
    info.id = (kvs_lease_id)load_be64(key.data);
    info.granted_ttl_s = (int64_t)read_le64(&r);
    info.remaining_ttl_s = (int64_t)read_le64(&r);
    if (reader_finish(&r) != 0) {
        return KVS_E_DAMAGED;
    }
    return load_error(lease_restore(load->a->leases, &info, load->now_ms));
}

static int load_cluster(struct apply *a, struct kvs_view value)
{
    struct reader r;

    reader_init(&r, value);
    if (value.len > 0 && read_u8(&r) != RECORD_VERSION) {
        return KVS_E_VERSION;
    }
    a->members.cluster_id = read_le64(&r);
    if (r.err != 0) {
        return KVS_E_DAMAGED;
    }
    return members_set_raft_conf(&a->members, view_make(r.at, reader_left(&r)));
}

static int load_member(struct apply *a, uint64_t id, struct kvs_view value)
{
    struct kvs_member member;
    int err;

    arena_reset(&a->scratch);
    err = member_decode(id, value, &a->scratch, &member);
    return err != 0 ? err : load_error(members_put(&a->members, &member));
}

/* A record with a value is the one that is leaving: there is at most one. */
static int load_removed(struct apply *a, uint64_t id, struct kvs_view value)
{
    struct kvs_member member;
    int err = members_remove(&a->members, id);

    if (err != 0 || value.len == 0) {
        return err;
    }
    arena_reset(&a->scratch);
    err = member_decode(id, value, &a->scratch, &member);
    return err != 0 ? err : members_set_leaving(&a->members, &member);
}

static int load_members(void *ctx, struct kvs_view key, struct kvs_view value)
{
    struct load *load = ctx;
    uint8_t tag;
    uint64_t id;

    if (key.len == 1 && *(const uint8_t *)key.data == MEMBERS_CLUSTER) {
        return load_cluster(load->a, value);
    }
    if (tagged_key_read(key, &tag, &id) != 0) {
        return KVS_E_DAMAGED;
    }
    if (tag == MEMBERS_MEMBER) {
        return load_member(load->a, id, value);
    }
    return tag == MEMBERS_REMOVED ? load_removed(load->a, id, value) : KVS_E_VERSION;
}

static int load_alarm(void *ctx, struct kvs_view key, struct kvs_view value)
{
    struct load *load = ctx;
    struct kvs_alarm alarm;
    uint8_t tag;

    (void)value; /* empty so far; later versions may say more */
    if (tagged_key_read(key, &tag, &alarm.member_id) != 0) {
        return KVS_E_DAMAGED;
    }
    alarm.type = tag;
    return load_error(alarms_add(&load->a->alarms, &alarm));
}

int persist_load(struct apply *a, uint64_t now_ms)
{
    struct load load = {a, now_ms};
    int err = mvcc_meta_scan(a->store, BACKEND_LEASES, load_lease, &load);

    if (err == 0) {
        err = mvcc_meta_scan(a->store, BACKEND_MEMBERS, load_members, &load);
    }
    if (err == 0) {
        err = mvcc_meta_scan(a->store, BACKEND_ALARMS, load_alarm, &load);
    }
    return err;
}
