/* Objects that are refused: each case is an object as a client sends it, for a change also what it
 * was before, and the errors as kubectl shows them ("": none). */
#ifndef KUBE_REFUSED_H
#define KUBE_REFUSED_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "kube/strategy.h"
#include "kube_json_text.h"

struct sample {
    const char *resource; /* "version/plural" or "group/version/plural" */
    const char *object;
    const char *old; /* NULL: it is created */
    const char *expected;
};

static inline const struct kube_resource *resource_of(const char *text)
{
    const char *plural = strrchr(text, '/') + 1;
    const char *slash = strchr(text, '/');
    bool core = slash + 1 == plural;
    struct kvs_view group = view_make(text, core ? 0 : (size_t)(slash - text));
    const char *version = core ? text : slash + 1;
    const struct kube_resource *r = kube_resource_find(
        group, view_make(version, (size_t)(plural - 1 - version)), view_str(plural));

    assert_non_null(r);
    return r;
}

/* As a request has it when it comes to validation. */
static inline yyjson_mut_val *
object_of(const struct kube_change *change, const char *quoted, bool create)
{
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_resource *r = change->resource;
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));
    struct buf text = text_of(quoted);
    struct kube_report report;
    yyjson_mut_val *object;

    assert_int_equal(kube_json_read_into(change->doc, buf_view(&text), &limits, &object, NULL), 0);
    kube_report_init(&report, false);
    assert_int_equal(kube_decode(change->doc, kube_kind_message(kind), object, &report), 0);
    kube_report_fini(&report);
    assert_int_equal(kube_strategy_default(change, object), 0);
    if (create) {
        assert_int_equal(kube_strategy_prepare_create(change, object), 0);
    }
    buf_fini(&text);
    return object;
}

static inline void check(const struct sample *s)
{
    struct kube_change change = {.resource = resource_of(s->resource),
                                 .doc = kube_json_new(kube_json_heap())};
    struct kube_errors errors;
    struct buf got;
    yyjson_mut_val *object;

    assert_non_null(change.doc);
    object = object_of(&change, s->object, s->old == NULL);
    kube_errors_init(&errors);
    buf_init(&got);
    if (s->old == NULL) {
        kube_strategy_validate(&change, object, &errors);
    } else {
        kube_strategy_validate_update(&change, object, object_of(&change, s->old, false), &errors);
    }
    assert_false(errors.failed);
    if (errors.count > 0) {
        kube_errors_print(&errors, &got);
    }
    buf_append_u8(&got, 0);
    if (strcmp((const char *)got.data, s->expected) != 0) {
        fail_msg("%s %s:\n%s\nnot\n%s", s->resource, s->object, got.data, s->expected);
    }
    buf_fini(&got);
    kube_errors_fini(&errors);
    yyjson_mut_doc_free(change.doc);
}

static inline void run(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(&samples[i]);
    }
}

#endif
