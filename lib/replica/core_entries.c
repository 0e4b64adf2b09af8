/* What any engine does with entries: check them, append them, cut them off, commit them.
 *
 * Invariants: nothing at or below the commit index is ever removed; the commit index never goes
 * back; with a configuration among the entries the peers follow it at once. */
#include "replica/core_int.h"

void core_commit_to(struct core *c, uint64_t index)
{
    kvs_assert(index <= core_last(c));
    if (index > c->commit) {
        c->commit = index;
    }
}

/* Rejects what no correct leader sends, before anything is changed. */
int core_entries_valid(const struct core_msg *m)
{
    uint64_t term = m->log_term;

    if (m->n_entries > 0 && (m->entries == NULL || m->index > UINT64_MAX - m->n_entries)) {
        return KVS_E_MALFORMED;
    }
    for (size_t i = 0; i < m->n_entries; i++) {
        const struct core_entry *e = &m->entries[i];
        struct core_conf conf;

        if (e->term < term || e->term > m->term || e->type >= CORE_ENTRY_TYPE_COUNT ||
            (e->data.len > 0 && e->owner == NULL)) {
            return KVS_E_MALFORMED;
        }
        if (e->type == CORE_ENTRY_CONFIG && core_conf_entry_decode(e->data, &conf, NULL) != 0) {
            return KVS_E_MALFORMED;
        }
        term = e->term;
    }
    return 0;
}

uint64_t core_entries_bytes(const struct core_entry *entries, size_t n)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        bytes += entries[i].data.len;
    }
    return bytes;
}

int core_entries_append(struct core *c, const struct core_entry *entries, size_t n)
{
    bool has_conf = false;
    size_t n_confs = 0;
    int rc;

    for (size_t i = 0; i < n; i++) {
        n_confs += entries[i].type == CORE_ENTRY_CONFIG;
    }
    rc = core_log_reserve(&c->log, n, n_confs);
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct core_conf conf;
        bool is_conf = entries[i].type == CORE_ENTRY_CONFIG;

        if (is_conf) {
            rc = core_conf_entry_decode(entries[i].data, &conf, NULL);
            kvs_assert(rc == 0); /* core_entries_valid() */
        }
        core_log_push(&c->log, &entries[i], is_conf ? &conf : NULL);
        has_conf = has_conf || is_conf;
    }
    if (rc == 0 && has_conf) {
        c->conf_changed = true;
        rc = core_peers_sync(c);
    }
    return rc;
}

int core_entries_cut(struct core *c, uint64_t from)
{
    size_t n_marks = c->log.n_marks;

    kvs_assert(from > c->commit || core_mutated(MUTANT_TRUNCATE_ALWAYS));
    core_log_truncate(&c->log, from);
    core_persist_cut(c, from);
    if (c->log.n_marks == n_marks) {
        return 0;
    }
    c->conf_changed = true;
    return core_peers_sync(c);
}

void core_leader_commit(struct core *c, uint64_t reached)
{
    bool first = !core_own_term_committed(c);

    kvs_assert(c->role == CORE_LEADER);
    for (uint64_t i = c->commit + 1; i <= reached; i++) {
        uint64_t bytes = core_log_at(&c->log, i)->data.len;

        kvs_assert(c->uncommitted_bytes >= bytes);
        c->uncommitted_bytes -= bytes;
    }
    core_commit_to(c, reached);
    if (first && core_own_term_committed(c)) {
        for (size_t i = 0; i < c->n_reads; i++) {
            c->reads[i].index = c->reads[i].index == 0 ? c->commit : c->reads[i].index;
        }
    }
}
