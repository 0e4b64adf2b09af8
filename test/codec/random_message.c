/* Random instances of any message that has a table: numbers of every width, empty and long bytes,
 * every member of a oneof, nested transactions. */
#include "random_message.h"

#include <string.h>

#include "base/assert.h"
#include "rpc/etcd_pb_int.h"

static void *slot(void *m, size_t at)
{
    return (uint8_t *)m + at;
}

static void *must_alloc(struct arena *a, size_t count, size_t size)
{
    void *memory = arena_calloc(a, count, size);

    kvs_assert(memory != NULL);
    return memory;
}

/* Half of them zero, the rest of any number of bits. */
static uint64_t random_number(struct rng *r)
{
    return rng_percent(r, 50) ? 0 : rng_next(r) >> rng_below(r, 64);
}

static struct kvs_view random_bytes(struct rng *r, struct arena *a)
{
    size_t len = rng_percent(r, 30) ? 0 : rng_below(r, rng_percent(r, 5) ? 400 : 20);
    uint8_t *data = must_alloc(a, len + 1, 1);

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(1 + rng_below(r, 127)); /* also good as text */
    }
    return (struct kvs_view){data, len};
}

static void random_number_field(struct rng *r, const struct pb_field *f, void *m)
{
    uint64_t value = random_number(r);

    switch (f->kind) {
    case PB_BOOL:
        *(bool *)slot(m, f->at) = (value & 1) != 0;
        break;
    case PB_I32:
        *(int *)slot(m, f->at) = (int)(uint32_t)value;
        break;
    case PB_U32:
        *(uint32_t *)slot(m, f->at) = (uint32_t)value;
        break;
    case PB_ENUM_SET:
        *(uint32_t *)slot(m, f->at) = (uint32_t)value & 3;
        break;
    default:
        *(uint64_t *)slot(m, f->at) = value;
        break;
    }
}

static size_t element_size(const struct pb_field *f)
{
    return f->kind == PB_MSG_LIST     ? f->message->size_bytes
           : f->kind == PB_BYTES_LIST ? sizeof(struct kvs_view)
                                      : sizeof(char *);
}

static void
random_list_field(struct rng *r, struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    size_t count = rng_below(r, 4);
    uint8_t *list = count > 0 ? must_alloc(a, count, element_size(f)) : NULL;

    for (size_t i = 0; i < count; i++) {
        void *at = list + i * element_size(f);

        if (f->kind == PB_MSG_LIST) {
            random_message(r, a, f->message, at, depth);
        } else if (f->kind == PB_BYTES_LIST) {
            *(struct kvs_view *)at = random_bytes(r, a);
        } else {
            *(const char **)at = random_bytes(r, a).data;
        }
    }
    memcpy(slot(m, f->at), &list, sizeof list);
    *(size_t *)slot(m, f->count_at) = count;
}

static void random_inner_field(
    struct rng *r, struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    void *inner = slot(m, f->at);

    if (f->has_at != PB_ABSENT && f->has_at != PB_ALWAYS) {
        bool has = rng_percent(r, 50);

        *(bool *)slot(m, f->has_at) = has;
        if (!has) {
            return;
        }
    }
    if (f->kind == PB_MSG_PTR) {
        inner = must_alloc(a, 1, f->message->size_bytes);
        memcpy(slot(m, f->at), &inner, sizeof inner);
    }
    random_message(r, a, f->message, inner, depth + 1);
}

static void
random_field(struct rng *r, struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    switch ((enum pb_kind)f->kind) {
    case PB_BOOL:
    case PB_I32:
    case PB_U32:
    case PB_I64:
    case PB_U64:
    case PB_ENUM_SET:
        random_number_field(r, f, m);
        break;
    case PB_BYTES:
        *(struct kvs_view *)slot(m, f->at) = random_bytes(r, a);
        break;
    case PB_CSTR:
        *(const char **)slot(m, f->at) = random_bytes(r, a).data;
        break;
    case PB_MSG:
    case PB_MSG_PTR:
        random_inner_field(r, a, f, m, depth);
        break;
    case PB_MSG_LIST:
    case PB_BYTES_LIST:
    case PB_CSTR_LIST:
        random_list_field(r, a, f, m, depth);
        break;
    }
}

/* Chooses a member of the oneof (or none, when depth asks for an end); returns the value that the
 * case field must have. */
static int random_case(struct rng *r, const struct pb_message *message, void *m, unsigned depth)
{
    int selected = 0;

    for (size_t i = 0, n_seen = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];

        if (f->one_of == 0 || (f->kind == PB_MSG_PTR && depth > 8)) {
            continue;
        }
        if (rng_below(r, ++n_seen) == 0) {
            selected = f->one_of - 1;
        }
    }
    memcpy(slot(m, message->case_at), &selected, sizeof selected);
    return selected;
}

void random_message(
    struct rng *r, struct arena *a, const struct pb_message *message, void *m, unsigned depth)
{
    bool has_case = message->case_at != PB_ABSENT;
    int selected = 0;

    if (has_case) {
        selected = random_case(r, message, m, depth);
    }
    for (size_t i = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];

        if (f->one_of == 0 && !(has_case && f->at == message->case_at)) {
            random_field(r, a, f, m, depth);
        } else if (f->one_of != 0 && f->one_of == selected + 1) {
            random_field(r, a, f, m, depth);
        }
    }
}
