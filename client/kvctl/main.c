/* kvctl: the store from the command line, with etcdctl's commands, flags, environment, formats
 * and exit codes. */
#include <ctype.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "output.h"

const struct flag ctl_global_flags[] = {
    {"endpoints", NULL, FLAG_STRING, "127.0.0.1:2379", "gRPC endpoints, comma-separated"},
    {"write-out", "w", FLAG_STRING, "simple",
     "output format: simple, json, fields, table, protobuf"},
    {"hex", NULL, FLAG_BOOL, "false", "print bytes as hexadecimal escapes"},
    {"dial-timeout", NULL, FLAG_DURATION, "2s", "how long to wait for a connection"},
    {"command-timeout", NULL, FLAG_DURATION, "5s", "how long to wait for a command's end"},
    {"keepalive-time", NULL, FLAG_DURATION, "10s", "ping a silent connection this often"},
    {"keepalive-timeout", NULL, FLAG_DURATION, "6s", "give a silent connection up after"},
    {"cacert", NULL, FLAG_STRING, "", "certificates that servers must be signed by"},
    {"cert", NULL, FLAG_STRING, "", "this client's certificate"},
    {"key", NULL, FLAG_STRING, "", "this client's key"},
    {"insecure-transport", NULL, FLAG_BOOL, "true", "no TLS for endpoints without a scheme"},
    {"insecure-skip-tls-verify", NULL, FLAG_BOOL, "false", "accept any server certificate"},
    {"debug", NULL, FLAG_BOOL, "false", "accepted for etcdctl's sake"},
    {"help", "h", FLAG_BOOL, "false", "help for the command"},
    FLAG_END,
};

struct kvs_view ctl_view(const char *text)
{
    return (struct kvs_view){text, strlen(text)};
}

/* ---- errors ---- */

int ctl_fail(int code, const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    (void)fputs("Error: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return code;
}

int ctl_fail_kvs(const struct kvs_error *error)
{
    return ctl_fail(EXIT_ERROR, "%s", error->msg);
}

/* ---- help ---- */

static void print_flags(const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        bool quiet = flags->def == NULL || *flags->def == '\0';

        (void)printf("  %s%s%s --%s%s%s\t%s\n", flags->short_name != NULL ? "-" : "  ",
                     flags->short_name != NULL ? flags->short_name : "",
                     flags->short_name != NULL ? "," : " ", flags->name, quiet ? "" : "=",
                     quiet ? "" : flags->def, flags->help);
    }
}

static void print_command_help(const struct command *command)
{
    (void)printf("NAME:\n\t%s - %s\n\nUSAGE:\n\tkvctl %s %s\n", command->name, command->help,
                 command->name, command->usage);
    if (command->flags != NULL) {
        (void)printf("\nOPTIONS:\n");
        print_flags(command->flags);
    }
    (void)printf("\nGLOBAL OPTIONS:\n");
    print_flags(ctl_global_flags);
}

/* `group` NULL: all commands. */
static void print_help(const char *group)
{
    size_t len = group != NULL ? strlen(group) : 0;

    (void)printf("NAME:\n\tkvctl%s%s - the store from the command line\n\nUSAGE:\n"
                 "\tkvctl %s%s<command> [flags]\n\nCOMMANDS:\n",
                 group != NULL ? " " : "", group != NULL ? group : "", group != NULL ? group : "",
                 group != NULL ? " " : "");
    for (const struct command *const *c = ctl_commands; *c != NULL; c++) {
        if (group == NULL || (strncmp((*c)->name, group, len) == 0 && (*c)->name[len] == ' ')) {
            (void)printf("\t%-20s %s\n", (*c)->name, (*c)->help);
        }
    }
    (void)printf("\nGLOBAL OPTIONS:\n");
    print_flags(ctl_global_flags);
}

/* ---- which command ---- */

enum match { MATCH_NONE, MATCH_ONE, MATCH_GROUP, MATCH_MANY };

/* Compares one word of a command's name with what was typed: unambiguous beginnings do. */
static bool word_matches(const char *name, size_t len, const char *typed, bool *ret_exact)
{
    size_t typed_len = strlen(typed);

    *ret_exact = typed_len == len && strncmp(name, typed, len) == 0;
    return typed_len <= len && strncmp(name, typed, typed_len) == 0;
}

/* Looks `first` (and `second`, maybe NULL) up. A group is a first word that has second words. */
static enum match find_command(const char *first,
                               const char *second,
                               const struct command **ret_command,
                               char *ret_group,
                               size_t group_size)
{
    enum match found = MATCH_NONE;
    bool found_exact = false;

    for (const struct command *const *c = ctl_commands; *c != NULL; c++) {
        const char *name = (*c)->name;
        size_t len = strcspn(name, " ");
        bool is_group = name[len] == ' ';
        bool exact;
        bool exact_second = false;
        enum match kind = is_group && second == NULL ? MATCH_GROUP : MATCH_ONE;

        if (!word_matches(name, len, first, &exact)) {
            continue;
        }
        if (is_group && second != NULL &&
            !word_matches(name + len + 1, strlen(name + len + 1), second, &exact_second)) {
            continue;
        }
        exact = exact && (!is_group || second == NULL || exact_second);
        if (kind == MATCH_GROUP && found == MATCH_GROUP && strncmp(ret_group, name, len) == 0) {
            continue;
        }
        if (found != MATCH_NONE && found_exact) {
            continue;
        }
        found = found == MATCH_NONE || exact ? kind : MATCH_MANY;
        found_exact = exact;
        *ret_command = *c;
        (void)snprintf(ret_group, group_size, "%.*s", (int)len, name);
    }
    return found;
}

static bool is_group_word(const char *word)
{
    const struct command *command;
    char group[32];

    return find_command(word, NULL, &command, group, sizeof group) == MATCH_GROUP;
}

/* ---- the command line ---- */

/* ETCDCTL_* and KVCTL_* set what no flag has set; KVCTL_* wins. */
static void take_environment(struct flag_set *set)
{
    static const char *const prefixes[] = {"KVCTL_", "ETCDCTL_"};

    for (size_t i = 0; i < set->n_values; i++) {
        for (size_t p = 0; p < 2 && !set->values[i].given; p++) {
            char name[64];
            const char *text;

            (void)snprintf(name, sizeof name, "%s%s", prefixes[p], set->values[i].flag->name);
            for (char *at = name; *at != '\0'; at++) {
                *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
            }
            text = getenv(name);
            if (text != NULL && *text != '\0') {
                set->values[i].text = text;
                set->values[i].given = true;
            }
        }
    }
}

int ctl_parse(struct ctl *ctl, int argc, char **argv)
{
    char error[256];

    for (int at = 0; at < argc; at++) {
        bool is_flag = argv[at][0] == '-' && argv[at][1] != '\0';

        if (ctl->dash_at < 0 && strcmp(argv[at], "--") == 0) {
            ctl->dash_at = ctl->n_args;
        } else if (ctl->dash_at < 0 && is_flag) {
            if (flags_take(&ctl->flags, argc, argv, &at, error, sizeof error) != 0) {
                return ctl_fail(EXIT_ERROR, "%s", error);
            }
        } else if (ctl->n_args < ARGS_MAX) {
            ctl->args[ctl->n_args++] = argv[at];
        } else {
            return ctl_fail(EXIT_BAD_ARGS, "too many arguments");
        }
    }
    ctl->args[ctl->n_args] = NULL;
    return 0;
}

/* Moves the words that name the command out of argv. -1: help was printed; else an exit code. */
static int choose_command(struct ctl *ctl, int *argc, char **argv)
{
    int words[2];
    int n_words = 0;
    char group[32];
    char error[256];
    struct flag_set globals = {.n_values = 0};
    enum match found;

    flags_add(&globals, ctl_global_flags);
    for (int at = 0; at < *argc && n_words < 2; at++) {
        if (argv[at][0] != '-') {
            words[n_words++] = at;
            if (!is_group_word(argv[words[0]])) {
                break;
            }
        } else if (flags_take(&globals, *argc, argv, &at, error, sizeof error) != 0) {
            return ctl_fail(EXIT_ERROR, "%s", error);
        }
    }
    if (n_words == 0 || (n_words == 1 && strcmp(argv[words[0]], "help") == 0)) {
        print_help(NULL);
        return -1;
    }
    found = find_command(argv[words[0]], n_words > 1 ? argv[words[1]] : NULL, &ctl->command, group,
                         sizeof group);
    if (found == MATCH_GROUP) {
        print_help(group);
        return -1;
    }
    if (found != MATCH_ONE) {
        return ctl_fail(EXIT_ERROR,
                        "%s command \"%s%s%s\" for \"kvctl\"\nRun 'kvctl --help' for usage.",
                        found == MATCH_NONE ? "unknown" : "ambiguous", argv[words[0]],
                        n_words > 1 ? " " : "", n_words > 1 ? argv[words[1]] : "");
    }
    while (n_words > 0) {
        int at = words[--n_words];

        memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof *argv);
        (*argc)--;
    }
    return 0;
}

/* ---- the client ---- */

static const char *or_null(const char *text)
{
    return *text != '\0' ? text : NULL;
}

struct kvs_client *ctl_client_open(struct ctl *ctl, const char *endpoints)
{
    struct kvs_client_options options;
    struct kvs_client *client;
    struct kvs_error error;

    kvs_client_options_init(&options);
    options.endpoints = endpoints != NULL ? endpoints : ctl_string(ctl, "endpoints");
    options.dial_timeout_ms = ctl_duration_ms(ctl, "dial-timeout");
    options.call_timeout_ms = ctl_duration_ms(ctl, "command-timeout");
    options.keepalive_time_ms = ctl_duration_ms(ctl, "keepalive-time");
    options.keepalive_timeout_ms = ctl_duration_ms(ctl, "keepalive-timeout");
    options.tls.ca_file = or_null(ctl_string(ctl, "cacert"));
    options.tls.cert_file = or_null(ctl_string(ctl, "cert"));
    options.tls.key_file = or_null(ctl_string(ctl, "key"));
    options.tls.skip_verify = ctl_bool(ctl, "insecure-skip-tls-verify");
    options.use_tls = !ctl_bool(ctl, "insecure-transport");
    if (kvs_client_open(&options, &client, &error) != 0) {
        (void)ctl_fail(EXIT_BAD_CONNECTION, "%s", error.msg);
        return NULL;
    }
    return client;
}

struct kvs_client *ctl_client(struct ctl *ctl)
{
    if (ctl->client == NULL) {
        ctl->client = ctl_client_open(ctl, NULL);
    }
    return ctl->client;
}

/* ---- the program ---- */

static int run(struct ctl *ctl, int argc, char **argv)
{
    int code = choose_command(ctl, &argc, argv);

    if (code != 0) {
        return code < 0 ? EXIT_OK : code;
    }
    flags_add(&ctl->flags, ctl->command->flags);
    code = ctl_parse(ctl, argc, argv);
    if (code != 0) {
        return code;
    }
    if (ctl_bool(ctl, "help")) {
        print_command_help(ctl->command);
        return EXIT_OK;
    }
    take_environment(&ctl->flags);
    ctl->hex = ctl_bool(ctl, "hex");
    ctl->printer = printer_find(ctl_string(ctl, "write-out"));
    if (ctl->printer == NULL) {
        return ctl_fail(EXIT_BAD_FEATURE, "unsupported output format");
    }
    return ctl->command->run(ctl);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.dash_at = -1};
    int code;

    (void)signal(SIGPIPE, SIG_IGN);
    flags_add(&ctl.flags, ctl_global_flags);
    code = run(&ctl, argc - 1, argv + 1);
    kvs_client_close(ctl.client);
    if (fflush(stdout) != 0 && code == EXIT_OK) {
        code = EXIT_IO;
    }
    return code;
}
