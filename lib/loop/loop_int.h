/* What the files of this module share. Includes <uv.h>: not for others. */
#ifndef LOOP_LOOP_INT_H
#define LOOP_LOOP_INT_H

#include <pthread.h>
#include <uv.h>

#include "base/mbox.h"
#include "loop/loop.h"
#include "loop/stream.h"

enum {
    WHEEL_BITS = 6,
    WHEEL_SLOTS = 1 << WHEEL_BITS,
    WHEEL_LEVELS = 6, /* 2^36 ms: two years; longer timers are cut to that */
    READ_BUFFER_BYTES = 64 * 1024,
};

/* Timers by expiry. A timer's level is the highest digit (base 64) in which its expiry differs
 * from `now`; its slot is that digit. So all timers of a level are due before those of the next,
 * and moving `now` forward re-sorts (cascades) one slot at a time. */
struct timer_wheel {
    uint64_t now_ms;
    uint64_t occupied[WHEEL_LEVELS]; /* bit per slot */
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void timer_wheel_init(struct timer_wheel *w, uint64_t now_ms);

/* When to look again (not later than the earliest expiry); false if there are no timers. */
bool timer_wheel_next(const struct timer_wheel *w, uint64_t *ret_due_ms);

/* Moves the wheel to `now_ms` and runs what is due. */
void timer_wheel_advance(struct timer_wheel *w, uint64_t now_ms);

struct chunk; /* stream_queue.c */

struct loop {
    uv_loop_t uv;
    pthread_t owner;
    bool running;
    bool stop;

    uv_prepare_t turn_end; /* runs the hooks: after all callbacks, before sleeping */
    uv_idle_t again;       /* active: the next poll does not sleep */
    struct list hooks[LOOP_PHASE_COUNT];
    struct list tasks;
    struct list dirty_streams;

    struct timer_wheel wheel;
    uv_timer_t wheel_timer;
    uint64_t wheel_due_ms; /* what wheel_timer is set to; 0: stopped */

    /* One for all mailboxes. Not uv_async_t: its receiver spins until the sender is back from its
     * system call, and here the sender is often the thread that the wake-up has just displaced. */
    uv_poll_t wake;
    int wake_fd; /* eventfd; written by any thread */
    struct list mboxes;
    struct list signals;

    uint8_t *read_buffer;
    struct chunk *free_chunks;
    unsigned n_free_chunks;
    unsigned n_streams;
    unsigned n_work; /* submitted and not yet done */
    struct stream_totals totals;
};

/* Flushes every dirty stream: one write each. From the end of a turn. */
void loop_flush_streams(struct loop *l);

void loop_free_chunks(struct loop *l);

/* Hands waiting messages of all mailboxes to their callbacks. */
void loop_deliver_messages(struct loop *l);

/* Frees what loop_free owns. */
void loop_mboxes_fini(struct loop *l);
void loop_signals_fini(struct loop *l);

#endif
