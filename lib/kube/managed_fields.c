/* managedFields of creates, updates and patches. */
#include "kube/managed_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/view.h"
#include "kube/decode.h"
#include "kube/json_int.h"
#include "kube/managed_fields_int.h"
#include "kube/timestamp.h"
#include "kube/tree.h"

/* ---- names ---- */

struct kvs_view kube_manager_of_agent(struct kvs_view user_agent, char room[KUBE_MANAGER_NAME_MAX])
{
    const char *at = user_agent.data;
    size_t n = 0;

    for (size_t i = 0; i < user_agent.len && at[i] != '/' && n < KUBE_MANAGER_NAME_MAX; i++) {
        if (at[i] >= ' ' && at[i] <= '~') { /* headers are ASCII */
            room[n++] = at[i];
        }
    }
    return view_make(room, n);
}

/* ---- what is never owned ---- */

static struct kube_field_node managed_named(const char *name, bool member)
{
    return (struct kube_field_node){.element.name = view_str(name), .is_member = member};
}

static int managed_make_strip(struct managed *m)
{
    static const char *const names[] = {"name",       "namespace",     "creationTimestamp",
                                        "selfLink",   "uid",           "clusterName",
                                        "generation", "managedFields", "resourceVersion"};
    struct kube_field_node metadata[ARRAY_LEN(names)];
    struct kube_field_node top[] = {managed_named("apiVersion", true), managed_named("kind", true),
                                    managed_named("metadata", true)};
    int err;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        metadata[i] = managed_named(names[i], true);
    }
    err = kube_field_set_make(&m->arena, metadata, ARRAY_LEN(names), &top[2].below);
    return err != 0 ? err : kube_field_set_make(&m->arena, top, ARRAY_LEN(top), &m->strip);
}

/* Writers of the object never own its status, those of the status nothing of its spec. */
static int managed_make_reset(struct managed *m)
{
    struct kube_field_node node = managed_named("status", true);

    if (strcmp(m->manager->subresource, "status") == 0) {
        node = managed_named("spec", true);
    } else if (!m->manager->has_status) {
        return 0;
    }
    return kube_field_set_make(&m->arena, &node, 1, &m->reset);
}

int managed_init(struct managed *m, const struct kube_manager *manager)
{
    int err;

    *m = (struct managed){.manager = manager};
    arena_init(&m->arena, MANAGED_SCRATCH_MAX);
    m->typed = (struct kube_typed){&m->arena, manager->doc};
    err = managed_make_strip(m);
    return err != 0 ? err : managed_make_reset(m);
}

void managed_fini(struct managed *m)
{
    arena_fini(&m->arena);
}

/* ---- reading ---- */

int managed_stamp(struct managed *m, struct managed_entry *entry)
{
    char *text = arena_alloc(&m->arena, KUBE_TIME_TEXT_MAX);

    if (text == NULL) {
        return KVS_E_NOMEM;
    }
    entry->time =
        view_make(text, kube_time_print((struct kube_time){.seconds = m->manager->now_s}, text));
    return 0;
}

int managed_add(struct managed *m, const struct managed_entry *entry)
{
    if (m->n == m->room) {
        size_t room = m->room == 0 ? 8 : m->room * 2;
        struct managed_entry *entries = arena_calloc(&m->arena, room, sizeof *entries);

        if (entries == NULL) {
            return KVS_E_NOMEM;
        }
        if (m->n > 0) {
            memcpy(entries, m->entries, m->n * sizeof *entries);
        }
        m->entries = entries;
        m->room = room;
    }
    m->entries[m->n++] = *entry;
    return 0;
}

static bool managed_is(const struct managed_entry *a, const struct managed_entry *b)
{
    return a->applied == b->applied && view_equal(a->manager, b->manager) &&
           view_equal(a->subresource, b->subresource) &&
           (a->applied || view_equal(a->api_version, b->api_version));
}

static struct managed_entry *managed_same(struct managed *m, const struct managed_entry *entry)
{
    for (size_t i = 0; i < m->n; i++) {
        if (managed_is(&m->entries[i], entry)) {
            return &m->entries[i];
        }
    }
    return NULL;
}

struct managed_entry *managed_find(struct managed *m, struct kvs_view manager, bool applied)
{
    const struct managed_entry wanted = {.manager = manager,
                                         .api_version = m->manager->api_version,
                                         .subresource = view_str(m->manager->subresource),
                                         .applied = applied};

    return managed_same(m, &wanted);
}

static int managed_read_entry(struct managed *m, yyjson_mut_val *from)
{
    struct kvs_view operation = kube_json_get_str(from, "operation");
    struct managed_entry entry = {.manager = kube_json_get_str(from, "manager"),
                                  .api_version = kube_json_get_str(from, "apiVersion"),
                                  .subresource = kube_json_get_str(from, "subresource"),
                                  .time = kube_json_get_str(from, "time"),
                                  .applied = view_equal_str(operation, "Apply")};
    struct managed_entry *same;
    int err;

    if ((!entry.applied && !view_equal_str(operation, "Update")) || entry.api_version.len == 0 ||
        !view_equal_str(kube_json_get_str(from, "fieldsType"), "FieldsV1")) {
        return KVS_E_MALFORMED;
    }
    err = kube_field_set_read(&m->arena, m->manager->doc, kube_json_get(from, "fieldsV1"),
                              &entry.set);
    if (err != 0) {
        return err == KVS_E_TOO_LONG ? KVS_E_MALFORMED : err;
    }
    same = managed_same(m, &entry);
    if (same != NULL) {
        *same = entry; /* Of one identity the last counts. */
        return 0;
    }
    return managed_add(m, &entry);
}

int managed_read(struct managed *m, yyjson_mut_val *object)
{
    yyjson_mut_val *list = kube_json_get(kube_json_get(object, "metadata"), "managedFields");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *entry;
    int err = 0;

    m->n = 0;
    while (err == 0 && (entry = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = managed_read_entry(m, entry);
    }
    if (err != 0) {
        m->n = 0;
    }
    return err;
}

/* ---- writing ---- */

static int64_t managed_seconds(const struct managed_entry *e)
{
    int64_t seconds = 0;
    int32_t nanos;

    return e->time.len > 0 && kube_wire_time_parse(e->time, false, &seconds, &nanos) ? seconds : 0;
}

static int managed_order(const void *a, const void *b)
{
    const struct managed_entry *x = a;
    const struct managed_entry *y = b;
    int64_t p = managed_seconds(x);
    int64_t q = managed_seconds(y);
    int order;

    if (x->applied != y->applied) {
        return x->applied ? -1 : 1;
    }
    if (p != q) {
        return p < q ? -1 : 1;
    }
    order = view_compare(x->manager, y->manager);
    if (order == 0) {
        order = view_compare(x->api_version, y->api_version);
    }
    return order != 0 ? order : view_compare(x->subresource, y->subresource);
}

static bool
managed_put(struct managed *m, yyjson_mut_val *to, const char *name, struct kvs_view text)
{
    yyjson_mut_doc *doc = m->manager->doc;

    return text.len == 0 || yyjson_mut_obj_add(to, yyjson_mut_str(doc, name),
                                               yyjson_mut_strncpy(doc, text.data, text.len));
}

static int
managed_write_entry(struct managed *m, const struct managed_entry *e, yyjson_mut_val *list)
{
    yyjson_mut_doc *doc = m->manager->doc;
    yyjson_mut_val *to = yyjson_mut_obj(doc);
    yyjson_mut_val *fields = NULL;
    int err = kube_field_set_write(doc, e->set, &fields);

    if (err != 0 || to == NULL) {
        return KVS_E_NOMEM;
    }
    return managed_put(m, to, "manager", e->manager) &&
                   managed_put(m, to, "operation", view_str(e->applied ? "Apply" : "Update")) &&
                   managed_put(m, to, "apiVersion", e->api_version) &&
                   managed_put(m, to, "time", e->time) &&
                   managed_put(m, to, "fieldsType", VIEW_LITERAL("FieldsV1")) &&
                   yyjson_mut_obj_add(to, yyjson_mut_str(doc, "fieldsV1"), fields) &&
                   managed_put(m, to, "subresource", e->subresource) &&
                   yyjson_mut_arr_append(list, to)
               ? 0
               : KVS_E_NOMEM;
}

int managed_write(struct managed *m, yyjson_mut_val *object)
{
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    yyjson_mut_val *list = yyjson_mut_arr(m->manager->doc);
    int err = list == NULL ? KVS_E_NOMEM : 0;

    if (m->n > 0) {
        qsort(m->entries, m->n, sizeof *m->entries, managed_order);
    }
    for (size_t i = 0; err == 0 && i < m->n; i++) {
        if (m->entries[i].set != NULL) {
            err = managed_write_entry(m, &m->entries[i], list);
        }
    }
    if (err != 0 || metadata == NULL) {
        return err;
    }
    if (yyjson_mut_arr_size(list) == 0) {
        (void)yyjson_mut_obj_remove_key(metadata, "managedFields");
        return 0;
    }
    return kube_tree_set(m->manager->doc, metadata, VIEW_LITERAL("managedFields"), list);
}

/* ---- changes ---- */

int managed_empty_object(struct managed *m, yyjson_mut_val **ret_object)
{
    yyjson_mut_val *object = yyjson_mut_obj(m->manager->doc);
    struct kube_report report;
    int err;

    if (object == NULL) {
        return KVS_E_NOMEM;
    }
    kube_report_init(&report, false);
    err = kube_decode(m->manager->doc, m->manager->type, object, &report);
    kube_report_fini(&report);
    *ret_object = object;
    return err;
}

int managed_compare(struct managed *m,
                    yyjson_mut_val *from,
                    yyjson_mut_val *to,
                    struct kube_comparison *ret_comparison)
{
    struct kube_comparison *c = ret_comparison;
    const struct kube_field_set **sets[3] = {&c->removed, &c->modified, &c->added};
    int err = kube_typed_compare(&m->typed, m->manager->type, from, to, c);

    for (int i = 0; err == 0 && i < 3; i++) {
        err = kube_field_set_difference(&m->arena, *sets[i], m->reset, true, sets[i]);
    }
    return err;
}

int managed_reduce(struct managed *m,
                   const struct managed_entry *self,
                   const struct kube_comparison *comparison)
{
    const struct kube_field_set *changed;
    int err = kube_field_set_union(&m->arena, comparison->modified, comparison->added, &changed);

    if (err == 0) {
        err = kube_field_set_union(&m->arena, changed, comparison->removed, &changed);
    }
    for (size_t i = 0; err == 0 && i < m->n; i++) {
        if (&m->entries[i] != self) {
            err = kube_field_set_difference(&m->arena, m->entries[i].set, changed, false,
                                            &m->entries[i].set);
        }
    }
    return err;
}

/* The oldest updates become one entry per version, so that no more than the maximum are left. */
static int managed_cap(struct managed *m)
{
    size_t updates = 0;
    size_t first = SIZE_MAX;
    int err = 0;

    for (size_t i = 0; i < m->n; i++) {
        updates += !m->entries[i].applied && m->entries[i].set != NULL ? 1 : 0;
    }
    if (updates <= KUBE_MANAGED_UPDATES_MAX) {
        return 0;
    }
    qsort(m->entries, m->n, sizeof *m->entries, managed_order); /* updates are last, oldest first */
    for (size_t i = 0; err == 0 && i < m->n && updates > KUBE_MANAGED_UPDATES_MAX; i++) {
        struct managed_entry *e = &m->entries[i];

        if (e->applied || e->set == NULL) {
            continue;
        }
        if (first == SIZE_MAX) {
            first = i;
        } else if (view_equal(m->entries[first].api_version, e->api_version)) {
            m->entries[first].manager = VIEW_LITERAL("ancient-changes");
            m->entries[first].subresource = view_make(NULL, 0);
            m->entries[first].time = e->time;
            err = kube_field_set_union(&m->arena, m->entries[first].set, e->set,
                                       &m->entries[first].set);
            e->set = NULL;
            updates--;
        }
    }
    return err;
}

int managed_track(struct managed *m,
                  struct kvs_view manager,
                  const char *subresource,
                  yyjson_mut_val *from,
                  yyjson_mut_val *to)
{
    struct managed_entry self = {.manager = manager.len == 0 ? VIEW_LITERAL("unknown") : manager,
                                 .api_version = m->manager->api_version,
                                 .subresource = view_str(subresource)};
    struct kube_comparison c;
    struct managed_entry *previous;
    int err = managed_compare(m, from, to, &c);

    if (err == 0) {
        err = managed_reduce(m, NULL, &c);
    }
    if (err == 0) {
        err = kube_field_set_union(&m->arena, c.modified, c.added, &self.set);
    }
    if (err == 0) {
        err = kube_field_set_difference(&m->arena, self.set, m->strip, false, &self.set);
    }
    if (err != 0 || self.set == NULL) {
        return err;
    }
    err = managed_stamp(m, &self);
    if (err != 0) {
        return err;
    }
    previous = managed_same(m, &self);
    if (previous == NULL) {
        err = managed_add(m, &self);
    } else {
        previous->time = self.time;
        err = kube_field_set_union(&m->arena, previous->set, self.set, &previous->set);
    }
    return err != 0 ? err : managed_cap(m);
}

/* ---- the whole ---- */

/* [{}]: the client wants them gone. */
static bool managed_is_reset(yyjson_mut_val *object)
{
    yyjson_mut_val *list = kube_json_get(kube_json_get(object, "metadata"), "managedFields");
    yyjson_mut_val *only = yyjson_mut_arr_get_first(list);

    return yyjson_mut_arr_size(list) == 1 && yyjson_mut_is_obj(only) &&
           yyjson_mut_obj_size(only) == 0;
}

/* The object's own, so that clients may change them; what is there if it has none that are right,
 * so that clients that know nothing of them lose none. */
static int managed_read_either(struct managed *m, yyjson_mut_val *old, yyjson_mut_val *object)
{
    int err = 0;

    if (m->manager->subresource[0] == '\0') {
        if (managed_is_reset(object)) {
            return 0;
        }
        err = managed_read(m, object);
    }
    if (err == 0 && m->n > 0) {
        return 0;
    }
    if (err == 0 || err == KVS_E_MALFORMED) {
        err = old == NULL ? 0 : managed_read(m, old);
    }
    return err == KVS_E_MALFORMED ? 0 : err;
}

static int managed_update(struct managed *m, yyjson_mut_val *old, yyjson_mut_val *object)
{
    yyjson_mut_val *from = old;
    int err = managed_read_either(m, old, object);

    if (err == 0 && old == NULL) {
        err = managed_empty_object(m, &from);
    }
    /* Nobody has been watching this object so far: it goes on like that until it is applied. */
    if (err == 0 && (old == NULL || m->n > 0)) {
        err = managed_track(m, m->manager->name, m->manager->subresource, from, object);
    }
    return err != 0 ? err : managed_write(m, object);
}

int kube_managed_update(const struct kube_manager *manager,
                        yyjson_mut_val *old,
                        yyjson_mut_val *object)
{
    struct managed m;
    int err = managed_init(&m, manager);

    if (err == 0) {
        err = managed_update(&m, old, object);
    }
    managed_fini(&m);
    return err;
}

/* ---- times ---- */

static bool managed_entries_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    static const char *const names[] = {"manager",    "operation", "apiVersion",
                                        "fieldsType", "fieldsV1",  "subresource"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        yyjson_mut_val *x = kube_json_get(a, names[i]);
        yyjson_mut_val *y = kube_json_get(b, names[i]);

        if ((x == NULL) != (y == NULL) || (x != NULL && !kube_json_equal(x, y))) {
            return false;
        }
    }
    return true;
}

/* In any order: times are part of it. */
static bool managed_lists_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(a);
    yyjson_mut_val *entry;

    if (yyjson_mut_arr_size(a) != yyjson_mut_arr_size(b)) {
        return false;
    }
    while ((entry = yyjson_mut_arr_iter_next(&it)) != NULL) {
        yyjson_mut_arr_iter others = yyjson_mut_arr_iter_with(b);
        yyjson_mut_val *other = NULL;

        do {
            other = yyjson_mut_arr_iter_next(&others);
        } while (other != NULL && !managed_entries_equal(entry, other));
        if (other == NULL) {
            return false;
        }
    }
    return true;
}

bool kube_managed_only_times(yyjson_mut_doc *doc, yyjson_mut_val *object, yyjson_mut_val *old)
{
    yyjson_mut_val *new_list = kube_json_get(kube_json_get(object, "metadata"), "managedFields");
    yyjson_mut_val *old_list = kube_json_get(kube_json_get(old, "metadata"), "managedFields");
    yyjson_mut_val saved;
    yyjson_mut_val *copy;

    if (new_list == NULL || old_list == NULL || !managed_lists_equal(new_list, old_list)) {
        return false;
    }
    copy = kube_json_copy(doc, old_list);
    if (copy == NULL) {
        return false; /* One write too many does no harm. */
    }
    saved = *new_list;
    kube_tree_assign(new_list, copy);
    if (kube_json_equal(object, old)) {
        return true;
    }
    kube_tree_assign(new_list, &saved);
    return false;
}
