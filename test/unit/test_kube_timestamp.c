/* RFC 3339 as metav1.Time and MicroTime read and write it. */
#include "kube/timestamp.h"

#include "kube_expect.h"

#define AS "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "

static void whole_seconds(void **state)
{
    static const struct {
        const char *text;
        const char *printed;
        int32_t nanos;
    } cases[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0},
        {"2026-11-28T20:15:00Z", "2026-11-28T20:15:00Z", 0},
        {"2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", 0},
        {"2026-11-28T20:15:00.5Z", "2026-11-28T20:15:00Z", 500000000},
        {"2026-11-28T20:15:00,25Z", "2026-11-28T20:15:00Z", 250000000},
        {"2026-11-28T20:15:00.1234567899Z", "2026-11-28T20:15:00Z", 123456789},
        {"2026-11-28T20:15:00+02:00", "2026-11-28T18:15:00Z", 0},
        {"2026-01-01T00:30:00-05:30", "2026-01-01T06:00:00Z", 0},
        {"2026-01-01T5:04:05Z", "2026-01-01T05:04:05Z", 0},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", 0},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_time t;
        char text[KUBE_TIME_TEXT_MAX];

        assert_int_equal(kube_time_parse(view_str(cases[i].text), &t, NULL), 0);
        assert_int_equal(t.nanos, cases[i].nanos);
        assert_int_equal(kube_time_print(t, text), strlen(cases[i].printed));
        assert_string_equal(text, cases[i].printed);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "parsing time \"" AS "\"\" as \"2006\""},
        {"soon", "parsing time \"soon" AS "\"soon\" as \"2006\""},
        {"26-11-28T20:15:00Z",
         "parsing time \"26-11-28T20:15:00Z" AS "\"26-11-28T20:15:00Z\" as \"2006\""},
        {"2026/11/28", "parsing time \"2026/11/28" AS "\"/11/28\" as \"-\""},
        {"2026-1-28T20:15:00Z",
         "parsing time \"2026-1-28T20:15:00Z" AS "\"1-28T20:15:00Z\" as \"01\""},
        {"2026-13-28T20:15:00Z", "parsing time \"2026-13-28T20:15:00Z\": month out of range"},
        {"2026-02-29T20:15:00Z", "parsing time \"2026-02-29T20:15:00Z\": day out of range"},
        {"2026-02-28T24:15:00Z", "parsing time \"2026-02-28T24:15:00Z\": hour out of range"},
        {"2026-02-28T20:60:00Z", "parsing time \"2026-02-28T20:60:00Z\": minute out of range"},
        {"2026-02-28T20:15:60Z", "parsing time \"2026-02-28T20:15:60Z\": second out of range"},
        {"2026-02-28 20:15:00Z",
         "parsing time \"2026-02-28 20:15:00Z" AS "\" 20:15:00Z\" as \"T\""},
        {"2026-02-28T20:15Z", "parsing time \"2026-02-28T20:15Z" AS "\"Z\" as \":\""},
        {"2026-02-28T20:15:00", "parsing time \"2026-02-28T20:15:00" AS "\"\" as \"Z07:00\""},
        {"2026-02-28T20:15:00+0100",
         "parsing time \"2026-02-28T20:15:00+0100" AS "\"+0100\" as \"Z07:00\""},
        {"2026-02-28T20:15:00Zx", "parsing time \"2026-02-28T20:15:00Zx\": extra text: \"x\""},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_time t;

        assert_int_equal(kube_time_parse(view_str(cases[i].text), &t, &why), KVS_E_INVALID);
        assert_text(&why, cases[i].why);
        assert_int_equal(kube_time_parse(view_str(cases[i].text), &t, NULL), KVS_E_INVALID);
    }
    buf_fini(&why);
}

static void microseconds(void **state)
{
    static const char *const bad[] = {"2026-11-28T20:15:00Z", "2026-11-28T20:15:00.5Z",
                                      "2026-11-28T20:15:00.1234567Z", "2026-11-28T20:15:00.12345"};
    struct kube_time t;
    char text[KUBE_TIME_TEXT_MAX];

    (void)state;
    assert_int_equal(kube_time_parse_micro(VIEW_LITERAL("2026-11-28T20:15:00.000123Z"), &t, NULL),
                     0);
    assert_int_equal(t.nanos, 123000);
    assert_int_equal(kube_time_print_micro(t, text), 27);
    assert_string_equal(text, "2026-11-28T20:15:00.000123Z");
    assert_int_equal(
        kube_time_parse_micro(VIEW_LITERAL("2026-11-28T22:15:00.999999+02:00"), &t, NULL), 0);
    (void)kube_time_print_micro(t, text);
    assert_string_equal(text, "2026-11-28T20:15:00.999999Z");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(kube_time_parse_micro(view_str(bad[i]), &t, NULL), KVS_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_seconds),
        cmocka_unit_test(refused),
        cmocka_unit_test(microseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
