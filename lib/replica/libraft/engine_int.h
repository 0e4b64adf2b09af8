/* libraft 0.22.1 as the engine of core.h, by its step interface, which does no I/O either.
 *
 *   engine.c           the functions of core_int.h that need little
 *   engine_start.c     what was found on disk becomes a RAFT_START
 *   engine_step.c      one event of libraft, and what `struct core` has to learn from it
 *   engine_receive.c   messages of peers become events
 *   engine_append.c    those of the leader
 *   engine_send.c      messages of libraft become messages to peers
 *   engine_propose.c   entries, changes of members, transfers
 *   engine_time.c      ticks, elections
 *   engine_conf.c      configurations of core.h in libraft's form
 *   engine_heap.c      its memory comes from base/alloc.h
 *
 * The log, its entries and everything that is on or on its way to the disk belong to `struct core`;
 * libraft keeps the terms of the log and decides. After every event its term, vote, role, commit
 * index and progress are copied into `struct core`, so that the files around an engine see no
 * difference. core_engine_check() states what must agree.
 *
 * Marks like [7] refer to the defects of libraft listed in docs/decisions/011-libraft-oracle.md;
 * each is covered where the mark stands. */
#ifndef REPLICA_LIBRAFT_ENGINE_INT_H
#define REPLICA_LIBRAFT_ENGINE_INT_H

#include <raft.h>

#include "replica/core_int.h"

/* An APPEND that libraft wants to send. Built when effects are collected, so that what is proposed
 * in one turn shares messages. */
struct engine_append {
    uint64_t to;
    uint64_t prev;
    uint64_t prev_term;
    uint64_t n;
};

/* A change that would take the leader's own vote: made by the next leader [9]. */
struct engine_handover {
    struct rcbuf *changes; /* core_changes_encode(); NULL: none waits */
    uint64_t from;
    uint64_t context;
    uint32_t ticks;
};

struct core_engine {
    struct raft raft;
    bool inited;
    uint64_t now;    /* ticks, libraft's milliseconds */
    bool standing;   /* a sole voter waits until its own vote is on disk [4] */
    bool lends_vote; /* the event is a vote request to a server that is no voter [7] */
    bool mute;       /* answers to the event are not sent */
    const struct core_msg *answering; /* the APPEND that is being received */
    struct engine_append *appends;
    size_t n_appends;
    size_t appends_capacity;
    struct engine_handover handover;
};

/* --- engine_heap.c ---------------------------------------------------------------------------- */

/* Entries are in batches, which libraft frees, sometimes twice or never when memory is short. So
 * all of them are this one, which is never freed. */
extern char engine_batch;

void engine_heap_use(void);
/* KVS_E_* of a code of libraft. */
int engine_error(int code);

/* --- engine_conf.c ---------------------------------------------------------------------------- */

/* `ret` is owned: raft_configuration_close(). Members in the order of their ids, since libraft
 * knows followers by their position. `hold`, if it is the only voter, becomes a stand-by server
 * (engine_start.c); CORE_NONE: nobody does. KVS_E_NOMEM. */
KVS_MUST_USE int
engine_conf_make(const struct core_conf *conf, uint64_t hold, struct raft_configuration *ret);
/* The payload of a RAFT_CHANGE: raft_free(ret->base). KVS_E_NOMEM. */
KVS_MUST_USE int
engine_conf_encode(const struct core_conf *conf, uint64_t hold, struct raft_buffer *ret);
bool engine_conf_equals(const struct raft_configuration *raft, const struct core_conf *conf);
bool engine_conf_is_sole(const struct core_conf *conf, uint64_t id);

/* --- engine_step.c ---------------------------------------------------------------------------- */

/* Entries of an event: `entries[i]` of libraft is `from[i]` of ours. */
struct engine_entries {
    struct raft_entry *entries;
    const struct core_entry *from;
};

/* One event, and what follows from it at once: the NOOP of a new leader, committed
 * configurations. `entries` may be NULL. KVS_E_NOMEM, KVS_E_MALFORMED. */
KVS_MUST_USE int
engine_event(struct core *c, struct raft_event *e, const struct engine_entries *entries);
/* The event alone. */
KVS_MUST_USE int
engine_step(struct core *c, struct raft_event *e, const struct engine_entries *entries);
/* Tells libraft that its pending configuration is committed. */
KVS_MUST_USE int engine_report_conf(struct core *c);
/* `struct core` knows of more than libraft was told. */
KVS_MUST_USE int engine_settle(struct core *c);
/* Copies the state of libraft into `struct core`. */
KVS_MUST_USE int engine_mirror(struct core *c);

/* --- engine_receive.c ------------------------------------------------------------------------- */

enum {
    ENGINE_MSG_VERSION = 2, /* of libraft's messages: with pre-vote in its answers */
};

/* A message of `from` in libraft's form. */
KVS_MUST_USE int engine_feed(struct core *c,
                             uint64_t from,
                             struct raft_message *m,
                             const struct engine_entries *entries);
KVS_MUST_USE int engine_snapshots_installed(struct core *c);

/* --- engine_append.c -------------------------------------------------------------------------- */

/* APPEND, HEARTBEAT, SNAPSHOT. */
KVS_MUST_USE int engine_from_leader(struct core *c, const struct core_msg *m);

/* --- engine_send.c ---------------------------------------------------------------------------- */

KVS_MUST_USE int engine_send(struct core *c, const struct raft_update *update);
KVS_MUST_USE int engine_send_appends(struct core *c);
/* Servers that were removed hear of it from here: libraft forgets them at once. */
KVS_MUST_USE int engine_tell_leaving(struct core *c);

/* --- engine_propose.c ------------------------------------------------------------------------- */

/* Goes on with a change that waits for another leader. */
KVS_MUST_USE int engine_handover_step(struct core *c);
void engine_handover_tick(struct core *c);
void engine_handover_drop(struct core *c, int reason);

/* --- engine_time.c ---------------------------------------------------------------------------- */

KVS_MUST_USE int engine_stand(struct core *c);
/* The own vote of a sole voter is on disk. */
KVS_MUST_USE int engine_stand_persisted(struct core *c);

#endif
