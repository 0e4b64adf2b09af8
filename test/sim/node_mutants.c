#include "node_mutants.h"

#include <string.h>

#include "base/sabotage.h"
#include "replica/core_int.h"

#ifdef KVS_SABOTAGE
enum sabotage sabotage_now;

/* Those of the core first, then those of whole nodes. */
static const char *const names[] = {"core: vote-before-persist",
                                    "core-ack-before-persist",
                                    "core-self-vote-before-persist",
                                    "core-own-disk-counts-early",
                                    "core-commit-old-term",
                                    "core-apply-before-commit",
                                    "core-follower-commits-unmatched",
                                    "core-read-without-quorum",
                                    "core-read-before-own-term",
                                    "core-truncate-always",
                                    "core-joint-ignores-old",
                                    "core-vote-ignores-log",
                                    "core-conf-not-rolled-back",
                                    "core-leave-joint-early",
                                    "core-vote-twice",
                                    "core-no-joint",
                                    "core-candidate-reuses-term",
#define X(name, text) text,
                                    SABOTAGE_MAP(X)
#undef X
};

_Static_assert(sizeof names / sizeof names[0] == MUTANT_COUNT - 1 + SABOTAGE_COUNT - 1,
               "each has a name");

const char *node_mutant_name(size_t at)
{
    return at < sizeof names / sizeof names[0] ? names[at] : NULL;
}

bool node_mutant_set(const char *name)
{
    for (size_t i = 0; node_mutant_name(i) != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            core_sabotage = i < MUTANT_COUNT - 1 ? (enum core_mutant)(i + 1) : MUTANT_NONE;
            sabotage_now =
                i < MUTANT_COUNT - 1 ? SABOTAGE_NONE : (enum sabotage)(i + 1 - (MUTANT_COUNT - 1));
            return true;
        }
    }
    return false;
}
#else
const char *node_mutant_name(size_t at)
{
    (void)at;
    return NULL;
}

bool node_mutant_set(const char *name)
{
    (void)name;
    return false;
}
#endif
