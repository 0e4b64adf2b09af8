/* The encoder of the protobuf tables. Two walks that mirror each other: one sums sizes, one
 * writes; nested messages need their length in front. */
#include "rpc/pb.h"

#include "base/assert.h"
#include "base/view.h"
#include "base/pb_wire.h"

static const void *field_at(const void *m, size_t at)
{
    return (const uint8_t *)m + at;
}

static size_t size_at(const void *m, size_t at)
{
    size_t value;

    memcpy(&value, field_at(m, at), sizeof value);
    return value;
}

static const void *pointer_at(const void *m, size_t at)
{
    const void *value;

    memcpy(&value, field_at(m, at), sizeof value);
    return value;
}

static uint64_t number_at(const struct pb_field *f, const void *m)
{
    const void *at = field_at(m, f->at);

    switch (f->kind) {
    case PB_BOOL:
        return *(const bool *)at ? 1 : 0;
    case PB_I32:
        return (uint64_t)(int64_t) * (const int *)at; /* negative enums take ten bytes */
    case PB_U32:
    case PB_ENUM_SET:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static struct kvs_view bytes_at(const struct pb_field *f, const void *m)
{
    const char *text;

    if (f->kind == PB_BYTES) {
        return *(const struct kvs_view *)field_at(m, f->at);
    }
    text = pointer_at(m, f->at);
    return text == NULL ? view_make("", 0) : view_str(text);
}

static struct kvs_view list_bytes_at(const struct pb_field *f, const void *m, size_t i)
{
    const void *list = pointer_at(m, f->at);

    if (f->kind == PB_BYTES_LIST) {
        return ((const struct kvs_view *)list)[i];
    }
    return view_str(((const char *const *)list)[i]);
}

static const void *list_message_at(const struct pb_field *f, const void *m, size_t i)
{
    return field_at(pointer_at(m, f->at), i * f->message->size_bytes);
}

/* The struct of a singular message field, NULL if there is none. */
static const void *message_at(const struct pb_field *f, const void *m)
{
    if (f->kind == PB_MSG_PTR) {
        return pointer_at(m, f->at);
    }
    if (f->has_at != PB_ABSENT && f->has_at != PB_ALWAYS &&
        !*(const bool *)field_at(m, f->has_at)) {
        return NULL;
    }
    return field_at(m, f->at);
}

/* False for the members of a oneof that are not selected. */
static bool is_selected(const struct pb_message *message, const struct pb_field *f, const void *m)
{
    int selected;

    if (f->one_of == 0) {
        return true;
    }
    memcpy(&selected, field_at(m, message->case_at), sizeof selected);
    return selected >= 0 && selected < UINT16_MAX && selected + 1 == f->one_of;
}

/* Values of an enum set travel packed: one length-delimited run of varints, each below 32. */
static size_t enum_set_size(const struct pb_field *f, const void *m)
{
    return pb_bytes_size(f->number, view_make(NULL, (size_t)__builtin_popcountll(number_at(f, m))));
}

static uint8_t *enum_set_put(uint8_t *at, const struct pb_field *f, const void *m)
{
    uint64_t set = number_at(f, m);

    if (set == 0) {
        return at;
    }
    at = pb_put_len(at, f->number, (size_t)__builtin_popcountll(set));
    for (unsigned value = 0; value < 32; value++) {
        if ((set >> value & 1) != 0) {
            *at++ = (uint8_t)value;
        }
    }
    return at;
}

static size_t message_size(const struct pb_field *f, const void *m)
{
    const void *inner = message_at(f, m);
    size_t len;

    if (inner == NULL) {
        return 0;
    }
    len = pb_size(f->message, inner);
    if (len == 0 && f->one_of == 0 && f->has_at == PB_ABSENT) {
        return 0;
    }
    return pb_len_field_size(f->number, len);
}

static uint8_t *message_put(uint8_t *at, const struct pb_field *f, const void *m)
{
    const void *inner = message_at(f, m);
    size_t len;

    if (inner == NULL) {
        return at;
    }
    len = pb_size(f->message, inner);
    if (len == 0 && f->one_of == 0 && f->has_at == PB_ABSENT) {
        return at;
    }
    return pb_put(pb_put_len(at, f->number, len), f->message, inner);
}

static size_t list_size(const struct pb_field *f, const void *m)
{
    size_t count = size_at(m, f->count_at);
    size_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = f->kind == PB_MSG_LIST ? pb_size(f->message, list_message_at(f, m, i))
                                            : list_bytes_at(f, m, i).len;

        sum += pb_len_field_size(f->number, len);
    }
    return sum;
}

static uint8_t *list_put(uint8_t *at, const struct pb_field *f, const void *m)
{
    size_t count = size_at(m, f->count_at);

    for (size_t i = 0; i < count; i++) {
        if (f->kind == PB_MSG_LIST) {
            const void *inner = list_message_at(f, m, i);

            at = pb_put_len(at, f->number, pb_size(f->message, inner));
            at = pb_put(at, f->message, inner);
        } else {
            struct kvs_view bytes = list_bytes_at(f, m, i);

            at = pb_put_len(at, f->number, bytes.len);
            at = pb_put_raw(at, bytes.data, bytes.len);
        }
    }
    return at;
}

/* A selected member of a oneof is written even when it is zero. */
static size_t number_size(const struct pb_field *f, const void *m)
{
    uint64_t value = number_at(f, m);

    return f->one_of == 0
               ? pb_number_size(f->number, value)
               : pb_varint_size(pb_tag(f->number, PB_WIRE_VARINT)) + pb_varint_size(value);
}

static uint8_t *number_put(uint8_t *at, const struct pb_field *f, const void *m)
{
    uint64_t value = number_at(f, m);

    if (f->one_of == 0) {
        return pb_put_number(at, f->number, value);
    }
    at = pb_put_varint(at, pb_tag(f->number, PB_WIRE_VARINT));
    return pb_put_varint(at, value);
}

static size_t bytes_size(const struct pb_field *f, const void *m)
{
    struct kvs_view bytes = bytes_at(f, m);

    return f->one_of == 0 ? pb_bytes_size(f->number, bytes)
                          : pb_len_field_size(f->number, bytes.len);
}

static uint8_t *bytes_put(uint8_t *at, const struct pb_field *f, const void *m)
{
    struct kvs_view bytes = bytes_at(f, m);

    if (f->one_of == 0) {
        return pb_put_bytes(at, f->number, bytes);
    }
    return pb_put_raw(pb_put_len(at, f->number, bytes.len), bytes.data, bytes.len);
}

size_t pb_size(const struct pb_message *message, const void *m)
{
    size_t sum = 0;

    for (size_t i = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];

        if (!is_selected(message, f, m)) {
            continue;
        }
        switch ((enum pb_kind)f->kind) {
        case PB_BOOL:
        case PB_I32:
        case PB_U32:
        case PB_I64:
        case PB_U64:
            sum += number_size(f, m);
            break;
        case PB_BYTES:
        case PB_CSTR:
            sum += bytes_size(f, m);
            break;
        case PB_ENUM_SET:
            sum += enum_set_size(f, m);
            break;
        case PB_MSG:
        case PB_MSG_PTR:
            sum += message_size(f, m);
            break;
        case PB_MSG_LIST:
        case PB_BYTES_LIST:
        case PB_CSTR_LIST:
            sum += list_size(f, m);
            break;
        }
    }
    return sum;
}

uint8_t *pb_put(uint8_t *at, const struct pb_message *message, const void *m)
{
    for (size_t i = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];

        if (!is_selected(message, f, m)) {
            continue;
        }
        switch ((enum pb_kind)f->kind) {
        case PB_BOOL:
        case PB_I32:
        case PB_U32:
        case PB_I64:
        case PB_U64:
            at = number_put(at, f, m);
            break;
        case PB_BYTES:
        case PB_CSTR:
            at = bytes_put(at, f, m);
            break;
        case PB_ENUM_SET:
            at = enum_set_put(at, f, m);
            break;
        case PB_MSG:
        case PB_MSG_PTR:
            at = message_put(at, f, m);
            break;
        case PB_MSG_LIST:
        case PB_BYTES_LIST:
        case PB_CSTR_LIST:
            at = list_put(at, f, m);
            break;
        }
    }
    return at;
}

void pb_encode(struct buf *b, const struct pb_message *message, const void *m)
{
    size_t len = pb_size(message, m);
    uint8_t *at = buf_reserve(b, len);

    if (at == NULL) {
        return;
    }
    kvs_assert(pb_put(at, message, m) == at + len);
    b->len += len;
}
