/* The layout of the generated tables of Kubernetes' API types (proto/kube/, by tools/kube-schema).
 *
 * All are constant and without pointers, so that they need no relocation, lie in read-only pages
 * and are shared by every process that links them. Names are offsets into one pool of strings;
 * offset 0 is the empty one. Use schema.h, not the arrays. */
#ifndef KUBE_SCHEMA_TABLE_H
#define KUBE_SCHEMA_TABLE_H

#include <stdint.h>

enum kube_type {
    KUBE_TYPE_BOOL,
    KUBE_TYPE_INT32,
    KUBE_TYPE_INT64,
    KUBE_TYPE_STRING,
    KUBE_TYPE_BYTES,         /* base64 in JSON */
    KUBE_TYPE_MESSAGE,       /* `target` says which */
    KUBE_TYPE_QUANTITY,      /* "100m" or a number */
    KUBE_TYPE_INT_OR_STRING, /* a port by number or name */
    KUBE_TYPE_TIME,          /* RFC 3339, whole seconds */
    KUBE_TYPE_MICRO_TIME,    /* RFC 3339, six digits after the point */
    KUBE_TYPE_RAW,           /* any JSON, kept as it is; its text in protobuf */
    KUBE_TYPE_FIELDS_V1,     /* the same, in managedFields */
    KUBE_TYPE_ANY,           /* a cell of a Table; not in protobuf */
    KUBE_TYPE_COUNT
};

enum kube_shape {
    KUBE_SHAPE_ONE,
    KUBE_SHAPE_LIST,
    KUBE_SHAPE_MAP, /* string to value */
};

enum kube_field_flag {
    KUBE_FIELD_OMITEMPTY = 1 << 0, /* Go leaves it out of JSON when it is empty */
    KUBE_FIELD_POINTER = 1 << 1,   /* absent and zero are different things */
    KUBE_FIELD_INLINE = 1 << 2,    /* embedded: its fields are the outer message's in JSON */
    KUBE_FIELD_OPTIONAL =
        1 << 3, /* marked so; required is what is neither optional nor omitempty */
    KUBE_FIELD_REQUIRED = 1 << 4, /* marked so */
};

struct kube_field {
    uint32_t name;    /* in JSON; empty for KUBE_FIELD_INLINE */
    uint32_t go_type; /* as Go prints it in errors: "[]v1.Container" */
    uint16_t target;  /* message of a KUBE_TYPE_MESSAGE; enum of a KUBE_TYPE_STRING, 0: free */
    uint16_t number;  /* in protobuf; 0: not there */
    uint8_t type;     /* enum kube_type, of the value or of each element */
    uint8_t shape;    /* enum kube_shape */
    uint8_t flags;    /* enum kube_field_flag */
    uint8_t rule;     /* how lists and maps are merged */
    uint8_t default_value;
};

enum kube_message_flag {
    KUBE_MESSAGE_IS_LIST = 1 << 0, /* a list with a name: its only field is the list's */
    KUBE_MESSAGE_ATOMIC = 1 << 1,  /* server-side apply replaces it as a whole */
    KUBE_MESSAGE_HAS_INLINE = 1 << 2,
};

struct kube_message {
    uint32_t name;        /* "io.k8s.api.core.v1.Pod" */
    uint16_t first_field; /* in kube_table_fields and kube_table_by_number */
    uint16_t first_flat;  /* in kube_table_flat and kube_table_by_name */
    uint8_t n_fields;     /* embedded messages count as one */
    uint8_t n_flat;       /* as JSON has them: embedded fields instead of the embedded message */
    uint8_t flags;        /* enum kube_message_flag */
};

enum kube_list_type {
    KUBE_LIST_UNSAID,
    KUBE_LIST_ATOMIC,
    KUBE_LIST_SET,
    KUBE_LIST_MAP,
};

enum kube_patch_strategy {
    KUBE_PATCH_MERGE = 1 << 0,
    KUBE_PATCH_RETAIN_KEYS = 1 << 1,
    KUBE_PATCH_REPLACE = 1 << 2,
};

struct kube_rule {
    uint32_t list_keys; /* of KUBE_LIST_MAP, with commas between them */
    uint32_t merge_key; /* of a strategic merge patch */
    uint8_t list_type;  /* enum kube_list_type; KUBE_LIST_ATOMIC also for maps and structs */
    uint8_t strategy;   /* enum kube_patch_strategy */
};

struct kube_enum {
    uint16_t first; /* in kube_table_enum_values */
    uint16_t n;
};

enum kube_kind_flag {
    KUBE_KIND_LIST = 1 << 0,       /* has items; `item` is their kind */
    KUBE_KIND_RESOURCE = 1 << 1,   /* upstream generates a client for it */
    KUBE_KIND_NAMESPACED = 1 << 2, /* of resources */
    KUBE_KIND_NO_STATUS = 1 << 3,  /* no status subresource, though there may be such a field */
    KUBE_KIND_PREFERRED = 1 << 4,  /* the first of its group's versions that has this kind */
    KUBE_KIND_ANY_GROUP = 1 << 5,  /* every group knows it: WatchEvent, DeleteOptions, ... */
};

#define KUBE_NO_KIND UINT16_MAX

struct kube_kind {
    uint32_t group; /* "" is the core group */
    uint32_t version;
    uint32_t kind;
    uint16_t message;
    uint16_t item;                           /* of a list; KUBE_NO_KIND */
    uint8_t flags;                           /* enum kube_kind_flag */
    uint8_t introduced, deprecated, removed; /* minor release of 1.x, 0: none is named */
};

struct kube_group_version {
    uint32_t group;
    uint32_t version;
};

extern const char kube_table_strings[];
extern const struct kube_field kube_table_fields[];
extern const struct kube_message kube_table_messages[];
extern const uint16_t kube_table_flat[];     /* per message: fields in JSON's order */
extern const uint8_t kube_table_by_name[];   /* per message: places in flat, by length and bytes */
extern const uint8_t kube_table_by_number[]; /* per message: fields by protobuf number */
extern const uint32_t kube_table_defaults[]; /* JSON texts; 0 is none */
extern const struct kube_rule kube_table_rules[];
extern const struct kube_enum kube_table_enums[]; /* 0 is none */
extern const uint32_t kube_table_enum_values[];
extern const struct kube_kind kube_table_kinds[]; /* by group, version, kind */
/* By group; a group's versions in the order of preference. */
extern const struct kube_group_version kube_table_group_versions[];

/* In an object file of their own: only a program that shows descriptions pays for them. */
extern const char kube_table_doc_strings[];
extern const uint32_t kube_table_message_docs[];
extern const uint32_t kube_table_field_docs[];

#endif
