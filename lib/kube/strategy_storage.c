/* Volumes, claims and classes of storage: defaults, and the status of new ones. */
#include "kube/strategy_int.h"

void volume_default(struct kube_edit *e, yyjson_mut_val *volume)
{
    yyjson_mut_val *spec = edit_object(e, volume, "spec");
    yyjson_mut_val *host_path = kube_json_get(spec, "hostPath");

    edit_default_text(e, edit_object(e, volume, "status"), "phase", "Pending");
    edit_default_text(e, spec, "persistentVolumeReclaimPolicy", "Retain");
    edit_default_text(e, spec, "volumeMode", "Filesystem");
    if (yyjson_mut_is_obj(host_path)) {
        edit_default_pointer(e, host_path, "type", "");
    }
}

void volume_prepare_create(struct kube_edit *e, yyjson_mut_val *volume)
{
    yyjson_mut_val *status = edit_object(e, volume, "status");

    edit_default_text(e, status, "phase", "Pending");
    if (e->change->now.len > 0) {
        edit_text(e, status, "lastPhaseTransitionTime", e->change->now);
    }
}

void claim_spec_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    edit_default_text(e, spec, "volumeMode", "Filesystem");
}

void claim_default(struct kube_edit *e, yyjson_mut_val *claim)
{
    claim_spec_default(e, edit_object(e, claim, "spec"));
    edit_default_text(e, edit_object(e, claim, "status"), "phase", "Pending");
}

void claim_prepare_create(struct kube_edit *e, yyjson_mut_val *claim)
{
    edit_default_text(e, edit_object(e, claim, "status"), "phase", "Pending");
}

void storage_class_default(struct kube_edit *e, yyjson_mut_val *object)
{
    edit_default_pointer(e, object, "reclaimPolicy", "Delete");
    edit_default_pointer(e, object, "volumeBindingMode", "Immediate");
}

void csi_driver_default(struct kube_edit *e, yyjson_mut_val *driver)
{
    yyjson_mut_val *spec = edit_object(e, driver, "spec");

    edit_default_bool(e, spec, "attachRequired", true);
    edit_default_bool(e, spec, "podInfoOnMount", false);
    edit_default_bool(e, spec, "storageCapacity", false);
    edit_default_bool(e, spec, "requiresRepublish", false);
    edit_default_bool(e, spec, "seLinuxMount", false);
    edit_default_pointer(e, spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    edit_default_list(e, spec, "volumeLifecycleModes", "Persistent");
}
