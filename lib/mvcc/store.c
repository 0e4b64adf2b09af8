/* The store as an object: opening, state, and when to store what.
 *
 *            mvcc_tick / mvcc_flush / completion
 *                        |
 *                        v           run() on the backend's thread
 *   idle --store_kick--> storing --------------------------------> done: new view, idle
 *                        (one job: a generation, or one step of a compaction)
 *
 * A step of a compaction that is due goes first; the next one is due only after a pause, in which a
 * generation that waits is stored: neither starves. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

#include <stdio.h>

#define STORE_FREEZE_BYTES     ((size_t)16 << 20)
#define STORE_FREEZE_MS        5000
#define STORE_FREEZE_QUIET_MS  500
#define STORE_RELEASE_QUIET_MS 1500
#define STORE_OVERLAY_BYTES    ((size_t)64 << 20)
#define STORE_COMPACT_STEP     10000
#define STORE_COMPACT_STEP_MS  15
#define STORE_COMPACT_WINDOW   ((size_t)4 << 20)
#define STORE_COMPACT_PAUSE_MS 10
#define STORE_COMPACT_REST     2 /* times what the step took */
#define STORE_COUNT_KEEP_MIN   100

void mvcc_options_init(struct mvcc_options *options)
{
    *options = (struct mvcc_options){.freeze_bytes = STORE_FREEZE_BYTES,
                                     .freeze_ms = STORE_FREEZE_MS,
                                     .freeze_quiet_ms = STORE_FREEZE_QUIET_MS,
                                     .release_quiet_ms = STORE_RELEASE_QUIET_MS,
                                     .overlay_max_bytes = STORE_OVERLAY_BYTES,
                                     .compact_step = STORE_COMPACT_STEP,
                                     .compact_step_ms = STORE_COMPACT_STEP_MS,
                                     .compact_window_bytes = STORE_COMPACT_WINDOW,
                                     .count_keep_min = STORE_COUNT_KEEP_MIN};
}

int mvcc_fail(struct mvcc *m, int err)
{
    /* A replica that cannot apply an entry in full must not apply the next. */
    if (m->failure == 0 && (kvs_err_is_fatal(err) || err == KVS_E_NOMEM || err == KVS_E_TOO_LONG)) {
        m->failure = err;
    }
    return err;
}

/* A view of an empty active generation; the snapshot is still missing. */
static struct mvcc_view *store_view_new(struct mvcc *m, struct gen *active)
{
    struct mvcc_view *v = view_new(m->options.hash_seed);

    if (v != NULL) {
        v->gens[v->n_gens++] = gen_ref(active);
    }
    return v;
}

static void store_set_view(struct mvcc *m, struct mvcc_view *v)
{
    view_unref(m->view);
    m->view = v;
}

static int store_load_state(struct mvcc *m)
{
    struct mvcc_view *view;
    struct gen *active = gen_new();
    int err;

    if (active == NULL) {
        return KVS_E_NOMEM;
    }
    view = store_view_new(m, active);
    gen_unref(active);
    if (view == NULL) {
        return KVS_E_NOMEM;
    }
    if ((err = snap_open(m->backend, &view->snap)) != 0 ||
        (err = format_load(view->snap->txn)) != 0 ||
        (err = compacted_load(view->snap->txn, &m->compacted)) != 0 ||
        (err = backend_get_size(m->backend, &m->size)) != 0) {
        view_unref(view);
        return err;
    }
    m->state = view->snap->state;
    m->stored = m->state;
    store_set_view(m, view);
    return 0;
}

int store_load(struct mvcc *m, struct kvs_error *ret_error)
{
    struct backend_options options = {.dir = m->dir, .map_bytes = m->options.map_bytes};
    int err = backend_open(&options, &m->backend, ret_error);

    if (err != 0) {
        return err;
    }
    err = format_init(m->backend);
    if (err == 0) {
        err = store_load_state(m);
    }
    if (err != 0 && ret_error != NULL) {
        ret_error->code = err;
        (void)snprintf(ret_error->msg, sizeof ret_error->msg, "cannot read the state in %s: %s",
                       m->dir, kvs_strerror(err));
    }
    return err;
}

int mvcc_open(const struct mvcc_options *options,
              struct mvcc **ret_store,
              struct kvs_error *ret_error)
{
    struct mvcc *m = kvs_calloc(1, sizeof *m);
    int err = KVS_E_NOMEM;

    kvs_assert(options->dir != NULL && options->device != NULL && options->compact_step > 1);
    if (m == NULL) {
        return KVS_E_NOMEM;
    }
    m->options = *options;
    arena_init(&m->apply.scratch, 0);
    m->dir = kvs_strdup(options->dir);
    if (m->dir != NULL) {
        err = store_load(m, ret_error);
    }
    if (err != 0) {
        mvcc_close(m);
        return err;
    }
    m->options.dir = m->dir;
    *ret_store = m;
    return 0;
}

void mvcc_close(struct mvcc *m)
{
    if (m == NULL) {
        return;
    }
    kvs_assert(!m->storing && m->n_reads == 0);
    compact_window_close(&m->window);
    view_unref(m->view);
    backend_unref(m->backend);
    arena_fini(&m->apply.scratch);
    count_cache_fini(&m->counts);
    kvs_free(m->apply.events);
    kvs_free(m->dir);
    kvs_free(m);
}

kvs_revision mvcc_revision(const struct mvcc *m)
{
    return m->state.revision;
}

kvs_revision mvcc_compact_revision(const struct mvcc *m)
{
    return m->state.compact > 0 ? m->state.compact : 0;
}

kvs_revision mvcc_physical_revision(const struct mvcc *m)
{
    return m->compacted.finished;
}

uint64_t mvcc_applied_index(const struct mvcc *m)
{
    return m->state.index;
}

uint64_t mvcc_applied_term(const struct mvcc *m)
{
    return m->state.term;
}

uint64_t mvcc_stored_index(const struct mvcc *m)
{
    return m->stored.index;
}

uint64_t mvcc_stored_term(const struct mvcc *m)
{
    return m->stored.term;
}

int mvcc_failure(const struct mvcc *m)
{
    return m->failure;
}

static size_t store_overlay_bytes(const struct mvcc *m)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < m->view->n_gens; i++) {
        bytes += gen_bytes(m->view->gens[i]);
    }
    return bytes;
}

void mvcc_get_size(const struct mvcc *m, struct backend_size *ret_file, size_t *ret_overlay_bytes)
{
    *ret_file = m->size;
    *ret_overlay_bytes = store_overlay_bytes(m);
}

bool mvcc_is_clean(const struct mvcc *m)
{
    return m->view->n_gens == 1 && !mvcc_active(m)->dirty;
}

bool mvcc_is_storing(const struct mvcc *m)
{
    return m->storing;
}

uint64_t mvcc_n_releases(const struct mvcc *m)
{
    return m->n_releases;
}

bool mvcc_is_busy(const struct mvcc *m)
{
    return store_overlay_bytes(m) > m->options.overlay_max_bytes;
}

/* ---- When ----------------------------------------------------------------------------------- */

static bool store_compaction_pending(const struct mvcc *m)
{
    return m->compacted.finished < m->stored.compact;
}

/* Whether storing the active generation would give back so much memory that it need not wait for
 * more writes, if there are none. */
static bool store_worth_it(const struct mvcc *m)
{
    return gen_bytes(mvcc_active(m)) >= m->options.freeze_bytes / 16;
}

static bool store_due(const struct mvcc *m)
{
    return m->now_ms - m->dirty_since_ms >= m->options.freeze_ms ||
           gen_bytes(mvcc_active(m)) >= m->options.freeze_bytes ||
           (m->now_ms - m->changed_ms >= m->options.freeze_quiet_ms && store_worth_it(m));
}

void mvcc_tick(struct mvcc *m, uint64_t now_ms)
{
    kvs_assert(!m->apply.open);
    m->now_ms = now_ms;
    if (m->state.index != m->changed_index) {
        m->changed_index = m->state.index;
        m->changed_ms = now_ms;
    }
    if (mvcc_active(m)->dirty) {
        if (!m->dirty_seen) {
            m->dirty_seen = true;
            m->dirty_since_ms = now_ms;
        }
        m->due = store_due(m);
    }
    store_kick(m);
    store_release(m);
}

static uint64_t store_deadline_ms(const struct mvcc *m)
{
    uint64_t aged = m->dirty_since_ms + m->options.freeze_ms;
    uint64_t quiet = m->changed_ms + m->options.freeze_quiet_ms;

    if (!m->dirty_seen) {
        return 0;
    }
    return store_worth_it(m) && quiet < aged ? quiet : aged;
}

uint64_t mvcc_deadline_ms(const struct mvcc *m)
{
    uint64_t deadline = UINT64_MAX;

    if (m->storing || m->failure != 0) {
        return deadline;
    }
    if (mvcc_active(m)->dirty) {
        deadline = store_deadline_ms(m);
    }
    if (store_compaction_pending(m) && m->compact_at_ms < deadline) {
        deadline = m->compact_at_ms;
    }
    return deadline;
}

void mvcc_flush(struct mvcc *m)
{
    kvs_assert(!m->apply.open);
    m->flush = true;
    store_kick(m);
}

/* ---- Jobs ----------------------------------------------------------------------------------- */

static int store_job_run(struct backend_job *job)
{
    struct store_job *j = container_of(job, struct store_job, job);
    uint64_t begun_ns = j->clock != NULL ? clock_ns(j->clock) : 0;
    int err;

    if (sabotaged(SABOTAGE_STORE_INDEX_APART) && j->kind == JOB_STORE) {
        j->gen->state.index = j->m->state.index;
        j->gen->state.term = j->m->state.term;
    }
    err = j->kind == JOB_STORE ? store_job_write(j) : compact_job_step(j);

    if (err != 0) {
        return err;
    }
    /* The one writer is here, so this snapshot is exactly what was committed. */
    err = snap_open(j->backend, &j->snap);
    if (err == 0) {
        err = backend_get_size(j->backend, &j->size);
    }
    j->took_ns = j->clock != NULL ? clock_ns(j->clock) - begun_ns : 0;
    return err;
}

/* After a step: at once if nobody writes. Else the backend, and the disk, are left alone for a
 * multiple of what the step took, which is the longer the more there is to do for others. */
static uint64_t store_compact_pause_ms(const struct mvcc *m, const struct store_job *j)
{
    uint64_t rest_ms = j->took_ns * STORE_COMPACT_REST / 1000000;

    if (!mvcc_active(m)->dirty) {
        return 0;
    }
    return rest_ms > STORE_COMPACT_PAUSE_MS ? rest_ms : STORE_COMPACT_PAUSE_MS;
}

static void store_job_succeeded(struct mvcc *m, struct store_job *j)
{
    j->view->snap = j->snap;
    j->snap = NULL;
    m->stored = j->view->snap->state;
    if (j->kind == JOB_STORE) {
        m->batch_bytes = j->gen_bytes;
        m->batch_max_bytes =
            m->batch_bytes > m->batch_max_bytes ? m->batch_bytes : m->batch_max_bytes;
    }
    m->size = j->size;
    if (j->kind == JOB_COMPACT) {
        m->compacted = j->compacted;
        m->compact_at_ms = m->now_ms + store_compact_pause_ms(m, j);
    }
    store_set_view(m, j->view);
    j->view = NULL;
}

static void store_job_done(struct backend_job *job)
{
    struct store_job *j = container_of(job, struct store_job, job);
    struct mvcc *m = j->m;

    kvs_assert(m->storing && !m->apply.open);
    m->storing = false;
    if (job->status == 0) {
        store_job_succeeded(m, j);
    } else if (m->failure == 0) {
        m->failure = job->status;
    }
    snap_unref(j->snap);
    view_unref(j->view);
    gen_unref(j->gen);
    *j = (struct store_job){0};
    store_kick(m);
    if (m->options.progress != NULL) {
        m->options.progress(m->options.progress_ctx);
    }
}

static void
store_submit(struct mvcc *m, enum job_kind kind, struct gen *gen, struct mvcc_view *next)
{
    m->job = (struct store_job){.job.run = store_job_run,
                                .job.done = store_job_done,
                                .kind = kind,
                                .m = m,
                                .backend = m->backend,
                                .gen = gen,
                                .clock = m->options.clock,
                                .gen_bytes = gen != NULL ? gen_bytes(gen) : 0,
                                .compact_step = m->options.compact_step,
                                .compact_step_ms = m->options.compact_step_ms,
                                .compact_window_bytes = m->options.compact_window_bytes,
                                .window = &m->window,
                                .compacted = m->compacted,
                                .compact_target = m->stored.compact,
                                .view = next};
    m->storing = true;
    m->options.device->submit(m->options.device, &m->job.job);
}

/* Freezes the active generation behind a new one. Without memory nothing happens: later, then. */
static void store_submit_generation(struct mvcc *m)
{
    struct gen *old = mvcc_active(m);
    struct gen *active = gen_new();
    struct mvcc_view *now = NULL;
    struct mvcc_view *next = NULL;

    if (active == NULL) {
        return;
    }
    now = store_view_new(m, active);
    next = store_view_new(m, active);
    gen_unref(active);
    if (now == NULL || next == NULL) {
        view_unref(now);
        view_unref(next);
        return;
    }
    gen_link(old);
    old->state = m->state;
    old->frozen = true;
    now->gens[now->n_gens++] = gen_ref(old);
    now->snap = m->view->snap;
    now->snap->refs++;
    (void)gen_ref(old);
    store_set_view(m, now);
    m->flush = false;
    m->due = false;
    m->dirty_seen = false;
    store_submit(m, JOB_STORE, old, next);
}

static void store_submit_compaction(struct mvcc *m)
{
    struct mvcc_view *next = store_view_new(m, mvcc_active(m));

    if (next != NULL) {
        store_submit(m, JOB_COMPACT, NULL, next);
    }
}

void store_kick(struct mvcc *m)
{
    bool store = mvcc_active(m)->dirty && (m->flush || m->due);
    bool compact = store_compaction_pending(m) && m->now_ms >= m->compact_at_ms;

    if (m->storing || m->failure != 0) {
        return;
    }
    if (compact) {
        store_submit_compaction(m);
    } else if (store) {
        store_submit_generation(m);
    } else {
        m->flush = m->flush && mvcc_active(m)->dirty;
    }
}

int mvcc_meta_scan(struct mvcc *m, enum backend_table table, mvcc_meta_fn fn, void *ctx)
{
    struct backend_cursor *c;
    struct kvs_view key;
    struct kvs_view value;
    int err;

    kvs_assert(mvcc_active(m)->metas == NULL && m->view->n_gens == 1);
    err = backend_cursor_open(m->view->snap->txn, table, &c);
    if (err != 0) {
        return err;
    }
    err = backend_seek(c, (struct kvs_view){0}, &key, &value);
    while (err == 0) {
        err = fn(ctx, key, value);
        if (err == 0) {
            err = backend_next(c, &key, &value);
        } else {
            backend_cursor_close(c);
            return err;
        }
    }
    backend_cursor_close(c);
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

void mvcc_check(const struct mvcc *m)
{
    const struct mvcc_view *v = m->view;

    kvs_assert(v->refs > 0 && v->n_gens >= 1 && v->n_gens <= 2);
    kvs_assert(!v->gens[0]->frozen &&
               (v->n_gens == 1 || (v->gens[1]->frozen && (m->storing || m->failure != 0))));
    kvs_assert(m->stored.index <= m->state.index && m->stored.revision <= m->state.revision);
    kvs_assert(v->snap->state.revision == m->stored.revision);
    kvs_assert(m->state.compact <= m->state.revision);
    for (unsigned i = 0; i < v->n_gens; i++) {
        const struct gen *g = v->gens[i];

        gen_check(g);
        kvs_assert(g->n_versions == 0 || g->versions[0]->record.mod.main > m->stored.revision);
    }
}
