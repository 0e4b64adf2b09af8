#include "kube/intstr.h"

#include "base/assert.h"
#include "base/view.h"
#include "kube/quote.h"

int kube_intstr_read(yyjson_mut_val *value, struct kube_intstr *ret)
{
    if (yyjson_mut_is_str(value)) {
        *ret = kube_intstr_text(view_make(yyjson_mut_get_str(value), yyjson_mut_get_len(value)));
        return 0;
    }
    if (yyjson_mut_is_uint(value) && yyjson_mut_get_uint(value) <= INT32_MAX) {
        *ret = kube_intstr_number((int32_t)yyjson_mut_get_uint(value));
        return 0;
    }
    if (yyjson_mut_is_sint(value) && yyjson_mut_get_sint(value) >= INT32_MIN &&
        yyjson_mut_get_sint(value) <= INT32_MAX) {
        *ret = kube_intstr_number((int32_t)yyjson_mut_get_sint(value));
        return 0;
    }
    return KVS_E_INVALID;
}

/* Go's strconv.Atoi: a sign and digits within 64 bits; `ret_why` is its reason. */
static bool intstr_atoi(struct kvs_view text, int64_t *ret_value, const char **ret_why)
{
    const char *p = text.data;
    size_t i = text.len > 0 && (p[0] == '-' || p[0] == '+') ? 1 : 0;
    __int128 value = 0;

    *ret_why = "invalid syntax";
    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            *ret_why = "invalid syntax";
            return false;
        }
        value = value * 10 + (p[i] - '0');
        if (value > INT64_MAX) {
            *ret_why = "value out of range";
            value = INT64_MAX;
        }
    }
    *ret_value = p[0] == '-' ? -(int64_t)value : (int64_t)value;
    return (*ret_why)[0] != 'v';
}

static int
intstr_refuse(struct kvs_view text, struct kvs_view number, const char *reason, struct buf *why)
{
    if (why == NULL) {
        return KVS_E_INVALID;
    }
    buf_append_str(why, "invalid value for IntOrString: ");
    if (reason == NULL) {
        buf_append_str(why, "invalid type: string is not a percentage");
        return KVS_E_INVALID;
    }
    buf_append_str(why, "invalid value ");
    kube_quote(why, text);
    buf_append_str(why, ": strconv.Atoi: parsing ");
    kube_quote(why, number);
    buf_printf(why, ": %s", reason);
    return KVS_E_INVALID;
}

static int64_t intstr_divide(__int128 value, int by, bool round_up)
{
    __int128 quotient = value / by;
    __int128 rest = value % by;

    if (rest > 0 && round_up) {
        quotient++;
    } else if (rest < 0 && !round_up) {
        quotient--;
    }
    return quotient > INT32_MAX ? INT32_MAX : quotient < INT32_MIN ? INT32_MIN : (int64_t)quotient;
}

int kube_intstr_scaled(
    const struct kube_intstr *value, int total, bool round_up, int *ret_scaled, struct buf *why)
{
    struct kvs_view number = value->text;
    const char *reason = NULL;
    int64_t percent = 0;

    kvs_assert(ret_scaled != NULL);
    if (!value->is_text) {
        *ret_scaled = value->number;
        return 0;
    }
    if (number.len == 0 || ((const char *)number.data)[number.len - 1] != '%') {
        return intstr_refuse(value->text, number, NULL, why);
    }
    number.len--;
    if (!intstr_atoi(number, &percent, &reason)) {
        return intstr_refuse(value->text, number, reason, why);
    }
    *ret_scaled = (int)intstr_divide((__int128)percent * total, 100, round_up);
    return 0;
}

int kube_intstr_fenceposts(const struct kube_intstr *max_surge,
                           const struct kube_intstr *max_unavailable,
                           int desired,
                           int *ret_surge,
                           int *ret_unavailable)
{
    int surge;
    int unavailable;
    int err = kube_intstr_scaled(max_surge, desired, true, &surge, NULL);

    if (err == 0) {
        err = kube_intstr_scaled(max_unavailable, desired, false, &unavailable, NULL);
    }
    if (err != 0) {
        return err;
    }
    *ret_surge = surge;
    /* Validation forbids both to be zero, but percentages of few pods round to it. */
    *ret_unavailable = surge == 0 && unavailable == 0 ? 1 : unavailable;
    return 0;
}
