/* The lease table. Invariants:
 * 1. The replicated part changes only in lease_grant/restore/revoke/checkpoint/clear.
 * 2. On a follower every due time and deadline is LEASE_NEVER.
 * 3. Each lease is in the id map and in both heaps. */
#include "lease/lease.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/map.h"
#include "base/sabotage.h"
#include "lease/heap.h"

struct lease {
    struct lease_timer timer;
    struct lease_info info;
    uint64_t deadline_ms; /* leader only, else LEASE_NEVER */
    bool checkpointed;    /* a checkpoint was handed out since the last one of 0 was applied */
};

struct lease_table {
    struct map by_id;
    struct lease_heap expiry;
    struct lease_heap checkpoints;
    bool leader;
};

static struct lease *lease_of(struct lease_timer *timer)
{
    return container_of(timer, struct lease, timer);
}

static struct lease *lease_find(const struct lease_table *t, kvs_lease_id id)
{
    return map_get(&t->by_id, (uint64_t)id);
}

int64_t lease_ttl_min_s(uint64_t election_timeout_ms)
{
    uint64_t ms = election_timeout_ms + (election_timeout_ms + 1) / 2;
    uint64_t seconds = (ms + 999) / 1000;

    kvs_assert(seconds <= (uint64_t)LEASE_TTL_MAX_S);
    return seconds > 0 ? (int64_t)seconds : 1;
}

int lease_ttl_adjust(int64_t asked_s, int64_t min_s, int64_t *ret_ttl_s)
{
    if (asked_s > LEASE_TTL_MAX_S) {
        return KVS_E_LEASE_TTL_TOO_LARGE;
    }
    *ret_ttl_s = asked_s < min_s ? min_s : asked_s;
    return 0;
}

struct lease_table *lease_table_new(void)
{
    struct lease_table *t = kvs_calloc(1, sizeof *t);

    if (t == NULL) {
        return NULL;
    }
    map_init(&t->by_id);
    lease_heap_init(&t->expiry, LEASE_DUE_EXPIRY);
    lease_heap_init(&t->checkpoints, LEASE_DUE_CHECKPOINT);
    return t;
}

void lease_table_clear(struct lease_table *t)
{
    for (size_t i = 0; i < t->expiry.len; i++) {
        kvs_free(lease_of(t->expiry.items[i]));
    }
    map_fini(&t->by_id);
    map_init(&t->by_id);
    lease_heap_fini(&t->expiry);
    lease_heap_fini(&t->checkpoints);
}

void lease_table_free(struct lease_table *t)
{
    if (t == NULL) {
        return;
    }
    lease_table_clear(t);
    map_fini(&t->by_id);
    kvs_free(t);
}

/* The TTL that a new deadline starts from. */
static int64_t lease_start_ttl_s(const struct lease *l)
{
    return l->info.remaining_ttl_s > 0 ? l->info.remaining_ttl_s : l->info.granted_ttl_s;
}

static uint64_t lease_checkpoint_due_ms(const struct lease *l, uint64_t now_ms)
{
    bool worth_it = l->deadline_ms > now_ms && l->deadline_ms - now_ms > LEASE_CHECKPOINT_MS;

    return worth_it ? now_ms + LEASE_CHECKPOINT_MS : LEASE_NEVER;
}

/* Sets times of a lease that is in neither heap. */
static void lease_start(const struct lease_table *t, struct lease *l, uint64_t now_ms)
{
    l->deadline_ms = LEASE_NEVER;
    l->timer.due_ms[LEASE_DUE_CHECKPOINT] = LEASE_NEVER;
    if (t->leader) {
        l->deadline_ms = now_ms + (uint64_t)lease_start_ttl_s(l) * 1000;
        l->timer.due_ms[LEASE_DUE_CHECKPOINT] = lease_checkpoint_due_ms(l, now_ms);
    }
    l->timer.due_ms[LEASE_DUE_EXPIRY] = l->deadline_ms;
}

static int lease_insert(struct lease_table *t, const struct lease_info *info, uint64_t now_ms)
{
    struct lease *l;

    if (lease_heap_reserve(&t->expiry) != 0 || lease_heap_reserve(&t->checkpoints) != 0) {
        return KVS_E_NOMEM;
    }
    l = kvs_calloc(1, sizeof *l);
    if (l == NULL) {
        return KVS_E_NOMEM;
    }
    l->info = *info;
    if (map_put(&t->by_id, (uint64_t)info->id, l) != 0) {
        kvs_free(l);
        return KVS_E_NOMEM;
    }
    lease_start(t, l, now_ms);
    lease_heap_push(&t->expiry, &l->timer);
    lease_heap_push(&t->checkpoints, &l->timer);
    return 0;
}

int lease_restore(struct lease_table *t, const struct lease_info *info, uint64_t now_ms)
{
    struct lease_info checked = *info;

    if (info->id == 0) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    if (info->granted_ttl_s > LEASE_TTL_MAX_S) {
        return KVS_E_LEASE_TTL_TOO_LARGE;
    }
    if (lease_find(t, info->id) != NULL) {
        return KVS_E_LEASE_EXISTS;
    }
    /* Proposers raise the TTL to their minimum; whatever an entry says, all members do the same. */
    if (checked.granted_ttl_s < 1) {
        checked.granted_ttl_s = 1;
    }
    if (checked.remaining_ttl_s < 0 || checked.remaining_ttl_s > checked.granted_ttl_s) {
        checked.remaining_ttl_s = 0;
    }
    return lease_insert(t, &checked, now_ms);
}

int lease_grant(struct lease_table *t, kvs_lease_id id, int64_t ttl_s, uint64_t now_ms)
{
    struct lease_info info = {.id = id, .granted_ttl_s = ttl_s};

    return lease_restore(t, &info, now_ms);
}

int lease_revoke(struct lease_table *t, kvs_lease_id id)
{
    struct lease *l = map_remove(&t->by_id, (uint64_t)id);

    if (l == NULL) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    lease_heap_remove(&t->expiry, &l->timer);
    lease_heap_remove(&t->checkpoints, &l->timer);
    kvs_free(l);
    return 0;
}

int lease_checkpoint(struct lease_table *t, kvs_lease_id id, int64_t remaining_ttl_s)
{
    struct lease *l = lease_find(t, id);

    if (l == NULL) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    if (remaining_ttl_s <= 0) {
        remaining_ttl_s = 0;
        l->checkpointed = false;
    }
    if (remaining_ttl_s > l->info.granted_ttl_s) {
        remaining_ttl_s = l->info.granted_ttl_s;
    }
    l->info.remaining_ttl_s = remaining_ttl_s;
    return 0;
}

bool lease_get(const struct lease_table *t, kvs_lease_id id, struct lease_info *ret_info)
{
    const struct lease *l = lease_find(t, id);

    if (l != NULL && ret_info != NULL) {
        *ret_info = l->info;
    }
    return l != NULL;
}

size_t lease_count(const struct lease_table *t)
{
    return t->by_id.count;
}

uint64_t lease_hash(const struct lease_table *t)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < t->expiry.len; i++) {
        const struct lease *l = lease_of(t->expiry.items[i]);
        uint8_t record[24];

        store_le64(record, (uint64_t)l->info.id);
        store_le64(record + 8, (uint64_t)l->info.granted_ttl_s);
        store_le64(record + 16, (uint64_t)l->info.remaining_ttl_s);
        sum += checksum64(record, sizeof record, 0); /* a sum does not depend on heap order */
    }
    return sum;
}

/* Leases that would all end together are paced, so that revoking them does not drown the log. The
 * heap is sorted by expiry; afterwards it still is. */
static void lease_spread(struct lease_table *t)
{
    struct lease_timer **items = t->expiry.items;

    for (size_t i = LEASE_PROMOTE_PER_SECOND; i < t->expiry.len; i++) {
        struct lease *l = lease_of(items[i]);
        uint64_t earliest = lease_of(items[i - LEASE_PROMOTE_PER_SECOND])->deadline_ms + 1000;

        if (l->deadline_ms < earliest) {
            l->deadline_ms = earliest;
            l->timer.due_ms[LEASE_DUE_EXPIRY] = earliest;
        }
    }
}

void lease_promote(struct lease_table *t, uint64_t now_ms, uint64_t extend_ms)
{
    t->leader = true;
    for (size_t i = 0; i < t->expiry.len; i++) {
        struct lease *l = lease_of(t->expiry.items[i]);

        l->deadline_ms = now_ms + (uint64_t)lease_start_ttl_s(l) * 1000 + extend_ms;
        if (sabotaged(SABOTAGE_LEASE_NOT_EXTENDED)) {
            l->deadline_ms = now_ms + 1;
        }
        l->timer.due_ms[LEASE_DUE_EXPIRY] = l->deadline_ms;
        /* A checkpoint of the last leader may still be on its way: the first renewal clears. */
        l->checkpointed = l->info.granted_ttl_s > LEASE_CHECKPOINT_MS / 1000;
    }
    lease_heap_sort(&t->expiry);
    lease_spread(t);
    for (size_t i = 0; i < t->expiry.len; i++) {
        struct lease *l = lease_of(t->expiry.items[i]);

        l->timer.due_ms[LEASE_DUE_CHECKPOINT] = lease_checkpoint_due_ms(l, now_ms);
    }
    lease_heap_sort(&t->checkpoints);
}

void lease_demote(struct lease_table *t)
{
    t->leader = false;
    /* All due times become equal: any order is a heap. */
    for (size_t i = 0; i < t->expiry.len; i++) {
        struct lease *l = lease_of(t->expiry.items[i]);

        l->deadline_ms = LEASE_NEVER;
        l->timer.due_ms[LEASE_DUE_EXPIRY] = LEASE_NEVER;
        l->timer.due_ms[LEASE_DUE_CHECKPOINT] = LEASE_NEVER;
        l->checkpointed = false;
    }
}

bool lease_is_leader(const struct lease_table *t)
{
    return t->leader;
}

int lease_renew(struct lease_table *t,
                kvs_lease_id id,
                uint64_t now_ms,
                struct lease_renewal *ret_renewal)
{
    struct lease *l = lease_find(t, id);

    if (!t->leader) {
        return KVS_E_NOT_LEADER;
    }
    if (l == NULL) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    if (l->deadline_ms <= now_ms) {
        return KVS_E_AGAIN;
    }
    l->deadline_ms = now_ms + (uint64_t)l->info.granted_ttl_s * 1000;
    lease_heap_update(&t->expiry, &l->timer, l->deadline_ms);
    lease_heap_update(&t->checkpoints, &l->timer, lease_checkpoint_due_ms(l, now_ms));
    ret_renewal->ttl_s = l->info.granted_ttl_s;
    ret_renewal->clear_checkpoint = l->info.remaining_ttl_s != 0 || l->checkpointed;
    return 0;
}

int lease_time_to_live(const struct lease_table *t,
                       kvs_lease_id id,
                       uint64_t now_ms,
                       int64_t *ret_remaining_s)
{
    const struct lease *l = lease_find(t, id);

    if (!t->leader) {
        return KVS_E_NOT_LEADER;
    }
    if (l == NULL) {
        return KVS_E_LEASE_NOT_FOUND;
    }
    *ret_remaining_s = l->deadline_ms > now_ms ? (int64_t)((l->deadline_ms - now_ms) / 1000) : 0;
    return 0;
}

size_t lease_expired(struct lease_table *t, uint64_t now_ms, kvs_lease_id *ret_ids, size_t max)
{
    size_t n = 0;

    while (n < max && t->leader) {
        struct lease_timer *top = lease_heap_top(&t->expiry);

        if (top == NULL || top->due_ms[LEASE_DUE_EXPIRY] > now_ms) {
            break;
        }
        ret_ids[n++] = lease_of(top)->info.id;
        lease_heap_update(&t->expiry, top, now_ms + LEASE_REVOKE_RETRY_MS);
    }
    return n;
}

size_t lease_checkpoints_due(struct lease_table *t,
                             uint64_t now_ms,
                             struct lease_checkpoint *ret_checkpoints,
                             size_t max)
{
    size_t n = 0;

    while (n < max && t->leader) {
        struct lease_timer *top = lease_heap_top(&t->checkpoints);
        struct lease *l;

        if (top == NULL || top->due_ms[LEASE_DUE_CHECKPOINT] > now_ms) {
            break;
        }
        l = lease_of(top);
        lease_heap_update(&t->checkpoints, top, lease_checkpoint_due_ms(l, now_ms));
        if (l->deadline_ms <= now_ms) {
            continue; /* It is about to be revoked. */
        }
        l->checkpointed = true;
        ret_checkpoints[n].id = l->info.id;
        ret_checkpoints[n].remaining_ttl_s = (int64_t)((l->deadline_ms - now_ms + 999) / 1000);
        n++;
    }
    return n;
}

uint64_t lease_next_due_ms(const struct lease_table *t)
{
    const struct lease_timer *expiry = lease_heap_top(&t->expiry);
    const struct lease_timer *checkpoint = lease_heap_top(&t->checkpoints);
    uint64_t due = LEASE_NEVER;

    if (expiry != NULL) {
        due = expiry->due_ms[LEASE_DUE_EXPIRY];
    }
    if (checkpoint != NULL && checkpoint->due_ms[LEASE_DUE_CHECKPOINT] < due) {
        due = checkpoint->due_ms[LEASE_DUE_CHECKPOINT];
    }
    return due;
}

static int lease_order_by_id(const void *a, const void *b)
{
    kvs_lease_id left = *(const kvs_lease_id *)a;
    kvs_lease_id right = *(const kvs_lease_id *)b;

    return left < right ? -1 : left > right;
}

static int lease_order_by_deadline(const void *a, const void *b, void *table)
{
    const struct lease *left = lease_find(table, *(const kvs_lease_id *)a);
    const struct lease *right = lease_find(table, *(const kvs_lease_id *)b);

    if (left->deadline_ms != right->deadline_ms) {
        return left->deadline_ms < right->deadline_ms ? -1 : 1;
    }
    return lease_order_by_id(a, b);
}

static void lease_copy_ids(const struct lease_table *t, kvs_lease_id *ret_ids)
{
    for (size_t i = 0; i < t->expiry.len; i++) {
        ret_ids[i] = lease_of(t->expiry.items[i])->info.id;
    }
}

void lease_list(const struct lease_table *t, kvs_lease_id *ret_ids)
{
    if (t->expiry.len == 0) {
        return;
    }
    lease_copy_ids(t, ret_ids);
    qsort_r(ret_ids, t->expiry.len, sizeof *ret_ids, lease_order_by_deadline,
            (void *)(uintptr_t)t); /* qsort_r's context is not const; the order function is */
}

void lease_list_by_id(const struct lease_table *t, kvs_lease_id *ret_ids)
{
    if (t->expiry.len == 0) {
        return;
    }
    lease_copy_ids(t, ret_ids);
    qsort(ret_ids, t->expiry.len, sizeof *ret_ids, lease_order_by_id);
}

void lease_check(const struct lease_table *t)
{
    kvs_assert(t->expiry.len == t->by_id.count);
    kvs_assert(t->checkpoints.len == t->by_id.count);
    lease_heap_check(&t->expiry);
    lease_heap_check(&t->checkpoints);
    for (size_t i = 0; i < t->expiry.len; i++) {
        const struct lease *l = lease_of(t->expiry.items[i]);

        kvs_assert(lease_find(t, l->info.id) == l);
        kvs_assert(l->info.granted_ttl_s >= 1 && l->info.granted_ttl_s <= LEASE_TTL_MAX_S);
        kvs_assert(l->info.remaining_ttl_s >= 0);
        kvs_assert(l->info.remaining_ttl_s <= l->info.granted_ttl_s);
        kvs_assert(t->leader == (l->deadline_ms != LEASE_NEVER));
        kvs_assert(t->leader || l->timer.due_ms[LEASE_DUE_EXPIRY] == LEASE_NEVER);
        kvs_assert(t->leader || l->timer.due_ms[LEASE_DUE_CHECKPOINT] == LEASE_NEVER);
    }
}
