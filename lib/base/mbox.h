/* Mailbox: the only way between threads. Messages are moved: after mbox_post the sender does not
 * touch them. Many senders, one receiver, in order of arrival.
 *
 * A receiver that sleeps in an event loop is woken through `wake` (called once per empty-to-full
 * change, from the sender's thread); a worker thread waits in mbox_wait. */
#ifndef BASE_MBOX_H
#define BASE_MBOX_H

#include <stdbool.h>

#include "base/list.h"

struct mbox;

typedef void (*mbox_wake_fn)(void *ctx);

/* `wake` may be NULL for a receiver that uses mbox_wait. NULL if out of memory. */
KVS_MUST_USE struct mbox *mbox_new(mbox_wake_fn wake, void *ctx);

/* The mailbox must be empty and closed to senders. */
void mbox_free(struct mbox *m);

/* Moves `message` (a list node embedded in the sender's struct). Any thread. */
void mbox_post(struct mbox *m, struct list *message);

/* As mbox_post unless the mailbox is stopped: then the message stays the sender's, and `wake` does
 * not run any more once mbox_stop has returned. Any thread. */
KVS_MUST_USE bool mbox_offer(struct mbox *m, struct list *message);

/* Receiver: moves all waiting messages to the end of `ret_messages` (an initialised list head).
 * Returns false if there were none. Never blocks. */
bool mbox_take(struct mbox *m, struct list *ret_messages);

/* Receiver: as mbox_take, but waits until there is a message or the mailbox is stopped; false
 * only when stopped and empty. */
bool mbox_wait(struct mbox *m, struct list *ret_messages);

/* As mbox_wait with a bound; false also when `timeout_ms` passed. */
bool mbox_wait_timeout(struct mbox *m, struct list *ret_messages, unsigned timeout_ms);

/* Makes mbox_wait return; messages posted before are still delivered. Any thread. */
void mbox_stop(struct mbox *m);

#endif
