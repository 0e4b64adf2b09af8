/* The decoder of the protobuf tables. A message with lists is walked twice: the first walk counts
 * the elements, so that each list is one allocation. */
#include "rpc/pb.h"

#include "base/assert.h"
#include "base/pb_wire.h"

/* Lists in one message; TxnRequest has three. */
enum { PB_LISTS_MAX = 4 };

struct pb_decoder {
    struct arena *arena;
    unsigned depth; /* messages with a depth limit that are open */
};

static int decode_message(struct pb_decoder *d,
                          struct kvs_view bytes,
                          const struct pb_message *message,
                          void *m);

static void *slot_at(void *m, size_t at)
{
    return (uint8_t *)m + at;
}

static bool is_list(const struct pb_field *f)
{
    return f->kind == PB_MSG_LIST || f->kind == PB_BYTES_LIST || f->kind == PB_CSTR_LIST;
}

/* NULL if the number is unknown. Fields mostly come in order: the search starts at *hint. */
static const struct pb_field *
find_field(const struct pb_message *message, uint32_t number, size_t *hint)
{
    for (size_t i = 0; i < message->n_fields; i++) {
        size_t at = *hint + i < message->n_fields ? *hint + i : *hint + i - message->n_fields;

        if (message->fields[at].number == number) {
            *hint = at;
            return &message->fields[at];
        }
    }
    return NULL;
}

static size_t element_size(const struct pb_field *f)
{
    switch (f->kind) {
    case PB_MSG_LIST:
        return f->message->size_bytes;
    case PB_BYTES_LIST:
        return sizeof(struct kvs_view);
    default:
        return sizeof(const char *);
    }
}

static int count_elements(struct kvs_view bytes, uint32_t wanted, size_t *ret_count)
{
    struct pb_reader r = pb_reader_make(bytes);
    size_t count = 0;

    while (r.at < r.end) {
        uint32_t number;
        unsigned type;

        if (!pb_read_tag(&r, &number, &type) || !pb_skip(&r, type)) {
            return KVS_E_MALFORMED;
        }
        count += number == wanted ? 1 : 0;
    }
    *ret_count = count;
    return 0;
}

/* Room for every element of every list; the counts start at 0 and grow as elements are read. */
static int
prepare_lists(struct arena *a, struct kvs_view bytes, const struct pb_message *message, void *m)
{
    unsigned n_lists = 0;

    for (size_t i = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];
        size_t count;
        void *list;
        int err;

        if (!is_list(f)) {
            continue;
        }
        kvs_assert(++n_lists <= PB_LISTS_MAX);
        err = count_elements(bytes, f->number, &count);
        if (err != 0) {
            return err;
        }
        list = NULL;
        if (count > 0) {
            list = arena_calloc(a, count, element_size(f));
            if (list == NULL) {
                return KVS_E_TOO_LONG;
            }
        }
        memcpy(slot_at(m, f->at), &list, sizeof list);
        memset(slot_at(m, f->count_at), 0, sizeof(size_t));
    }
    return 0;
}

static void store_number(const struct pb_field *f, void *m, uint64_t value)
{
    void *at = slot_at(m, f->at);

    switch (f->kind) {
    case PB_BOOL:
        *(bool *)at = value != 0;
        break;
    case PB_I32:
        *(int *)at = (int)(uint32_t)value;
        break;
    case PB_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    case PB_ENUM_SET:
        *(uint32_t *)at |= value < 32 ? UINT32_C(1) << value : 0;
        break;
    default:
        *(uint64_t *)at = value;
        break;
    }
}

static int decode_number(struct pb_reader *r, const struct pb_field *f, unsigned type, void *m)
{
    uint64_t value;

    if (type != PB_WIRE_VARINT || !pb_read_varint(r, &value)) {
        return KVS_E_MALFORMED;
    }
    store_number(f, m, value);
    return 0;
}

/* Both spellings are legal: one varint per tag, or one run of them. */
static int decode_enum_set(struct pb_reader *r, const struct pb_field *f, unsigned type, void *m)
{
    struct kvs_view run;
    struct pb_reader values;

    if (type != PB_WIRE_LEN) {
        return decode_number(r, f, type, m);
    }
    if (!pb_read_bytes(r, &run)) {
        return KVS_E_MALFORMED;
    }
    values = pb_reader_make(run);
    while (values.at < values.end) {
        int err = decode_number(&values, f, PB_WIRE_VARINT, m);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int store_text(struct arena *a, struct kvs_view bytes, void *at)
{
    char *text = arena_strndup(a, bytes.data, bytes.len);

    if (text == NULL) {
        return KVS_E_TOO_LONG;
    }
    memcpy(at, &text, sizeof text);
    return 0;
}

static int
decode_inner(struct pb_decoder *d, struct kvs_view bytes, const struct pb_field *f, void *m)
{
    void *inner = slot_at(m, f->at);

    if (f->kind == PB_MSG_PTR) {
        inner = arena_calloc(d->arena, 1, f->message->size_bytes);
        if (inner == NULL) {
            return KVS_E_TOO_LONG;
        }
        memcpy(slot_at(m, f->at), &inner, sizeof inner);
    } else if (f->one_of != 0) {
        memset(inner, 0, f->message->size_bytes); /* the union may hold another member */
    }
    if (f->has_at != PB_ABSENT && f->has_at != PB_ALWAYS) {
        *(bool *)slot_at(m, f->has_at) = true;
    }
    return decode_message(d, bytes, f->message, inner);
}

static int
decode_element(struct pb_decoder *d, struct kvs_view bytes, const struct pb_field *f, void *m)
{
    size_t *count = slot_at(m, f->count_at);
    uint8_t *list;
    void *at;

    memcpy(&list, slot_at(m, f->at), sizeof list);
    at = list + *count * element_size(f);
    (*count)++;
    switch (f->kind) {
    case PB_MSG_LIST:
        return decode_message(d, bytes, f->message, at);
    case PB_BYTES_LIST:
        *(struct kvs_view *)at = bytes;
        return 0;
    default:
        return store_text(d->arena, bytes, at);
    }
}

static int
decode_len_field(struct pb_decoder *d, struct kvs_view bytes, const struct pb_field *f, void *m)
{
    switch (f->kind) {
    case PB_BYTES:
        *(struct kvs_view *)slot_at(m, f->at) = bytes;
        return 0;
    case PB_CSTR:
        return store_text(d->arena, bytes, slot_at(m, f->at));
    case PB_MSG:
    case PB_MSG_PTR:
        return decode_inner(d, bytes, f, m);
    default:
        return decode_element(d, bytes, f, m);
    }
}

static int decode_field(
    struct pb_decoder *d, struct pb_reader *r, const struct pb_field *f, unsigned type, void *m)
{
    struct kvs_view bytes;

    switch ((enum pb_kind)f->kind) {
    case PB_BOOL:
    case PB_I32:
    case PB_U32:
    case PB_I64:
    case PB_U64:
        return decode_number(r, f, type, m);
    case PB_ENUM_SET:
        return decode_enum_set(r, f, type, m);
    case PB_BYTES:
    case PB_CSTR:
    case PB_MSG:
    case PB_MSG_PTR:
    case PB_MSG_LIST:
    case PB_BYTES_LIST:
    case PB_CSTR_LIST:
        break;
    }
    if (type != PB_WIRE_LEN || !pb_read_bytes(r, &bytes)) {
        return KVS_E_MALFORMED;
    }
    return decode_len_field(d, bytes, f, m);
}

static int decode_fields(struct pb_decoder *d,
                         struct kvs_view bytes,
                         const struct pb_message *message,
                         void *m)
{
    struct pb_reader r = pb_reader_make(bytes);
    size_t hint = 0;
    int err = prepare_lists(d->arena, bytes, message, m);

    while (err == 0 && r.at < r.end) {
        const struct pb_field *f;
        uint32_t number;
        unsigned type;

        if (!pb_read_tag(&r, &number, &type)) {
            return KVS_E_MALFORMED;
        }
        f = find_field(message, number, &hint);
        if (f == NULL) {
            err = pb_skip(&r, type) ? 0 : KVS_E_MALFORMED;
            continue;
        }
        if (f->one_of != 0) {
            int selected = f->one_of - 1;

            memcpy(slot_at(m, message->case_at), &selected, sizeof selected);
        }
        err = decode_field(d, &r, f, type, m);
    }
    return err;
}

static int decode_message(struct pb_decoder *d,
                          struct kvs_view bytes,
                          const struct pb_message *message,
                          void *m)
{
    int err;

    if (message->decode != NULL) {
        return message->decode(bytes, m);
    }
    if (message->depth_max == 0) {
        return decode_fields(d, bytes, message, m);
    }
    if (d->depth == message->depth_max) {
        return KVS_E_TOO_MANY_OPS;
    }
    d->depth++;
    err = decode_fields(d, bytes, message, m);
    d->depth--;
    return err;
}

int pb_decode(struct arena *a, struct kvs_view bytes, const struct pb_message *message, void *ret_m)
{
    struct pb_decoder d = {.arena = a};

    memset(ret_m, 0, message->size_bytes);
    return decode_message(&d, bytes, message, ret_m);
}
