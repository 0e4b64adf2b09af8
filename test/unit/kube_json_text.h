/* JSON texts in tests: single quotes stand for double ones. And an allocator that fails. */
#ifndef KUBE_JSON_TEXT_H
#define KUBE_JSON_TEXT_H

#include "test_base.h"

#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "kube/decode.h"
#include "kube/json.h"

static inline struct buf text_of(const char *quoted)
{
    struct buf b;

    buf_init(&b);
    buf_append(&b, quoted, strlen(quoted) + 1);
    b.len--;
    for (size_t i = 0; i < b.len; i++) {
        if (b.data[i] == '\'') {
            b.data[i] = '"';
        }
    }
    return b;
}

/* The caller frees the document. */
static inline yyjson_mut_doc *doc_of(const char *quoted)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct buf text = text_of(quoted);
    yyjson_mut_doc *doc;
    struct kvs_error error = {0};

    if (kube_json_read(buf_view(&text), &limits, kube_json_heap(), &doc, &error) != 0) {
        fail_msg("%s: %s", quoted, error.msg);
    }
    buf_fini(&text);
    return doc;
}

static inline void assert_json(yyjson_mut_val *value, const char *quoted)
{
    struct buf want = text_of(quoted);
    struct buf got;

    buf_init(&got);
    assert_int_equal(kube_json_write(&got, value), 0);
    buf_append_u8(&got, 0);
    assert_string_equal((char *)got.data, (char *)want.data);
    buf_fini(&got);
    buf_fini(&want);
}

static inline const struct kube_message *message_of(const char *name)
{
    const struct kube_message *m = kube_message_find(view_str(name));

    assert_non_null(m);
    return m;
}

#define CORE "io.k8s.api.core.v1."
#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

/* ---- the n-th allocation fails ---- */

static size_t alloc_countdown; /* 0: nothing fails */

static inline void *countdown_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (alloc_countdown > 0 && --alloc_countdown == 0) {
        return NULL;
    }
    return realloc(old, size);
}

static inline void countdown_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

/* Runs `step` with each allocation failing in turn until it works: 0; KVS_E_NOMEM is the only
 * error it may give. */
static inline void fail_each_allocation(int (*step)(void))
{
    static const struct kvs_allocator failing = {countdown_realloc, countdown_free, NULL};
    size_t n = 0;
    int err = KVS_E_NOMEM;

    kvs_alloc_set(&failing);
    while (err != 0) {
        alloc_countdown = ++n;
        err = step();
        assert_true(err == 0 || err == KVS_E_NOMEM);
    }
    assert_true(alloc_countdown > 0); /* there were as many failures as allocations */
    assert_true(n > 1);
    alloc_countdown = 0;
    kvs_alloc_set(NULL);
}

#endif
