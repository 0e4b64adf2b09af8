/* The tables say what Kubernetes' types say, and every look-up finds every entry. */
#include "test_base.h"

#include <string.h>

#include "base/attr.h"
#include "base/view.h"
#include "kube/schema.h"
#include "kube/schema_sizes.h"

static const struct kube_kind *kind_of(const char *api_version, const char *kind)
{
    return kube_kind_find_api(view_str(api_version), view_str(kind));
}

static const struct kube_message *message_of(const char *name)
{
    const struct kube_message *m = kube_message_find(view_str(name));

    assert_non_null(m);
    return m;
}

static const struct kube_field *field_of(const char *message, const char *name)
{
    const struct kube_field *f = kube_field_named(message_of(message), view_str(name));

    assert_non_null(f);
    return f;
}

static void test_every_kind_is_found(void **state)
{
    (void)state;
    assert_int_equal(kube_n_kinds(), KUBE_N_KINDS);
    for (size_t i = 0; i < kube_n_kinds(); i++) {
        const struct kube_kind *k = kube_kind_at(i);

        assert_ptr_equal(k, kube_kind_find(view_str(kube_string(k->group)),
                                           view_str(kube_string(k->version)),
                                           view_str(kube_string(k->kind))));
        assert_non_null(kube_kind_message(k));
        if (k->item != KUBE_NO_KIND) {
            assert_true((k->flags & KUBE_KIND_LIST) != 0);
        }
    }
    assert_null(kube_kind_at(kube_n_kinds()));
    assert_null(kind_of("v1", "Pods"));
    assert_null(kind_of("v7", "Pod"));
    assert_null(kind_of("", ""));
    assert_null(kind_of("apps/v1/x", "Deployment"));
}

static void test_kinds_know_their_relations(void **state)
{
    const struct kube_kind *pods = kind_of("v1", "PodList");
    const struct kube_kind *scale;

    (void)state;
    assert_ptr_equal(kube_kind_item(pods), kind_of("v1", "Pod"));
    assert_null(kube_kind_item(kind_of("v1", "List")));
    assert_true((kind_of("v1", "Pod")->flags & KUBE_KIND_NAMESPACED) != 0);
    assert_true((kind_of("v1", "Node")->flags & KUBE_KIND_RESOURCE) != 0);
    assert_true((kind_of("v1", "Node")->flags & KUBE_KIND_NAMESPACED) == 0);
    assert_true((kind_of("v1", "ConfigMap")->flags & KUBE_KIND_NO_STATUS) == 0);
    assert_int_equal(kind_of("batch/v1beta1", "CronJob")->removed, 25);
    scale = kind_of("autoscaling/v1", "Scale");
    assert_string_equal(kube_message_name(kube_kind_message(scale)),
                        "io.k8s.api.autoscaling.v1.Scale");
    /* What requests and answers of the API itself are made of. */
    assert_non_null(kind_of("policy/v1", "Eviction"));
    assert_non_null(kind_of("authentication.k8s.io/v1", "TokenRequest"));
    assert_non_null(kind_of("meta.k8s.io/v1", "Table"));
    assert_non_null(kind_of("meta.k8s.io/v1", "PartialObjectMetadataList"));
    assert_non_null(kind_of("apidiscovery.k8s.io/v2", "APIGroupDiscoveryList"));
    assert_non_null(kind_of("v1", "APIResourceList"));
}

static void test_some_kinds_belong_to_every_group(void **state)
{
    const struct kube_kind *options = kind_of("meta.k8s.io/v1", "DeleteOptions");

    (void)state;
    assert_non_null(options);
    assert_ptr_equal(options, kind_of("apps/v1", "DeleteOptions"));
    assert_ptr_equal(options, kind_of("example.com/v1alpha7", "DeleteOptions"));
    assert_ptr_equal(kind_of("v1", "Status"), kind_of("example.com/v1", "Status"));
    assert_non_null(kind_of("v1", "WatchEvent"));
    assert_null(kind_of("example.com/v1", "Table"));
    assert_null(kind_of("example.com/v1", "APIGroup"));
}

static void test_versions_are_in_order_of_preference(void **state)
{
    static const struct {
        const char *group, *kind, *version;
    } want[] = {
        {"autoscaling", "HorizontalPodAutoscaler", "v2"},
        {"autoscaling", "Scale", "v1"},
        {"batch", "CronJob", "v1"},
        {"", "Pod", "v1"},
        {"networking.k8s.io", "Ingress", "v1"},
        {"admissionregistration.k8s.io", "MutatingAdmissionPolicy", "v1alpha1"},
        {"resource.k8s.io", "ResourceClaim", "v1beta1"},
    };
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct kube_kind *k =
            kube_kind_preferred(view_str(want[i].group), view_str(want[i].kind));

        assert_non_null(k);
        assert_string_equal(kube_string(k->version), want[i].version);
        assert_true((k->flags & KUBE_KIND_PREFERRED) != 0);
    }
    assert_null(kube_kind_preferred(view_str("apps"), view_str("Pod")));
    while (kube_group_version_at(n) != NULL) {
        n++;
    }
    assert_int_equal(n, KUBE_N_GROUP_VERSIONS);
}

static void test_every_field_is_found(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t id = 0; id < kube_n_messages(); id++) {
        const struct kube_message *m = kube_message_at(id);

        assert_ptr_equal(m, kube_message_find(view_str(kube_message_name(m))));
        assert_int_equal(kube_message_id_of(m), id);
        for (size_t pos = 0; pos < m->n_flat; pos++) {
            struct kvs_view name = view_str(kube_field_name(kube_field_flat(m, pos)));

            for (size_t hint = 0; hint <= m->n_flat; hint++) {
                assert_int_equal(kube_field_find(m, name, hint), pos);
            }
        }
        for (size_t i = 0; i < m->n_fields; i++) {
            const struct kube_field *f = kube_field_by_number(m, i);

            if (f->number != 0) {
                assert_ptr_equal(kube_field_numbered(m, f->number), f);
            }
            n++;
        }
        assert_int_equal(kube_field_find(m, VIEW_LITERAL("nosuch"), 0), -1);
        assert_int_equal(kube_field_find(m, VIEW_LITERAL(""), 0), -1);
        assert_null(kube_field_numbered(m, 0));
        assert_null(kube_field_numbered(m, 100000));
    }
    assert_int_equal(n, KUBE_N_FIELDS);
    assert_null(kube_message_at(kube_n_messages()));
    assert_null(kube_message_find(VIEW_LITERAL("io.k8s.api.core.v1.Po")));
}

static void test_embedded_fields_are_the_outer_ones(void **state)
{
    const struct kube_message *volume = message_of("io.k8s.api.core.v1.Volume");
    int pos = kube_field_find(volume, VIEW_LITERAL("hostPath"), 0);

    (void)state;
    assert_true(pos > 0);
    assert_int_equal(volume->n_fields, 2);
    assert_true((kube_field_own(volume, 1)->flags & KUBE_FIELD_INLINE) != 0);
    assert_ptr_equal(kube_field_message(kube_field_own(volume, 1)),
                     message_of("io.k8s.api.core.v1.VolumeSource"));
    assert_ptr_equal(kube_field_flat(volume, (size_t)pos),
                     field_of("io.k8s.api.core.v1.VolumeSource", "hostPath"));
    /* Two embedded in each other. */
    assert_non_null(
        field_of("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations", "apiGroups"));
    /* Names are compared with case. */
    assert_int_equal(kube_field_find(volume, VIEW_LITERAL("hostpath"), 0), -1);
}

static void test_fields_say_how_they_are_merged(void **state)
{
    const struct kube_rule *containers =
        kube_field_rule(field_of("io.k8s.api.core.v1.PodSpec", "containers"));
    const struct kube_rule *ports =
        kube_field_rule(field_of("io.k8s.api.core.v1.Container", "ports"));
    const struct kube_rule *volumes =
        kube_field_rule(field_of("io.k8s.api.core.v1.PodSpec", "volumes"));
    struct kvs_view key;

    (void)state;
    assert_int_equal(containers->list_type, KUBE_LIST_MAP);
    assert_int_equal(containers->strategy, KUBE_PATCH_MERGE);
    assert_string_equal(kube_string(containers->merge_key), "name");
    assert_int_equal(volumes->strategy, KUBE_PATCH_MERGE | KUBE_PATCH_RETAIN_KEYS);
    assert_string_equal(kube_string(ports->merge_key), "containerPort");
    assert_true(kube_rule_key(ports, 0, &key) && view_equal_str(key, "containerPort"));
    assert_true(kube_rule_key(ports, 1, &key) && view_equal_str(key, "protocol"));
    assert_false(kube_rule_key(ports, 2, &key));
    assert_false(kube_rule_key(kube_field_rule(field_of("io.k8s.api.core.v1.Container", "command")),
                               0, &key));
    assert_int_equal(
        kube_field_rule(field_of("io.k8s.api.core.v1.Container", "command"))->list_type,
        KUBE_LIST_ATOMIC);
    assert_int_equal(
        kube_field_rule(field_of("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "finalizers"))
            ->list_type,
        KUBE_LIST_SET);
    assert_true((message_of("io.k8s.api.core.v1.SecretKeySelector")->flags & KUBE_MESSAGE_ATOMIC) !=
                0);
}

static void test_fields_say_what_they_hold(void **state)
{
    const struct kube_field *policy = field_of("io.k8s.api.core.v1.Container", "imagePullPolicy");
    const struct kube_field *protocol = field_of("io.k8s.api.core.v1.ContainerPort", "protocol");

    (void)state;
    assert_int_equal(kube_field_n_enum(policy), 3);
    assert_string_equal(kube_field_enum(policy, 0), "Always");
    assert_string_equal(kube_field_enum(policy, 1), "IfNotPresent");
    assert_string_equal(kube_field_enum(policy, 2), "Never");
    assert_string_equal(kube_string(policy->go_type), "v1.PullPolicy");
    assert_string_equal(kube_field_default(protocol), "\"TCP\"");
    assert_null(kube_field_default(policy));
    assert_int_equal(kube_field_n_enum(field_of("io.k8s.api.core.v1.Container", "image")), 0);
    assert_true(kube_field_is_required(field_of("io.k8s.api.core.v1.Container", "name")));
    assert_false(kube_field_is_required(field_of("io.k8s.api.core.v1.Container", "image")));
    assert_int_equal(field_of("io.k8s.api.core.v1.Secret", "data")->type, KUBE_TYPE_BYTES);
    assert_int_equal(field_of("io.k8s.api.core.v1.Secret", "data")->shape, KUBE_SHAPE_MAP);
    assert_int_equal(field_of("io.k8s.api.core.v1.ServicePort", "targetPort")->type,
                     KUBE_TYPE_INT_OR_STRING);
    assert_int_equal(field_of("io.k8s.api.core.v1.ResourceRequirements", "limits")->type,
                     KUBE_TYPE_QUANTITY);
    assert_true((field_of("io.k8s.api.apps.v1.DeploymentSpec", "replicas")->flags &
                 KUBE_FIELD_POINTER) != 0);
    assert_string_equal(kube_message_go_type(message_of("io.k8s.api.core.v1.PodSpec")),
                        "v1.PodSpec");
}

static void test_descriptions(void **state)
{
    (void)state;
    assert_string_equal(kube_message_doc(message_of("io.k8s.api.core.v1.ConfigMap")),
                        "ConfigMap holds configuration data for pods to consume.");
    assert_string_equal(
        kube_field_doc(field_of("io.k8s.api.apps.v1.DeploymentSpec", "replicas")),
        "Number of desired pods. This is a pointer to distinguish between explicit zero and not "
        "specified. Defaults to 1.");
    assert_int_equal(KUBE_MESSAGE_CORE_V1_CONFIGMAP,
                     kube_message_id_of(message_of("io.k8s.api.core.v1.ConfigMap")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_found),
        cmocka_unit_test(test_kinds_know_their_relations),
        cmocka_unit_test(test_some_kinds_belong_to_every_group),
        cmocka_unit_test(test_versions_are_in_order_of_preference),
        cmocka_unit_test(test_every_field_is_found),
        cmocka_unit_test(test_embedded_fields_are_the_outer_ones),
        cmocka_unit_test(test_fields_say_how_they_are_merged),
        cmocka_unit_test(test_fields_say_what_they_hold),
        cmocka_unit_test(test_descriptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
