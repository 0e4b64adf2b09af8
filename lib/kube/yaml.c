#include "kube/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/tree.h"
#include "kube/yaml_int.h"

enum { DEPTH_MAX = KUBE_JSON_DEPTH_MAX, ANCHORS_MAX = 10000 };

/* A list or map that is being read. */
struct yaml_level {
    yyjson_mut_val *container;
    yyjson_mut_val *key;    /* of a map: the value comes next */
    yyjson_mut_val *merges; /* of a map: what "<<" named, a list of its own; NULL: none */
    struct kvs_view anchor; /* its own; empty: none */
    size_t key_line;
    bool key_is_merge;
    size_t *lines; /* of each key in `container`, in their order */
    size_t n_lines;
};

/* Anchors of one name: the last one before an alias counts. */
struct yaml_anchor {
    struct kvs_view name;
    yyjson_mut_val *value;
};

struct yaml_reader {
    yaml_parser_t parser;
    yyjson_mut_doc *doc;
    struct arena arena;
    unsigned depth_max;
    unsigned depth;
    struct yaml_level levels[DEPTH_MAX];
    struct yaml_anchor *anchors;
    size_t n_anchors;
    size_t copies;
    yyjson_mut_val *root;
    struct buf *duplicates;
    struct kvs_error *error;
};

static int yaml_fail(struct yaml_reader *r, int code, size_t line, const char *text)
{
    if (r->error != NULL) {
        r->error->code = code;
        if (line > 0) {
            (void)snprintf(r->error->msg, sizeof r->error->msg, "yaml: line %zu: %s", line, text);
        } else {
            (void)snprintf(r->error->msg, sizeof r->error->msg, "yaml: %s", text);
        }
    }
    return code;
}

/* What the parser says, and where; lines are counted as Go's port of it does. */
static int yaml_fail_parser(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    size_t line = p->problem_mark.line;

    if (p->error == YAML_MEMORY_ERROR) {
        return KVS_E_NOMEM;
    }
    if (line != 0) {
        line += p->error == YAML_SCANNER_ERROR ? 1 : 0;
    } else {
        line = p->context_mark.line;
    }
    return yaml_fail(r, KVS_E_MALFORMED, line,
                     p->problem != NULL ? p->problem : "unknown problem parsing YAML content");
}

/* ---- values into their places ---- */

static int yaml_keep_anchor(struct yaml_reader *r, struct kvs_view name, yyjson_mut_val *value)
{
    if (name.len == 0) {
        return 0;
    }
    for (size_t i = 0; i < r->n_anchors; i++) {
        if (view_equal(r->anchors[i].name, name)) {
            r->anchors[i].value = value;
            return 0;
        }
    }
    if (r->n_anchors == ANCHORS_MAX) {
        return yaml_fail(r, KVS_E_TOO_LONG, 0, "too many anchors");
    }
    if (r->anchors == NULL) {
        r->anchors = arena_calloc(&r->arena, ANCHORS_MAX, sizeof *r->anchors);
        if (r->anchors == NULL) {
            return KVS_E_NOMEM;
        }
    }
    r->anchors[r->n_anchors++] = (struct yaml_anchor){name, value};
    return 0;
}

static int yaml_bad_merge(struct yaml_reader *r)
{
    return yaml_fail(r, KVS_E_MALFORMED, 0,
                     "map merge requires map or sequence of maps as the value");
}

/* "<<": a map or several; what they have counts if the map itself has no such key. */
static int yaml_put_merge(struct yaml_reader *r, struct yaml_level *level, yyjson_mut_val *value)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *item;

    if (level->merges == NULL) {
        level->merges = yyjson_mut_arr(r->doc);
    }
    if (level->merges == NULL) {
        return KVS_E_NOMEM;
    }
    if (yyjson_mut_is_obj(value)) {
        return yyjson_mut_arr_append(level->merges, value) ? 0 : KVS_E_NOMEM;
    }
    if (!yyjson_mut_is_arr(value)) {
        return yaml_bad_merge(r);
    }
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (!yyjson_mut_is_obj(item)) {
            return yaml_bad_merge(r);
        }
    }
    level->merges = value;
    return 0;
}

/* Every power of two there is room for as many again. */
static int yaml_keep_line(struct yaml_reader *r, struct yaml_level *level)
{
    if ((level->n_lines & (level->n_lines - 1)) == 0) {
        size_t room = level->n_lines == 0 ? 1 : 2 * level->n_lines;
        size_t *lines = arena_calloc(&r->arena, room, sizeof *lines);

        if (lines == NULL) {
            return KVS_E_NOMEM;
        }
        if (level->n_lines > 0) {
            memcpy(lines, level->lines, level->n_lines * sizeof *lines);
        }
        level->lines = lines;
    }
    level->lines[level->n_lines++] = level->key_line;
    return 0;
}

/* A key as JSON has it: numbers and booleans in their text. */
static int yaml_key(struct yaml_reader *r, yyjson_mut_val *value, size_t line)
{
    struct buf text;
    int err = 0;

    if (yyjson_mut_is_str(value)) {
        return 0;
    }
    if (yyjson_mut_is_ctn(value) || yyjson_mut_is_null(value)) {
        return yaml_fail(r, KVS_E_MALFORMED, line, "invalid map key");
    }
    buf_init(&text);
    err = kube_json_write(&text, value);
    if (err == 0) {
        yyjson_mut_val *key = yyjson_mut_strncpy(r->doc, (const char *)text.data, text.len);

        err = key == NULL || text.failed ? KVS_E_NOMEM : 0;
        if (err == 0) {
            kube_tree_assign(value, key);
        }
    }
    buf_fini(&text);
    return err;
}

static int yaml_put_map(
    struct yaml_reader *r, struct yaml_level *level, yyjson_mut_val *value, size_t line, bool plain)
{
    yyjson_mut_val *key = level->key;
    int err;

    if (key == NULL) {
        level->key_is_merge = plain && view_equal_str(kube_json_str(value), "<<");
        err = yaml_key(r, value, line);
        level->key = err == 0 ? value : NULL;
        level->key_line = line;
        return err;
    }
    level->key = NULL;
    if (level->key_is_merge) {
        return yaml_put_merge(r, level, value);
    }
    return yyjson_mut_obj_add(level->container, key, value) ? yaml_keep_line(r, level)
                                                            : KVS_E_NOMEM;
}

/* `plain`: a scalar without quotes and tag, which may be a merge key. */
static int
yaml_put(struct yaml_reader *r, yyjson_mut_val *value, const yaml_event_t *event, bool plain)
{
    struct yaml_level *level = r->depth == 0 ? NULL : &r->levels[r->depth - 1];

    if (level == NULL) {
        r->root = value;
        return 0;
    }
    if (yyjson_mut_is_arr(level->container)) {
        return yyjson_mut_arr_append(level->container, value) ? 0 : KVS_E_NOMEM;
    }
    return yaml_put_map(r, level, value, event->start_mark.line + 1, plain);
}

/* ---- lists and maps ---- */

static int yaml_view(struct yaml_reader *r, const yaml_char_t *text, struct kvs_view *ret)
{
    *ret = view_make(NULL, 0);
    return text == NULL ? 0 : arena_copy(&r->arena, view_str((const char *)text), ret);
}

static int yaml_open(struct yaml_reader *r, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct yaml_level *level = r->depth == 0 ? NULL : &r->levels[r->depth - 1];
    struct yaml_level fresh = {.container =
                                   is_map ? yyjson_mut_obj(r->doc) : yyjson_mut_arr(r->doc)};
    int err =
        yaml_view(r, is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
                  &fresh.anchor);

    if (err != 0 || fresh.container == NULL) {
        return KVS_E_NOMEM;
    }
    if (level != NULL && yyjson_mut_is_obj(level->container) && level->key == NULL) {
        return yaml_fail(r, KVS_E_MALFORMED, event->start_mark.line + 1, "invalid map key");
    }
    if (r->depth >= r->depth_max) {
        return yaml_fail(r, KVS_E_TOO_LONG, event->start_mark.line + 1, "exceeded max depth");
    }
    r->levels[r->depth++] = fresh;
    return 0;
}

static void yaml_found_duplicate(struct yaml_reader *r, size_t line, struct kvs_view key)
{
    if (r->duplicates != NULL) {
        buf_printf(r->duplicates, "\n  line %zu: key \"%.*s\" already set in map", line,
                   (int)key.len, (const char *)key.data);
    }
}

/* Of keys that are there twice the last counts; only this level, those below are done. Every one
 * but the first is told of. */
static int yaml_unique(struct yaml_reader *r, const struct yaml_level *level)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(level->container);
    struct kube_tree_index index;
    yyjson_mut_val *key;
    size_t place = 0;
    int err = kube_tree_index_init(&index, level->container);

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *last = kube_tree_index_find(&index, kube_tree_text(key));

        kvs_assert(last != NULL && place < level->n_lines);
        if (last->is_used) {
            yaml_found_duplicate(r, level->lines[place], last->name);
        }
        last->is_used = true;
        place++;
        if (last->key != key) {
            (void)yyjson_mut_obj_iter_remove(&it);
        }
    }
    kube_tree_index_fini(&index);
    return err;
}

static int yaml_copy(struct yaml_reader *r, yyjson_mut_val *value, yyjson_mut_val **ret_copy)
{
    if (!kube_tree_depth_within(value, r->depth_max - r->depth, &r->copies)) {
        return yaml_fail(r, KVS_E_TOO_LONG, 0, "exceeded max depth");
    }
    if (r->copies > KUBE_YAML_COPIES_MAX) {
        return yaml_fail(r, KVS_E_TOO_LONG, 0, "document contains excessive aliasing");
    }
    *ret_copy = kube_json_copy(r->doc, value);
    return *ret_copy == NULL ? KVS_E_NOMEM : 0;
}

static int yaml_merge_one(struct yaml_reader *r, yyjson_mut_val *map, yyjson_mut_val *from)
{
    struct kube_tree_index index;
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(from);
    yyjson_mut_val *key;
    int err = kube_tree_index_init(&index, map);

    r->copies += index.count;
    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        yyjson_mut_val *name;
        yyjson_mut_val *value;

        if (kube_tree_index_find(&index, kube_tree_text(key)) != NULL) {
            continue;
        }
        err = yaml_copy(r, yyjson_mut_obj_iter_get_val(key), &value);
        name = kube_json_copy(r->doc, key);
        if (err == 0) {
            err = name != NULL && yyjson_mut_obj_add(map, name, value) ? 0 : KVS_E_NOMEM;
        }
    }
    kube_tree_index_fini(&index);
    return err;
}

static int yaml_close(struct yaml_reader *r, const yaml_event_t *event)
{
    struct yaml_level level = r->levels[--r->depth];
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(level.merges);
    yyjson_mut_val *from;
    int err = yyjson_mut_is_obj(level.container) ? yaml_unique(r, &level) : 0;

    while (err == 0 && (from = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = yaml_merge_one(r, level.container, from);
    }
    if (err == 0) {
        err = yaml_keep_anchor(r, level.anchor, level.container);
    }
    return err != 0 ? err : yaml_put(r, level.container, event, false);
}

/* ---- scalars and aliases ---- */

static int yaml_scalar(struct yaml_reader *r, const yaml_event_t *event)
{
    struct kvs_view text = view_make(event->data.scalar.value, event->data.scalar.length);
    const char *tag = (const char *)event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && tag == NULL;
    struct kvs_view anchor;
    yyjson_mut_val *value;
    bool bad = false;
    int err = yaml_view(r, event->data.scalar.anchor, &anchor);

    if (err != 0) {
        return err;
    }
    if (plain) {
        value = yaml_plain(r->doc, text, &bad);
    } else {
        value = yaml_tagged(r->doc, text, tag == NULL ? "" : tag, &bad);
    }
    if (bad) {
        return yaml_fail(r, KVS_E_MALFORMED, event->start_mark.line + 1,
                         "cannot decode the value of a scalar");
    }
    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    err = yaml_keep_anchor(r, anchor, value);
    return err != 0 ? err : yaml_put(r, value, event, plain);
}

static int yaml_alias(struct yaml_reader *r, const yaml_event_t *event)
{
    struct kvs_view name = view_str((const char *)event->data.alias.anchor);
    yyjson_mut_val *copy;
    char text[160];
    int err;

    for (size_t i = 0; i < r->n_anchors; i++) {
        if (view_equal(r->anchors[i].name, name)) {
            err = yaml_copy(r, r->anchors[i].value, &copy);
            return err != 0 ? err : yaml_put(r, copy, event, false);
        }
    }
    (void)snprintf(text, sizeof text, "unknown anchor '%.*s' referenced", (int)name.len,
                   (const char *)name.data);
    return yaml_fail(r, KVS_E_MALFORMED, 0, text);
}

/* ---- the whole ---- */

static int yaml_step(struct yaml_reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return yaml_open(r, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return yaml_close(r, event);
    case YAML_SCALAR_EVENT:
        return yaml_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return yaml_alias(r, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    }
    return 0;
}

static int yaml_run(struct yaml_reader *r)
{
    bool ended = false;
    int err = 0;

    while (err == 0 && !ended) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event)) {
            return yaml_fail_parser(r);
        }
        err = yaml_step(r, &event);
        ended = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return err;
}

static int yaml_read(struct yaml_reader *r, struct kvs_view text, yyjson_mut_val **ret_value)
{
    int err;

    if (!yaml_parser_initialize(&r->parser)) {
        return KVS_E_NOMEM;
    }
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, text.data, text.len);
    arena_init(&r->arena, 0);
    err = yaml_run(r);
    if (err == 0) {
        *ret_value = r->root != NULL ? r->root : yyjson_mut_null(r->doc);
        err = *ret_value == NULL ? KVS_E_NOMEM : 0;
    }
    arena_fini(&r->arena);
    yaml_parser_delete(&r->parser);
    return err;
}

int kube_yaml_read_into(yyjson_mut_doc *doc,
                        struct kvs_view text,
                        const struct kube_json_limits *limits,
                        yyjson_mut_val **ret_value,
                        struct buf *duplicates,
                        struct kvs_error *error)
{
    struct yaml_reader *r;
    int err;

    if (text.len == 0) {
        *ret_value = yyjson_mut_null(doc);
        return *ret_value == NULL ? KVS_E_NOMEM : 0;
    }
    r = kvs_calloc(1, sizeof *r);
    if (r == NULL) {
        return KVS_E_NOMEM;
    }
    r->doc = doc;
    r->depth_max = limits->depth_max < DEPTH_MAX ? limits->depth_max : DEPTH_MAX;
    r->duplicates = duplicates;
    r->error = error;
    err = text.len > limits->bytes_max ? yaml_fail(r, KVS_E_TOO_LONG, 0, "the text is too long")
                                       : yaml_read(r, text, ret_value);
    kvs_free(r);
    return err;
}
