/* Go's durations and kubectl's ages. */
#include "kube/duration.h"

#include "kube_expect.h"

#define US     INT64_C(1000)
#define MS     (1000 * US)
#define S      (1000 * MS)
#define MINUTE (60 * S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static void parsed_and_printed(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *printed;
    } cases[] = {
        {"0", 0, "0s"},
        {"-0", 0, "0s"},
        {"5s", 5 * S, "5s"},
        {"30s", 30 * S, "30s"},
        {"1h", HOUR, "1h0m0s"},
        {"60m", HOUR, "1h0m0s"},
        {"1h30m", 90 * MINUTE, "1h30m0s"},
        {"1h15m30.918s", HOUR + 15 * MINUTE + 30 * S + 918 * MS, "1h15m30.918s"},
        {"300ms", 300 * MS, "300ms"},
        {"1.5h", 90 * MINUTE, "1h30m0s"},
        {".5s", 500 * MS, "500ms"},
        {"5.s", 5 * S, "5s"},
        {"-1.5s", -1500 * MS, "-1.5s"},
        {"+5s", 5 * S, "5s"},
        {"12us", 12 * US, "12\xc2\xb5s"},
        {"12\xc2\xb5s", 12 * US, "12\xc2\xb5s"},
        {"12\xce\xbcs3ms", 3 * MS + 12 * US, "3.012ms"},
        {"10ns", 10, "10ns"},
        {"1100ns", 1100, "1.1\xc2\xb5s"},
        {"100000h", 100000 * HOUR, "100000h0m0s"},
        {"9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s"},
        {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
        {"0.3333333333333333333h", 20 * MINUTE, "20m0s"},
        {"10s5s", 15 * S, "15s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;
        char text[KUBE_DURATION_TEXT_MAX];

        print_message("%s\n", cases[i].text);
        assert_int_equal(kube_duration_parse(view_str(cases[i].text), &ns, NULL), 0);
        assert_int_equal(ns, cases[i].ns);
        assert_int_equal(kube_duration_print(ns, text), strlen(cases[i].printed));
        assert_string_equal(text, cases[i].printed);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"s", "time: invalid duration \"s\""},
        {".", "time: invalid duration \".\""},
        {".s", "time: invalid duration \".s\""},
        {"3", "time: missing unit in duration \"3\""},
        {"3000.", "time: missing unit in duration \"3000.\""},
        {"3d", "time: unknown unit \"d\" in duration \"3d\""},
        {"1h 5m", "time: unknown unit \"h \" in duration \"1h 5m\""},
        {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
        {"9223372036854775.808us1ns", "time: invalid duration \"9223372036854775.808us1ns\""},
        {"3000000h", "time: invalid duration \"3000000h\""},
        {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;

        assert_int_equal(kube_duration_parse(view_str(cases[i].text), &ns, &why), KVS_E_INVALID);
        assert_text(&why, cases[i].why);
        assert_int_equal(ns, -1);
    }
    buf_fini(&why);
}

static void ages(void **state)
{
    static const struct {
        int64_t ns;
        const char *age;
        const char *shorter;
    } cases[] = {
        {-2 * S, "<invalid>", "<invalid>"},
        {-1500 * MS, "0s", "0s"},
        {-500 * MS, "0s", "0s"},
        {0, "0s", "0s"},
        {999 * MS, "0s", "0s"},
        {45 * S, "45s", "45s"},
        {60 * S, "60s", "1m"},
        {119 * S, "119s", "1m"},
        {120 * S, "2m", "2m"},
        {3 * MINUTE + 20 * S, "3m20s", "3m"},
        {10 * MINUTE - S, "9m59s", "9m"},
        {10 * MINUTE + 5 * S, "10m", "10m"},
        {3 * HOUR - S, "179m", "2h"},
        {3 * HOUR, "3h", "3h"},
        {3 * HOUR + MINUTE, "3h1m", "3h"},
        {8 * HOUR - S, "7h59m", "7h"},
        {8 * HOUR + MINUTE, "8h", "8h"},
        {48 * HOUR - S, "47h", "1d"},
        {2 * DAY, "2d", "2d"},
        {2 * DAY + 3 * HOUR, "2d3h", "2d"},
        {8 * DAY - S, "7d23h", "7d"},
        {8 * DAY + HOUR, "8d", "8d"},
        {2 * 365 * DAY - S, "729d", "1y"},
        {2 * 365 * DAY, "2y", "2y"},
        {3 * 365 * DAY + 4 * DAY, "3y4d", "3y"},
        {8 * 365 * DAY + 4 * DAY, "8y", "8y"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[KUBE_DURATION_TEXT_MAX];

        assert_int_equal(kube_duration_human(cases[i].ns, text), strlen(cases[i].age));
        assert_string_equal(text, cases[i].age);
        assert_int_equal(kube_duration_human_short(cases[i].ns, text), strlen(cases[i].shorter));
        assert_string_equal(text, cases[i].shorter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsed_and_printed),
        cmocka_unit_test(refused),
        cmocka_unit_test(ages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
