#include "kube/json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

struct kube_json_limits kube_json_limits_default(void)
{
    return (struct kube_json_limits){KUBE_JSON_BYTES_MAX, KUBE_JSON_DEPTH_MAX};
}

/* ---- memory ---- */

static void *heap_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return kvs_malloc(size);
}

static void *heap_realloc(void *ctx, void *old, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    return kvs_realloc(old, size);
}

static void heap_free(void *ctx, void *memory)
{
    (void)ctx;
    kvs_free(memory);
}

const yyjson_alc *kube_json_heap(void)
{
    static const yyjson_alc heap = {heap_malloc, heap_realloc, heap_free, NULL};

    return &heap;
}

static void *arena_alc_malloc(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void *arena_alc_realloc(void *ctx, void *old, size_t old_size, size_t size)
{
    void *memory = arena_alloc(ctx, size);

    if (memory != NULL && old != NULL) {
        memcpy(memory, old, old_size < size ? old_size : size);
    }
    return memory;
}

static void arena_alc_free(void *ctx, void *memory)
{
    (void)ctx;
    (void)memory;
}

yyjson_alc kube_json_arena(struct arena *a)
{
    return (yyjson_alc){arena_alc_malloc, arena_alc_realloc, arena_alc_free, a};
}

yyjson_mut_doc *kube_json_new(const yyjson_alc *alc)
{
    return yyjson_mut_doc_new(alc);
}

/* ---- reading ---- */

/* Containers that are open while their values are walked in the order of the text. */
struct depth_walk {
    const yyjson_val *end[KUBE_JSON_DEPTH_MAX];
    unsigned n;
};

/* Values lie one after the other, a container before what is in it: no recursion is needed. */
static bool depth_is_within(yyjson_doc *doc, unsigned depth_max)
{
    struct depth_walk w = {.n = 0};
    yyjson_val *val = yyjson_doc_get_root(doc);
    size_t n = yyjson_doc_get_val_count(doc);

    for (size_t i = 0; i < n; i++, val++) {
        while (w.n > 0 && val >= w.end[w.n - 1]) {
            w.n--;
        }
        if (!yyjson_is_ctn(val)) {
            continue;
        }
        if (w.n + 1 >= depth_max && yyjson_get_len(val) > 0) {
            return false;
        }
        if (w.n < KUBE_JSON_DEPTH_MAX) {
            w.end[w.n++] = unsafe_yyjson_get_next(val);
        }
    }
    return true;
}

/* What Go's decoder says of the character at which it stopped. */
static const char *syntax_of(yyjson_read_code code)
{
    switch (code) {
    case YYJSON_READ_ERROR_UNEXPECTED_CONTENT:
        return "after top-level value";
    case YYJSON_READ_ERROR_INVALID_STRING:
        return "in string literal";
    case YYJSON_READ_ERROR_INVALID_NUMBER:
        return "in numeric literal";
    case YYJSON_READ_ERROR_LITERAL:
        return "in literal";
    default:
        return "looking for beginning of value";
    }
}

static void syntax_error(struct kvs_error *error, struct kvs_view text, const yyjson_read_err *err)
{
    unsigned char c = err->pos < text.len ? ((const unsigned char *)text.data)[err->pos] : 0;
    const char *where = syntax_of(err->code);

    if (error == NULL) {
        return;
    }
    error->code = KVS_E_MALFORMED;
    if (err->pos >= text.len || err->code == YYJSON_READ_ERROR_UNEXPECTED_END ||
        err->code == YYJSON_READ_ERROR_EMPTY_CONTENT) {
        (void)snprintf(error->msg, sizeof error->msg, "unexpected end of JSON input");
    } else if (isprint(c) && c != '\'') {
        (void)snprintf(error->msg, sizeof error->msg, "invalid character '%c' %s", c, where);
    } else if (c == '\'') {
        (void)snprintf(error->msg, sizeof error->msg, "invalid character '\\'' %s", where);
    } else {
        (void)snprintf(error->msg, sizeof error->msg, "invalid character '\\x%02x' %s", c, where);
    }
}

static int limit_error(struct kvs_error *error, const char *what, size_t limit)
{
    if (error != NULL) {
        error->code = KVS_E_TOO_LONG;
        (void)snprintf(error->msg, sizeof error->msg, "%s %zu", what, limit);
    }
    return KVS_E_TOO_LONG;
}

static int read_text(struct kvs_view text,
                     const struct kube_json_limits *limits,
                     yyjson_doc **ret_doc,
                     struct kvs_error *error)
{
    yyjson_read_err err = {0};
    yyjson_doc *doc;

    kvs_assert(limits->depth_max > 0 && limits->depth_max <= KUBE_JSON_DEPTH_MAX);
    if (text.len > limits->bytes_max) {
        return limit_error(error, "JSON text is longer than the limit of bytes,",
                           limits->bytes_max);
    }
    if (text.len == 0) {
        err.code = YYJSON_READ_ERROR_EMPTY_CONTENT;
        syntax_error(error, text, &err);
        return KVS_E_MALFORMED;
    }
    /* Without YYJSON_READ_INSITU the text is not changed, whatever the parameter's type says. */
    doc = yyjson_read_opts((char *)(uintptr_t)text.data, text.len, YYJSON_READ_NOFLAG,
                           kube_json_heap(), &err);
    if (doc == NULL) {
        if (err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
            return KVS_E_NOMEM;
        }
        syntax_error(error, text, &err);
        return KVS_E_MALFORMED;
    }
    if (!depth_is_within(doc, limits->depth_max)) {
        yyjson_doc_free(doc);
        return limit_error(error, "exceeded max depth of", limits->depth_max);
    }
    *ret_doc = doc;
    return 0;
}

int kube_json_read_into(yyjson_mut_doc *doc,
                        struct kvs_view text,
                        const struct kube_json_limits *limits,
                        yyjson_mut_val **ret_value,
                        struct kvs_error *error)
{
    yyjson_doc *read;
    yyjson_mut_val *value;
    int err = read_text(text, limits, &read, error);

    if (err != 0) {
        return err;
    }
    value = yyjson_val_mut_copy(doc, yyjson_doc_get_root(read));
    yyjson_doc_free(read);
    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    *ret_value = value;
    return 0;
}

int kube_json_read(struct kvs_view text,
                   const struct kube_json_limits *limits,
                   const yyjson_alc *alc,
                   yyjson_mut_doc **ret_doc,
                   struct kvs_error *error)
{
    yyjson_mut_doc *doc = kube_json_new(alc);
    yyjson_mut_val *root;
    int err;

    if (doc == NULL) {
        return KVS_E_NOMEM;
    }
    err = kube_json_read_into(doc, text, limits, &root, error);
    if (err != 0) {
        yyjson_mut_doc_free(doc);
        return err;
    }
    yyjson_mut_doc_set_root(doc, root);
    *ret_doc = doc;
    return 0;
}

/* ---- writing ---- */

static int write_flags(struct buf *to, yyjson_mut_val *value, yyjson_write_flag flags)
{
    yyjson_write_err err = {0};
    size_t len = 0;
    char *text = yyjson_mut_val_write_opts(value, flags, kube_json_heap(), &len, &err);

    if (text == NULL) {
        if (err.code != YYJSON_WRITE_ERROR_MEMORY_ALLOCATION) {
            return KVS_E_MALFORMED;
        }
        to->failed = true;
        return KVS_E_NOMEM;
    }
    if (to->data == NULL && !to->failed) {
        /* The writer's memory is of base's allocator, as the buffer's: no copy. */
        *to = (struct buf){.data = (uint8_t *)text, .len = len, .capacity = len + 1};
        return 0;
    }
    buf_append(to, text, len);
    kvs_free(text);
    return to->failed ? KVS_E_NOMEM : 0;
}

int kube_json_write(struct buf *to, yyjson_mut_val *value)
{
    return write_flags(to, value, YYJSON_WRITE_NOFLAG);
}

int kube_json_write_pretty(struct buf *to, yyjson_mut_val *value)
{
    return write_flags(to, value, YYJSON_WRITE_PRETTY_TWO_SPACES);
}
