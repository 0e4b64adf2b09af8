/* Schedules: grammar, messages and next times, across changes of the clock. */
#include "kube/cron.h"

#include "kube/timestamp.h"
#include "kube_expect.h"

static int64_t at(const char *text)
{
    struct kube_time t;

    assert_int_equal(kube_time_parse(view_str(text), &t, NULL), 0);
    return t.seconds;
}

static void
assert_next(const char *spec, const char *zone_name, const char *after, const char *expected)
{
    struct kube_zone *zone = NULL;
    struct kube_cron cron;
    char text[KUBE_TIME_TEXT_MAX];
    int64_t next = 0;
    int err;

    print_message("%s (%s) after %s\n", spec, zone_name, after);
    assert_int_equal(kube_zone_open(view_str(zone_name), &zone, NULL), 0);
    assert_int_equal(kube_cron_parse(view_str(spec), &cron, NULL), 0);
    err = kube_cron_next(&cron, zone, at(after), &next);
    if (expected == NULL) {
        assert_int_equal(err, KVS_E_NOT_FOUND);
    } else {
        struct kube_time expected_time;

        assert_int_equal(err, 0);
        assert_int_equal(kube_time_parse(view_str(expected), &expected_time, NULL), 0);
        (void)kube_time_print((struct kube_time){.seconds = next}, text);
        if (next != expected_time.seconds) {
            fail_msg("%s instead of %s", text, expected);
        }
    }
    kube_cron_fini(&cron);
    kube_zone_close(zone);
}

/* Cases of robfig/cron's own tests and more, in UTC. */
static void next_times(void **state)
{
    static const struct {
        const char *spec;
        const char *after;
        const char *next;
    } cases[] = {
        {"0/15 * * * *", "2012-07-09T14:45:00Z", "2012-07-09T15:00:00Z"},
        {"0/15 * * * *", "2012-07-09T14:59:00Z", "2012-07-09T15:00:00Z"},
        {"0/15 * * * *", "2012-07-09T14:59:59Z", "2012-07-09T15:00:00Z"},
        {"20-35/15 * * * *", "2012-07-09T15:45:00Z", "2012-07-09T16:20:00Z"},
        {"*/15 * * * *", "2012-07-09T23:46:00Z", "2012-07-10T00:00:00Z"},
        {"20-35/15 * * * *", "2012-07-09T23:45:00Z", "2012-07-10T00:20:00Z"},
        {"20-35/15 1/2 * * *", "2012-07-09T23:35:51Z", "2012-07-10T01:20:00Z"},
        {"20-35/15 10-12 * * *", "2012-07-09T23:35:51Z", "2012-07-10T10:20:00Z"},
        {"20-35/15 1/2 */2 * *", "2012-07-09T23:35:51Z", "2012-07-11T01:20:00Z"},
        {"20-35/15 * 9-20 * *", "2012-07-09T23:35:51Z", "2012-07-10T00:20:00Z"},
        {"20-35/15 * 9-20 Jul *", "2012-07-09T23:35:51Z", "2012-07-10T00:20:00Z"},
        {"0 0 9 Apr-Oct ?", "2012-07-09T23:35:00Z", "2012-08-09T00:00:00Z"},
        {"0 0 */5 Apr,Aug,Oct Mon", "2012-07-09T23:35:00Z", "2012-08-01T00:00:00Z"},
        {"0 0 */5 Oct Mon", "2012-07-09T23:35:00Z", "2012-10-01T00:00:00Z"},
        {"0 0 * Feb Mon", "2012-07-09T23:35:00Z", "2013-02-04T00:00:00Z"},
        {"0 0 * Feb Mon/2", "2012-07-09T23:35:00Z", "2013-02-01T00:00:00Z"},
        {"0 0 29 Feb ?", "2012-07-09T23:35:00Z", "2016-02-29T00:00:00Z"},
        {"0 0 30 Feb ?", "2012-07-09T23:35:00Z", NULL},
        {"0 0 31 Apr ?", "2012-07-09T23:35:00Z", NULL},
        {", * * * *", "2012-07-09T23:35:00Z", NULL},
        {"* * , * *", "2012-07-09T23:35:00Z", NULL},
        {"* * * * *", "2026-11-28T20:14:30Z", "2026-11-28T20:15:00Z"},
        {"* * * * *", "2026-11-28T20:15:00Z", "2026-11-28T20:16:00Z"},
        {"0 3 * * *", "2026-11-28T20:15:00Z", "2026-11-29T03:00:00Z"},
        {"59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"},
        {"0 0 13 * FRI", "2026-11-28T00:00:00Z", "2026-12-04T00:00:00Z"},
        {"0 0 1 * *", "2026-11-28T00:00:00Z", "2026-12-01T00:00:00Z"},
        {"@hourly", "2026-11-28T20:15:00Z", "2026-11-28T21:00:00Z"},
        {"@daily", "2026-11-28T20:15:00Z", "2026-11-29T00:00:00Z"},
        {"@midnight", "2026-11-28T20:15:00Z", "2026-11-29T00:00:00Z"},
        {"@weekly", "2026-11-28T20:15:00Z", "2026-11-29T00:00:00Z"},
        {"@monthly", "2026-11-28T20:15:00Z", "2026-12-01T00:00:00Z"},
        {"@yearly", "2026-11-28T20:15:00Z", "2027-01-01T00:00:00Z"},
        {"@annually", "2026-11-28T20:15:00Z", "2027-01-01T00:00:00Z"},
        {"@every 1h30m", "2026-11-28T20:15:00Z", "2026-11-28T21:45:00Z"},
        {"@every 10ms", "2026-11-28T20:15:00Z", "2026-11-28T20:15:01Z"},
        {"TZ=Asia/Tokyo 0 9 * * *", "2026-11-28T20:15:00Z", "2026-11-29T00:00:00Z"},
        {"CRON_TZ=Asia/Tokyo   0 9 * * *", "2026-11-28T20:15:00Z", "2026-11-29T00:00:00Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_next(cases[i].spec, "UTC", cases[i].after, cases[i].next);
    }
}

/* Daylight saving, as robfig/cron's tests have it for New York, and zones with other habits. */
static void changes_of_the_clock(void **state)
{
    static const struct {
        const char *spec;
        const char *zone;
        const char *after;
        const char *next;
    } cases[] = {
        /* Forward on 2012-03-11: 2:30 does not exist. */
        {"30 2 11 Mar ?", "America/New_York", "2012-03-11T00:00:00-05:00",
         "2013-03-11T02:30:00-04:00"},
        {"0 * * * ?", "America/New_York", "2012-03-11T00:00:00-05:00", "2012-03-11T01:00:00-05:00"},
        {"0 * * * ?", "America/New_York", "2012-03-11T01:00:00-05:00", "2012-03-11T03:00:00-04:00"},
        {"0 1 * * ?", "America/New_York", "2012-03-11T00:00:00-05:00", "2012-03-11T01:00:00-05:00"},
        {"0 1 * * ?", "America/New_York", "2012-03-11T01:00:00-05:00", "2012-03-12T01:00:00-04:00"},
        {"0 2 * * ?", "America/New_York", "2012-03-11T00:00:00-05:00", "2012-03-12T02:00:00-04:00"},
        /* Back on 2012-11-04: 1:30 exists twice. */
        {"30 2 04 Nov ?", "America/New_York", "2012-11-04T00:00:00-04:00",
         "2012-11-04T02:30:00-05:00"},
        {"45 1 04 Nov ?", "America/New_York", "2012-11-04T01:30:00-04:00",
         "2012-11-04T01:45:00-04:00"},
        {"0 * * * ?", "America/New_York", "2012-11-04T00:00:00-04:00", "2012-11-04T01:00:00-04:00"},
        {"0 * * * ?", "America/New_York", "2012-11-04T01:00:00-04:00", "2012-11-04T01:00:00-05:00"},
        {"0 * * * ?", "America/New_York", "2012-11-04T01:00:00-05:00", "2012-11-04T02:00:00-05:00"},
        {"0 1 * * ?", "America/New_York", "2012-11-04T00:00:00-04:00", "2012-11-04T01:00:00-04:00"},
        {"0 1 * * ?", "America/New_York", "2012-11-04T01:00:00-05:00", "2012-11-05T01:00:00-05:00"},
        {"0 2 * * ?", "America/New_York", "2012-11-04T00:00:00-04:00", "2012-11-04T02:00:00-05:00"},
        {"0 3 * * ?", "America/New_York", "2012-11-04T00:00:00-04:00", "2012-11-04T03:00:00-05:00"},
        {"0 0 * * *", "America/New_York", "2012-11-04T00:00:00-04:00", "2012-11-05T00:00:00-05:00"},
        {"30 1 04 Nov ?", "America/New_York", "2012-11-04T01:45:00-04:00",
         "2012-11-04T01:30:00-05:00"},
        {"0 1 * * ?", "America/New_York", "2012-11-04T01:00:00-04:00", "2012-11-04T01:00:00-05:00"},
        {"0 9 10 * ?", "America/Sao_Paulo", "2018-10-17T05:00:00-04:00",
         "2018-11-10T06:00:00-05:00"},
        {"0 9 22 * ?", "America/Sao_Paulo", "2018-02-14T05:00:00-05:00",
         "2018-02-22T07:00:00-05:00"},
        /* Midnight does not exist on 2018-11-04 in Brazil. */
        {"0 9 4 11 *", "America/Sao_Paulo", "2018-11-03T05:00:00-03:00",
         "2018-11-04T09:00:00-02:00"},
        {"0 0 5 11 *", "America/Sao_Paulo", "2018-11-03T05:00:00-03:00",
         "2018-11-05T00:00:00-02:00"},
        {"0 0 * * *", "Asia/Kolkata", "2026-11-28T20:15:00Z", "2026-11-30T00:00:00+05:30"},
        {"0 12 * * *", "Australia/Lord_Howe", "2026-11-28T20:15:00Z", "2026-11-29T12:00:00+11:00"},
        {"0 12 * * *", "Europe/Berlin", "2026-07-01T11:00:00Z", "2026-07-02T12:00:00+02:00"},
        /* Rules go on after the tables of the zone files end. */
        {"0 12 1 7 *", "America/New_York", "2045-03-01T00:00:00Z", "2045-07-01T12:00:00-04:00"},
        {"0 12 1 1 *", "America/New_York", "2045-03-01T00:00:00Z", "2046-01-01T12:00:00-05:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_next(cases[i].spec, cases[i].zone, cases[i].after, cases[i].next);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *spec;
        const char *why;
    } cases[] = {
        {"", "empty spec string"},
        {"* * * *", "expected exactly 5 fields, found 4: [* * * *]"},
        {" 1  2 3 4 5 6 ", "expected exactly 5 fields, found 6: [1 2 3 4 5 6]"},
        {"xyz", "expected exactly 5 fields, found 1: [xyz]"},
        {"60 * * * *", "end of range (60) above maximum (59): 60"},
        {"61 * * * *", "end of range (61) above maximum (59): 61"},
        {"* 24 * * *", "end of range (24) above maximum (23): 24"},
        {"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
        {"* * 32 * *", "end of range (32) above maximum (31): 32"},
        {"* * * 13 *", "end of range (13) above maximum (12): 13"},
        {"* * * * 7", "end of range (7) above maximum (6): 7"},
        {"5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"},
        {"1-2-3 * * * *", "too many hyphens: 1-2-3"},
        {"1/2/3 * * * *", "too many slashes: 1/2/3"},
        {"*/0 * * * *", "step of range should be a positive number: */0"},
        {"x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"},
        {"-1 * * * *", "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"},
        {"1/ * * * *", "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"},
        {"* * * foo *",
         "failed to parse int from foo: strconv.Atoi: parsing \"foo\": invalid syntax"},
        {"99999999999999999999 * * * *",
         "failed to parse int from 99999999999999999999: strconv.Atoi: parsing "
         "\"99999999999999999999\": value out of range"},
        {"@unrecognized", "unrecognized descriptor: @unrecognized"},
        {"@every", "unrecognized descriptor: @every"},
        {"@every x", "failed to parse duration x: time: invalid duration \"x\""},
        {"TZ=Mars/Base 0 0 * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"},
        {"TZ=UTC", "expected exactly 5 fields, found 0: []"},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_cron cron;

        print_message("%s\n", cases[i].spec);
        assert_int_equal(kube_cron_parse(view_str(cases[i].spec), &cron, &why), KVS_E_INVALID);
        assert_text(&why, cases[i].why);
        assert_int_equal(kube_cron_parse(view_str(cases[i].spec), &cron, NULL), KVS_E_INVALID);
    }
    buf_fini(&why);
}

static void zones(void **state)
{
    static const char *const bad[] = {"Mars/Base",      "america/new_york", "../../etc/passwd",
                                      "/etc/localtime", "+01:00",           "XYZ3",
                                      "America",        "Europe/Berlin\n"};
    struct kube_zone *zone = NULL;
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        print_message("%s\n", bad[i]);
        assert_int_equal(kube_zone_open(view_str(bad[i]), &zone, NULL), KVS_E_INVALID);
    }
    assert_int_equal(kube_zone_open(view_str("Mars/Base"), &zone, &why), KVS_E_INVALID);
    assert_text(&why, "unknown time zone Mars/Base");
    assert_int_equal(kube_zone_open(view_make("UTC\0x", 5), &zone, NULL), KVS_E_INVALID);
    assert_null(zone);
    assert_int_equal(kube_zone_open(view_str("Europe/Berlin"), &zone, NULL), 0);
    assert_int_equal(kube_zone_offset(zone, at("2026-07-01T00:00:00Z")), 7200);
    assert_int_equal(kube_zone_offset(zone, at("2026-01-01T00:00:00Z")), 3600);
    assert_int_equal(kube_zone_offset(NULL, 0), 0);
    kube_zone_close(zone);
    kube_zone_close(NULL);
    buf_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_times),
        cmocka_unit_test(changes_of_the_clock),
        cmocka_unit_test(refused),
        cmocka_unit_test(zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
