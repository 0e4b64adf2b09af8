/* Counts of ranges at fixed revisions, remembered.
 *
 * A client that pages through a large range asks for the exact count with every page, and counting
 * walks the range. What a range held at a revision never changes, so a count can be kept; and after
 * a page its count less the page is that of the range that the next page will ask for. */
#ifndef MVCC_COUNT_CACHE_H
#define MVCC_COUNT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "kvstore/types.h"

#define COUNT_CACHE_ENTRIES 16

struct count_entry {
    kvs_revision rev; /* 0: free */
    int64_t count;
    size_t key_len;
    size_t end_len;
    char *bytes; /* key, then end */
};

struct count_cache {
    struct count_entry entries[COUNT_CACHE_ENTRIES];
    unsigned next; /* to be replaced */
};

void count_cache_fini(struct count_cache *c);

/* Forgets all: the history is another one. */
void count_cache_clear(struct count_cache *c);

bool count_cache_get(const struct count_cache *c,
                     struct kvs_view key,
                     struct kvs_view end,
                     kvs_revision rev,
                     int64_t *ret_count);

/* Copies; long keys are not worth it, and without memory nothing is remembered. */
void count_cache_put(struct count_cache *c,
                     struct kvs_view key,
                     struct kvs_view end,
                     kvs_revision rev,
                     int64_t count);

/* The same for the range that begins right after `last`. */
void count_cache_put_after(struct count_cache *c,
                           struct kvs_view last,
                           struct kvs_view end,
                           kvs_revision rev,
                           int64_t count);

#endif
