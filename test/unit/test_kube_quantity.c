/* resource.Quantity: what Kubernetes accepts, computes and prints. */
#include "kube/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"

static struct kube_quantity parse(const char *text)
{
    struct kube_quantity q;

    assert_int_equal(kube_quantity_parse(view_str(text), &q, NULL), 0);
    return q;
}

static void assert_prints(const struct kube_quantity *q, const char *expected)
{
    char text[KUBE_QUANTITY_TEXT_MAX];
    size_t len = kube_quantity_print(q, text);

    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void canonical_text(void **state)
{
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"0", "0"},
        {"00", "0"},
        {"-0", "0"},
        {"0n", "0"},
        {"0Mi", "0"},
        {"1", "1"},
        {"1000m", "1"},
        {"1500m", "1500m"},
        {"0.5", "500m"},
        {".5", "500m"},
        {"5.", "5"},
        {"+5", "5"},
        {"-5", "-5"},
        {"-0.25", "-250m"},
        {"100m", "100m"},
        {"1000", "1k"},
        {"1024", "1024"},
        {"1500000", "1500k"},
        {"1000000", "1M"},
        {"10G", "10G"},
        {"1.5G", "1500M"},
        {"1T", "1T"},
        {"1000T", "1P"},
        {"1E", "1E"},
        {"1000E", "1000E"},
        {"1Ki", "1Ki"},
        {"1024Ki", "1Mi"},
        {"1.5Gi", "1536Mi"},
        {"0.5Gi", "512Mi"},
        {"1048576Ki", "1Gi"},
        {"1000Ki", "1000Ki"},
        {"0.001Ki", "1024m"},
        {"0.0001Ki", "102400u"},
        {"0.1Mi", "104857600m"},
        {"1.25Ki", "1280"},
        {"0.5Ki", "512"},
        {"-1Ki", "-1Ki"},
        {"-1024Ki", "-1Mi"},
        {"8Ei", "9223372036854775807"},
        {"9Ei", "9223372036854775807"},
        {"1Ei", "1Ei"},
        {"1e3", "1e3"},
        {"1E3", "1e3"},
        {"1e4", "10e3"},
        {"1e-3", "1e-3"},
        {"1e-2", "10e-3"},
        {"100e3", "100e3"},
        {"1000e3", "1e6"},
        {"1.5e3", "1500"},
        {"12e6", "12e6"},
        {"1e0", "1"},
        {"1n", "1n"},
        {"1000n", "1u"},
        {"0.1n", "1n"},
        {"-0.1n", "-1n"},
        {"1.1n", "2n"},
        {"0.0000000001", "1n"},
        {"1e-100", "1e-9"},
        {"1e-99999999999", "1e-9"},
        {"123456789012345678", "123456789012345678"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808"},
        {"12345678901234567890", "12345678901234567890"},
        {"9999999999999999999999999999", "9999999999999999999999999999"},
        {"10000000000000000000000000001", "10000000000E"},
        {"1e400", "10e27"},
        {"m", "0"},
        {"3.999999999999Gi", "4294967295998926259n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_quantity q;

        print_message("%s\n", cases[i].text);
        assert_int_equal(kube_quantity_parse(view_str(cases[i].text), &q, NULL), 0);
        assert_true(q.format < KUBE_QUANTITY_FORMAT_COUNT);
        assert_prints(&q, cases[i].canonical);
    }
}

/* Texts of any length, with the point anywhere. */
static void long_texts(void **state)
{
    enum { N = 30000 };
    static const struct {
        const char *start;
        const char *end;
        const char *canonical;
    } cases[] = {
        {"1.", "", "1"},     {"1.", "1", "1000000001n"},
        {".", "1", "1n"},    {"-.", "1", "-1n"},
        {"1.", "Ki", "1Ki"}, {"1.", "1Ki", "1024000000001n"},
        {"", "7", "7"},      {"1", "", "10000000000E"},
        {"1.", "e3", "1e3"}, {"-1", "Ki", "-9223372036854775807"},
    };
    char *text = malloc(N + 16);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].start);
        struct kube_quantity q;

        memcpy(text, cases[i].start, len);
        memset(text + len, '0', N);
        memcpy(text + len + N, cases[i].end, strlen(cases[i].end) + 1);
        assert_int_equal(kube_quantity_parse(view_str(text), &q, NULL), 0);
        assert_prints(&q, cases[i].canonical);
    }
    free(text);
}

static void refusals(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", KUBE_QUANTITY_BAD_FORMAT},       {"abc", KUBE_QUANTITY_BAD_FORMAT},
        {"1.1.M", KUBE_QUANTITY_BAD_FORMAT},  {"1+1.0M", KUBE_QUANTITY_BAD_FORMAT},
        {"aoeu", KUBE_QUANTITY_BAD_FORMAT},   {" 1", KUBE_QUANTITY_BAD_FORMAT},
        {"1 ", KUBE_QUANTITY_BAD_FORMAT},     {"1Q", KUBE_QUANTITY_BAD_FORMAT},
        {"--1", KUBE_QUANTITY_BAD_SUFFIX},    {"1e3i", KUBE_QUANTITY_BAD_FORMAT},
        {"0.1mi", KUBE_QUANTITY_BAD_SUFFIX},  {"0.1am", KUBE_QUANTITY_BAD_FORMAT},
        {".5i", KUBE_QUANTITY_BAD_SUFFIX},    {"1i", KUBE_QUANTITY_BAD_SUFFIX},
        {"-3.01i", KUBE_QUANTITY_BAD_SUFFIX}, {"-3.01e-", KUBE_QUANTITY_BAD_SUFFIX},
        {"1e", KUBE_QUANTITY_BAD_SUFFIX},     {"1K", KUBE_QUANTITY_BAD_SUFFIX},
        {"1ki", KUBE_QUANTITY_BAD_SUFFIX},    {"1Mii", KUBE_QUANTITY_BAD_SUFFIX},
        {"1+1", KUBE_QUANTITY_BAD_SUFFIX},    {"1mm", KUBE_QUANTITY_BAD_SUFFIX},
        {"1Ee5", KUBE_QUANTITY_BAD_SUFFIX},   {"10GB", KUBE_QUANTITY_BAD_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_quantity q = {.nano = 7};
        const char *why = NULL;

        print_message("'%s'\n", cases[i].text);
        assert_int_equal(kube_quantity_parse(view_str(cases[i].text), &q, &why), KVS_E_INVALID);
        assert_string_equal(why, cases[i].why);
        assert_true(q.nano == 7);
    }
}

/* What the server writes back: a text that its quick parser takes for canonical stays. */
static void normalized_text(void **state)
{
    static const struct {
        const char *text;
        const char *stored; /* NULL: as it was */
    } cases[] = {
        {"0", NULL},       {"1", NULL},          {"+1", NULL},     {"1.500", NULL},
        {"1.5", "1500m"},  {"1E3", NULL},        {"1e3", NULL},    {"1e4", "10e3"},
        {"1000", "1k"},    {"12.000", "12"},     {"1.100", NULL},  {"0.100", "100m"},
        {"100m", NULL},    {"1000m", "1"},       {"1536Mi", NULL}, {"1025Ki", NULL},
        {"1024Ki", "1Mi"}, {"8Ki", NULL},        {"007", NULL},    {"1.5Gi", "1536Mi"},
        {"0x", "!"},       {"250.000m", "250m"}, {"10.00", "10"},  {"1024", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[KUBE_QUANTITY_TEXT_MAX];
        const char *why = NULL;
        bool same = false;
        int err = kube_quantity_normalize(view_str(cases[i].text), text, &same, &why);

        print_message("%s\n", cases[i].text);
        if (cases[i].stored != NULL && cases[i].stored[0] == '!') {
            assert_int_equal(err, KVS_E_INVALID);
            continue;
        }
        assert_int_equal(err, 0);
        assert_int_equal(same, cases[i].stored == NULL);
        if (!same) {
            assert_string_equal(text, cases[i].stored);
        }
    }
}

static void arithmetic(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        const char *sum;
        const char *difference;
        int order;
    } cases[] = {
        {"1", "1", "2", "0", 0},
        {"1", "1000m", "2", "0", 0},
        {"100m", "200m", "300m", "-100m", -1},
        {"1Gi", "1G", "2073741824", "73741824", 1},
        {"1Gi", "1Mi", "1025Mi", "1023Mi", 1},
        {"0", "1Ki", "1Ki", "-1Ki", -1},
        {"1e3", "1", "1001", "999", 1},
        {"1n", "1E", "1000000000000000000000000001n", "-999999999999999999999999999n", -1},
        {"9223372036854775807", "1", "9223372036854775808", "9223372036854775806", 1},
        {"-1", "1", "0", "-2", -1},
        {"10000000000E", "10000000000E", "10000000000E", "0", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_quantity a = parse(cases[i].a);
        struct kube_quantity b = parse(cases[i].b);
        struct kube_quantity sum = a;
        struct kube_quantity difference = a;

        kube_quantity_add(&sum, &b);
        kube_quantity_sub(&difference, &b);
        assert_prints(&sum, cases[i].sum);
        assert_prints(&difference, cases[i].difference);
        assert_int_equal(kube_quantity_compare(&a, &b), cases[i].order);
        assert_int_equal(kube_quantity_compare(&b, &a), -cases[i].order);
    }
}

static void scaled_values(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        int64_t milli;
    } cases[] = {
        {"0", 0, 0},
        {"1", 1, 1000},
        {"100m", 1, 100},
        {"1500m", 2, 1500},
        {"-1500m", -2, -1500},
        {"1u", 1, 1},
        {"1Gi", 1073741824, 1073741824000},
        {"1E", INT64_C(1000000000000000000), INT64_MAX},
        {"100E", INT64_MAX, INT64_MAX},
        {"-100E", INT64_MIN, INT64_MIN},
    };
    struct kube_quantity q;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        q = parse(cases[i].text);
        assert_int_equal(kube_quantity_value(&q), cases[i].value);
        assert_int_equal(kube_quantity_milli(&q), cases[i].milli);
    }
    q = parse("250m");
    assert_true(kube_quantity_float(&q) == 0.25);
    q = kube_quantity_make(1500, -3, KUBE_QUANTITY_DECIMAL_SI);
    assert_prints(&q, "1500m");
    q = kube_quantity_make(3 << 20, 0, KUBE_QUANTITY_BINARY_SI);
    assert_prints(&q, "3Mi");
    q = kube_quantity_make(INT64_MAX, 18, KUBE_QUANTITY_DECIMAL_SI);
    assert_prints(&q, "10000000000E");
    q = kube_quantity_make(-7, 18, KUBE_QUANTITY_DECIMAL_SI);
    assert_prints(&q, "-7E");
}

/* Printing and parsing agree on amounts of any size. */
static void round_trip(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct kube_quantity q;
        struct kube_quantity again;
        char text[KUBE_QUANTITY_TEXT_MAX];
        size_t len;

        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        q = kube_quantity_make((int64_t)(seed >> (i % 60)), (int)(seed % 13) - 9,
                               (enum kube_quantity_format)(i % KUBE_QUANTITY_FORMAT_COUNT));
        if (i % 2 == 0) {
            q.nano = -q.nano;
        }
        len = kube_quantity_print(&q, text);
        assert_int_equal(kube_quantity_parse(view_make(text, len), &again, NULL), 0);
        if (q.format == KUBE_QUANTITY_BINARY_SI && again.format == KUBE_QUANTITY_BINARY_SI &&
            q.nano > (__int128)INT64_MAX * 1000000000) {
            continue; /* capped by the parser */
        }
        assert_int_equal(kube_quantity_compare(&q, &again), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_text), cmocka_unit_test(refusals),
        cmocka_unit_test(long_texts),     cmocka_unit_test(normalized_text),
        cmocka_unit_test(arithmetic),     cmocka_unit_test(scaled_values),
        cmocka_unit_test(round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
