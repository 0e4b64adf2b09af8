/* The small grammars of lib/kube on arbitrary text: quantities, selectors, times, schedules, names.
 * What is accepted has to print as something that is accepted again and means the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/cron.h"
#include "kube/duration.h"
#include "kube/field_selector.h"
#include "kube/intstr.h"
#include "kube/label_selector.h"
#include "kube/names.h"
#include "kube/quantity.h"
#include "kube/quote.h"
#include "kube/timestamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_quantity(struct kvs_view text)
{
    struct kube_quantity q;
    struct kube_quantity again;
    char printed[KUBE_QUANTITY_TEXT_MAX];
    char stored[KUBE_QUANTITY_TEXT_MAX];
    const char *why = NULL;
    bool same;
    size_t len;

    if (kube_quantity_parse(text, &q, &why) != 0) {
        kvs_assert(why != NULL);
        return;
    }
    len = kube_quantity_print(&q, printed);
    kvs_assert(kube_quantity_parse(view_make(printed, len), &again, NULL) == 0);
    kvs_assert(kube_quantity_compare(&q, &again) == 0);
    kvs_assert(kube_quantity_normalize(text, stored, &same, NULL) == 0);
    kvs_assert(same || strcmp(stored, printed) == 0);
    kube_quantity_add(&again, &q);
    kube_quantity_sub(&again, &q);
    (void)kube_quantity_milli(&again); /* Only that it ends well. */
}

static void fuzz_labels(struct kvs_view text)
{
    static const struct kube_label labels[] = {{{"a", 1}, {"1", 1}}, {{"env", 3}, {"prod", 4}}};
    struct kube_label_selector s;
    struct kube_label_selector again;
    struct buf first;
    struct buf second;

    buf_init(&first);
    buf_init(&second);
    if (kube_label_selector_parse(text, &s, &first) != 0) {
        kvs_assert(first.len > 0);
    } else {
        kvs_assert(first.len == 0);
        kube_label_selector_print(&s, &first);
        kvs_assert(kube_label_selector_parse(buf_view(&first), &again, NULL) == 0);
        kube_label_selector_print(&again, &second);
        kvs_assert(view_equal(buf_view(&first), buf_view(&second)));
        kvs_assert(kube_label_selector_matches_labels(&s, labels, 2) ==
                   kube_label_selector_matches_labels(&again, labels, 2));
        kube_label_selector_fini(&again);
        kube_label_selector_fini(&s);
    }
    buf_fini(&first);
    buf_fini(&second);
}

static void fuzz_fields(struct kvs_view text)
{
    struct kube_field_selector s;
    struct kube_field_selector again;
    struct buf first;
    struct buf second;

    buf_init(&first);
    buf_init(&second);
    if (kube_field_selector_parse(text, &s, &first) == 0) {
        kube_field_selector_print(&s, &first);
        kvs_assert(kube_field_selector_parse(buf_view(&first), &again, NULL) == 0);
        kvs_assert(again.count == s.count);
        kube_field_selector_fini(&again);
        kube_field_selector_fini(&s);
    }
    buf_fini(&first);
    buf_fini(&second);
}

static void fuzz_times(struct kvs_view text, struct buf *out)
{
    struct kube_time t;
    struct kube_time again;
    char printed[KUBE_TIME_TEXT_MAX];
    char span[KUBE_DURATION_TEXT_MAX];
    int64_t ns;
    int64_t ns_again;

    if (kube_time_parse(text, &t, out) == 0 && t.seconds < INT64_C(253402300800)) {
        size_t len = kube_time_print_micro(t, printed);

        kvs_assert(t.seconds < -INT64_C(62167219200) ||
                   (kube_time_parse_micro(view_make(printed, len), &again, NULL) == 0 &&
                    again.seconds == t.seconds && again.nanos == t.nanos / 1000 * 1000));
    }
    if (kube_duration_parse(text, &ns, out) == 0) {
        size_t len = kube_duration_print(ns, span);

        kvs_assert(kube_duration_parse(view_make(span, len), &ns_again, NULL) == 0);
        kvs_assert(ns == ns_again);
        (void)kube_duration_human(ns, span); /* Only that it ends well. */
        (void)kube_duration_human_short(ns, span);
    }
}

static void fuzz_schedule(struct kvs_view text, struct buf *out)
{
    const int64_t now = INT64_C(1795896900);
    struct kube_cron cron;
    int64_t next;

    if (kube_cron_parse(text, &cron, out) == 0) {
        kvs_assert(kube_cron_next(&cron, NULL, now, &next) != 0 || next > now);
        kube_cron_fini(&cron);
    }
}

static void fuzz_names(struct kvs_view text)
{
    static const kube_name_fn checks[] = {
        kube_name_dns1123_label,
        kube_name_dns1123_subdomain,
        kube_name_dns1035_label,
        kube_name_qualified,
        kube_name_wildcard_subdomain,
        kube_name_label_value,
        kube_name_env_var,
        kube_name_c_identifier,
        kube_name_port,
        kube_name_percent,
        kube_name_config_key,
        kube_name_http_header,
        kube_name_path_segment,
        kube_name_ip,
        kube_name_cidr,
    };
    struct kube_name_messages messages;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        kvs_assert(checks[i](text, &messages) == (messages.count == 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kvs_view text = {data, size};
    struct kube_intstr value = kube_intstr_text(text);
    struct buf out;
    int scaled;

    buf_init(&out);
    fuzz_quantity(text);
    fuzz_labels(text);
    fuzz_fields(text);
    fuzz_times(text, &out);
    fuzz_schedule(text, &out);
    fuzz_names(text);
    (void)kube_intstr_scaled(&value, 10, true, &scaled, &out); /* Only that it ends well. */
    kube_quote(&out, text);
    buf_fini(&out);
    return 0;
}
