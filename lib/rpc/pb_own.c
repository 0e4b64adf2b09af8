/* Deep copies by the tables of the codec: what they say about a struct is enough to copy it, too.
 * A client in the node's process needs no bytes in between. */
#include <string.h>

#include "base/assert.h"
#include "rpc/pb.h"

static void *own_at(void *m, size_t at)
{
    return (uint8_t *)m + at;
}

static bool own_is_selected(const struct pb_message *message, const struct pb_field *f, void *m)
{
    int selected;

    if (f->one_of == 0) {
        return true;
    }
    memcpy(&selected, own_at(m, message->case_at), sizeof selected);
    return selected >= 0 && selected < UINT16_MAX && selected + 1 == f->one_of;
}

static int own_message(struct arena *a, const struct pb_message *message, void *m, unsigned depth);

/* Replaces the pointer at `at` by one to a copy of `count` elements. An empty array is left. */
static int own_array(struct arena *a, void *at, size_t count, size_t size, void **ret_copy)
{
    void *from;
    void *copy;

    memcpy(&from, at, sizeof from);
    *ret_copy = NULL;
    if (count == 0 || from == NULL) {
        return 0;
    }
    copy = arena_calloc(a, count, size);
    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(copy, from, count * size);
    memcpy(at, &copy, sizeof copy);
    *ret_copy = copy;
    return 0;
}

static int own_bytes(struct arena *a, struct kvs_view *view)
{
    return arena_copy(a, *view, view);
}

static int own_text(struct arena *a, const char **text)
{
    if (*text == NULL) {
        return 0;
    }
    *text = arena_strndup(a, *text, strlen(*text));
    return *text == NULL ? KVS_E_NOMEM : 0;
}

static int own_list(struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    size_t size = f->kind == PB_MSG_LIST     ? f->message->size_bytes
                  : f->kind == PB_BYTES_LIST ? sizeof(struct kvs_view)
                                             : sizeof(const char *);
    size_t count;
    void *copy;
    int err;

    memcpy(&count, own_at(m, f->count_at), sizeof count);
    err = own_array(a, own_at(m, f->at), count, size, &copy);
    for (size_t i = 0; err == 0 && copy != NULL && i < count; i++) {
        void *element = own_at(copy, i * size);

        if (f->kind == PB_MSG_LIST) {
            err = own_message(a, f->message, element, depth);
        } else if (f->kind == PB_BYTES_LIST) {
            err = own_bytes(a, element);
        } else {
            err = own_text(a, element);
        }
    }
    return err;
}

static int own_pointed(struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    void *copy;
    int err = own_array(a, own_at(m, f->at), 1, f->message->size_bytes, &copy);

    return err != 0 || copy == NULL ? err : own_message(a, f->message, copy, depth);
}

static int own_embedded(struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    if (f->has_at != PB_ABSENT && f->has_at != PB_ALWAYS && !*(bool *)own_at(m, f->has_at)) {
        return 0;
    }
    return own_message(a, f->message, own_at(m, f->at), depth);
}

static int own_field(struct arena *a, const struct pb_field *f, void *m, unsigned depth)
{
    switch ((enum pb_kind)f->kind) {
    case PB_BOOL:
    case PB_I32:
    case PB_U32:
    case PB_I64:
    case PB_U64:
    case PB_ENUM_SET:
        return 0;
    case PB_BYTES:
        return own_bytes(a, own_at(m, f->at));
    case PB_CSTR:
        return own_text(a, own_at(m, f->at));
    case PB_MSG:
        return own_embedded(a, f, m, depth);
    case PB_MSG_PTR:
        return own_pointed(a, f, m, depth);
    case PB_MSG_LIST:
    case PB_BYTES_LIST:
    case PB_CSTR_LIST:
        return own_list(a, f, m, depth);
    }
    return 0;
}

static int own_message(struct arena *a, const struct pb_message *message, void *m, unsigned depth)
{
    if (message->depth_max > 0 && depth++ >= message->depth_max) {
        return KVS_E_TOO_MANY_OPS;
    }
    for (size_t i = 0; i < message->n_fields; i++) {
        const struct pb_field *f = &message->fields[i];
        int err = own_is_selected(message, f, m) ? own_field(a, f, m, depth) : 0;

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

int pb_own(struct arena *a, const struct pb_message *message, void *m)
{
    return own_message(a, message, m, 0);
}
