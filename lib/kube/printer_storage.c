/* Volumes, claims on them, and their classes. */
#include "kube/printer_int.h"

#define BETA_CLASS "volume.beta.kubernetes.io/storage-class"

/* RWO,ROX,RWX,RWOP in this order, each once. */
static void cell_access_modes(struct kube_row *row, yyjson_mut_val *modes)
{
    static const struct {
        const char *mode;
        const char *shown;
    } all[] = {
        {"ReadWriteOnce", "RWO"},
        {"ReadOnlyMany", "ROX"},
        {"ReadWriteMany", "RWX"},
        {"ReadWriteOncePod", "RWOP"},
    };
    struct printer_words given = {0};
    struct printer_words shown = {0};

    printer_words_add_list(&given, modes);
    printer_words_sort(&given);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (printer_words_has(&given, view_str(all[i].mode))) {
            printer_words_add(&shown, view_str(all[i].shown), NULL);
        }
    }
    shown.failed = shown.failed || given.failed;
    printer_words_fini(&given);
    printer_cell_words(row, &shown, ",", "");
}

/* The annotation came before the field, and goes before it. */
static void cell_storage_class(struct kube_row *row)
{
    yyjson_mut_val *annotation =
        kube_json_get(printer_at(row->object, "metadata.annotations"), BETA_CLASS);

    if (yyjson_mut_is_str(annotation)) {
        kube_cell_text(row, kube_json_str(annotation));
    } else {
        printer_cell_str(row, "spec.storageClassName");
    }
}

static void cell_str_or_unset(struct kube_row *row, const char *path)
{
    yyjson_mut_val *value = printer_at(row->object, path);

    kube_cell_text(row, yyjson_mut_is_str(value) ? kube_json_str(value) : VIEW_LITERAL("<unset>"));
}

static void cell_phase(struct kube_row *row)
{
    if (printer_str(row->object, "metadata.deletionTimestamp").len > 0) {
        kube_cell_text(row, VIEW_LITERAL("Terminating"));
    } else {
        printer_cell_str(row, "status.phase");
    }
}

static void cell_quantity(struct kube_row *row, const char *path)
{
    struct buf text;

    buf_init(&text);
    printer_append_quantity(&text, row->object, path);
    kube_cell_buf(row, &text);
}

/* ---- volumes ---- */

#define VOLUME_SPEC   "core.v1.PersistentVolumeSpec"
#define VOLUME_STATUS "core.v1.PersistentVolumeStatus"

static const struct kube_column volume_columns[] = {
    PRINTER_NAME,
    {"Capacity", "string", "", 0, PRINTER_DOC(VOLUME_SPEC, "capacity")},
    {"Access Modes", "string", "", 0, PRINTER_DOC(VOLUME_SPEC, "accessModes")},
    {"Reclaim Policy", "string", "", 0, PRINTER_DOC(VOLUME_SPEC, "persistentVolumeReclaimPolicy")},
    {"Status", "string", "", 0, PRINTER_DOC(VOLUME_STATUS, "phase")},
    {"Claim", "string", "", 0, PRINTER_DOC(VOLUME_SPEC, "claimRef")},
    {"StorageClass", "string", "", 0, PRINTER_SAYS("StorageClass of the pv")},
    {"VolumeAttributesClass", "string", "", 0, PRINTER_SAYS("VolumeAttributesClass of the pv")},
    {"Reason", "string", "", 0, PRINTER_DOC(VOLUME_STATUS, "reason")},
    PRINTER_AGE,
    {"VolumeMode", "string", "", 1, PRINTER_DOC(VOLUME_SPEC, "volumeMode")},
};

static void volume_cell_claim(struct kube_row *row)
{
    yyjson_mut_val *claim = printer_at(row->object, "spec.claimRef");
    struct buf text;

    buf_init(&text);
    if (yyjson_mut_is_obj(claim)) {
        buf_append_view(&text, kube_json_get_str(claim, "namespace"));
        buf_append_str(&text, "/");
        buf_append_view(&text, kube_json_get_str(claim, "name"));
    }
    kube_cell_buf(row, &text);
}

static void volume_cells(struct kube_row *row)
{
    kube_cell_name(row);
    cell_quantity(row, "spec.capacity.storage");
    cell_access_modes(row, printer_at(row->object, "spec.accessModes"));
    printer_cell_str(row, "spec.persistentVolumeReclaimPolicy");
    cell_phase(row);
    volume_cell_claim(row);
    cell_storage_class(row);
    cell_str_or_unset(row, "spec.volumeAttributesClassName");
    printer_cell_str(row, "status.reason");
    kube_cell_age(row);
    cell_str_or_unset(row, "spec.volumeMode");
}

/* ---- claims ---- */

#define CLAIM_SPEC   "core.v1.PersistentVolumeClaimSpec"
#define CLAIM_STATUS "core.v1.PersistentVolumeClaimStatus"

static const struct kube_column claim_columns[] = {
    PRINTER_NAME,
    {"Status", "string", "", 0, PRINTER_DOC(CLAIM_STATUS, "phase")},
    {"Volume", "string", "", 0, PRINTER_DOC(CLAIM_SPEC, "volumeName")},
    {"Capacity", "string", "", 0, PRINTER_DOC(CLAIM_STATUS, "capacity")},
    {"Access Modes", "string", "", 0, PRINTER_DOC(CLAIM_STATUS, "accessModes")},
    {"StorageClass", "string", "", 0, PRINTER_SAYS("StorageClass of the pvc")},
    {"VolumeAttributesClass", "string", "", 0, PRINTER_SAYS("VolumeAttributesClass of the pvc")},
    PRINTER_AGE,
    {"VolumeMode", "string", "", 1, PRINTER_DOC(CLAIM_SPEC, "volumeMode")},
};

static void claim_cells(struct kube_row *row)
{
    bool is_bound = printer_str(row->object, "spec.volumeName").len > 0;

    kube_cell_name(row);
    cell_phase(row);
    printer_cell_str(row, "spec.volumeName");
    if (is_bound) {
        cell_quantity(row, "status.capacity.storage");
        cell_access_modes(row, printer_at(row->object, "status.accessModes"));
    } else {
        kube_cell_text(row, VIEW_LITERAL(""));
        kube_cell_text(row, VIEW_LITERAL(""));
    }
    cell_storage_class(row);
    cell_str_or_unset(row, "spec.volumeAttributesClassName");
    kube_cell_age(row);
    cell_str_or_unset(row, "spec.volumeMode");
}

/* ---- storage classes ---- */

static const struct kube_column class_columns[] = {
    PRINTER_NAME,
    {"Provisioner", "string", "", 0, PRINTER_DOC("storage.v1.StorageClass", "provisioner")},
    {"ReclaimPolicy", "string", "", 0, PRINTER_DOC("storage.v1.StorageClass", "reclaimPolicy")},
    {"VolumeBindingMode", "string", "", 0,
     PRINTER_DOC("storage.v1.StorageClass", "volumeBindingMode")},
    {"AllowVolumeExpansion", "string", "", 0,
     PRINTER_DOC("storage.v1.StorageClass", "allowVolumeExpansion")},
    PRINTER_AGE,
};

static bool class_is_default(yyjson_mut_val *class)
{
    static const char *const names[] = {
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    };
    yyjson_mut_val *annotations = printer_at(class, "metadata.annotations");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_equal_str(kube_json_get_str(annotations, names[i]), "true")) {
            return true;
        }
    }
    return false;
}

static void class_cells(struct kube_row *row)
{
    struct buf name;

    buf_init(&name);
    buf_append_view(&name, printer_str(row->object, "metadata.name"));
    buf_append_str(&name, class_is_default(row->object) ? " (default)" : "");
    kube_cell_buf(row, &name);
    printer_cell_str(row, "provisioner");
    printer_cell_str_or(row, "reclaimPolicy", "Delete");
    printer_cell_str_or(row, "volumeBindingMode", "Immediate");
    kube_cell_bool(row, printer_true(row->object, "allowVolumeExpansion"));
    kube_cell_age(row);
}

const struct kube_printer printers_storage[] = {
    PRINTER_OF("persistentvolumes", volume_columns, volume_cells),
    PRINTER_OF("persistentvolumeclaims", claim_columns, claim_cells),
    PRINTER_OF("storageclasses", class_columns, class_cells),
    {0},
};
