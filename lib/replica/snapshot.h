/* Snapshot source and sink: where the bytes of a snapshot come from and go to. The driver moves
 * them between members in bounded chunks; what they are (an LMDB copy in a temporary file, or
 * memory in the simulator) is the owner's business.
 *
 * Contract of every call with a callback: the callback runs exactly once, later, on the loop
 * thread, never inside the call; at most one call is outstanding on a source or sink; close,
 * finish and abort are only called while none is. */
#ifndef REPLICA_SNAPSHOT_H
#define REPLICA_SNAPSHOT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"

struct core_conf;

/* 0 or KVS_E_*. */
typedef void (*snapshot_cb)(void *ctx, int status);

struct snapshot_meta {
    uint64_t index; /* last entry whose effect it contains */
    uint64_t term;  /* of that entry */
    uint64_t size_bytes;
    const struct core_conf *conf; /* in effect at `index`; borrowed */
};

struct snapshot_source;

struct snapshot_source_ops {
    /* Reads exactly `len` bytes at `offset` into `to`, which stays valid until `cb` has run.
     * Offsets ascend without gaps. */
    void (*read)(struct snapshot_source *s,
                 uint64_t offset,
                 void *to,
                 size_t len,
                 snapshot_cb cb,
                 void *ctx);
    /* Frees the source and what it holds on to. */
    void (*close)(struct snapshot_source *s);
};

/* Embedded first in an implementation. `meta` and its conf live as long as the source. */
struct snapshot_source {
    const struct snapshot_source_ops *ops;
    struct snapshot_meta meta;
};

struct snapshot_sink;

struct snapshot_sink_ops {
    /* Appends; `data` stays valid until `cb` has run. */
    void (*write)(struct snapshot_sink *s, struct kvs_view data, snapshot_cb cb, void *ctx);
    /* All bytes are there and their checksum was right: sync them, make them the state (atomically
     * and durably; the applied index, term and configuration are in there), and free the sink.
     * With an error the old state is still in place and the sink is freed, too; an error for which
     * kvs_err_is_fatal() stops the replica. */
    void (*finish)(struct snapshot_sink *s, snapshot_cb cb, void *ctx);
    /* Forgets it and frees the sink; the old state stays. */
    void (*abort)(struct snapshot_sink *s);
};

/* Embedded first in an implementation. */
struct snapshot_sink {
    const struct snapshot_sink_ops *ops;
};

#endif
