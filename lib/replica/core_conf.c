/* Sets of servers: which change makes which configuration, and their bytes.
 *
 * A change of voters always goes through a joint configuration (dissertation 4.3), also when it is
 * a single server: one rule instead of two, and no precondition to get wrong. Only learners that
 * come, go or change their attributes need a single entry.
 *
 *   CONFIG entry   u8 version=1, 4 x (u8 n, n x le64 id): voters, outgoing, learners,
 * learners_next, then the context to the end change         u8 version=1, u8 n, n x (u8 type, le64
 * id), then the context to the end */
#include "replica/core_int.h"

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    CONF_VERSION = 1,
    CONF_BYTES_MAX = 1 + 4 * (1 + 8 * CORE_SET_MAX),
    CHANGES_BYTES_MAX = 2 + 9 * CORE_CHANGES_MAX,
};

bool core_set_has(const struct core_set *set, uint64_t id)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->ids[i] == id) {
            return true;
        }
    }
    return false;
}

static int set_add(struct core_set *set, uint64_t id)
{
    uint32_t at = 0;

    kvs_assert(!core_set_has(set, id));
    if (set->n == CORE_SET_MAX) {
        return KVS_E_TOO_LONG;
    }
    while (at < set->n && set->ids[at] < id) {
        at++;
    }
    memmove(set->ids + at + 1, set->ids + at, (set->n - at) * sizeof set->ids[0]);
    set->ids[at] = id;
    set->n++;
    return 0;
}

static void set_remove(struct core_set *set, uint64_t id)
{
    for (uint32_t i = 0; i < set->n; i++) {
        if (set->ids[i] == id) {
            set->n--;
            memmove(set->ids + i, set->ids + i + 1, (set->n - i) * sizeof set->ids[0]);
            set->ids[set->n] = 0; /* Equal sets are equal bytes. */
            return;
        }
    }
}

static bool set_equal(const struct core_set *a, const struct core_set *b)
{
    return a->n == b->n && memcmp(a->ids, b->ids, a->n * sizeof a->ids[0]) == 0;
}

bool core_conf_is_joint(const struct core_conf *conf)
{
    return conf->outgoing.n > 0;
}

bool core_conf_is_voter(const struct core_conf *conf, uint64_t id)
{
    return core_set_has(&conf->voters, id) || core_set_has(&conf->outgoing, id);
}

bool core_conf_is_learner(const struct core_conf *conf, uint64_t id)
{
    return core_set_has(&conf->learners, id) || core_set_has(&conf->learners_next, id);
}

bool core_conf_is_member(const struct core_conf *conf, uint64_t id)
{
    return core_conf_is_voter(conf, id) || core_conf_is_learner(conf, id);
}

int core_conf_add(struct core_conf *conf, enum core_change_type type, uint64_t id)
{
    if (id == CORE_NONE || core_conf_is_member(conf, id) || core_conf_is_joint(conf)) {
        return KVS_E_INVALID;
    }
    if (type != CORE_ADD_VOTER && type != CORE_ADD_LEARNER) {
        return KVS_E_INVALID;
    }
    return set_add(type == CORE_ADD_VOTER ? &conf->voters : &conf->learners, id);
}

static int conf_change_one(struct core_conf *conf, const struct core_change *change)
{
    bool voter = core_set_has(&conf->voters, change->id);
    bool learner = core_set_has(&conf->learners, change->id);

    switch (change->type) {
    case CORE_ADD_VOTER:
        set_remove(&conf->learners, change->id);
        return voter ? KVS_E_INVALID : set_add(&conf->voters, change->id);
    case CORE_ADD_LEARNER:
        set_remove(&conf->voters, change->id);
        return learner ? KVS_E_INVALID : set_add(&conf->learners, change->id);
    case CORE_REMOVE:
        set_remove(&conf->voters, change->id);
        set_remove(&conf->learners, change->id);
        return voter || learner ? 0 : KVS_E_INVALID;
    case CORE_UPDATE:
        return voter || learner ? 0 : KVS_E_INVALID;
    case CORE_CHANGE_TYPE_COUNT:
        break;
    }
    return KVS_E_INVALID;
}

/* Turns a target into the way there: the old voters keep their say, and those of them that are to
 * be learners wait until they have lost it. */
static int conf_make_joint(const struct core_conf *from, struct core_conf *conf)
{
    struct core_set learners = conf->learners;
    int rc = 0;

    conf->outgoing = from->voters;
    for (uint32_t i = 0; i < learners.n && rc == 0; i++) {
        if (core_set_has(&from->voters, learners.ids[i])) {
            set_remove(&conf->learners, learners.ids[i]);
            rc = set_add(&conf->learners_next, learners.ids[i]);
        }
    }
    return rc;
}

/* Counts distinct ids: voters and outgoing overlap, learners_next is part of outgoing. */
static uint32_t conf_size(const struct core_conf *conf)
{
    uint32_t n = conf->voters.n + conf->learners.n;

    for (uint32_t i = 0; i < conf->outgoing.n; i++) {
        n += !core_set_has(&conf->voters, conf->outgoing.ids[i]);
    }
    return n;
}

int core_conf_change(const struct core_conf *from,
                     const struct core_change *changes,
                     size_t n_changes,
                     struct core_conf *ret_conf)
{
    struct core_conf conf = *from;
    int rc = 0;

    if (core_conf_is_joint(from) || n_changes == 0 || n_changes > CORE_CHANGES_MAX) {
        return KVS_E_INVALID;
    }
    for (size_t i = 0; i < n_changes && rc == 0; i++) {
        for (size_t j = 0; j < i; j++) {
            if (changes[j].id == changes[i].id) {
                return KVS_E_INVALID;
            }
        }
        rc = changes[i].id != CORE_NONE ? conf_change_one(&conf, &changes[i]) : KVS_E_INVALID;
    }
    if (rc == 0 && conf.voters.n == 0) {
        rc = KVS_E_INVALID;
    }
    if (rc == 0 && !core_mutated(MUTANT_NO_JOINT) && !set_equal(&conf.voters, &from->voters)) {
        rc = conf_make_joint(from, &conf);
    }
    if (rc == 0 && conf_size(&conf) > CORE_PEERS_MAX) {
        rc = KVS_E_TOO_LONG;
    }
    if (rc == 0) {
        *ret_conf = conf;
    }
    return rc;
}

void core_conf_leave(const struct core_conf *joint, struct core_conf *ret_conf)
{
    *ret_conf = (struct core_conf){.voters = joint->voters, .learners = joint->learners};
    kvs_assert(core_conf_is_joint(joint));
    for (uint32_t i = 0; i < joint->learners_next.n; i++) {
        int rc = set_add(&ret_conf->learners, joint->learners_next.ids[i]);

        kvs_assert(rc == 0); /* conf_is_sound(), and they came out of one set */
    }
}

/* --- bytes ------------------------------------------------------------------------------------ */

static uint8_t *put_set(uint8_t *at, const struct core_set *set)
{
    kvs_assert(set->n <= CORE_SET_MAX);
    *at++ = (uint8_t)set->n;
    for (uint32_t i = 0; i < set->n; i++, at += 8) {
        store_le64(at, set->ids[i]);
    }
    return at;
}

static int encode_finish(const uint8_t *head,
                         size_t head_len,
                         struct kvs_view context,
                         struct rcbuf **ret_owner)
{
    struct rcbuf *owner;

    if (context.len > CORE_CONTEXT_MAX) {
        return KVS_E_TOO_LONG;
    }
    owner = rcbuf_new(head_len + context.len);
    if (owner == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(owner->data, head, head_len);
    if (context.len > 0) {
        memcpy(owner->data + head_len, context.data, context.len);
    }
    *ret_owner = owner;
    return 0;
}

int core_conf_entry_encode(const struct core_conf *conf,
                           struct kvs_view context,
                           struct rcbuf **ret_owner)
{
    uint8_t head[CONF_BYTES_MAX];
    uint8_t *at = head;

    *at++ = CONF_VERSION;
    at = put_set(at, &conf->voters);
    at = put_set(at, &conf->outgoing);
    at = put_set(at, &conf->learners);
    at = put_set(at, &conf->learners_next);
    kvs_assert((size_t)(at - head) <= sizeof head);
    return encode_finish(head, (size_t)(at - head), context, ret_owner);
}

struct conf_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static uint8_t read_u8(struct conf_reader *r)
{
    if (r->left < 1) {
        r->failed = true;
        return 0;
    }
    r->left--;
    return *r->at++;
}

static uint64_t read_u64(struct conf_reader *r)
{
    uint64_t value;

    if (r->left < 8) {
        r->failed = true;
        return 0;
    }
    value = load_le64(r->at);
    r->at += 8;
    r->left -= 8;
    return value;
}

static void read_set(struct conf_reader *r, struct core_set *set)
{
    uint32_t n = read_u8(r);

    if (n > CORE_SET_MAX) {
        r->failed = true;
        return;
    }
    for (uint32_t i = 0; i < n && !r->failed; i++) {
        set->ids[i] = read_u64(r);
        /* Ascending from 1, so no id is 0 or there twice. */
        r->failed = r->failed || set->ids[i] <= (i > 0 ? set->ids[i - 1] : 0);
        set->n = i + 1;
    }
}

static bool conf_is_sound(const struct core_conf *conf)
{
    if (conf->voters.n == 0 || conf_size(conf) > CORE_PEERS_MAX ||
        conf->learners.n + conf->learners_next.n > CORE_SET_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < conf->learners.n; i++) {
        if (core_conf_is_voter(conf, conf->learners.ids[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < conf->learners_next.n; i++) {
        uint64_t id = conf->learners_next.ids[i];

        if (core_set_has(&conf->voters, id) || !core_set_has(&conf->outgoing, id)) {
            return false;
        }
    }
    return true;
}

int core_conf_entry_decode(struct kvs_view data,
                           struct core_conf *ret_conf,
                           struct kvs_view *ret_context)
{
    struct conf_reader r = {.at = data.data, .left = data.len};
    struct core_conf conf = {0};

    if (read_u8(&r) != CONF_VERSION) {
        return KVS_E_MALFORMED;
    }
    read_set(&r, &conf.voters);
    read_set(&r, &conf.outgoing);
    read_set(&r, &conf.learners);
    read_set(&r, &conf.learners_next);
    if (r.failed || r.left > CORE_CONTEXT_MAX || !conf_is_sound(&conf)) {
        return KVS_E_MALFORMED;
    }
    *ret_conf = conf;
    if (ret_context != NULL) {
        *ret_context = (struct kvs_view){r.at, r.left};
    }
    return 0;
}

int core_changes_encode(const struct core_change *changes,
                        size_t n_changes,
                        struct kvs_view context,
                        struct rcbuf **ret_owner)
{
    uint8_t head[CHANGES_BYTES_MAX];
    uint8_t *at = head;

    if (n_changes == 0 || n_changes > CORE_CHANGES_MAX) {
        return KVS_E_INVALID;
    }
    *at++ = CONF_VERSION;
    *at++ = (uint8_t)n_changes;
    for (size_t i = 0; i < n_changes; i++, at += 9) {
        at[0] = (uint8_t)changes[i].type;
        store_le64(at + 1, changes[i].id);
    }
    return encode_finish(head, (size_t)(at - head), context, ret_owner);
}

int core_changes_decode(struct kvs_view data,
                        struct core_change *ret_changes,
                        size_t *ret_n,
                        struct kvs_view *ret_context)
{
    struct conf_reader r = {.at = data.data, .left = data.len};
    size_t n;

    if (read_u8(&r) != CONF_VERSION) {
        return KVS_E_MALFORMED;
    }
    n = read_u8(&r);
    if (r.failed || n == 0 || n > CORE_CHANGES_MAX) {
        return KVS_E_MALFORMED;
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t type = read_u8(&r);

        r.failed = r.failed || type >= CORE_CHANGE_TYPE_COUNT;
        ret_changes[i] = (struct core_change){.type = type, .id = read_u64(&r)};
    }
    if (r.failed || r.left > CORE_CONTEXT_MAX) {
        return KVS_E_MALFORMED;
    }
    *ret_n = n;
    *ret_context = (struct kvs_view){r.at, r.left};
    return 0;
}
