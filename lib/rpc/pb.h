/* Protobuf by tables: a message is described by its fields' numbers, kinds and places in a C
 * struct; one encoder and one decoder serve all messages, so that what is written and what is
 * read cannot drift apart.
 *
 * Invariants
 *   1. Decoding never copies bytes, never reads past its input, nests no deeper than the tables
 *      allow, and allocates only from the arena it is given.
 *   2. Fields are written in ascending number; zero values are omitted (proto3), except the
 *      member of a oneof that is set.
 *   3. Encoding writes exactly pb_size bytes. */
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
    PB_I32,        /* int, or an enum of its size */
    PB_U32,        /* uint32_t */
    PB_I64,        /* int64_t */
    PB_U64,        /* uint64_t */
    PB_BYTES,      /* struct kvs_view; also for strings that need no terminator */
    PB_CSTR,       /* const char *, in the arena; NULL is "" */
    PB_ENUM_SET,   /* uint32_t with bit N for value N; a repeated enum on the wire */
    PB_MSG,        /* embedded struct; without `has_at` it is absent when all its fields are */
    PB_MSG_PTR,    /* pointer to a struct in the arena */
    PB_MSG_LIST,   /* pointer to an array, and size_t count */
    PB_BYTES_LIST, /* struct kvs_view *, and size_t count */
    PB_CSTR_LIST,  /* const char **, and size_t count */
};

#define PB_ABSENT UINT16_MAX
/* As has_at: an embedded message that is written even if it is empty. */
#define PB_ALWAYS (UINT16_MAX - 1)

struct pb_message;

struct pb_field {
    uint8_t number;
    uint8_t kind;      /* enum pb_kind */
    uint16_t at;       /* offset of the value, or of a list's pointer */
    uint16_t count_at; /* lists: offset of the size_t count */
    uint16_t has_at;   /* PB_MSG: offset of its presence bool, or PB_ABSENT */
    uint16_t one_of;   /* 0: always; N: only while the message's case field is N - 1 */
    const struct pb_message *message;
};

struct pb_message {
    const char *name;
    const struct pb_field *fields; /* ascending by number */
    uint16_t n_fields;
    uint16_t size_bytes; /* of the C struct */
    uint16_t case_at;    /* oneof: offset of the enum that selects, or PB_ABSENT */
    uint16_t depth_max;  /* how deep messages of this kind may nest; 0: they cannot */
    /* Instead of the table, for a message whose fields depend on each other; NULL: the table.
     * Gets zeroed storage. */
    int (*decode)(struct kvs_view bytes, void *ret_m);
};

/* Exact size of the encoding. Any thread, as all functions here. */
size_t pb_size(const struct pb_message *message, const void *m);

/* Writes pb_size(m) bytes and returns the end. */
uint8_t *pb_put(uint8_t *at, const struct pb_message *message, const void *m);

/* Appends to `b`; out of memory marks the buffer. */
void pb_encode(struct buf *b, const struct pb_message *message, const void *m);

/* `ret_m` is zeroed, then filled; it borrows from `bytes` and `a`, and is of no use after an
 * error. KVS_E_MALFORMED, KVS_E_TOO_LONG (the arena's limit, or no memory), KVS_E_TOO_MANY_OPS
 * (nested too deep). */
KVS_MUST_USE int
pb_decode(struct arena *a, struct kvs_view bytes, const struct pb_message *message, void *ret_m);

/* Replaces all that `m` (a struct of the message) points to by copies in `a`, however deep; what
 * no field shows stays as it is. KVS_E_NOMEM, KVS_E_TOO_MANY_OPS (nested too deep): `m` is of no
 * use then. */
KVS_MUST_USE int pb_own(struct arena *a, const struct pb_message *message, void *m);

#endif
