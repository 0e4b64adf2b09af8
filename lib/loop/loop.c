/* Turns: what runs when. libuv's iteration is timers, prepare, poll, check, closing; our turn ends
 * in the prepare callback, so that everything a poll brought is flushed before the next sleep. */
#include "loop/loop_int.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

static bool loop_has_more(const struct loop *l)
{
    if (!list_empty(&l->tasks) || !list_empty(&l->dirty_streams)) {
        return true;
    }
    for (int phase = 0; phase < LOOP_PHASE_COUNT; phase++) {
        LIST_FOREACH(it, &l->hooks[phase])
        {
            if (list_entry(it, struct loop_hook, node)->marked) {
                return true;
            }
        }
    }
    return false;
}

static void loop_run_hooks(struct loop *l, enum loop_phase phase)
{
    LIST_FOREACH(it, &l->hooks[phase])
    {
        struct loop_hook *h = list_entry(it, struct loop_hook, node);

        if (h->marked) {
            h->marked = false;
            h->fn(h);
        }
    }
}

static void loop_run_tasks(struct loop *l)
{
    struct list tasks;

    list_init(&tasks);
    list_splice_back(&tasks, &l->tasks);
    for (struct list *node = list_pop_front(&tasks); node != NULL; node = list_pop_front(&tasks)) {
        struct loop_task *t = list_entry(node, struct loop_task, node);

        t->fn(t);
    }
}

static void loop_again_cb(uv_idle_t *idle)
{
    (void)idle;
}

static void loop_wheel_cb(uv_timer_t *timer)
{
    struct loop *l = container_of(timer, struct loop, wheel_timer);

    l->wheel_due_ms = 0;
    timer_wheel_advance(&l->wheel, uv_now(&l->uv));
}

/* One uv timer serves the wheel; it is moved once per turn at most. */
static void loop_arm_wheel(struct loop *l)
{
    uint64_t due_ms;
    uint64_t now_ms = uv_now(&l->uv);

    if (!timer_wheel_next(&l->wheel, &due_ms)) {
        if (l->wheel_due_ms != 0) {
            (void)uv_timer_stop(&l->wheel_timer);
            l->wheel_due_ms = 0;
        }
        return;
    }
    if (due_ms == l->wheel_due_ms) {
        return;
    }
    l->wheel_due_ms = due_ms;
    (void)uv_timer_start(&l->wheel_timer, loop_wheel_cb, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void loop_turn_end_cb(uv_prepare_t *prepare)
{
    struct loop *l = container_of(prepare, struct loop, turn_end);

    loop_run_tasks(l);
    loop_run_hooks(l, LOOP_PHASE_WORK);
    loop_run_hooks(l, LOOP_PHASE_FLUSH);
    loop_flush_streams(l);
    loop_arm_wheel(l);
    if (loop_has_more(l)) {
        (void)uv_idle_start(&l->again, loop_again_cb);
    } else {
        (void)uv_idle_stop(&l->again);
    }
    if (l->stop) {
        uv_stop(&l->uv);
    }
}

/* Takes the wake-up first: what is posted from now on wakes again. */
static void loop_wake_cb(uv_poll_t *poll, int status, int events)
{
    struct loop *l = container_of(poll, struct loop, wake);
    uint64_t n_posted;
    ssize_t got = read(l->wake_fd, &n_posted, sizeof n_posted);

    (void)status;
    (void)events;
    (void)got; /* nothing there: another turn has taken it */
    loop_deliver_messages(l);
}

static int loop_init_wake(struct loop *l)
{
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->wake_fd < 0) {
        return KVS_E_INTERNAL;
    }
    if (uv_poll_init(&l->uv, &l->wake, l->wake_fd) != 0) {
        (void)close(l->wake_fd);
        return KVS_E_INTERNAL;
    }
    (void)uv_poll_start(&l->wake, UV_READABLE, loop_wake_cb); /* cannot fail after init */
    return 0;
}

static int loop_init_handles(struct loop *l)
{
    if (uv_loop_init(&l->uv) != 0) {
        return KVS_E_INTERNAL;
    }
    if (loop_init_wake(l) != 0) {
        (void)uv_loop_close(&l->uv);
        return KVS_E_INTERNAL;
    }
    (void)uv_prepare_init(&l->uv, &l->turn_end); /* these three cannot fail */
    (void)uv_idle_init(&l->uv, &l->again);
    (void)uv_timer_init(&l->uv, &l->wheel_timer);
    (void)uv_prepare_start(&l->turn_end, loop_turn_end_cb);
    /* Of the loop's own handles only running timers and mailboxes keep it alive. */
    uv_unref((uv_handle_t *)&l->turn_end);
    uv_unref((uv_handle_t *)&l->wake);
    return 0;
}

int loop_new(struct loop **ret_loop)
{
    struct loop *l = kvs_calloc(1, sizeof *l);
    int err;

    if (l == NULL) {
        return KVS_E_NOMEM;
    }
    l->read_buffer = kvs_malloc(READ_BUFFER_BYTES);
    if (l->read_buffer == NULL) {
        kvs_free(l);
        return KVS_E_NOMEM;
    }
    err = loop_init_handles(l);
    if (err != 0) {
        kvs_free(l->read_buffer);
        kvs_free(l);
        return err;
    }
    for (int phase = 0; phase < LOOP_PHASE_COUNT; phase++) {
        list_init(&l->hooks[phase]);
    }
    list_init(&l->tasks);
    list_init(&l->dirty_streams);
    list_init(&l->mboxes);
    list_init(&l->signals);
    timer_wheel_init(&l->wheel, uv_now(&l->uv));
    l->owner = pthread_self();
    (void)signal(SIGPIPE, SIG_IGN);
    *ret_loop = l;
    return 0;
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    l->owner = pthread_self();
    loop_mboxes_fini(l);
    loop_signals_fini(l);
    uv_close((uv_handle_t *)&l->turn_end, NULL);
    uv_close((uv_handle_t *)&l->again, NULL);
    uv_close((uv_handle_t *)&l->wheel_timer, NULL);
    uv_close((uv_handle_t *)&l->wake, NULL);
    while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0) {
    }
    (void)close(l->wake_fd);
    kvs_assert(l->n_streams == 0);
    kvs_assert(uv_loop_close(&l->uv) == 0); /* else somebody did not close */
    loop_free_chunks(l);
    kvs_free(l->read_buffer);
    kvs_free(l);
}

/* What was started outside a turn (or in its last callbacks) is not known to libuv yet. Returns
 * whether there is anything left to wait for. */
static bool loop_prepare(struct loop *l)
{
    loop_arm_wheel(l);
    if (loop_has_more(l)) {
        (void)uv_idle_start(&l->again, loop_again_cb);
    }
    return uv_loop_alive(&l->uv) != 0;
}

void loop_run(struct loop *l)
{
    kvs_assert(!l->running);
    l->owner = pthread_self();
    l->running = true;
    l->stop = false;
    uv_update_time(&l->uv);
    (void)loop_prepare(l);
    do {
        (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    } while (!l->stop && loop_prepare(l));
    l->running = false;
}

bool loop_turn(struct loop *l, bool block)
{
    bool alive;

    kvs_assert(!l->running);
    l->owner = pthread_self();
    l->running = true;
    l->stop = false;
    (void)loop_prepare(l);
    (void)uv_run(&l->uv, block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    alive = loop_prepare(l);
    l->running = false;
    return alive;
}

void loop_stop(struct loop *l)
{
    loop_assert_owner(l);
    l->stop = true;
}

void loop_assert_owner(const struct loop *l)
{
    kvs_assert(pthread_equal(l->owner, pthread_self()));
}

uint64_t loop_now_ms(const struct loop *l)
{
    return uv_now(&l->uv);
}

const struct clock *loop_clock(const struct loop *l)
{
    (void)l;
    return clock_system();
}

void loop_hook_init(struct loop *l,
                    struct loop_hook *h,
                    enum loop_phase phase,
                    void (*fn)(struct loop_hook *h))
{
    loop_assert_owner(l);
    kvs_assert(phase < LOOP_PHASE_COUNT && fn != NULL);
    *h = (struct loop_hook){.loop = l, .phase = phase, .fn = fn};
    list_push_back(&l->hooks[phase], &h->node);
}

void loop_hook_mark(struct loop_hook *h)
{
    kvs_dassert(h->loop != NULL);
    h->marked = true;
}

void loop_hook_fini(struct loop_hook *h)
{
    if (h->loop == NULL) {
        return;
    }
    loop_assert_owner(h->loop);
    list_remove(&h->node);
    h->loop = NULL;
    h->marked = false;
}

void loop_task_init(struct loop_task *t, void (*fn)(struct loop_task *t))
{
    list_init(&t->node);
    t->fn = fn;
}

void loop_task_post(struct loop *l, struct loop_task *t)
{
    if (!list_empty(&t->node)) {
        return;
    }
    list_push_back(&l->tasks, &t->node);
    /* Posted outside a turn, or before its end: the coming poll must not sleep on it. */
    (void)uv_idle_start(&l->again, loop_again_cb);
}

void loop_task_cancel(struct loop_task *t)
{
    if (t->fn != NULL) {
        list_remove(&t->node);
    }
}
