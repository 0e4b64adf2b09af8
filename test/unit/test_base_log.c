/* Log lines have etcd's shape; the error table is what clients compare texts with. */
#include "test_base.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "kvstore/err.h"

struct sink {
    char text[2048];
    unsigned lines;
};

static void sink_write(void *ctx, const char *line, size_t len)
{
    struct sink *s = ctx;

    assert_true(len > 0 && len < sizeof s->text);
    assert_int_equal(line[len - 1], '\n');
    memcpy(s->text, line, len);
    s->text[len - 1] = '\0';
    s->lines++;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t expression;
    int err;

    assert_int_equal(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    err = regexec(&expression, text, 0, NULL, 0);
    regfree(&expression);
    if (err != 0) {
        fail_msg("%s\ndoes not match\n%s", text, pattern);
    }
}

static void test_log_json_has_etcds_keys_in_order(void **state)
{
    struct sink sink = {0};
    struct log *log = log_new(LOG_INFO, LOG_FORMAT_JSON, sink_write, &sink);

    (void)state;
    log_info(log, "became leader", LOG_HEX("member-id", 0xabcu), LOG_U64("term", 7),
             LOG_I64("delta", -3), LOG_BOOL("ok", true), LOG_STR("name", "n1"));
    assert_matches(sink.text,
                   "^\\{\"level\":\"info\","
                   "\"ts\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z\","
                   "\"caller\":\"unit/test_base_log.c:[0-9]+\",\"msg\":\"became leader\","
                   "\"member-id\":\"abc\",\"term\":7,\"delta\":-3,\"ok\":true,\"name\":\"n1\"\\}$");
    log_warn(log, "no fields");
    assert_matches(sink.text, "\"level\":\"warn\".*\"msg\":\"no fields\"\\}$");
    log_free(log);
}

static void test_log_escapes(void **state)
{
    struct sink sink = {0};
    struct log *log = log_new(LOG_DEBUG, LOG_FORMAT_JSON, sink_write, &sink);

    (void)state;
    log_debug(log, "quote \" backslash \\ newline \n", LOG_STR("k\t", "\x01"),
              LOG_STR("null", NULL));
    assert_non_null(strstr(sink.text, "quote \\\" backslash \\\\ newline \\u000a"));
    assert_non_null(strstr(sink.text, "\"k\\u0009\":\"\\u0001\",\"null\":\"\""));
    log_free(log);
}

static void test_log_durations_read_as_etcds(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "\"0s\""},
        {999, "\"999ns\""},
        {1500, "\"1.5µs\""},
        {2000000, "\"2ms\""},
        {1500000, "\"1.5ms\""},
        {1000000000, "\"1s\""},
        {2500000000, "\"2.5s\""},
        {90000000000, "\"1m30s\""},
        {3723500000000, "\"1h2m3.5s\""},
    };
    struct sink sink = {0};
    struct log *log = log_new(LOG_DEBUG, LOG_FORMAT_JSON, sink_write, &sink);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        log_info(log, "took", LOG_DURATION("took", rows[i].ns));
        if (strstr(sink.text, rows[i].text) == NULL) {
            fail_msg("%s is not in %s", rows[i].text, sink.text);
        }
    }
    log_free(log);
}

static void test_log_drops_what_is_below(void **state)
{
    struct sink sink = {0};
    struct log *log = log_new(LOG_WARN, LOG_FORMAT_CONSOLE, sink_write, &sink);

    (void)state;
    log_info(log, "not written");
    log_info(NULL, "nowhere");
    assert_int_equal(sink.lines, 0);
    assert_false(log_enabled(NULL, LOG_ERROR));
    log_error(log, "written", LOG_U64("a", 1), LOG_U64("b", 2));
    assert_int_equal(sink.lines, 1);
    assert_matches(sink.text,
                   "Z\terror\tunit/test_base_log.c:[0-9]+\twritten\t\\{\"a\":1, \"b\":2\\}$");
    log_free(log);
}

static void test_log_levels_by_name(void **state)
{
    (void)state;
    for (int level = 0; level < LOG_LEVEL_COUNT; level++) {
        assert_int_equal(log_level_parse(log_level_name((enum log_level)level)), level);
    }
    assert_int_equal(log_level_parse("panic"), LOG_FATAL);
    assert_int_equal(log_level_parse("loud"), -1);
}

static const struct {
    int code;
    int grpc;
    const char *name;
    const char *text;
} err_rows[] = {
#define X(name, code, grpc, text) {code, grpc, #name, text},
    KVS_ERR_MAP(X)
#undef X
};

static void test_err_table_has_no_doubles(void **state)
{
    size_t n = sizeof err_rows / sizeof err_rows[0];

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_true(err_rows[i].code < 0);
        assert_in_range(err_rows[i].grpc, 1, 16);
        assert_string_equal(kvs_strerror(err_rows[i].code), err_rows[i].text);
        assert_string_equal(kvs_err_name(err_rows[i].code), err_rows[i].name);
        assert_int_equal(kvs_err_grpc_status(err_rows[i].code), err_rows[i].grpc);
        assert_int_equal(kvs_err_from_text(err_rows[i].text), err_rows[i].code);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(err_rows[i].code, err_rows[j].code);
            assert_string_not_equal(err_rows[i].text, err_rows[j].text);
        }
    }
}

static void test_err_knows_what_is_fatal(void **state)
{
    static const int fatal[] = {KVS_E_IO, KVS_E_FULL, KVS_E_DAMAGED, KVS_E_VERSION, KVS_E_LOCKED};
    size_t n_fatal = 0;

    (void)state;
    for (size_t i = 0; i < sizeof err_rows / sizeof err_rows[0]; i++) {
        n_fatal += kvs_err_is_fatal(err_rows[i].code);
    }
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        assert_true(kvs_err_is_fatal(fatal[i]));
    }
    assert_int_equal(n_fatal, sizeof fatal / sizeof fatal[0]);
    assert_false(kvs_err_is_fatal(0));
    assert_string_equal(kvs_strerror(-9999), "unknown error");
    assert_string_equal(kvs_strerror(0), "OK");
    assert_int_equal(kvs_err_from_text("no such text"), KVS_E_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_json_has_etcds_keys_in_order),
        cmocka_unit_test(test_log_escapes),
        cmocka_unit_test(test_log_durations_read_as_etcds),
        cmocka_unit_test(test_log_drops_what_is_below),
        cmocka_unit_test(test_log_levels_by_name),
        cmocka_unit_test(test_err_table_has_no_doubles),
        cmocka_unit_test(test_err_knows_what_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
