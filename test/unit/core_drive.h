/* One Raft core under test: its disk finishes at once or when told, its messages are kept until
 * the next call. Server 1 of {1, 2, 3}, unless said otherwise. */
#ifndef TEST_UNIT_CORE_DRIVE_H
#define TEST_UNIT_CORE_DRIVE_H

#include "test_base.h"

#include <string.h>

#include "base/bytes.h"
#include "replica/core.h"

enum {
    DRIVE_SENT_MAX = 256,
};

struct drive {
    struct core *core;
    struct core_effects fx;               /* of the last drain */
    struct core_msg sent[DRIVE_SENT_MAX]; /* since drive_forget(); without entries */
    size_t n_sent;
    uint64_t unfinished; /* seq of the last batch, if the disk is slow */
    bool slow_disk;
};

static inline struct core_conf drive_conf(unsigned voters, unsigned learners)
{
    struct core_conf conf = {0};

    for (uint64_t id = 1; id <= voters + learners; id++) {
        enum core_change_type type = id <= voters ? CORE_ADD_VOTER : CORE_ADD_LEARNER;

        assert_int_equal(core_conf_add(&conf, type, id), 0);
    }
    return conf;
}

static inline struct core_config drive_config(uint64_t id)
{
    struct core_config config;

    core_config_defaults(&config);
    config.id = id;
    config.seed = 1;
    return config;
}

/* Carries out effects until there are none that the disk is waited for. */
static inline void drive_drain(struct drive *d)
{
    do {
        assert_int_equal(core_effects(d->core, &d->fx), 0);
        core_check(d->core);
        for (size_t i = 0; i < d->fx.n_messages; i++) {
            assert_true(d->n_sent < DRIVE_SENT_MAX);
            d->sent[d->n_sent] = d->fx.messages[i];
            d->sent[d->n_sent++].entries = NULL;
        }
        if (d->fx.persist.seq != 0) {
            d->unfinished = d->fx.persist.seq;
            if (!d->slow_disk) {
                assert_int_equal(core_persisted(d->core, d->unfinished), 0);
            }
        }
    } while (d->fx.persist.seq != 0 && !d->slow_disk);
    core_applied(d->core, d->fx.apply_to);
}

static inline void drive_disk(struct drive *d)
{
    assert_int_equal(core_persisted(d->core, d->unfinished), 0);
    drive_drain(d);
}

static inline void drive_forget(struct drive *d)
{
    d->n_sent = 0;
}

static inline void
drive_init(struct drive *d, const struct core_config *config, const struct core_conf *conf)
{
    struct core_start start = {.snapshot.conf = *conf};

    *d = (struct drive){0};
    assert_int_equal(core_new(config, &start, &d->core), 0);
    drive_drain(d);
}

static inline void drive_fini(struct drive *d)
{
    core_free(d->core);
}

static inline struct core_status drive_status(const struct drive *d)
{
    struct core_status st;

    core_status(d->core, &st);
    return st;
}

static inline void drive_step(struct drive *d, struct core_msg m)
{
    m.to = drive_status(d).id;
    assert_int_equal(core_step(d->core, &m), 0);
    drive_drain(d);
}

static inline void drive_tick(struct drive *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(core_tick(d->core), 0);
        drive_drain(d);
    }
}

/* The latest message of that type, or NULL. */
static inline const struct core_msg *drive_last(const struct drive *d, enum core_msg_type type)
{
    for (size_t i = d->n_sent; i > 0; i--) {
        if (d->sent[i - 1].type == type) {
            return &d->sent[i - 1];
        }
    }
    return NULL;
}

static inline size_t drive_count(const struct drive *d, enum core_msg_type type)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_sent; i++) {
        n += d->sent[i].type == type;
    }
    return n;
}

/* Elected by the votes of 2, in the next term; nobody has acknowledged its first entry. */
static inline void drive_elect(struct drive *d)
{
    struct core_msg m = {.type = CORE_MSG_PREVOTE_REPLY, .from = 2};

    assert_int_equal(core_campaign(d->core), 0);
    drive_drain(d);
    m.term = drive_status(d).term + 1;
    drive_step(d, m);
    m.type = CORE_MSG_VOTE_REPLY;
    drive_step(d, m);
    assert_int_equal(drive_status(d).role, CORE_LEADER);
}

/* Follower `from` says that it has everything up to `index`. */
static inline void drive_ack(struct drive *d, uint64_t from, uint64_t index)
{
    drive_step(d, (struct core_msg){.type = CORE_MSG_APPEND_REPLY,
                                    .from = from,
                                    .term = drive_status(d).term,
                                    .index = index});
}

static inline int drive_propose(struct drive *d, size_t bytes)
{
    struct core_entry e = {.type = CORE_ENTRY_DATA, .owner = rcbuf_new(bytes)};
    int rc;

    assert_non_null(e.owner);
    memset(e.owner->data, 'x', bytes);
    e.data = rcbuf_view(e.owner);
    rc = core_propose(d->core, &e, 1, 77);
    rcbuf_unref(e.owner);
    drive_drain(d);
    return rc;
}

/* An APPEND of `n` empty entries of `term`. */
static inline void drive_append(struct drive *d,
                                uint64_t from,
                                uint64_t term,
                                uint64_t index,
                                uint64_t log_term,
                                uint64_t commit,
                                size_t n)
{
    struct core_entry entries[64] = {0};
    struct core_msg m = {
        .type = CORE_MSG_APPEND,
        .from = from,
        .term = term,
        .index = index,
        .log_term = log_term,
        .commit = commit,
        .entries = entries,
        .n_entries = n,
    };

    assert_true(n <= 64);
    for (size_t i = 0; i < n; i++) {
        entries[i] = (struct core_entry){.term = term, .type = CORE_ENTRY_NOOP};
    }
    drive_step(d, m);
}

#endif
