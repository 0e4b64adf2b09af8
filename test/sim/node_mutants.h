/* The deliberate faults that the sabotage build has; see base/sabotage.h. */
#ifndef NODE_MUTANTS_H
#define NODE_MUTANTS_H

#include <stdbool.h>
#include <stddef.h>

/* By number; NULL at the end, which is at 0 without sabotage. */
const char *node_mutant_name(size_t at);

/* The one that is in force from now on; false if there is no such. */
bool node_mutant_set(const char *name);

#endif
