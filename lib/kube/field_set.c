#include "kube/field_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/json.h"
#include "kube/json_int.h"

/* ---- order ---- */

/* Numbers, strings, booleans, lists, maps, null. */
static int value_rank(yyjson_mut_val *v)
{
    if (yyjson_mut_is_num(v)) {
        return 0;
    }
    if (yyjson_mut_is_str(v)) {
        return 1;
    }
    if (yyjson_mut_is_bool(v)) {
        return 2;
    }
    return yyjson_mut_is_arr(v) ? 3 : yyjson_mut_is_obj(v) ? 4 : 5;
}

static int value_compare_numbers(yyjson_mut_val *a, yyjson_mut_val *b)
{
    double x = yyjson_mut_get_num(a);
    double y = yyjson_mut_get_num(b);

    if (yyjson_mut_is_int(a) && yyjson_mut_is_int(b)) {
        int64_t p = yyjson_mut_get_sint(a);
        int64_t q = yyjson_mut_get_sint(b);

        return p < q ? -1 : p > q;
    }
    return x < y ? -1 : x > y;
}

static int value_compare(yyjson_mut_val *a, yyjson_mut_val *b);

static int value_compare_lists(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_arr_iter x = yyjson_mut_arr_iter_with(a);
    yyjson_mut_arr_iter y = yyjson_mut_arr_iter_with(b);

    for (;;) {
        yyjson_mut_val *p = yyjson_mut_arr_iter_next(&x);
        yyjson_mut_val *q = yyjson_mut_arr_iter_next(&y);
        int order;

        if (p == NULL || q == NULL) {
            return p != NULL ? 1 : q != NULL ? -1 : 0;
        }
        order = value_compare(p, q);
        if (order != 0) {
            return order;
        }
    }
}

/* Members in their order: those of keys are sorted. */
static int value_compare_maps(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_obj_iter x = yyjson_mut_obj_iter_with(a);
    yyjson_mut_obj_iter y = yyjson_mut_obj_iter_with(b);

    for (;;) {
        yyjson_mut_val *p = yyjson_mut_obj_iter_next(&x);
        yyjson_mut_val *q = yyjson_mut_obj_iter_next(&y);
        int order;

        if (p == NULL || q == NULL) {
            return p != NULL ? 1 : q != NULL ? -1 : 0;
        }
        order = view_compare(kube_json_str(p), kube_json_str(q));
        if (order == 0) {
            order = value_compare(yyjson_mut_obj_iter_get_val(p), yyjson_mut_obj_iter_get_val(q));
        }
        if (order != 0) {
            return order;
        }
    }
}

static int value_compare(yyjson_mut_val *a, yyjson_mut_val *b)
{
    int x = value_rank(a);
    int y = value_rank(b);

    if (x != y) {
        return x < y ? -1 : 1;
    }
    switch (x) {
    case 0:
        return value_compare_numbers(a, b);
    case 1:
        return view_compare(kube_json_str(a), kube_json_str(b));
    case 2:
        return (int)yyjson_mut_get_bool(a) - (int)yyjson_mut_get_bool(b);
    case 3:
        return value_compare_lists(a, b);
    case 4:
        return value_compare_maps(a, b);
    default:
        return 0;
    }
}

int kube_element_compare(const struct kube_element *a, const struct kube_element *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->kind == KUBE_ELEMENT_FIELD ? view_compare(a->name, b->name)
                                         : value_compare(a->value, b->value);
}

static int node_compare(const void *a, const void *b)
{
    const struct kube_field_node *x = a;
    const struct kube_field_node *y = b;

    return kube_element_compare(&x->element, &y->element);
}

/* ---- making ---- */

static int set_new(struct arena *a, size_t room, struct kube_field_set **ret_set)
{
    *ret_set = arena_alloc(a, sizeof **ret_set + room * sizeof(*ret_set)->nodes[0]);
    if (*ret_set == NULL) {
        return KVS_E_NOMEM;
    }
    (*ret_set)->n = 0;
    return 0;
}

static const struct kube_field_set *set_or_none(const struct kube_field_set *set)
{
    return set->n == 0 ? NULL : set;
}

static void set_add(struct kube_field_set *set, const struct kube_field_node *node)
{
    if (node->is_member || node->below != NULL) {
        set->nodes[set->n++] = *node;
    }
}

int kube_field_set_make(struct arena *a,
                        struct kube_field_node *nodes,
                        size_t n,
                        const struct kube_field_set **ret_set)
{
    struct kube_field_set *set;
    int err = set_new(a, n, &set);

    if (err != 0) {
        return err;
    }
    qsort(nodes, n, sizeof *nodes, node_compare);
    for (size_t i = 0; err == 0 && i < n; i++) {
        struct kube_field_node *last = set->n == 0 ? NULL : &set->nodes[set->n - 1];

        if (last != NULL && kube_element_compare(&last->element, &nodes[i].element) == 0) {
            last->is_member = last->is_member || nodes[i].is_member;
            err = kube_field_set_union(a, last->below, nodes[i].below, &last->below);
        } else {
            set_add(set, &nodes[i]);
        }
    }
    *ret_set = set_or_none(set);
    return err;
}

/* ---- reading ---- */

static int element_read_value(yyjson_mut_doc *doc, struct kvs_view text, struct kube_element *e)
{
    const struct kube_json_limits limits = {KUBE_JSON_BYTES_MAX, 16};
    int err = kube_json_read_into(doc, text, &limits, &e->value, NULL);

    if (err == 0 && e->kind == KUBE_ELEMENT_KEY) {
        err = yyjson_mut_is_obj(e->value) && yyjson_mut_obj_size(e->value) > 0
                  ? kube_json_sort_members(e->value, false, NULL, NULL, NULL)
                  : KVS_E_MALFORMED;
    }
    if (err == 0 && e->kind == KUBE_ELEMENT_INDEX && !yyjson_mut_is_int(e->value)) {
        err = KVS_E_MALFORMED;
    }
    return err == KVS_E_TOO_LONG ? KVS_E_MALFORMED : err;
}

/* "f:name". KVS_E_NOT_FOUND: of a kind that nobody knows. */
static int element_read(yyjson_mut_doc *doc, struct kvs_view text, struct kube_element *ret)
{
    const char *at = text.data;

    if (text.len < 2 || at[1] != ':') {
        return KVS_E_MALFORMED;
    }
    *ret = (struct kube_element){.name = view_make(at + 2, text.len - 2)};
    switch (at[0]) {
    case 'f':
        return 0;
    case 'k':
        ret->kind = KUBE_ELEMENT_KEY;
        break;
    case 'v':
        ret->kind = KUBE_ELEMENT_VALUE;
        break;
    case 'i':
        ret->kind = KUBE_ELEMENT_INDEX;
        break;
    default:
        return KVS_E_NOT_FOUND;
    }
    return element_read_value(doc, ret->name, ret);
}

struct set_reader {
    struct arena *arena;
    yyjson_mut_doc *doc;
};

static int set_read(struct set_reader *r,
                    yyjson_mut_val *fields,
                    unsigned depth,
                    bool *ret_member,
                    const struct kube_field_set **ret_set)
{
    size_t room = yyjson_mut_obj_size(fields);
    struct kube_field_node *nodes = arena_calloc(r->arena, room + 1, sizeof *nodes);
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(fields);
    yyjson_mut_val *key;
    size_t n = 0;
    int err = 0;

    *ret_member = false;
    if (nodes == NULL || depth == 0) {
        return nodes == NULL ? KVS_E_NOMEM : KVS_E_TOO_LONG;
    }
    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        if (view_equal_str(kube_json_str(key), ".")) {
            *ret_member = true;
            continue;
        }
        err = element_read(r->doc, kube_json_str(key), &nodes[n].element);
        if (err == 0) {
            err = set_read(r, yyjson_mut_obj_iter_get_val(key), depth - 1, &nodes[n].is_member,
                           &nodes[n].below);
            n++;
        } else if (err == KVS_E_NOT_FOUND) {
            err = 0;
        }
    }
    if (err == 0) {
        err = kube_field_set_make(r->arena, nodes, n, ret_set);
    }
    if (err == 0 && *ret_set == NULL) {
        *ret_member = true;
    }
    return err;
}

int kube_field_set_read(struct arena *a,
                        yyjson_mut_doc *doc,
                        yyjson_mut_val *fields,
                        const struct kube_field_set **ret_set)
{
    struct set_reader r = {a, doc};
    const struct kube_field_set *set = NULL;
    bool member;
    int err = set_read(&r, fields, KUBE_FIELD_SET_DEPTH_MAX, &member, &set);

    if (err == 0) {
        *ret_set = set;
    }
    return err;
}

/* ---- writing ---- */

static yyjson_mut_val *element_write(yyjson_mut_doc *doc, const struct kube_element *e)
{
    static const char *const prefixes[] = {"f:", "k:", "v:", "i:"};
    yyjson_mut_val *key = NULL;
    struct buf text;

    buf_init(&text);
    buf_append_str(&text, prefixes[e->kind]);
    if (e->kind == KUBE_ELEMENT_FIELD) {
        buf_append_view(&text, e->name);
    } else if (kube_json_write(&text, e->value) != 0) {
        text.failed = true;
    }
    if (!text.failed) {
        key = yyjson_mut_strncpy(doc, (const char *)text.data, text.len);
    }
    buf_fini(&text);
    return key;
}

static int
set_write(yyjson_mut_doc *doc, const struct kube_field_set *set, yyjson_mut_val *to, bool is_member)
{
    int err = 0;

    for (size_t i = 0; err == 0 && set != NULL && i < set->n; i++) {
        const struct kube_field_node *node = &set->nodes[i];
        yyjson_mut_val *key = element_write(doc, &node->element);
        yyjson_mut_val *value = yyjson_mut_obj(doc);

        if (key == NULL || value == NULL || !yyjson_mut_obj_add(to, key, value)) {
            return KVS_E_NOMEM;
        }
        if (node->below != NULL) {
            err = set_write(doc, node->below, value, node->is_member);
        }
    }
    if (err == 0 && is_member &&
        !yyjson_mut_obj_add(to, yyjson_mut_str(doc, "."), yyjson_mut_obj(doc))) {
        err = KVS_E_NOMEM;
    }
    return err;
}

int kube_field_set_write(yyjson_mut_doc *doc,
                         const struct kube_field_set *set,
                         yyjson_mut_val **ret_fields)
{
    yyjson_mut_val *fields = yyjson_mut_obj(doc);
    int err = fields == NULL ? KVS_E_NOMEM : set_write(doc, set, fields, false);

    if (err == 0) {
        *ret_fields = fields;
    }
    return err;
}

/* ---- algebra ---- */

const struct kube_field_node *kube_field_set_find(const struct kube_field_set *set,
                                                  const struct kube_element *element)
{
    const struct kube_field_node wanted = {.element = *element};

    return set == NULL ? NULL : bsearch(&wanted, set->nodes, set->n, sizeof wanted, node_compare);
}

enum set_operation {
    SET_UNION,
    SET_INTERSECTION,
    SET_DIFFERENCE,
    SET_RECURSIVE_DIFFERENCE,
};

static int set_operate(struct arena *a,
                       const struct kube_field_set *x,
                       const struct kube_field_set *y,
                       enum set_operation op,
                       const struct kube_field_set **ret_set);

/* An element that both have. */
static int set_operate_node(struct arena *a,
                            const struct kube_field_node *x,
                            const struct kube_field_node *y,
                            enum set_operation op,
                            struct kube_field_set *to)
{
    struct kube_field_node node = *x;
    int err;

    if (op == SET_RECURSIVE_DIFFERENCE && y->is_member) {
        return 0;
    }
    switch (op) {
    case SET_UNION:
        node.is_member = x->is_member || y->is_member;
        break;
    case SET_INTERSECTION:
        node.is_member = x->is_member && y->is_member;
        break;
    case SET_DIFFERENCE:
    case SET_RECURSIVE_DIFFERENCE:
        node.is_member = x->is_member && !y->is_member;
        break;
    }
    err = set_operate(a, x->below, y->below, op, &node.below);
    set_add(to, &node);
    return err;
}

static int set_operate(struct arena *a,
                       const struct kube_field_set *x,
                       const struct kube_field_set *y,
                       enum set_operation op,
                       const struct kube_field_set **ret_set)
{
    struct kube_field_set *set;
    size_t i = 0;
    size_t j = 0;
    int err;

    if (x == NULL || y == NULL) {
        *ret_set = op == SET_INTERSECTION ? NULL : op == SET_UNION && x == NULL ? y : x;
        return 0;
    }
    err = set_new(a, x->n + y->n, &set);
    while (err == 0 && (i < x->n || j < y->n)) {
        int order = i == x->n ? 1 : j == y->n ? -1 : node_compare(&x->nodes[i], &y->nodes[j]);

        if (order == 0) {
            err = set_operate_node(a, &x->nodes[i++], &y->nodes[j++], op, set);
        } else if (order < 0) {
            if (op != SET_INTERSECTION) {
                set_add(set, &x->nodes[i]);
            }
            i++;
        } else {
            if (op == SET_UNION) {
                set_add(set, &y->nodes[j]);
            }
            j++;
        }
    }
    if (err == 0) {
        *ret_set = set_or_none(set);
    }
    return err;
}

int kube_field_set_union(struct arena *a,
                         const struct kube_field_set *x,
                         const struct kube_field_set *y,
                         const struct kube_field_set **ret_set)
{
    return set_operate(a, x, y, SET_UNION, ret_set);
}

int kube_field_set_intersection(struct arena *a,
                                const struct kube_field_set *x,
                                const struct kube_field_set *y,
                                const struct kube_field_set **ret_set)
{
    return set_operate(a, x, y, SET_INTERSECTION, ret_set);
}

int kube_field_set_difference(struct arena *a,
                              const struct kube_field_set *x,
                              const struct kube_field_set *y,
                              bool recursive,
                              const struct kube_field_set **ret_set)
{
    return set_operate(a, x, y, recursive ? SET_RECURSIVE_DIFFERENCE : SET_DIFFERENCE, ret_set);
}

bool kube_field_set_equal(const struct kube_field_set *x, const struct kube_field_set *y)
{
    if (x == NULL || y == NULL) {
        return x == y;
    }
    for (size_t i = 0; x->n == y->n && i < x->n; i++) {
        if (node_compare(&x->nodes[i], &y->nodes[i]) != 0 ||
            x->nodes[i].is_member != y->nodes[i].is_member ||
            !kube_field_set_equal(x->nodes[i].below, y->nodes[i].below)) {
            return false;
        }
    }
    return x->n == y->n;
}

/* ---- texts ---- */

static void value_print(struct buf *to, yyjson_mut_val *value)
{
    if (kube_json_write(to, value) != 0) {
        buf_append_u8(to, '?');
    }
}

static void element_print_keys(struct buf *to, yyjson_mut_val *keys)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(keys);
    const char *before = "[";
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        buf_append_str(to, before);
        buf_append_view(to, kube_json_str(key));
        buf_append_u8(to, '=');
        value_print(to, yyjson_mut_obj_iter_get_val(key));
        before = ",";
    }
    buf_append_u8(to, ']');
}

void kube_element_print(struct buf *to, const struct kube_element *e)
{
    switch (e->kind) {
    case KUBE_ELEMENT_FIELD:
        buf_append_u8(to, '.');
        buf_append_view(to, e->name);
        break;
    case KUBE_ELEMENT_KEY:
        element_print_keys(to, e->value);
        break;
    case KUBE_ELEMENT_VALUE:
    case KUBE_ELEMENT_INDEX:
        buf_append_str(to, e->kind == KUBE_ELEMENT_VALUE ? "[=" : "[");
        value_print(to, e->value);
        buf_append_u8(to, ']');
        break;
    }
}

static void
set_each(const struct kube_field_set *set, struct buf *path, kube_field_found_fn *found, void *ctx)
{
    size_t len = path->len;

    for (size_t i = 0; i < set->n; i++) {
        if (set->nodes[i].is_member) {
            kube_element_print(path, &set->nodes[i].element);
            if (!path->failed) {
                found(ctx, buf_view(path));
            }
            path->len = len;
        }
    }
    for (size_t i = 0; i < set->n; i++) {
        if (set->nodes[i].below != NULL) {
            kube_element_print(path, &set->nodes[i].element);
            set_each(set->nodes[i].below, path, found, ctx);
            path->len = len;
        }
    }
}

int kube_field_set_each(const struct kube_field_set *set, kube_field_found_fn *found, void *ctx)
{
    struct buf path;
    int err;

    buf_init(&path);
    if (set != NULL) {
        set_each(set, &path, found, ctx);
    }
    err = path.failed ? KVS_E_NOMEM : 0;
    buf_fini(&path);
    return err;
}
