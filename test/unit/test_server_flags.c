/* Command lines and environments of servers, and kvstored's own checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kvstored/config.h"
#include "shared/flags.h"

enum { ARGS_MAX = 8 };

struct values {
    const char *text;
    bool on;
    unsigned number;
    uint64_t big;
    int64_t whole;
    uint32_t ms;
    bool ignored;
    unsigned n_warnings;
    char warning[128];
};

static void warn(void *ctx, const char *name, const char *what)
{
    struct values *v = ctx;

    (void)what;
    v->n_warnings++;
    strncpy(v->warning, name, sizeof v->warning - 1);
}

static int parse(struct values *v, struct kvs_error *error, const char *const *args)
{
    const struct flag table[] = {
        {"All", "text-flag", FLAG_STRING, &v->text, "", "a text"},
        {NULL, "on", FLAG_BOOL, &v->on, "", "a boolean"},
        {NULL, "number", FLAG_UINT, &v->number, "", "a number"},
        {NULL, "big", FLAG_U64, &v->big, "", "a large number"},
        {NULL, "whole", FLAG_I64, &v->whole, "", "maybe below 0"},
        {NULL, "wait", FLAG_DURATION_MS, &v->ms, "", "a duration"},
        {NULL, "old", FLAG_NO_EFFECT, &v->ignored, "", "takes a value"},
        {NULL, "older", FLAG_NO_EFFECT_BOOL, &v->ignored, "", "takes none"},
    };
    const struct flags f = {table, sizeof table / sizeof table[0], "KEELSON_TEST_", warn, v};
    char *argv[ARGS_MAX + 1] = {(char *)"program"};
    int argc = 1;

    *error = (struct kvs_error){0};
    for (; args[argc - 1] != NULL; argc++) {
        assert_true(argc < ARGS_MAX);
        argv[argc] = (char *)args[argc - 1];
    }
    return flags_parse(&f, argc, argv, error);
}

#define PARSE(v, error, ...) parse((v), (error), (const char *const[]){__VA_ARGS__, NULL})

static void test_all_spellings(void **state)
{
    struct values v = {0};
    struct kvs_error error;

    (void)state;
    assert_int_equal(PARSE(&v, &error, "--text-flag", "a", "-number=3", "--on", "--whole", "-5"),
                     0);
    assert_string_equal(v.text, "a");
    assert_int_equal(v.number, 3);
    assert_true(v.on);
    assert_int_equal(v.whole, -5);
    assert_int_equal(
        PARSE(&v, &error, "--on=false", "--text-flag=x=y", "--big", "18446744073709551615"), 0);
    assert_false(v.on);
    assert_string_equal(v.text, "x=y");
    assert_true(v.big == UINT64_MAX);
    assert_int_equal(PARSE(&v, &error, "--text-flag=", "--wait=1h30m"), 0);
    assert_string_equal(v.text, "");
    assert_int_equal(v.ms, 5400000);
    assert_int_equal(v.n_warnings, 0);
    assert_int_equal(PARSE(&v, &error, "--old", "7", "--older", "--number", "9"), 0);
    assert_int_equal(v.n_warnings, 2);
    assert_int_equal(v.number, 9);
}

static void test_what_is_refused_is_named(void **state)
{
    static const struct {
        const char *args[3];
        const char *words;
    } rows[] = {
        {{"--nothing"}, "flag provided but not defined: -nothing"},
        {{"-nothing=1"}, "flag provided but not defined: -nothing"},
        {{"stray"}, "'stray' is not a valid flag"},
        {{"--"}, "'--' is not a valid flag"},
        {{"--number"}, "flag needs an argument: -number"},
        {{"--number", "x"}, "invalid value \"x\" for --number"},
        {{"--number", "-1"}, "invalid value \"-1\" for --number"},
        {{"--number", "4294967296"}, "invalid value \"4294967296\" for --number"},
        {{"--number", " 1"}, "invalid value \" 1\" for --number"},
        {{"--number="}, "invalid value \"\" for --number"},
        {{"--big", "18446744073709551616"}, "invalid value"},
        {{"--whole", "9223372036854775808"}, "invalid value"},
        {{"--on=maybe"}, "invalid value \"maybe\" for --on"},
        {{"--wait", "5"}, "invalid value \"5\" for --wait"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct values v = {0};
        struct kvs_error error;

        assert_int_equal(parse(&v, &error, rows[i].args), KVS_E_INVALID);
        if (strncmp(error.msg, rows[i].words, strlen(rows[i].words)) != 0) {
            fail_msg("%s", error.msg);
        }
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"0", 0},         {"0s", 0},       {"5s", 5000},      {"250ms", 250},   {"0.5s", 500},
        {"1m30s", 90000}, {"2h", 7200000}, {"1.5h", 5400000}, {"1000000ns", 1}, {"100us", 0},
        {".5s", 500},     {"", -1},        {"5", -1},         {"s", -1},        {"-5s", -1},
        {"5x", -1},       {"1e3s", -1},    {"0x10s", -1},     {"infs", -1},     {"nans", -1},
        {"5s ", -1},      {" 5s", -1},     {"2000h", -1},     {".s", -1},       {"1..5s", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t ms = 0;
        int err = flags_parse_duration_ms(rows[i].text, &ms);

        if (err != (rows[i].ms < 0 ? KVS_E_INVALID : 0) || (err == 0 && ms != rows[i].ms)) {
            fail_msg("\"%s\" is taken as %u", rows[i].text, ms);
        }
    }
}

static void test_the_command_line_wins(void **state)
{
    struct values v = {0};
    struct kvs_error error;

    (void)state;
    assert_int_equal(setenv("KEELSON_TEST_TEXT_FLAG", "environment", 1), 0);
    assert_int_equal(setenv("KEELSON_TEST_NUMBER", "7", 1), 0);
    assert_int_equal(setenv("KEELSON_TEST_ON", "", 1), 0); /* empty: not given */
    assert_int_equal(setenv("KEELSON_TEST_UNKNOWN", "1", 1), 0);
    assert_int_equal(PARSE(&v, &error, "--number", "8"), 0);
    assert_string_equal(v.text, "environment");
    assert_int_equal(v.number, 8);
    assert_false(v.on);
    assert_int_equal(v.n_warnings, 1);
    assert_int_equal(strncmp(v.warning, "KEELSON_TEST_UNKNOWN", 20), 0);
    assert_int_equal(setenv("KEELSON_TEST_NUMBER", "x", 1), 0);
    assert_int_equal(PARSE(&v, &error, "--on"), KVS_E_INVALID);
    assert_non_null(strstr(error.msg, "environment variable"));
    (void)unsetenv("KEELSON_TEST_TEXT_FLAG");
    (void)unsetenv("KEELSON_TEST_NUMBER");
    (void)unsetenv("KEELSON_TEST_ON");
    (void)unsetenv("KEELSON_TEST_UNKNOWN");
}

static int load(struct config *c, struct kvs_error *error, const char *const *args)
{
    char *argv[ARGS_MAX + 1] = {(char *)"kvstored"};
    int argc = 1;

    *error = (struct kvs_error){0};
    for (; args[argc - 1] != NULL; argc++) {
        assert_true(argc < ARGS_MAX);
        argv[argc] = (char *)args[argc - 1];
    }
    return config_load(c, argc, argv, NULL, NULL, error);
}

#define LOAD(c, error, ...) load((c), (error), (const char *const[]){__VA_ARGS__, NULL})

static void test_kvstoreds_defaults_and_checks(void **state)
{
    static struct config c;
    struct kvs_error error;

    (void)state;
    assert_int_equal(LOAD(&c, &error, NULL), 0);
    assert_string_equal(c.node.data_dir, "default.etcd");
    assert_string_equal(c.node.listen_client_urls, "http://localhost:2379");
    assert_string_equal(c.node.initial_advertise_peer_urls, "http://localhost:2380");
    assert_int_equal(LOAD(&c, &error, "--name", "m1", "--data-dir="), 0);
    assert_string_equal(c.node.data_dir, "m1.etcd");
    assert_int_equal(LOAD(&c, &error, "--listen-client-urls", "http://127.0.0.1:1"), KVS_E_INVALID);
    assert_non_null(strstr(error.msg, "--advertise-client-urls is required"));
    assert_int_equal(LOAD(&c, &error, "--initial-cluster-state", "exiting"), KVS_E_INVALID);
    assert_int_equal(LOAD(&c, &error, "--initial-cluster-state=existing"), 0);
    assert_true(c.node.initial_cluster_existing);
    assert_int_equal(LOAD(&c, &error, "--log-level=loud"), KVS_E_INVALID);
    assert_int_equal(LOAD(&c, &error, "--log-format=xml"), KVS_E_INVALID);
    assert_int_equal(LOAD(&c, &error, "--version"), 0);
    assert_true(c.version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_spellings),
        cmocka_unit_test(test_what_is_refused_is_named),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_the_command_line_wins),
        cmocka_unit_test(test_kvstoreds_defaults_and_checks),
    };

    return cmocka_run_group_tests_name("server_flags", tests, NULL, NULL);
}
