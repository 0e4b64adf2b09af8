/* Random instances of any message that has a table. */
#ifndef CODEC_RANDOM_MESSAGE_H
#define CODEC_RANDOM_MESSAGE_H

#include "base/arena.h"
#include "base/rand.h"
#include "rpc/pb.h"

/* Fills zeroed storage at `m`; what it points to is in `a`. `depth` bounds nested transactions. */
void random_message(
    struct rng *r, struct arena *a, const struct pb_message *message, void *m, unsigned depth);

#endif
