#include "kube/patch_json.h"

#include <string.h>

#include "base/assert.h"
#include "kube/quote.h"
#include "kube/tree.h"

#define PATCH_MISSING "missing value"
#define PATCH_INDEX   "invalid index referenced"

struct json_patch {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    size_t steps;      /* walked so far */
    size_t copy_bytes; /* added by copies so far */
    struct buf token;  /* decoded piece of a path */
    struct buf cause;  /* why the container refused */
    struct buf *why;   /* may be NULL */
};

/* Where a path leads: a container and the key in it. */
struct patch_place {
    yyjson_mut_val *container; /* NULL: nowhere */
    struct kvs_view key;       /* in `token`, until the next path is followed */
    unsigned depth;            /* of what stands at the key */
};

/* ---- errors ---- */

static int
patch_refuse(struct json_patch *p, const char *text, struct kvs_view path, const char *after)
{
    if (p->why != NULL) {
        buf_append_str(p->why, text);
        buf_append_view(p->why, path);
        buf_append_str(p->why, after);
    }
    return KVS_E_INVALID;
}

/* The same with the container's own reason behind it. */
static int patch_refuse_cause(struct json_patch *p, int err, const char *text, struct kvs_view path)
{
    if (err != KVS_E_INVALID) {
        return err;
    }
    if (p->why != NULL) {
        buf_append_str(p->why, text);
        buf_append_view(p->why, path);
        buf_append_str(p->why, "': ");
        buf_append_view(p->why, buf_view(&p->cause));
    }
    return KVS_E_INVALID;
}

static int patch_too_long(struct json_patch *p, const char *text)
{
    if (p->why != NULL) {
        buf_append_str(p->why, text);
    }
    return KVS_E_TOO_LONG;
}

static int patch_walk(struct json_patch *p, size_t steps)
{
    p->steps += steps;
    return p->steps > KUBE_PATCH_JSON_STEPS_MAX
               ? patch_too_long(p, "The JSON patch is too costly for the size of the object")
               : 0;
}

/* ---- containers ---- */

static int patch_bad_index(struct json_patch *p, long long index)
{
    buf_clear(&p->cause);
    buf_printf(&p->cause, "Unable to access invalid index: %lld: " PATCH_INDEX, index);
    return KVS_E_INVALID;
}

/* A list index; negative ones count from the end. `size` is one more for an addition. */
static int patch_index(struct json_patch *p, struct kvs_view key, size_t size, size_t *ret_index)
{
    const char *c = key.data;
    size_t i = key.len > 0 && (c[0] == '-' || c[0] == '+') ? 1 : 0;
    long long index = 0;
    bool valid = i < key.len;

    for (; valid && i < key.len; i++) {
        valid = c[i] >= '0' && c[i] <= '9';
        if (valid && index < (long long)1 << 40) {
            index = index * 10 + (c[i] - '0');
        }
    }
    if (!valid) {
        buf_clear(&p->cause);
        buf_append_str(&p->cause, "strconv.Atoi: parsing ");
        kube_quote(&p->cause, key);
        buf_append_str(&p->cause, ": invalid syntax");
        return KVS_E_INVALID;
    }
    index = c[0] == '-' ? -index : index;
    if (index >= (long long)size || index < -(long long)size) {
        return patch_bad_index(p, index);
    }
    *ret_index = (size_t)(index < 0 ? index + (long long)size : index);
    return patch_walk(p, *ret_index);
}

/* The value at a key; NULL in an object that does not have it. A null counts as NULL, too. */
static int patch_get(struct json_patch *p,
                     yyjson_mut_val *container,
                     struct kvs_view key,
                     yyjson_mut_val **ret_value)
{
    size_t index = 0;
    int err;

    if (yyjson_mut_is_obj(container)) {
        err = patch_walk(p, yyjson_mut_obj_size(container));
        *ret_value = err == 0 ? kube_tree_get(container, key) : NULL;
    } else {
        err = patch_index(p, key, yyjson_mut_arr_size(container), &index);
        *ret_value = err == 0 ? yyjson_mut_arr_get(container, index) : NULL;
    }
    if (yyjson_mut_is_null(*ret_value)) {
        *ret_value = NULL;
    }
    return err;
}

static int patch_add_to(struct json_patch *p, const struct patch_place *at, yyjson_mut_val *value)
{
    size_t size = yyjson_mut_arr_size(at->container);
    size_t index = size;
    int err;

    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    if (yyjson_mut_is_obj(at->container)) {
        err = patch_walk(p, yyjson_mut_obj_size(at->container));
        return err != 0 ? err : kube_tree_set(p->doc, at->container, at->key, value);
    }
    if (!view_equal_str(at->key, "-")) {
        err = patch_index(p, at->key, size + 1, &index);
        if (err == KVS_E_INVALID && p->cause.len > 0 && p->cause.data[0] == 's') {
            struct buf atoi = p->cause; /* It gets words before it. */

            buf_init(&p->cause);
            buf_append_str(&p->cause, "value was not a proper array index: '");
            buf_append_view(&p->cause, at->key);
            buf_append_str(&p->cause, "': ");
            buf_append_view(&p->cause, buf_view(&atoi));
            buf_fini(&atoi);
        }
        if (err != 0) {
            return err;
        }
    }
    return yyjson_mut_arr_insert(at->container, value, index) ? 0 : KVS_E_NOMEM;
}

static int
patch_remove_from(struct json_patch *p, const struct patch_place *at, yyjson_mut_val **ret_value)
{
    size_t index = 0;
    int err;

    if (yyjson_mut_is_obj(at->container)) {
        err = patch_walk(p, yyjson_mut_obj_size(at->container));
        if (err != 0) {
            return err;
        }
        *ret_value = yyjson_mut_obj_remove_keyn(at->container, at->key.data, at->key.len);
        if (*ret_value != NULL) {
            return 0;
        }
        buf_clear(&p->cause);
        buf_append_str(&p->cause, "Unable to remove nonexistent key: ");
        buf_append_view(&p->cause, at->key);
        buf_append_str(&p->cause, ": " PATCH_MISSING);
        return KVS_E_INVALID;
    }
    err = patch_index(p, at->key, yyjson_mut_arr_size(at->container), &index);
    if (err == 0) {
        *ret_value = yyjson_mut_arr_remove(at->container, index);
        kvs_assert(*ret_value != NULL);
    }
    return err;
}

/* ---- paths ---- */

/* Undoes "~1" and "~0" (RFC 6901), into `token`. */
static int
patch_decode(struct json_patch *p, const char *text, size_t len, struct kvs_view *ret_key)
{
    buf_clear(&p->token);
    for (size_t i = 0; i < len; i++) {
        bool escape = text[i] == '~' && i + 1 < len && (text[i + 1] == '0' || text[i + 1] == '1');

        buf_append_u8(&p->token, escape ? (text[i + 1] == '1' ? '/' : '~') : (uint8_t)text[i]);
        i += escape ? 1 : 0;
    }
    if (p->token.failed) {
        return KVS_E_NOMEM;
    }
    *ret_key = p->token.len > 0 ? buf_view(&p->token) : view_make("", 0);
    return 0;
}

/* Follows a path up to its last piece. What does not lead anywhere leaves the container NULL. */
static int patch_find(struct json_patch *p, struct kvs_view path, struct patch_place *ret_place)
{
    const char *at = path.len > 0 ? memchr(path.data, '/', path.len) : NULL;
    const char *end = (const char *)path.data + path.len;
    yyjson_mut_val *container = p->root;
    unsigned depth = 1;

    memset(ret_place, 0, sizeof *ret_place);
    if (at == NULL) {
        return 0;
    }
    for (at++;; depth++) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t len = (size_t)((slash != NULL ? slash : end) - at);
        int err = patch_decode(p, at, len, &ret_place->key);

        if (err != 0) {
            return err;
        }
        if (slash == NULL) {
            ret_place->container = container;
            ret_place->depth = depth;
            return 0;
        }
        err = patch_get(p, container, ret_place->key, &container);
        if (err == KVS_E_INVALID || (err == 0 && !yyjson_mut_is_ctn(container))) {
            return 0;
        }
        if (err != 0) {
            return err;
        }
        at = slash + 1;
    }
}

/* ---- operations ---- */

/* A path field; the reason why it has none goes to `cause`. */
static int
patch_path(struct json_patch *p, yyjson_mut_val *op, const char *name, struct kvs_view *ret_path)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(op, name);
    const char *type = yyjson_mut_is_obj(value)    ? "object"
                       : yyjson_mut_is_arr(value)  ? "array"
                       : yyjson_mut_is_bool(value) ? "bool"
                                                   : "number";

    if (yyjson_mut_is_str(value)) {
        *ret_path = kube_tree_text(value);
        return 0;
    }
    buf_clear(&p->cause);
    if (value != NULL && !yyjson_mut_is_null(value)) {
        buf_printf(&p->cause, "json: cannot unmarshal %s into Go value of type string", type);
    } else {
        buf_append_str(&p->cause, name[0] == 'p' ? "operation missing path field: " PATCH_MISSING
                                                 : "operation, missing from field: " PATCH_MISSING);
    }
    return KVS_E_INVALID;
}

static int patch_no_path(struct json_patch *p, const char *text, bool with_cause)
{
    return patch_refuse(p, text, with_cause ? buf_view(&p->cause) : VIEW_LITERAL(PATCH_MISSING),
                        "");
}

/* The operation's value as a new value of the document; null if it has none. */
static int
patch_value(struct json_patch *p, yyjson_mut_val *op, unsigned depth, yyjson_mut_val **ret_value)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(op, "value");

    if (depth > KUBE_TREE_DEPTH_MAX ||
        !kube_tree_depth_within(value, KUBE_TREE_DEPTH_MAX - depth, NULL)) {
        return patch_too_long(p, "The patched object is nested too deeply");
    }
    *ret_value = value != NULL ? yyjson_mut_val_mut_copy(p->doc, value) : yyjson_mut_null(p->doc);
    return *ret_value != NULL ? 0 : KVS_E_NOMEM;
}

static int patch_op_add(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view path;
    yyjson_mut_val *value;
    int err = patch_path(p, op, "path", &path);

    if (err != 0) {
        return patch_no_path(p, "add operation failed to decode path: ", false);
    }
    err = patch_find(p, path, &at);
    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, "add operation does not apply: doc is missing path: \"", path,
                            "\": " PATCH_MISSING);
    }
    if (err == 0) {
        err = patch_value(p, op, at.depth, &value);
    }
    if (err == 0) {
        err = patch_add_to(p, &at, value);
    }
    return patch_refuse_cause(p, err, "error in add for path: '", path);
}

static int patch_op_remove(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view path;
    yyjson_mut_val *value;
    int err = patch_path(p, op, "path", &path);

    if (err != 0) {
        return patch_no_path(p, "remove operation failed to decode path: ", false);
    }
    err = patch_find(p, path, &at);
    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, "remove operation does not apply: doc is missing path: \"", path,
                            "\": " PATCH_MISSING);
    }
    if (err == 0) {
        err = patch_remove_from(p, &at, &value);
    }
    return patch_refuse_cause(p, err, "error in remove for path: '", path);
}

static int patch_replace_root(struct json_patch *p, yyjson_mut_val *op)
{
    yyjson_mut_val *value;
    int err = patch_value(p, op, 0, &value);

    if (err != 0) {
        return err;
    }
    if (!yyjson_mut_is_ctn(value)) {
        return patch_refuse(p, "replace operation value must be object or array", view_make("", 0),
                            "");
    }
    p->root = value;
    return 0;
}

static int patch_op_replace(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view path;
    yyjson_mut_val *value;
    yyjson_mut_val *present;
    size_t index = 0;
    int err = patch_path(p, op, "path", &path);

    if (err != 0) {
        return patch_no_path(p, "replace operation failed to decode path: ", true);
    }
    if (path.len == 0) {
        return patch_replace_root(p, op);
    }
    err = patch_find(p, path, &at);
    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, "replace operation does not apply: doc is missing path: ", path,
                            ": " PATCH_MISSING);
    }
    if (err == 0 && yyjson_mut_is_arr(at.container)) {
        err = patch_index(p, at.key, yyjson_mut_arr_size(at.container), &index);
        if (err == KVS_E_INVALID) {
            return patch_refuse(p, "replace operation does not apply: doc is missing key: ", path,
                                ": " PATCH_MISSING);
        }
    }
    if (err == 0) {
        err = patch_value(p, op, at.depth, &value);
    }
    if (err != 0) {
        return err;
    }
    if (yyjson_mut_is_obj(at.container)) {
        return patch_add_to(p, &at, value); /* Also if it is not there. */
    }
    present = yyjson_mut_arr_get(at.container, index);
    kube_tree_assign(present, value);
    return 0;
}

/* Puts a value that was somewhere else at `path`, if that does not nest too deeply. */
static int patch_put(struct json_patch *p,
                     struct kvs_view path,
                     yyjson_mut_val *value,
                     const char *missing,
                     const char *failed)
{
    struct patch_place at;
    size_t visited = 0;
    bool fits;
    int err = patch_find(p, path, &at);

    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, missing, path, ": " PATCH_MISSING);
    }
    if (err == 0) {
        fits = at.depth <= KUBE_TREE_DEPTH_MAX &&
               kube_tree_depth_within(value, KUBE_TREE_DEPTH_MAX - at.depth, &visited);
        err = fits ? patch_walk(p, visited)
                   : patch_too_long(p, "The patched object is nested too deeply");
    }
    if (err == 0) {
        err = patch_add_to(p, &at, value);
    }
    return failed != NULL ? patch_refuse_cause(p, err, failed, path) : err;
}

static int patch_op_move(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view from;
    struct kvs_view path;
    yyjson_mut_val *value = NULL;
    int err = patch_path(p, op, "from", &from);

    if (err != 0) {
        return patch_no_path(p, "move operation failed to decode from: ", true);
    }
    err = patch_find(p, from, &at);
    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, "move operation does not apply: doc is missing from path: ", from,
                            ": " PATCH_MISSING);
    }
    if (err == 0) {
        err = patch_remove_from(p, &at, &value);
    }
    if (err != 0) {
        return patch_refuse_cause(p, err, "error in move for path: '", at.key);
    }
    if (patch_path(p, op, "path", &path) != 0) {
        return patch_no_path(p, "move operation failed to decode path: ", true);
    }
    return patch_put(p, path, value,
                     "move operation does not apply: doc is missing destination path: ",
                     "error in move for path: '");
}

/* Counts a copy against the limit: the length of its JSON. */
static int patch_count_copy(struct json_patch *p, yyjson_mut_val *value)
{
    yyjson_alc alc = p->doc->alc;
    size_t len = 0;
    char *json = yyjson_mut_val_write_opts(value, YYJSON_WRITE_ALLOW_INF_AND_NAN, &alc, &len, NULL);

    if (json == NULL) {
        return KVS_E_NOMEM;
    }
    alc.free(alc.ctx, json);
    p->copy_bytes += len;
    if (p->copy_bytes <= KUBE_PATCH_JSON_COPY_MAX) {
        return 0;
    }
    if (p->why != NULL) {
        buf_printf(p->why,
                   "Unable to complete the copy, the accumulated size increase of copy is %zu, "
                   "exceeding the limit %d",
                   p->copy_bytes, KUBE_PATCH_JSON_COPY_MAX);
    }
    return KVS_E_INVALID;
}

static int patch_op_copy(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view from;
    struct kvs_view path;
    yyjson_mut_val *value = NULL;
    yyjson_mut_val *copy;
    int err = patch_path(p, op, "from", &from);

    if (err != 0) {
        return patch_no_path(p, "copy operation failed to decode from: ", true);
    }
    err = patch_find(p, from, &at);
    if (err == 0 && at.container == NULL) {
        return patch_refuse(p, "copy operation does not apply: doc is missing from path: ", from,
                            ": " PATCH_MISSING);
    }
    if (err == 0) {
        err = patch_get(p, at.container, at.key, &value);
    }
    if (err != 0) {
        return patch_refuse_cause(p, err, "error in copy for from: '", from);
    }
    if (patch_path(p, op, "path", &path) != 0) {
        return patch_no_path(p, "copy operation failed to decode path: ", false);
    }
    if (value == NULL) {
        copy = yyjson_mut_null(p->doc);
    } else {
        err = patch_count_copy(p, value);
        if (err != 0) {
            return err;
        }
        copy = yyjson_mut_val_mut_copy(p->doc, value);
    }
    err = copy == NULL
              ? KVS_E_NOMEM
              : patch_put(p, path, copy,
                          "copy operation does not apply: doc is missing destination path: ", NULL);
    if (err == KVS_E_INVALID && p->why != NULL && p->cause.len > 0) {
        buf_append_str(p->why, "error while adding value during copy: ");
        buf_append_view(p->why, buf_view(&p->cause));
    }
    return err;
}

static int patch_op_test(struct json_patch *p, yyjson_mut_val *op)
{
    struct patch_place at;
    struct kvs_view path;
    yyjson_mut_val *expected = yyjson_mut_obj_get(op, "value");
    yyjson_mut_val *value = p->root;
    bool equal = false;
    int err = patch_path(p, op, "path", &path);

    if (err != 0) {
        return patch_no_path(p, "test operation failed to decode path: ", true);
    }
    if (path.len > 0) {
        err = patch_find(p, path, &at);
        if (err == 0 && at.container == NULL) {
            return patch_refuse(p, "test operation does not apply: is missing path: ", path,
                                ": " PATCH_MISSING);
        }
        if (err == 0) {
            err = patch_get(p, at.container, at.key, &value);
        }
        if (err != 0) {
            return patch_refuse_cause(p, err, "error in test for path: '", path);
        }
    }
    /* What is not there equals null. */
    err = kube_tree_equal(value, yyjson_mut_is_null(expected) ? NULL : expected, &equal);
    if (err == KVS_E_TOO_LONG) {
        equal = false; /* Trees of the object are not that deep. */
    } else if (err != 0) {
        return err;
    }
    return equal ? 0 : patch_refuse(p, "testing value ", path, " failed: test failed");
}

static const struct {
    const char *name;
    int (*apply)(struct json_patch *p, yyjson_mut_val *op);
} patch_ops[] = {
    {"add", patch_op_add},   {"remove", patch_op_remove}, {"replace", patch_op_replace},
    {"move", patch_op_move}, {"copy", patch_op_copy},     {"test", patch_op_test},
};

static int patch_apply_one(struct json_patch *p, yyjson_mut_val *op)
{
    yyjson_mut_val *kind = yyjson_mut_obj_get(op, "op");
    struct kvs_view name = yyjson_mut_is_str(kind) ? kube_tree_text(kind) : VIEW_LITERAL("unknown");

    buf_clear(&p->cause);
    for (size_t i = 0; i < ARRAY_LEN(patch_ops); i++) {
        if (view_equal_str(name, patch_ops[i].name)) {
            return patch_ops[i].apply(p, op);
        }
    }
    return patch_refuse(p, "Unexpected kind: ", name, "");
}

/* ---- the whole ---- */

static const char *patch_type_name(yyjson_mut_val *value)
{
    return yyjson_mut_is_obj(value)    ? "object"
           : yyjson_mut_is_arr(value)  ? "array"
           : yyjson_mut_is_str(value)  ? "string"
           : yyjson_mut_is_bool(value) ? "bool"
                                       : "number";
}

static int patch_malformed(struct json_patch *p, yyjson_mut_val *value, const char *type)
{
    if (p->why != NULL) {
        buf_printf(p->why, "json: cannot unmarshal %s into Go value of type jsonpatch.%s",
                   patch_type_name(value), type);
    }
    return KVS_E_MALFORMED;
}

static int patch_check(struct json_patch *p, yyjson_mut_val *patch)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(patch);
    size_t n = yyjson_mut_arr_size(patch);
    yyjson_mut_val *op;

    if (patch != NULL && !yyjson_mut_is_arr(patch) && !yyjson_mut_is_null(patch)) {
        return patch_malformed(p, patch, "Patch");
    }
    while ((op = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (!yyjson_mut_is_obj(op) && !yyjson_mut_is_null(op)) {
            return patch_malformed(p, op, "Operation");
        }
    }
    if (n > KUBE_PATCH_JSON_OPS_MAX) {
        if (p->why != NULL) {
            buf_printf(p->why, "The allowed maximum operations in a JSON patch is %d, got %zu",
                       KUBE_PATCH_JSON_OPS_MAX, n);
        }
        return KVS_E_TOO_LONG;
    }
    return 0;
}

int kube_patch_json(yyjson_mut_doc *doc,
                    yyjson_mut_val *root,
                    yyjson_mut_val *patch,
                    yyjson_mut_val **ret_root,
                    struct buf *why)
{
    struct json_patch p = {.doc = doc, .root = root, .why = why};
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(patch);
    yyjson_mut_val *op;
    int err;

    kvs_assert(yyjson_mut_is_ctn(root) && ret_root != NULL);
    buf_init(&p.token);
    buf_init(&p.cause);
    err = patch_check(&p, patch);
    while (err == 0 && (op = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = patch_apply_one(&p, op);
    }
    buf_fini(&p.token);
    buf_fini(&p.cause);
    if (err == 0) {
        *ret_root = p.root;
    }
    return err;
}
