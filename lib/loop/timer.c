/* The hierarchical timer wheel; its order invariant is explained in loop_int.h. */
#include "base/assert.h"
#include "loop/loop_int.h"

enum { WHEEL_MASK = WHEEL_SLOTS - 1 };

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms)
{
    w->now_ms = now_ms;
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        w->occupied[level] = 0;
        for (int slot = 0; slot < WHEEL_SLOTS; slot++) {
            list_init(&w->slots[level][slot]);
        }
    }
}

static void timer_wheel_put(struct timer_wheel *w, struct loop_timer *t)
{
    uint64_t differs = w->now_ms ^ t->due_ms;
    unsigned level;

    kvs_assert(t->due_ms >= w->now_ms);
    level = (63u - (unsigned)__builtin_clzll(differs | 1)) / WHEEL_BITS;
    if (level >= WHEEL_LEVELS) { /* only near a wrap of the top digit: look again from there */
        level = WHEEL_LEVELS - 1;
    }
    t->level = (uint8_t)level;
    t->slot = (uint8_t)((t->due_ms >> (level * WHEEL_BITS)) & WHEEL_MASK);
    w->occupied[level] |= UINT64_C(1) << t->slot;
    list_push_back(&w->slots[level][t->slot], &t->node);
}

static void timer_wheel_remove(struct timer_wheel *w, struct loop_timer *t)
{
    list_remove(&t->node);
    if (list_empty(&w->slots[t->level][t->slot])) {
        w->occupied[t->level] &= ~(UINT64_C(1) << t->slot);
    }
}

/* Finds the earliest slot that holds anything, and when it begins. */
static bool timer_wheel_find(const struct timer_wheel *w,
                             unsigned *ret_level,
                             unsigned *ret_slot,
                             uint64_t *ret_due_ms)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = level * WHEEL_BITS;
        unsigned at = (unsigned)(w->now_ms >> shift) & WHEEL_MASK;
        uint64_t base = w->now_ms >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS);
        uint64_t ahead = w->occupied[level] & (~UINT64_C(0) << at);
        unsigned slot;

        if (w->occupied[level] == 0) {
            continue;
        }
        if (ahead == 0) { /* wrapped: the top level only */
            ahead = w->occupied[level];
            base += UINT64_C(1) << (shift + WHEEL_BITS);
        }
        slot = (unsigned)__builtin_ctzll(ahead);
        *ret_level = level;
        *ret_slot = slot;
        *ret_due_ms = base + ((uint64_t)slot << shift);
        return true;
    }
    return false;
}

bool timer_wheel_next(const struct timer_wheel *w, uint64_t *ret_due_ms)
{
    unsigned level;
    unsigned slot;

    return timer_wheel_find(w, &level, &slot, ret_due_ms);
}

static void timer_fire(struct timer_wheel *w, struct loop_timer *t)
{
    t->active = false;
    if (t->repeat_ms > 0) {
        t->due_ms = w->now_ms + t->repeat_ms;
        t->active = true;
        timer_wheel_put(w, t);
    }
    t->fn(t);
}

void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms)
{
    uint64_t due_ms;
    unsigned level;
    unsigned slot;

    while (timer_wheel_find(w, &level, &slot, &due_ms) && due_ms <= now_ms) {
        struct list *at = &w->slots[level][slot];

        if (due_ms > w->now_ms) {
            w->now_ms = due_ms;
        }
        /* One by one from the slot itself: a callback may stop any other timer. A timer that is
         * put back goes to a later slot (due > now), so the slot drains. */
        while (!list_empty(at)) {
            struct loop_timer *t = list_entry(at->next, struct loop_timer, node);

            timer_wheel_remove(w, t);
            if (t->due_ms <= w->now_ms) {
                timer_fire(w, t);
            } else {
                timer_wheel_put(w, t);
            }
        }
    }
    if (now_ms > w->now_ms) {
        w->now_ms = now_ms;
    }
}

void loop_timer_init(struct loop *l, struct loop_timer *t, void (*fn)(struct loop_timer *t))
{
    *t = (struct loop_timer){.loop = l, .fn = fn};
    list_init(&t->node);
}

static void timer_start(struct loop_timer *t, uint64_t after_ms, uint64_t repeat_ms)
{
    static const uint64_t longest_ms = UINT64_C(1) << (WHEEL_LEVELS * WHEEL_BITS - 1);
    struct timer_wheel *w = &t->loop->wheel;
    uint64_t now_ms = uv_now(&t->loop->uv);

    kvs_dassert(t->fn != NULL);
    if (t->active) {
        timer_wheel_remove(w, t);
    }
    after_ms = after_ms == 0 ? 1 : after_ms;
    after_ms = after_ms > longest_ms ? longest_ms : after_ms;
    t->due_ms = (now_ms > w->now_ms ? now_ms : w->now_ms) + after_ms;
    t->repeat_ms = repeat_ms;
    t->active = true;
    timer_wheel_put(w, t);
}

void loop_timer_start(struct loop_timer *t, uint64_t after_ms)
{
    timer_start(t, after_ms, 0);
}

void loop_timer_start_repeat(struct loop_timer *t, uint64_t after_ms, uint64_t every_ms)
{
    kvs_assert(every_ms > 0);
    timer_start(t, after_ms, every_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    if (t->active) {
        timer_wheel_remove(&t->loop->wheel, t);
        t->active = false;
        t->repeat_ms = 0;
    }
}
