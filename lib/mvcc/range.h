/* Results that outlive the view they were read from. */
#ifndef MVCC_RANGE_H
#define MVCC_RANGE_H

#include "base/arena.h"
#include "base/attr.h"
#include "kvstore/types.h"

/* Replaces the views in `kv` by copies in `arena`. KVS_E_NOMEM. */
KVS_MUST_USE int range_copy_kv(struct arena *arena, struct kvs_kv *kv);

/* The same for all of a response. KVS_E_NOMEM. */
KVS_MUST_USE int range_copy_bytes(struct arena *arena, struct kvs_range_resp *resp);

#endif
