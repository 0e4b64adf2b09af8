#include "kube/schema.h"

#include <string.h>

#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"
#include "kube/schema_sizes.h"

/* All tables together are meant to stay small (lib/kube/README.md). */
_Static_assert(sizeof(struct kube_field) == 20, "a field is 20 bytes");
_Static_assert(sizeof(struct kube_message) == 12, "a message is 12 bytes");
_Static_assert(sizeof(struct kube_kind) == 20, "a kind is 20 bytes");
_Static_assert(KUBE_N_FIELDS < UINT16_MAX, "fields are numbered by 16 bits");

size_t kube_n_kinds(void)
{
    return KUBE_N_KINDS;
}

size_t kube_n_messages(void)
{
    return KUBE_N_MESSAGES;
}

const struct kube_kind *kube_kind_at(size_t n)
{
    return n < KUBE_N_KINDS ? &kube_table_kinds[n] : NULL;
}

const struct kube_message *kube_message_at(size_t id)
{
    return id < KUBE_N_MESSAGES ? &kube_table_messages[id] : NULL;
}

const struct kube_group_version *kube_group_version_at(size_t n)
{
    return n < KUBE_N_GROUP_VERSIONS ? &kube_table_group_versions[n] : NULL;
}

size_t kube_message_id_of(const struct kube_message *m)
{
    return (size_t)(m - kube_table_messages);
}

static int compare_str(struct kvs_view text, uint32_t at)
{
    return view_compare(text, view_str(kube_string(at)));
}

static int kind_compare(const struct kube_kind *k,
                        struct kvs_view group,
                        struct kvs_view version,
                        struct kvs_view kind)
{
    int order = compare_str(group, k->group);

    if (order == 0) {
        order = compare_str(version, k->version);
    }
    return order != 0 ? order : compare_str(kind, k->kind);
}

static const struct kube_kind *
kind_search(struct kvs_view group, struct kvs_view version, struct kvs_view kind)
{
    size_t low = 0;
    size_t high = KUBE_N_KINDS;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = kind_compare(&kube_table_kinds[mid], group, version, kind);

        if (order == 0) {
            return &kube_table_kinds[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

/* Status is at home in "v1", the options in meta.k8s.io/v1. */
static const struct kube_kind *kind_of_any_group(struct kvs_view kind)
{
    static const char *const homes[] = {"meta.k8s.io", ""};

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        const struct kube_kind *k = kind_search(view_str(homes[i]), VIEW_LITERAL("v1"), kind);

        if (k != NULL && (k->flags & KUBE_KIND_ANY_GROUP) != 0) {
            return k;
        }
    }
    return NULL;
}

const struct kube_kind *
kube_kind_find(struct kvs_view group, struct kvs_view version, struct kvs_view kind)
{
    const struct kube_kind *k = kind_search(group, version, kind);

    return k != NULL ? k : kind_of_any_group(kind);
}

const struct kube_kind *kube_kind_find_api(struct kvs_view api_version, struct kvs_view kind)
{
    const char *slash = api_version.len > 0 ? memchr(api_version.data, '/', api_version.len) : NULL;
    size_t group_len;

    if (slash == NULL) {
        return kube_kind_find(VIEW_LITERAL(""), api_version, kind);
    }
    group_len = (size_t)(slash - (const char *)api_version.data);
    return kube_kind_find(view_make(api_version.data, group_len),
                          view_make(slash + 1, api_version.len - group_len - 1), kind);
}

const struct kube_kind *kube_kind_preferred(struct kvs_view group, struct kvs_view kind)
{
    for (size_t i = 0; i < KUBE_N_GROUP_VERSIONS; i++) {
        const struct kube_group_version *gv = &kube_table_group_versions[i];
        const struct kube_kind *k = NULL;

        if (compare_str(group, gv->group) == 0) {
            k = kind_search(group, view_str(kube_string(gv->version)), kind);
        }
        if (k != NULL) {
            return k;
        }
    }
    return NULL;
}

const struct kube_kind *kube_kind_item(const struct kube_kind *kind)
{
    return kind->item == KUBE_NO_KIND ? NULL : kube_kind_at(kind->item);
}

const struct kube_message *kube_message_find(struct kvs_view name)
{
    size_t low = 0;
    size_t high = KUBE_N_MESSAGES;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare_str(name, kube_table_messages[mid].name);

        if (order == 0) {
            return &kube_table_messages[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

const char *kube_message_go_name(const struct kube_message *m)
{
    return strrchr(kube_message_name(m), '.') + 1;
}

const char *kube_message_go_type(const struct kube_message *m)
{
    const char *at = kube_message_go_name(m) - 1;

    while (at > kube_message_name(m) && at[-1] != '.') {
        at--;
    }
    return at;
}

/* The order of kube_table_by_name: most names differ in length already. */
static int name_compare(struct kvs_view name, const struct kube_field *f)
{
    const char *other = kube_field_name(f);
    size_t len = strlen(other);

    if (name.len != len) {
        return name.len < len ? -1 : 1;
    }
    return len > 0 ? memcmp(name.data, other, len) : 0;
}

int kube_field_find(const struct kube_message *m, struct kvs_view name, size_t hint)
{
    size_t low = 0;
    size_t high = m->n_flat;

    if (hint < m->n_flat && name_compare(name, kube_field_flat(m, hint)) == 0) {
        return (int)hint;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        size_t pos = kube_table_by_name[m->first_flat + mid];
        int order = name_compare(name, kube_field_flat(m, pos));

        if (order == 0) {
            return (int)pos;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return -1;
}

const struct kube_field *kube_field_named(const struct kube_message *m, struct kvs_view name)
{
    int pos = kube_field_find(m, name, 0);

    return pos < 0 ? NULL : kube_field_flat(m, (size_t)pos);
}

const struct kube_field *kube_field_numbered(const struct kube_message *m, uint32_t number)
{
    size_t low = 0;
    size_t high = m->n_fields;

    if (number == 0) {
        return NULL;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct kube_field *f = kube_field_by_number(m, mid);

        if (f->number == number) {
            return f;
        }
        if (number < f->number) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static const struct kube_enum *field_enum(const struct kube_field *f)
{
    return &kube_table_enums[f->type == KUBE_TYPE_STRING ? f->target : 0];
}

size_t kube_field_n_enum(const struct kube_field *f)
{
    return field_enum(f)->n;
}

const char *kube_field_enum(const struct kube_field *f, size_t n)
{
    kvs_assert(n < kube_field_n_enum(f));
    return kube_string(kube_table_enum_values[field_enum(f)->first + n]);
}

bool kube_rule_key(const struct kube_rule *rule, size_t n, struct kvs_view *ret_key)
{
    const char *at = kube_string(rule->list_keys);

    for (; n > 0; n--) {
        at = strchr(at, ',');
        if (at == NULL) {
            return false;
        }
        at++;
    }
    *ret_key = view_make(at, strcspn(at, ","));
    return ret_key->len > 0;
}
