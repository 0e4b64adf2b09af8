/* What a write-ahead log must say after any crash: a model of it as a plain array, and a comparison
 * with what wal_open() recovered. Shared by the crash, fault and damage tests.
 *
 * The model knows the state at the last sync and every small step since (a hard state, a reset, one
 * entry). What is recovered must be the synced state plus some first part of the steps: nothing
 * that was synced is lost, nothing is invented. */
#ifndef WAL_MODEL_H
#define WAL_MODEL_H

#include "base/buf.h"
#include "base/rand.h"
#include "replica/wal.h"

struct model_entry {
    uint64_t term;
    uint64_t sum; /* of type and data */
};

struct model_log {
    struct wal_hard_state hard;
    uint64_t base_index; /* 0, or of the last reset */
    uint64_t base_term;
    uint64_t last_index;
    struct model_entry *entries; /* of base_index + 1, ... */
    size_t capacity;
};

enum model_step_type { MODEL_HARD, MODEL_RESET, MODEL_ENTRY };

struct model_step {
    enum model_step_type type;
    struct wal_hard_state hard;
    uint64_t index;
    uint64_t term;
    uint64_t sum;
};

struct wal_model {
    uint64_t seed; /* printed when something is wrong */
    struct rng rng;
    struct model_log synced;
    struct model_log now;
    struct model_step *steps; /* from `synced` to `now` */
    size_t n_steps;
    size_t steps_capacity;
    uint64_t trimmed; /* highest index given to wal_trim */

    struct wal_entry *batch; /* of wal_model_batch */
    size_t n_batch;
    struct buf batch_data;

    struct model_log seen; /* what wal_open delivered */
    bool seen_any;
};

void wal_model_init(struct wal_model *m, uint64_t seed);
void wal_model_fini(struct wal_model *m);

/* Another model with the same contents; for tests that open copies of one disk. */
void wal_model_copy(struct wal_model *to, const struct wal_model *from);

/* Makes `n` entries from `first` on, with terms that fit; in m->batch. Sizes up to `bytes_max`. */
void wal_model_batch(struct wal_model *m, uint64_t first, size_t n, size_t bytes_max);

/* What was done to the log; also when it failed, since it may have been done in part. */
void wal_model_hard(struct wal_model *m, const struct wal_hard_state *hard);
void wal_model_appended(struct wal_model *m);
void wal_model_reset(struct wal_model *m, uint64_t index, uint64_t term);
void wal_model_synced(struct wal_model *m);
void wal_model_trimmed(struct wal_model *m, uint64_t index);

/* wal_open with the model as receiver of the entries. */
int wal_model_open(struct wal_model *m,
                   const struct wal_options *options,
                   struct wal_recovered *ret_recovered,
                   struct wal **ret_wal,
                   struct kvs_error *ret_error);

/* Aborts with the seed unless what the last wal_model_open delivered is right. Then that is the
 * model's synced state. */
void wal_model_check(struct wal_model *m, const struct wal_recovered *r);

/* The same for a log of which the end may be lost: any of the states that the model has had since
 * it was empty is right. It must have never been synced. Returns the number of steps found. */
size_t wal_model_check_any(struct wal_model *m, const struct wal_recovered *r);

/* One random call on the log. Returns what it returned. */
int wal_model_random_call(struct wal_model *m, struct wal *w);

/* KVS_SEED from the environment, or a number from the clock; prints it. */
uint64_t wal_model_seed(const char *test);

#endif
