#include "kube/strategy_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/quote.h"

/* --- errors about members --------------------------------------------------------------------- */

void check_say(const struct check *c,
               const char *name,
               struct kube_bad_value value,
               const char *why)
{
    struct kube_path path = kube_path_child(c->path, name);

    kube_errors_invalid(c->errors, &path, value, why);
}

void check_forbid(const struct check *c, const char *name, const char *why)
{
    struct kube_path path = kube_path_child(c->path, name);

    kube_errors_forbidden(c->errors, &path, why);
}

void check_need(const struct check *c, const char *name, const char *why)
{
    struct kube_path path = kube_path_child(c->path, name);

    kube_errors_required(c->errors, &path, why);
}

void check_say_text(const struct check *c, const char *name, struct buf *text, const char *why)
{
    if (text->failed) {
        c->errors->failed = true;
    } else {
        check_say(c, name, kube_bad_text(buf_view(text)), why);
    }
    buf_fini(text);
}

/* --- places ----------------------------------------------------------------------------------- */

void check_enter(const struct check *c,
                 const char *name,
                 struct kube_path *ret_path,
                 struct check *ret)
{
    *ret_path = kube_path_child(c->path, name);
    *ret = (struct check){.change = c->change,
                          .errors = c->errors,
                          .path = ret_path,
                          .object = kube_json_get(c->object, name)};
}

void check_each(const struct check *c, const char *list, check_item_fn *fn, void *ctx)
{
    struct kube_path path = kube_path_child(c->path, list);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(c->object, list));
    struct kube_keymap seen;
    yyjson_mut_val *object;

    kube_keymap_init(&seen);
    for (size_t i = 0; (object = yyjson_mut_arr_iter_next(&it)) != NULL; i++) {
        struct kube_path at = kube_path_index(&path, i);
        struct check item = {
            .change = c->change, .errors = c->errors, .path = &at, .object = object, .seen = &seen};

        fn(&item, ctx);
    }
    kube_keymap_fini(&seen);
}

/* --- items of a list among each other --------------------------------------------------------- */

bool check_seen_text(const struct check *item, struct kvs_view text)
{
    struct kvs_view key;
    void *before = NULL;

    if (kube_keymap_get(item->seen, text) != NULL) {
        return true;
    }
    if (arena_copy(&item->errors->arena, text, &key) != 0 ||
        kube_keymap_put(item->seen, key, item->object, &before) != 0) {
        item->errors->failed = true;
    }
    return false;
}

bool check_seen(const struct check *item, const char *field)
{
    struct kvs_view text = kube_json_get_str(item->object, field);
    void *before = NULL;

    if (text.data == NULL) {
        text = view_make("", 0);
    }
    if (kube_keymap_get(item->seen, text) != NULL) {
        return true;
    }
    if (kube_keymap_put(item->seen, text, item->object, &before) != 0) {
        item->errors->failed = true;
    }
    return false;
}

void check_index(const struct check *c,
                 const char *list,
                 const char *field,
                 struct kube_keymap *ret)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(c->object, list));
    yyjson_mut_val *item;
    void *before = NULL;

    kube_keymap_init(ret);
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct kvs_view text = kube_json_get_str(item, field);

        if (text.len > 0 && kube_keymap_put(ret, text, item, &before) != 0) {
            c->errors->failed = true;
        }
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

bool check_required(const struct check *c, const char *name)
{
    bool there = kube_json_get_str(c->object, name).len > 0;

    if (!there) {
        check_need(c, name, "");
    }
    return there;
}

void check_one_of(const struct check *c, const char *name, const char *const *supported, size_t n)
{
    struct kube_path path = kube_path_child(c->path, name);
    struct kvs_view text = kube_json_get_str(c->object, name);

    for (size_t i = 0; i < n; i++) {
        if (view_equal_str(text, supported[i])) {
            return;
        }
    }
    if (text.len > 0) {
        kube_errors_not_supported(c->errors, &path, kube_bad_string(text), supported, n);
    }
}

void check_required_one_of(const struct check *c,
                           const char *name,
                           const char *const *supported,
                           size_t n)
{
    if (check_required(c, name)) {
        check_one_of(c, name, supported, n);
    }
}

void check_text(const struct check *c, const char *name, struct kvs_view text, kube_name_fn grammar)
{
    struct kube_path path = kube_path_child(c->path, name);
    struct kube_name_messages messages;

    if (!grammar(text, &messages)) {
        kube_errors_names(c->errors, &path, text, &messages);
    }
}

void check_name(const struct check *c, const char *name, kube_name_fn grammar)
{
    struct kvs_view text = kube_json_get_str(c->object, name);

    if (text.len > 0) {
        check_text(c, name, text, grammar);
    }
}

void check_key(const struct check *c, const char *name)
{
    struct kvs_view text = kube_json_get_str(c->object, name);

    check_text(c, name, text.data == NULL ? view_make("", 0) : text, kube_name_qualified);
}

/* --- numbers ---------------------------------------------------------------------------------- */

void check_not_negative(const struct check *c, const char *name)
{
    int64_t number = yyjson_mut_get_sint(kube_json_get(c->object, name));

    if (number < 0) {
        check_say(c, name, kube_bad_int(number), CHECK_NOT_NEGATIVE);
    }
}

void check_range(const struct check *c, const char *name, int64_t min, int64_t max)
{
    yyjson_mut_val *value = kube_json_get(c->object, name);
    int64_t number = yyjson_mut_get_sint(value);
    char why[96];

    if (!yyjson_mut_is_int(value) || (number >= min && number <= max)) {
        return;
    }
    (void)snprintf(why, sizeof why, "must be between %lld and %lld, inclusive", (long long)min,
                   (long long)max);
    check_say(c, name, kube_bad_int(number), why);
}

void check_port(const struct check *c, const char *name)
{
    yyjson_mut_val *value = kube_json_get(c->object, name);

    if (yyjson_mut_is_str(value)) {
        check_text(c, name, kube_json_str(value), kube_name_port);
    } else if (yyjson_mut_is_int(value)) {
        check_range(c, name, 1, UINT16_MAX);
    } else {
        check_say(c, name, kube_bad_int(0), "must be between 1 and 65535, inclusive");
    }
}

int64_t check_int_or_percent_value(yyjson_mut_val *value)
{
    return yyjson_mut_is_str(value) ? strtoll(yyjson_mut_get_str(value), NULL, 10)
                                    : yyjson_mut_get_sint(value);
}

void check_int_or_percent(const struct check *c, const char *name)
{
    yyjson_mut_val *value = kube_json_get(c->object, name);
    struct kube_name_messages messages;
    struct buf text;

    if (!yyjson_mut_is_str(value)) {
        check_not_negative(c, name);
    } else if (!kube_name_percent(kube_json_str(value), &messages)) {
        buf_init(&text);
        check_print_int_or_string(&text, value);
        check_say_text(c, name, &text, messages.text[0]);
    }
}

void check_at_most_all(const struct check *c, const char *name)
{
    enum { ALL = 100 };
    yyjson_mut_val *value = kube_json_get(c->object, name);
    struct kube_name_messages messages;
    struct buf text;

    if (yyjson_mut_is_str(value) && kube_name_percent(kube_json_str(value), &messages) &&
        check_int_or_percent_value(value) > ALL) {
        buf_init(&text);
        check_print_int_or_string(&text, value);
        check_say_text(c, name, &text, "must not be greater than 100%");
    }
}

/* --- values as Go shows them ------------------------------------------------------------------ */

void check_print_map(struct buf *out, yyjson_mut_val *map)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(map);
    yyjson_mut_val *key;
    const char *between = "";

    if (!yyjson_mut_is_obj(map)) {
        buf_append_str(out, "map[string]string(nil)");
        return;
    }
    buf_append_str(out, "map[string]string{");
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        buf_append_str(out, between);
        kube_quote(out, kube_json_str(key));
        buf_append_u8(out, ':');
        kube_quote(out, kube_json_str(yyjson_mut_obj_iter_get_val(key)));
        between = ", ";
    }
    buf_append_u8(out, '}');
}

void check_print_list(struct buf *out, yyjson_mut_val *list)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    const char *between = "";

    if (!yyjson_mut_is_arr(list)) {
        buf_append_str(out, "[]string(nil)");
        return;
    }
    buf_append_str(out, "[]string{");
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        buf_append_str(out, between);
        kube_quote(out, kube_json_str(item));
        between = ", ";
    }
    buf_append_u8(out, '}');
}

static void print_requirement(struct buf *out, yyjson_mut_val *requirement)
{
    buf_append_str(out, "v1.LabelSelectorRequirement{Key:");
    kube_quote(out, kube_json_get_str(requirement, "key"));
    buf_append_str(out, ", Operator:");
    kube_quote(out, kube_json_get_str(requirement, "operator"));
    buf_append_str(out, ", Values:");
    check_print_list(out, kube_json_get(requirement, "values"));
    buf_append_u8(out, '}');
}

void check_print_selector(struct buf *out, yyjson_mut_val *selector)
{
    yyjson_mut_val *list = kube_json_get(selector, "matchExpressions");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    const char *between = "";

    buf_append_str(out, "v1.LabelSelector{MatchLabels:");
    check_print_map(out, kube_json_get(selector, "matchLabels"));
    buf_append_str(out, ", MatchExpressions:[]v1.LabelSelectorRequirement");
    buf_append_str(out, yyjson_mut_is_arr(list) ? "{" : "(nil)");
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        buf_append_str(out, between);
        print_requirement(out, item);
        between = ", ";
    }
    buf_append_str(out, yyjson_mut_is_arr(list) ? "}}" : "}");
}

void check_print_int_or_string(struct buf *out, yyjson_mut_val *value)
{
    bool is_text = yyjson_mut_is_str(value);

    buf_printf(out, "intstr.IntOrString{Type:%d, IntVal:%lld, StrVal:", is_text ? 1 : 0,
               (long long)yyjson_mut_get_sint(value));
    kube_quote(out, kube_json_str(value));
    buf_append_u8(out, '}');
}

/* --- changes ---------------------------------------------------------------------------------- */

bool check_equal(const struct check *c, yyjson_mut_val *a, yyjson_mut_val *b)
{
    bool a_set = strategy_is_set(a);
    bool b_set = strategy_is_set(b);
    bool equal = true;

    if (!a_set || !b_set) {
        return a_set == b_set;
    }
    if (kube_tree_equal(a, b, &equal) != 0) {
        c->errors->failed = true;
        return true;
    }
    return equal;
}

static void print_any(struct buf *out, yyjson_mut_val *value)
{
    if (!strategy_is_set(value)) {
        buf_append_str(out, "\"null\"");
    } else if (kube_json_get(value, "matchLabels") != NULL ||
               kube_json_get(value, "matchExpressions") != NULL) {
        check_print_selector(out, value);
    } else if (kube_json_write(out, value) != 0) {
        out->failed = true;
    }
}

void check_immutable(const struct check *c, yyjson_mut_val *old, const char *name)
{
    yyjson_mut_val *value = kube_json_get(c->object, name);
    struct buf text;

    if (!check_equal(c, value, kube_json_get(old, name))) {
        buf_init(&text);
        print_any(&text, value);
        check_say_text(c, name, &text, CHECK_IMMUTABLE);
    }
}

/* --- amounts ---------------------------------------------------------------------------------- */

/* Resources that a vendor defines: with a domain that is not Kubernetes' own. */
bool check_is_extended(struct kvs_view resource)
{
    const char *slash = memchr(resource.data, '/', resource.len);
    struct kvs_view domain;
    static const char own[] = "kubernetes.io";
    size_t own_len = sizeof own - 1;

    if (slash == NULL) {
        return false;
    }
    domain = view_make(resource.data, (size_t)(slash - (const char *)resource.data));
    return domain.len < own_len ||
           memcmp((const char *)domain.data + domain.len - own_len, own, own_len) != 0;
}

static void check_quantity(const struct check *map, struct kvs_view name, struct kvs_view text)
{
    enum { MILLI = 1000 };
    struct kube_path path = kube_path_key(map->path, name);
    struct kube_quantity q;

    if (kube_quantity_parse(text, &q, NULL) != 0) {
        return; /* Decoding has refused it. */
    }
    if (q.nano < 0) {
        kube_errors_invalid(map->errors, &path, kube_bad_string(text), CHECK_NOT_NEGATIVE);
    }
    if (check_is_extended(name) && kube_quantity_milli(&q) % MILLI != 0) {
        kube_errors_invalid(map->errors, &path, kube_bad_string(text), "must be an integer");
    }
}

void check_quantities(const struct check *c,
                      const char *name,
                      void (*names)(const struct check *, struct kvs_view))
{
    struct kube_path path;
    struct check map;
    yyjson_mut_obj_iter it;
    yyjson_mut_val *key;

    check_enter(c, name, &path, &map);
    it = yyjson_mut_obj_iter_with(map.object);
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        if (names != NULL) {
            names(&map, kube_json_str(key));
        }
        check_quantity(&map, kube_json_str(key), kube_json_str(yyjson_mut_obj_iter_get_val(key)));
    }
}
