/* Table meta: format version, state, progress of the compaction. */
#include "base/bytes.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

int format_load(struct backend_txn *txn)
{
    struct kvs_view value = {0};
    int err = backend_get(txn, BACKEND_META, meta_key_format, &value);

    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
    }
    if (value.len != 4) {
        return KVS_E_DAMAGED;
    }
    return load_le32(value.data) == RECORD_FORMAT_VERSION ? 0 : KVS_E_VERSION;
}

/* Marks a new environment. One that has data but no mark is not ours to touch. */
static int format_mark(struct backend_txn *txn)
{
    uint8_t version[4];
    int err;

    for (int table = 0; table < BACKEND_TABLE_COUNT; table++) {
        if (backend_count(txn, (enum backend_table)table) > 0) {
            return KVS_E_DAMAGED;
        }
    }
    store_le32(version, RECORD_FORMAT_VERSION);
    err = backend_put(txn, BACKEND_META, meta_key_format, view_make(version, sizeof version));
    return err;
}

int format_init(struct backend *b)
{
    struct backend_txn *txn;
    struct kvs_view value = {0};
    int err = backend_read_begin(b, &txn);

    if (err != 0) {
        return err;
    }
    err = backend_get(txn, BACKEND_META, meta_key_format, &value);
    backend_end(txn);
    if (err != KVS_E_NOT_FOUND) {
        return err; /* format_load looks at what it says */
    }
    err = backend_write_begin(b, &txn);
    if (err != 0) {
        return err;
    }
    err = format_mark(txn);
    if (err != 0) {
        backend_end(txn);
        return err;
    }
    return backend_commit(txn);
}

int state_load(struct backend_txn *txn, struct state_record *ret_state)
{
    struct kvs_view value = {0};
    int err = backend_get(txn, BACKEND_META, meta_key_state, &value);

    if (err == KVS_E_NOT_FOUND) {
        *ret_state = (struct state_record){.revision = 1, .compact = -1};
        return 0;
    }
    return err != 0 ? err : state_decode(value, ret_state);
}

int compacted_load(struct backend_txn *txn, struct compacted_record *ret_compacted)
{
    struct kvs_view value = {0};
    int err = backend_get(txn, BACKEND_META, meta_key_compacted, &value);

    if (err == KVS_E_NOT_FOUND) {
        *ret_compacted = (struct compacted_record){0};
        return 0;
    }
    return err != 0 ? err : compacted_decode(value, ret_compacted);
}
