/* What a watch's reader needs beyond the public calls. */
#ifndef CLIENT_WATCH_INT_H
#define CLIENT_WATCH_INT_H

#include "kvstore/client.h"

/* As kvs_watch_open, with `n_refs` references for the caller: the storage outlives ENDED until
 * they are given back. */
KVS_MUST_USE int watch_open(struct kvs_client *client,
                            const struct kvs_watch_create_req *req,
                            kvs_watch_cb cb,
                            void *ctx,
                            unsigned n_refs,
                            struct kvs_watch **ret_watch);
void watch_unref(struct kvs_watch *w); /* any thread */

/* The client's thread, before ENDED. No EVENTS callbacks while paused (those already on their way
 * still come). */
void watch_pause(struct kvs_watch *w);
void watch_resume(struct kvs_watch *w);

#endif
