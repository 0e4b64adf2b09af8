/* The event loop of a process: turns, hooks, timers, mailboxes, workers, signals.
 *
 * One thread owns a loop and everything that hangs on it. A turn is: timers, I/O callbacks, posted
 * tasks, then the marked hooks in order (work first, flush second), then one write per stream that
 * has something to send. Callbacks therefore only collect; the hooks act once per turn on all that
 * was collected:
 *
 *      timers, reads, messages, tasks -> WORK hooks -> FLUSH hooks -> stream writes -> sleep
 *
 * All functions: owner thread unless said otherwise. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/list.h"

struct loop;
struct loop_mbox;

/* The calling thread becomes the owner until loop_run is called by another one. Ignores SIGPIPE
 * for the process. KVS_E_NOMEM, KVS_E_INTERNAL (no descriptor left). */
KVS_MUST_USE int loop_new(struct loop **ret_loop);

/* Everything made on the loop has been closed before (mailboxes and signals are freed here).
 * Runs outstanding close callbacks. Not from a callback. */
void loop_free(struct loop *l);

/* Runs turns until loop_stop, or until nothing is left that could cause an event. The calling
 * thread becomes the owner. Not from a callback. */
void loop_run(struct loop *l);

/* Runs one turn; with `block` it sleeps until there is an event. False if nothing is left that
 * could cause one. For tests and embedders. */
bool loop_turn(struct loop *l, bool block);

/* loop_run returns at the end of the current turn. From another thread: post a message. */
void loop_stop(struct loop *l);

/* Stops the process if the calling thread is not the owner. */
void loop_assert_owner(const struct loop *l);

/* Milliseconds of the monotonic clock as of this turn: cheap, does not advance within a turn. */
uint64_t loop_now_ms(const struct loop *l);

/* The machine's clocks. */
const struct clock *loop_clock(const struct loop *l);

/* ---- hooks: work that is done once per turn ---- */

enum loop_phase {
    LOOP_PHASE_WORK,  /* the owner's logic: propose, apply, publish what the turn collected */
    LOOP_PHASE_FLUSH, /* sessions turn what WORK produced into bytes */
    LOOP_PHASE_COUNT,
};

/* Caller's storage; it outlives its registration. */
struct loop_hook {
    struct list node;
    struct loop *loop;
    enum loop_phase phase;
    bool marked;
    void (*fn)(struct loop_hook *h);
};

/* Registers; hooks of one phase run in order of registration. Not from a hook. */
void loop_hook_init(struct loop *l,
                    struct loop_hook *h,
                    enum loop_phase phase,
                    void (*fn)(struct loop_hook *h));

/* Asks for one run at the end of this turn. Marking a hook that has already run in this turn
 * (itself included) makes the next turn start without sleeping. */
void loop_hook_mark(struct loop_hook *h);

/* Unregisters; never registered (all zero) is allowed. Not from another hook. */
void loop_hook_fini(struct loop_hook *h);

/* ---- tasks: "not now, not inside this call" ---- */

/* Caller's storage. An early completion is posted as a task, so that no callback runs inside the
 * function that was asked for the work. */
struct loop_task {
    struct list node;
    void (*fn)(struct loop_task *t);
};

void loop_task_init(struct loop_task *t, void (*fn)(struct loop_task *t));

/* Runs `fn` once in the next turn's callbacks (before its hooks). Posting twice before it ran is
 * one run. */
void loop_task_post(struct loop *l, struct loop_task *t);

/* Harmless if not posted. */
void loop_task_cancel(struct loop_task *t);

/* ---- timers ---- */

/* Caller's storage. Starting, restarting and stopping are O(1) and cannot fail; resolution 1 ms.
 * One per request is what they are made for. */
struct loop_timer {
    struct list node;
    struct loop *loop;
    uint64_t due_ms;
    uint64_t repeat_ms; /* 0: once */
    void (*fn)(struct loop_timer *t);
    uint8_t level;
    uint8_t slot;
    bool active;
};

void loop_timer_init(struct loop *l, struct loop_timer *t, void (*fn)(struct loop_timer *t));

/* Runs `fn` once in `after_ms` (at least 1) from now; an active timer is moved. */
void loop_timer_start(struct loop_timer *t, uint64_t after_ms);

/* As start, then every `every_ms` (> 0) until stopped. Missed periods are not made up for. */
void loop_timer_start_repeat(struct loop_timer *t, uint64_t after_ms, uint64_t every_ms);

/* `fn` does not run any more; the storage may be freed at once. Harmless if not active (or all
 * zero). */
void loop_timer_stop(struct loop_timer *t);

/* ---- mailboxes: messages from other threads ---- */

typedef void (*loop_mbox_cb)(void *ctx, struct list *message);

/* A mailbox whose messages are handed to `cb` on the loop, in order of arrival. Owned by the loop
 * (freed with it) unless freed before. KVS_E_NOMEM. */
KVS_MUST_USE int
loop_mbox_new(struct loop *l, loop_mbox_cb cb, void *ctx, struct loop_mbox **ret_mbox);

/* No sender may post any more; messages still in it are handed to `cb` first. Not from a
 * mailbox's callback. */
void loop_mbox_free(struct loop_mbox *m);

/* Moves `message`. ANY THREAD. */
void loop_mbox_post(struct loop_mbox *m, struct list *message);

/* ---- workers: blocking work off the loop ---- */

/* Caller's storage, which lives until `done` has run. */
struct loop_work {
    void (*run)(struct loop_work *w);  /* on a worker thread; touches only what it was given */
    void (*done)(struct loop_work *w); /* on the loop; the last use of `w` */
};

/* `done` runs exactly once, later, if 0 is returned; else never. Cannot be cancelled. KVS_E_NOMEM.
 */
KVS_MUST_USE int loop_work_submit(struct loop *l, struct loop_work *w);

/* ---- signals ---- */

typedef void (*loop_signal_cb)(void *ctx, int signum);

/* `cb` runs on the loop for each signal, until loop_free. Does not keep loop_run from ending.
 * KVS_E_NOMEM, KVS_E_INVALID. */
KVS_MUST_USE int loop_signal(struct loop *l, int signum, loop_signal_cb cb, void *ctx);

#endif
