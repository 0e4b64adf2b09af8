/* History of the store as the source of watchers that are behind. */
#ifndef WATCH_SOURCE_MVCC_H
#define WATCH_SOURCE_MVCC_H

#include "watch/watch.h"

struct mvcc;

/* Borrows `store`, which outlives the hub. */
struct watch_source watch_source_mvcc(struct mvcc *store);

#endif
