/* Look-ups in the tables of Kubernetes' API types: which kinds there are, which fields a message
 * has, and what JSON, protobuf, defaulting and patches have to know about each.
 *
 * Everything returned is constant and lives for ever. Any thread. */
#ifndef KUBE_SCHEMA_H
#define KUBE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "kube/schema_table.h"
#include "kvstore/types.h"

static inline const char *kube_string(uint32_t at)
{
    return kube_table_strings + at;
}

/* ---- kinds ---- */

size_t kube_n_kinds(void);

/* In the order of group, version, kind; NULL from kube_n_kinds() on. */
const struct kube_kind *kube_kind_at(size_t n);

/* NULL if there is no such kind. Kinds that every group knows are found under each group and
 * version, also those of custom resources. */
const struct kube_kind *
kube_kind_find(struct kvs_view group, struct kvs_view version, struct kvs_view kind);

/* The same by "apps/v1" or "v1". */
const struct kube_kind *kube_kind_find_api(struct kvs_view api_version, struct kvs_view kind);

/* The kind in the version that its group prefers; NULL if the group has none. */
const struct kube_kind *kube_kind_preferred(struct kvs_view group, struct kvs_view kind);

/* Of a list, the kind of its items; NULL if they may be anything. */
const struct kube_kind *kube_kind_item(const struct kube_kind *kind);

/* The built-in groups and versions, a group's preferred version first; NULL at the end. */
const struct kube_group_version *kube_group_version_at(size_t n);

/* ---- messages ---- */

size_t kube_n_messages(void);

/* By enum kube_message_id (proto/kube/schema_sizes.h); NULL from kube_n_messages() on. */
const struct kube_message *kube_message_at(size_t id);

/* By the name that OpenAPI has: "io.k8s.api.core.v1.Pod". NULL if there is none. */
const struct kube_message *kube_message_find(struct kvs_view name);

size_t kube_message_id_of(const struct kube_message *m);

static inline const struct kube_message *kube_kind_message(const struct kube_kind *kind)
{
    return kube_message_at(kind->message);
}

static inline const char *kube_message_name(const struct kube_message *m)
{
    return kube_string(m->name);
}

/* "Pod"; "v1.Pod", as Go prints the type. */
const char *kube_message_go_name(const struct kube_message *m);
const char *kube_message_go_type(const struct kube_message *m);

/* ---- fields ---- */

/* A message's own fields in the order of its struct, n < m->n_fields; embedded messages are one
 * field with KUBE_FIELD_INLINE. */
static inline const struct kube_field *kube_field_own(const struct kube_message *m, size_t n)
{
    return &kube_table_fields[m->first_field + n];
}

/* The fields as JSON has them, in JSON's order, pos < m->n_flat. */
static inline const struct kube_field *kube_field_flat(const struct kube_message *m, size_t pos)
{
    return &kube_table_fields[kube_table_flat[m->first_flat + pos]];
}

/* Position (for kube_field_flat) of the field with this JSON name, or -1. `hint` is looked at
 * first: objects mostly come in order, so a caller passes the last position plus 1. */
int kube_field_find(const struct kube_message *m, struct kvs_view name, size_t hint);

/* The same as a field; NULL if there is none. */
const struct kube_field *kube_field_named(const struct kube_message *m, struct kvs_view name);

/* The own field with this protobuf number; NULL if there is none. Own fields in the order of their
 * numbers are kube_field_by_number(m, 0 .. n_fields - 1); numbers of 0 come first. */
const struct kube_field *kube_field_numbered(const struct kube_message *m, uint32_t number);

static inline const struct kube_field *kube_field_by_number(const struct kube_message *m, size_t n)
{
    return kube_field_own(m, kube_table_by_number[m->first_field + n]);
}

static inline const char *kube_field_name(const struct kube_field *f)
{
    return kube_string(f->name);
}

/* NULL unless the value, or each element, is a message. */
static inline const struct kube_message *kube_field_message(const struct kube_field *f)
{
    return f->type == KUBE_TYPE_MESSAGE ? &kube_table_messages[f->target] : NULL;
}

static inline const struct kube_rule *kube_field_rule(const struct kube_field *f)
{
    return &kube_table_rules[f->rule];
}

/* JSON text of the default that the API's types state; NULL if they state none. Most of
 * Kubernetes' defaults are code, not markers. */
static inline const char *kube_field_default(const struct kube_field *f)
{
    return f->default_value == 0 ? NULL : kube_string(kube_table_defaults[f->default_value]);
}

/* As OpenAPI has it: a client has to give this field. */
static inline bool kube_field_is_required(const struct kube_field *f)
{
    return (f->flags & (KUBE_FIELD_OPTIONAL | KUBE_FIELD_OMITEMPTY)) == 0 ||
           (f->flags & KUBE_FIELD_REQUIRED) != 0;
}

/* How many values the field may have; 0: any. */
size_t kube_field_n_enum(const struct kube_field *f);
const char *kube_field_enum(const struct kube_field *f, size_t n);

/* One of a rule's list keys, n from 0; false when there are no more. */
bool kube_rule_key(const struct kube_rule *rule, size_t n, struct kvs_view *ret_key);

/* ---- descriptions; linking these takes half a megabyte ---- */

/* "" if there is none. */
const char *kube_message_doc(const struct kube_message *m);
const char *kube_field_doc(const struct kube_field *f);

#endif
