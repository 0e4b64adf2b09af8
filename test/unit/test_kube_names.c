/* Kubernetes' name grammars and the messages that go with them. */
#include "kube/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"

#define A15  "aaaaaaaaaaaaaaa"
#define A16  A15 "a"
#define A64  A16 A16 A16 A16
#define A63  A16 A16 A16 A15
#define A253 A63 "." A63 "." A63 "." A16 A16 A16 "aaaaaaaaaaaaa"

#define LABEL                                                                                      \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used "                                                                                        \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define DNS1035                                                                                    \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "   \
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "           \
    "'abc-123', "                                                                                  \
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
#define NAME_PART                                                                                  \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define VALUE                                                                                      \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "    \
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value', " \
    " "                                                                                            \
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
#define LONG(n) "must be no more than " #n " characters"
#define CONFIG                                                                                     \
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "           \
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "                    \
    "'[-._a-zA-Z0-9]+')"
#define ENV                                                                                        \
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', "  \
    "or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "         \
    "'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
#define IDENTIFIER                                                                                 \
    "a valid C identifier must start with alphabetic character or '_', followed by a string of "   \
    "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for " \
    "validation is '[A-Za-z_][A-Za-z0-9_]*')"
#define PORT_CHARS  "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
#define PORT_LETTER "must contain at least one letter (a-z)"
#define PERCENT                                                                                    \
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "   \
    "'93%', regex used for validation is '[0-9]+%')"
#define HEADER                                                                                     \
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "   \
    "regex used for validation is '[-A-Za-z0-9]+')"
#define WILDCARD                                                                                   \
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "      \
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "        \
    "alphanumeric character (e.g. '*.example.com', regex used for validation is "                  \
    "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define IP   "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define CIDR "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
#define RELAXED                                                                                    \
    "a valid environment variable name must consist only of printable ASCII characters other "     \
    "than '='"

static const struct name_case {
    kube_name_fn check;
    const char *value;
    const char *messages[4]; /* none: valid */
} cases[] = {
    {kube_name_dns1123_label, "a", {0}},
    {kube_name_dns1123_label, "0", {0}},
    {kube_name_dns1123_label, "a-1-b", {0}},
    {kube_name_dns1123_label, "a--b", {0}},
    {kube_name_dns1123_label, A63, {0}},
    {kube_name_dns1123_label, A64, {LONG(63)}},
    {kube_name_dns1123_label, "", {LABEL}},
    {kube_name_dns1123_label, "-a", {LABEL}},
    {kube_name_dns1123_label, "a-", {LABEL}},
    {kube_name_dns1123_label, "Upper", {LABEL}},
    {kube_name_dns1123_label, "a_b", {LABEL}},
    {kube_name_dns1123_label, "a b", {LABEL}},
    {kube_name_dns1123_label, "a.b", {"must not contain dots"}},
    {kube_name_dns1123_label, "a..b", {LABEL}},
    {kube_name_dns1123_label, A63 ".a", {LONG(63), "must not contain dots"}},
    {kube_name_dns1123_subdomain, "a", {0}},
    {kube_name_dns1123_subdomain, "a.b.c-d.0", {0}},
    {kube_name_dns1123_subdomain, A253, {0}},
    {kube_name_dns1123_subdomain, A253 "a", {LONG(253)}},
    {kube_name_dns1123_subdomain, "", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, ".a", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, "a.", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, "a..b", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, "a.-b", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, "bad_host", {SUBDOMAIN}},
    {kube_name_dns1123_subdomain, "caf\xc3\xa9", {SUBDOMAIN}},
    {kube_name_dns1035_label, "a-1", {0}},
    {kube_name_dns1035_label, "1svc", {DNS1035}},
    {kube_name_dns1035_label, "a.b", {DNS1035}},
    {kube_name_dns1035_label, A64, {LONG(63)}},
    {kube_name_wildcard_subdomain, "*.example.com", {0}},
    {kube_name_wildcard_subdomain, "*", {WILDCARD}},
    {kube_name_wildcard_subdomain, "*.", {WILDCARD}},
    {kube_name_wildcard_subdomain, "*.*.com", {WILDCARD}},
    {kube_name_wildcard_subdomain, "a.com", {WILDCARD}},
    {kube_name_qualified, "simple", {0}},
    {kube_name_qualified, "now-with-dashes", {0}},
    {kube_name_qualified, "1-starts_With.num", {0}},
    {kube_name_qualified, "example.com/MyName", {0}},
    {kube_name_qualified, "1/1", {0}},
    {kube_name_qualified, A253 "/" A63, {0}},
    {kube_name_qualified, "", {"name part must be non-empty", "name part " NAME_PART}},
    {kube_name_qualified, "bad key", {"name part " NAME_PART}},
    {kube_name_qualified, "a/", {"name part must be non-empty", "name part " NAME_PART}},
    {kube_name_qualified, "/a", {"prefix part must be non-empty"}},
    {kube_name_qualified, "A/a", {"prefix part " SUBDOMAIN}},
    {kube_name_qualified, A253 "a/a", {"prefix part " LONG(253)}},
    {kube_name_qualified, A64, {"name part " LONG(63)}},
    {kube_name_qualified, A64 "-", {"name part " LONG(63), "name part " NAME_PART}},
    {kube_name_qualified,
     "bad/key/x",
     {"a qualified name " NAME_PART
      " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"}},
    {kube_name_label_value, "", {0}},
    {kube_name_label_value, "A.b_c-1", {0}},
    {kube_name_label_value, A63, {0}},
    {kube_name_label_value, A64, {LONG(63)}},
    {kube_name_label_value, "has space", {VALUE}},
    {kube_name_label_value, "-", {VALUE}},
    {kube_name_label_value, "a_", {VALUE}},
    {kube_name_env_var, "MY_ENV.NAME-1", {0}},
    {kube_name_env_var, "-", {0}},
    {kube_name_env_var, "1A", {ENV}},
    {kube_name_env_var, "", {ENV}},
    {kube_name_env_var, "a=b", {ENV}},
    {kube_name_env_var, ".", {"must not be '.'"}},
    {kube_name_env_var, "..", {"must not be '..'"}},
    {kube_name_env_var, "..a", {"must not start with '..'"}},
    {kube_name_env_var_relaxed, "1 A!", {0}},
    {kube_name_env_var_relaxed, "", {"environment variable name must be non-empty"}},
    {kube_name_env_var_relaxed, "a=b", {RELAXED}},
    {kube_name_env_var_relaxed, "a\tb", {RELAXED}},
    {kube_name_c_identifier, "_a1", {0}},
    {kube_name_c_identifier, "1a", {IDENTIFIER}},
    {kube_name_c_identifier, "a-b", {IDENTIFIER}},
    {kube_name_port, "http", {0}},
    {kube_name_port, "a-1", {0}},
    {kube_name_port, A15, {0}},
    {kube_name_port, A16, {LONG(15)}},
    {kube_name_port, "", {PORT_CHARS, PORT_LETTER}},
    {kube_name_port, "80", {PORT_LETTER}},
    {kube_name_port, "HTTP", {PORT_CHARS, PORT_LETTER}},
    {kube_name_port, "a--b", {"must not contain consecutive hyphens"}},
    {kube_name_port, "-a", {"must not begin or end with a hyphen"}},
    {kube_name_percent, "0%", {0}},
    {kube_name_percent, "150%", {0}},
    {kube_name_percent, "%", {PERCENT}},
    {kube_name_percent, "10", {PERCENT}},
    {kube_name_percent, "-1%", {PERCENT}},
    {kube_name_config_key, "key.NAME_1-2", {0}},
    {kube_name_config_key, ".hidden", {0}},
    {kube_name_config_key, "", {CONFIG}},
    {kube_name_config_key, "a/b", {CONFIG}},
    {kube_name_config_key, "..", {"must not be '..'"}},
    {kube_name_config_key, "..2026", {"must not start with '..'"}},
    {kube_name_config_key, A253 "a", {LONG(253)}},
    {kube_name_http_header, "X-Header", {0}},
    {kube_name_http_header, "X_Header", {HEADER}},
    {kube_name_http_header, "", {HEADER}},
    {kube_name_condition_reason, "ReasonA:ReasonB", {0}},
    {kube_name_path_segment, "system:node", {0}},
    {kube_name_path_segment, ".", {"may not be '.'"}},
    {kube_name_path_segment, "..", {"may not be '..'"}},
    {kube_name_path_segment, "a/b", {"may not contain '/'"}},
    {kube_name_path_segment, "a/%", {"may not contain '/'", "may not contain '%'"}},
    {kube_name_path_segment_prefix, ".", {0}},
    {kube_name_path_segment_prefix, "a%", {"may not contain '%'"}},
    {kube_name_ip, "10.9.8.7", {0}},
    {kube_name_ip, "010.009.08.7", {0}},
    {kube_name_ip, "2001:db8::ffff", {0}},
    {kube_name_ip, "::", {0}},
    {kube_name_ip, "::ffff:1.2.3.04", {0}},
    {kube_name_ip, "", {IP}},
    {kube_name_ip, "10.9.8", {IP}},
    {kube_name_ip, "10.9.8.256", {IP}},
    {kube_name_ip, "fe80::1%eth0", {IP}},
    {kube_name_ip, "10.9.8.7.6", {IP}},
    {kube_name_ip, "[::1]", {IP}},
    {kube_name_ipv4, "1.2.3.4", {0}},
    {kube_name_ipv4, "::ffff:1.2.3.4", {0}},
    {kube_name_ipv4, "::1", {"must be a valid IPv4 address"}},
    {kube_name_ipv6, "::1", {0}},
    {kube_name_ipv6, "1.2.3.4", {"must be a valid IPv6 address"}},
    {kube_name_cidr, "10.9.8.0/24", {0}},
    {kube_name_cidr, "10.9.8.7/32", {0}},
    {kube_name_cidr, "2001:db8::/64", {0}},
    {kube_name_cidr, "::/0", {0}},
    {kube_name_cidr, "10.9.8.0", {CIDR}},
    {kube_name_cidr, "10.9.8.0/", {CIDR}},
    {kube_name_cidr, "10.9.8.0/33", {CIDR}},
    {kube_name_cidr, "10.9.8.0/-1", {CIDR}},
    {kube_name_cidr, "10.9.8/24", {CIDR}},
    {kube_name_cidr, "2001:db8::/129", {CIDR}},
    {kube_name_cidr, "/24", {CIDR}},
};

static void messages_of_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_name_messages messages;
        size_t expected = 0;

        while (expected < 4 && cases[i].messages[expected] != NULL) {
            expected++;
        }
        print_message("%zu: '%s'\n", i, cases[i].value);
        assert_int_equal(cases[i].check(view_str(cases[i].value), &messages), expected == 0);
        assert_int_equal(messages.count, expected);
        for (size_t n = 0; n < expected; n++) {
            assert_string_equal(messages.text[n], cases[i].messages[n]);
        }
    }
}

static void numbers(void **state)
{
    struct kube_name_messages messages;

    (void)state;
    assert_true(kube_name_port_number(1, &messages));
    assert_true(kube_name_port_number(65535, &messages));
    assert_false(kube_name_port_number(0, &messages));
    assert_string_equal(messages.text[0], "must be between 1 and 65535, inclusive");
    assert_false(kube_name_port_number(65536, &messages));
    assert_true(kube_name_user_id(0, &messages));
    assert_false(kube_name_user_id(-1, &messages));
    assert_string_equal(messages.text[0], "must be between 0 and 2147483647, inclusive");
    assert_false(kube_name_user_id(INT64_C(1) << 31, &messages));
}

/* A NUL inside is a byte like others: no check may stop there. */
static void embedded_nul(void **state)
{
    struct kube_name_messages messages;

    (void)state;
    assert_false(kube_name_dns1123_subdomain(view_make("a\0b", 3), &messages));
    assert_false(kube_name_ip(view_make("1.2.3.4\0x", 9), &messages));
    assert_false(kube_name_label_value(view_make("a\0", 2), &messages));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_each),
        cmocka_unit_test(numbers),
        cmocka_unit_test(embedded_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
