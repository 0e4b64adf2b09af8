/* Reads and conditional writes of single objects in the store, with completions on the caller's
 * loop: a kvs_client has a thread of its own, and its callbacks come over through a mailbox.
 *
 * Contract of the request structs: caller-allocated; a submit returns an error and the callback
 * never runs, or 0 and it runs exactly once, later, on the loop. It is the last use of the struct.
 * What a request points to is copied by the submit. Results live until the callback returns. */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "kvstore/client.h"
#include "loop/loop.h"

struct kube_store;

/* Takes over `client`, also on error. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_store_new(struct loop *l, struct kvs_client *client, struct kube_store **ret_store);

/* Completes what is under way with KVS_E_CANCELED, closes the client, frees. Feeds have been closed
 * before. Blocks for the client's thread. Not from a callback. NULL is allowed. */
void kube_store_free(struct kube_store *s);

struct kvs_client *kube_store_client(struct kube_store *s);

/* Something that happened on the client's thread, on its way to the loop. */
struct kube_store_message {
    struct list node;
    void (*deliver)(struct kube_store_message *m); /* on the loop */
};

/* Any thread. */
void kube_store_post(struct kube_store *s, struct kube_store_message *m);

/* One object, as of now (linearizable). */
struct kube_store_read {
    void (*cb)(struct kube_store_read *r); /* in */
    int status;                            /* out: 0, also if there is no such key; KVS_E_* */
    bool found;                            /* out */
    struct kvs_view value;                 /* out */
    uint64_t mod_revision;                 /* out; 0 if not found */
    uint64_t revision;                     /* out: of the store */
    struct kube_store_message message;     /* the store's, from here on */
    struct kube_store *store;
    const struct kvs_range_resp *resp;
};

KVS_MUST_USE int
kube_store_read(struct kube_store *s, struct kvs_view key, struct kube_store_read *r);

/* As above, without a key: only `revision`. Whoever asks within one loop turn shares one answer. */
struct kube_store_barrier {
    void (*cb)(struct kube_store_barrier *b); /* in */
    int status;                               /* out */
    uint64_t revision;                        /* out: of a write acknowledged before, or later */
    struct list node;                         /* the store's, from here on */
};

void kube_store_barrier(struct kube_store *s, struct kube_store_barrier *b);

enum kube_store_op {
    KUBE_STORE_PUT,
    KUBE_STORE_DELETE,
};

/* Writes or deletes a key if its mod_revision is `expected` (0: it does not exist). */
struct kube_store_write {
    void (*cb)(struct kube_store_write *w); /* in */
    enum kube_store_op op;                  /* in */
    struct kvs_view key;                    /* in */
    struct kvs_view value;                  /* in: PUT */
    uint64_t expected;                      /* in */
    kvs_lease_id lease;                     /* in: PUT; 0 for none */
    int status;        /* out: 0, also if the condition failed; KVS_E_*: it may have happened */
    bool done;         /* out: the condition held */
    uint64_t revision; /* out: of the write */
    struct kvs_view current;           /* out, if not done: what is there instead ... */
    uint64_t current_revision;         /* ... and its mod_revision; 0: nothing */
    struct kube_store_message message; /* the store's, from here on */
    struct kube_store *store;
    const struct kvs_txn_resp *resp;
};

KVS_MUST_USE int kube_store_write(struct kube_store *s, struct kube_store_write *w);

#endif
