/* What the log says, without its data: hard state, first and last index, and the terms of all
 * entries as runs (one per election, so a few dozen bytes for any length of log). Appending and
 * recovery go through the same functions, hence cannot disagree. */
#ifndef REPLICA_WAL_STATE_H
#define REPLICA_WAL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "replica/wal.h"

struct wal_run {
    uint64_t index; /* its first; it ends before the next run's */
    uint64_t term;
};

struct wal_state {
    struct wal_hard_state hard;
    uint64_t base_index; /* of the entry before the first */
    uint64_t base_term;  /* 0: not known, or base_index 0 */
    uint64_t last_index; /* == base_index: no entries */
    struct wal_run *runs;
    size_t n_runs;
    size_t capacity;
};

void wal_state_init(struct wal_state *s);
void wal_state_fini(struct wal_state *s);

/* Room for `more` further terms. KVS_E_NOMEM. */
KVS_MUST_USE int wal_state_reserve(struct wal_state *s, size_t more);

/* The log is empty after (index, term). */
void wal_state_reset(struct wal_state *s, uint64_t index, uint64_t term);

/* Forgets entries after `index`, base <= index <= last. */
void wal_state_truncate(struct wal_state *s, uint64_t index);

/* Adds entry last + 1. Room for one term must have been reserved. */
void wal_state_push(struct wal_state *s, uint64_t term);

/* Entries up to `index` (base <= index <= last) are no longer there. */
void wal_state_trim(struct wal_state *s, uint64_t index);

/* See wal_term_at. */
bool wal_state_term(const struct wal_state *s, uint64_t index, uint64_t *ret_term);
uint64_t wal_state_last_term(const struct wal_state *s);

void wal_state_check(const struct wal_state *s);

#endif
