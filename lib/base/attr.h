/* Compiler attributes and the few macros that C needs. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#include "kvstore/err.h"

#define KVS_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define KVS_NORETURN __attribute__((noreturn))
#define KVS_CLEANUP(fn) __attribute__((cleanup(fn)))
#define KVS_UNUSED __attribute__((unused))

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
