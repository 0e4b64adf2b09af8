/* An item is one allocation: the struct, its pairs, then the text that they point to. The JSON is
 * apart, since it is shared with connections that are still sending it. */
#include "kube/item.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/selectable.h"
#include "kube/json.h"

enum { REVISION_TEXT_MAX = 24, PATH_PART_MAX = 64 };

/* --- the encoded object ----------------------------------------------------------------------- */

/* resourceVersion stands where Kubernetes writes it: behind the uid. */
static bool item_set_revision(yyjson_mut_doc *doc, yyjson_mut_val *metadata, uint64_t revision)
{
    char text[REVISION_TEXT_MAX];
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    yyjson_mut_obj_iter iter;
    size_t at = 0;
    size_t behind = 0;

    (void)snprintf(text, sizeof text, "%" PRIu64, revision);
    value = yyjson_mut_strcpy(doc, text);
    if (value == NULL) {
        return false;
    }
    if (yyjson_mut_obj_replace(metadata, yyjson_mut_str(doc, "resourceVersion"), value)) {
        return true;
    }
    yyjson_mut_obj_iter_init(metadata, &iter);
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        at++;
        if (yyjson_mut_equals_str(key, "name") || yyjson_mut_equals_str(key, "generateName") ||
            yyjson_mut_equals_str(key, "namespace") || yyjson_mut_equals_str(key, "selfLink") ||
            yyjson_mut_equals_str(key, "uid")) {
            behind = at;
        }
    }
    return yyjson_mut_obj_insert(metadata, yyjson_mut_str(doc, "resourceVersion"), value, behind);
}

static int item_encode(const yyjson_doc *from, uint64_t revision, struct rcbuf **ret_json)
{
    yyjson_mut_doc *doc = yyjson_doc_mut_copy((yyjson_doc *)(uintptr_t)from, kube_json_heap());
    yyjson_mut_val *metadata;
    char *text = NULL;
    size_t len = 0;

    if (doc == NULL) {
        return KVS_E_NOMEM;
    }
    metadata = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "metadata");
    if (item_set_revision(doc, metadata, revision)) {
        text = yyjson_mut_write_opts(doc, 0, kube_json_heap(), &len, NULL);
    }
    yyjson_mut_doc_free(doc);
    if (text == NULL) {
        return KVS_E_NOMEM;
    }
    *ret_json = rcbuf_copy(view_make(text, len));
    kvs_free(text);
    return *ret_json == NULL ? KVS_E_NOMEM : 0;
}

/* --- labels and fields ------------------------------------------------------------------------ */

/* What is about to become pairs: views into the parsed document. */
struct item_facts {
    struct kube_label *labels;
    size_t n_labels;
    struct kube_label fields[KUBE_SELECTABLES_MAX];
    char numbers[KUBE_SELECTABLES_MAX][REVISION_TEXT_MAX];
    size_t n_fields;
    size_t text_bytes;
};

static int item_pair_order(const void *a, const void *b)
{
    return view_compare(((const struct kube_label *)a)->key, ((const struct kube_label *)b)->key);
}

static int item_find_labels(yyjson_val *metadata, struct item_facts *f)
{
    yyjson_val *labels = yyjson_obj_get(metadata, "labels");
    yyjson_val *key;
    yyjson_obj_iter iter;

    f->labels = kvs_calloc(yyjson_obj_size(labels) + 1, sizeof *f->labels);
    if (f->labels == NULL) {
        return KVS_E_NOMEM;
    }
    yyjson_obj_iter_init(labels, &iter);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        struct kube_label *pair = &f->labels[f->n_labels++];

        pair->key = view_make(yyjson_get_str(key), yyjson_get_len(key));
        pair->value = yyjson_is_str(value) ? view_make(yyjson_get_str(value), yyjson_get_len(value))
                                           : view_make(NULL, 0);
        f->text_bytes += pair->key.len + pair->value.len;
    }
    qsort(f->labels, f->n_labels, sizeof *f->labels, item_pair_order);
    return 0;
}

static yyjson_val *item_walk(yyjson_val *root, const char *path)
{
    while (root != NULL && *path != '\0') {
        size_t part = strcspn(path, ".");

        root = yyjson_obj_getn(root, path, part);
        path += part + (path[part] == '.');
    }
    return root;
}

static struct kvs_view item_text_of(yyjson_val *value, const char *absent, char *number)
{
    if (yyjson_is_str(value)) {
        return view_make(yyjson_get_str(value), yyjson_get_len(value));
    }
    if (yyjson_is_bool(value)) {
        return view_str(yyjson_get_bool(value) ? "true" : "false");
    }
    if (yyjson_is_int(value)) {
        (void)snprintf(number, REVISION_TEXT_MAX, "%" PRId64, yyjson_get_sint(value));
        return view_str(number);
    }
    return view_str(absent);
}

static void item_find_fields(const struct kube_resource *r, yyjson_val *root, struct item_facts *f)
{
    const struct kube_selectable *table = kube_selectables(r);

    for (; table->name != NULL; table++) {
        const char *path = table->path == NULL ? table->name : table->path;
        struct kube_label *pair = &f->fields[f->n_fields];

        kvs_assert(f->n_fields < KUBE_SELECTABLES_MAX);
        pair->key = view_str(table->name); /* static: not copied */
        pair->value = item_text_of(item_walk(root, path), table->absent, f->numbers[f->n_fields]);
        f->text_bytes += pair->value.len;
        f->n_fields++;
    }
}

static struct kvs_view item_keep(char **text, struct kvs_view from)
{
    struct kvs_view kept = view_make(*text, from.len);

    if (from.len > 0) {
        memcpy(*text, from.data, from.len);
    }
    *text += from.len;
    return kept;
}

/* --- the item --------------------------------------------------------------------------------- */

static void item_set_key(struct kube_item *item, bool namespaced)
{
    const char *slash = namespaced ? memchr(item->key.data, '/', item->key.len) : NULL;

    if (slash != NULL) {
        size_t at = (size_t)(slash - (const char *)item->key.data);

        item->namespace = view_make(item->key.data, at);
        item->name = view_make(slash + 1, item->key.len - at - 1);
    } else {
        item->name = item->key;
    }
}

static struct kube_item *item_build(struct kvs_view key, const struct item_facts *f)
{
    size_t pairs = f->n_labels + f->n_fields;
    size_t pair_bytes = pairs * sizeof(struct kube_label);
    struct kube_item *item = kvs_malloc(sizeof *item + pair_bytes + key.len + f->text_bytes);
    struct kube_label *pair;
    char *text;

    if (item == NULL) {
        return NULL;
    }
    *item = (struct kube_item){.refs = 1};
    pair = (struct kube_label *)(item + 1);
    text = (char *)(pair + pairs);
    item->key = item_keep(&text, key);
    item->labels = pair;
    item->n_labels = f->n_labels;
    for (size_t i = 0; i < f->n_labels; i++) {
        pair->key = item_keep(&text, f->labels[i].key);
        pair->value = item_keep(&text, f->labels[i].value);
        pair++;
    }
    item->fields = pair;
    item->n_fields = f->n_fields;
    for (size_t i = 0; i < f->n_fields; i++) {
        pair->key = f->fields[i].key;
        pair->value = item_keep(&text, f->fields[i].value);
        pair++;
    }
    return item;
}

static int item_from_doc(const struct kube_resource *r,
                         struct kvs_view key,
                         yyjson_doc *doc,
                         uint64_t revision,
                         struct kube_item **ret_item)
{
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *metadata = yyjson_obj_get(root, "metadata");
    struct item_facts f = {0};
    struct kube_item *item = NULL;
    int err;

    if (!yyjson_is_obj(metadata)) {
        return KVS_E_MALFORMED;
    }
    err = item_find_labels(metadata, &f);
    if (err == 0) {
        item_find_fields(r, root, &f);
        item = item_build(key, &f);
        err = item == NULL ? KVS_E_NOMEM : item_encode(doc, revision, &item->json);
    }
    kvs_free(f.labels);
    if (err != 0) {
        kube_item_unref(item);
        return err;
    }
    item->revision = revision;
    item_set_key(item, r->namespaced);
    *ret_item = item;
    return 0;
}

int kube_item_new(const struct kube_resource *r,
                  struct kvs_view key,
                  struct kvs_view value,
                  uint64_t revision,
                  struct kube_item **ret_item)
{
    yyjson_read_err error;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)value.data, value.len, YYJSON_READ_NOFLAG,
                                       kube_json_heap(), &error);
    int err;

    if (doc == NULL) {
        return error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? KVS_E_NOMEM : KVS_E_MALFORMED;
    }
    err = item_from_doc(r, key, doc, revision, ret_item);
    yyjson_doc_free(doc);
    return err;
}

int kube_item_at_revision(const struct kube_resource *r,
                          const struct kube_item *item,
                          uint64_t revision,
                          struct kube_item **ret_item)
{
    return kube_item_new(r, item->key, rcbuf_view(item->json), revision, ret_item);
}

struct kube_item *kube_item_ref(struct kube_item *item)
{
    item->refs++;
    return item;
}

void kube_item_unref(struct kube_item *item)
{
    if (item == NULL) {
        return;
    }
    kvs_assert(item->refs > 0);
    if (--item->refs == 0) {
        rcbuf_unref(item->json);
        kvs_free(item);
    }
}

bool kube_item_label(const struct kube_item *item, struct kvs_view name, struct kvs_view *ret_value)
{
    struct kube_label wanted = {.key = name};
    const struct kube_label *found;

    found = bsearch(&wanted, item->labels, item->n_labels, sizeof wanted, item_pair_order);
    if (found == NULL) {
        return false;
    }
    *ret_value = found->value;
    return true;
}

bool kube_item_field(const struct kube_item *item, struct kvs_view name, struct kvs_view *ret_value)
{
    for (size_t i = 0; i < item->n_fields; i++) {
        if (view_equal(item->fields[i].key, name)) {
            *ret_value = item->fields[i].value;
            return true;
        }
    }
    return false;
}
