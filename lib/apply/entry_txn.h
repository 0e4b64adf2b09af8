/* Inside of the entry codec: bodies that entry.c and entry_txn.c share. */
#ifndef APPLY_ENTRY_TXN_H
#define APPLY_ENTRY_TXN_H

#include "apply/codec.h"
#include "kvstore/types.h"

void put_encode(const struct kvs_put_req *put, struct buf *to);
void put_decode(struct reader *r, struct kvs_put_req *ret_put);
void delete_encode(const struct kvs_delete_req *del, struct buf *to);
void delete_decode(struct reader *r, struct kvs_delete_req *ret_del);

/* KVS_E_TOO_LONG (depth, number of operations), KVS_E_INVALID (empty operation). */
int txn_encode(const struct kvs_txn_req *txn, struct buf *to);
void txn_decode(struct reader *r, struct arena *arena, struct kvs_txn_req *ret_txn);

#endif
