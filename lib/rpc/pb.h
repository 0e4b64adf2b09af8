/* Protobuf by tables: a message is described by its fields' numbers, kinds and places in a C
 * struct; one encoder and one decoder serve all messages, so that what is written and what is
 * read cannot drift apart.
 *
 * Invariants
 *   1. Decoding never copies bytes, never reads past its input, never recurses deeper than the
 *      limits in the tables, and allocates only from the arena it is given.
 *   2. Fields are written in ascending number; zero values are omitted (proto3), except the
 *      members of a oneof that is set. */
#ifndef RPC_PB_H
#define RPC_PB_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/types.h"

enum pb_kind {
    PB_BOOL,       /* bool */
    PB_I32,        /* int: enums */
    PB_U32,        /* uint32_t */
    PB_I64,        /* int64_t */
    PB_U64,        /* uint64_t */
    PB_BYTES,      /* struct kvs_view, also for strings that need no terminator */
    PB_CSTR,       /* const char *, NUL-terminated copy in the arena */
    PB_ENUM_SET,   /* uint32_t with bit N for value N; repeated enum on the wire */
    PB_MSG,        /* embedded struct */
    PB_MSG_PTR,    /* pointer to a struct in the arena */
    PB_MSG_LIST,   /* pointer to an array, and size_t count */
    PB_BYTES_LIST, /* struct kvs_view *, and size_t count */
    PB_CSTR_LIST,  /* const char **, and size_t count */
};

#define PB_ABSENT UINT16_MAX

struct pb_message;

struct pb_field {
    uint8_t number;
    uint8_t kind;      /* enum pb_kind */
    uint16_t at;       /* offset of the value, or of a list's pointer */
    uint16_t count_at; /* lists: offset of the size_t count; else PB_ABSENT */
    uint16_t has_at;   /* PB_MSG: offset of its presence bool; else PB_ABSENT */
    int one_of;        /* value of the message's case field that selects this one; 0: none */
    const struct pb_message *message;
};

struct pb_message {
    const char *name;
    const struct pb_field *fields; /* ascending by number */
    uint16_t n_fields;
    uint16_t size_bytes; /* of the C struct */
    uint16_t case_at;    /* oneof: offset of the int that selects; PB_ABSENT: none */
    uint16_t depth_max;  /* nested occurrences of this message; 0: cannot nest */
    /* Called after a message was decoded; may refuse it. NULL: none. */
    int (*decoded)(void *m);
};

/* Exact size of the encoding. */
size_t pb_size(const struct pb_message *message, const void *m);

/* Appends to `b`; out of memory marks the buffer. */
void pb_encode(struct buf *b, const struct pb_message *message, const void *m);

/* `ret_m` is zeroed, then filled; it borrows from `bytes` and `a`. KVS_E_MALFORMED,
 * KVS_E_TOO_LONG (arena's limit), KVS_E_TOO_MANY_OPS (nested too deep). */
KVS_MUST_USE int
pb_decode(struct arena *a, struct kvs_view bytes, const struct pb_message *message, void *ret_m);

#endif
