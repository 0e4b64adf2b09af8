/* Assertions that stay on in release builds: a replica that has lost its invariants must stop. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include "base/attr.h"

/* Prints the failed condition to stderr and aborts. Any thread. */
KVS_NORETURN void kvs_assert_failed(const char *condition, const char *file, int line);

#define kvs_assert(condition)                                                                      \
    ((condition) ? (void)0 : kvs_assert_failed(#condition, __FILE__, __LINE__))

/* For checks that cost more than O(1): debug builds only. */
#ifdef NDEBUG
#define kvs_dassert(condition) ((void)sizeof(condition))
#else
#define kvs_dassert(condition) kvs_assert(condition)
#endif

#endif
