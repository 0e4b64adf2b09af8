/* watch: follows keys, prints what happens, and runs a command for each event if asked to. With -i
 * it reads `watch ...` and `progress` lines, and several watches run side by side. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "keys.h"
#include "output.h"
#include "quote.h"
#include "watching.h"

enum { LINE_MAX_BYTES = 64 * 1024, WATCHES_MAX = 1024 };

static const struct flag watch_flags[] = {
    {"interactive", "i", FLAG_BOOL, "false", "read watch commands from standard input"},
    {"prefix", NULL, FLAG_BOOL, "false", "watch keys with the given prefix"},
    {"rev", NULL, FLAG_INT, "0", "revision to start watching at"},
    {"prev-kv", NULL, FLAG_BOOL, "false", "show each key as it was before the event"},
    {"progress-notify", NULL, FLAG_BOOL, "false", "let the server say how far the watch is"},
    FLAG_END,
};

/* The key and range from the arguments before "--", or from the environment. */
static int watch_request(struct ctl *ctl,
                         struct kvs_watch_create_req *ret_req,
                         const char *const **ret_exec,
                         void **ret_memory)
{
    struct kvs_watch_create_req req = {
        .start_revision = ctl_int(ctl, "rev"),
        .prev_kv = ctl_bool(ctl, "prev-kv"),
        .progress_notify = ctl_bool(ctl, "progress-notify"),
    };
    int n_args = ctl->dash_at >= 0 ? ctl->dash_at : ctl->n_args;
    const char *key = getenv("ETCDCTL_WATCH_KEY");
    const char *end = getenv("ETCDCTL_WATCH_RANGE_END");
    bool prefix = ctl_bool(ctl, "prefix");

    *ret_memory = NULL;
    *ret_exec = ctl->dash_at >= 0 && ctl->dash_at < ctl->n_args ? &ctl->args[ctl->dash_at] : NULL;
    if (n_args > 0) {
        key = ctl->args[0];
        end = n_args > 1 ? ctl->args[1] : NULL;
    }
    if (n_args > 2 || key == NULL) {
        return ctl_fail(EXIT_BAD_ARGS, "bad number of arguments");
    }
    if (end != NULL && *end != '\0' && prefix) {
        return ctl_fail(EXIT_BAD_ARGS, "`range_end` and `--prefix` cannot be set at the same time");
    }
    req.key = ctl_view(key);
    if (end != NULL) {
        req.range_end = ctl_view(end);
    } else if (prefix && *key == '\0') {
        req.key = (struct kvs_view){"", 1};
        req.range_end = (struct kvs_view){"", 1};
    } else if (prefix) {
        *ret_memory = ctl_alloc(req.key.len);
        req.range_end = (struct kvs_view){*ret_memory, kvs_prefix_end(req.key, *ret_memory)};
    }
    *ret_req = req;
    return 0;
}

/* ---- interactive ---- */

struct session {
    struct ctl *ctl;
    struct kvs_watch_reader *readers[WATCHES_MAX]; /* ended ones, too */
    size_t n_readers;
};

struct follower {
    struct ctl ctl; /* its own flags and arguments */
    struct kvs_watch_reader *reader;
    const char *const *exec;
    char *line;
};

static void *follower_run(void *arg)
{
    struct follower *f = arg;

    (void)watching_follow(&f->ctl, f->reader, f->exec);
    ctl_free(f->line);
    ctl_free(f);
    return NULL;
}

/* Starts what a line asks for; a bad line is reported and costs nothing else. */
static void session_watch(struct session *s, struct follower *f)
{
    struct kvs_watch_create_req req;
    pthread_t thread;
    void *memory = NULL;

    if (watch_request(&f->ctl, &req, &f->exec, &memory) != 0 ||
        kvs_watch_reader_open(s->ctl->client, &req, 0, &f->reader) != 0) {
        ctl_free(memory);
        ctl_free(f->line);
        ctl_free(f);
        return;
    }
    ctl_free(memory);
    s->readers[s->n_readers++] = f->reader;
    if (pthread_create(&thread, NULL, follower_run, f) == 0) {
        (void)pthread_detach(thread);
    }
}

static void session_line(struct session *s, const char *line)
{
    char *words[ARGS_MAX];
    struct follower *f = ctl_alloc(sizeof *f);
    int n_words;

    f->line = ctl_strdup(line);
    f->ctl = *s->ctl;
    f->ctl.flags.n_values = 0;
    flags_add(&f->ctl.flags, watch_flags);
    f->ctl.n_args = 0;
    f->ctl.dash_at = -1;
    n_words = quote_split(f->line, words, ARGS_MAX);
    if (n_words > 0 && strcmp(words[0], "progress") == 0) {
        for (size_t i = 0; i < s->n_readers; i++) {
            kvs_watch_reader_progress(s->readers[i]);
        }
    } else if (n_words > 0 && strcmp(words[0], "watch") == 0 && s->n_readers < WATCHES_MAX) {
        if (ctl_parse(&f->ctl, n_words - 1, words + 1) == 0) {
            session_watch(s, f);
            return;
        }
    } else {
        (void)fprintf(stderr, "Invalid command %s (only support watch and progress)\n", line);
    }
    ctl_free(f->line);
    ctl_free(f);
}

static int watch_interactive(struct ctl *ctl)
{
    struct session *s = ctl_alloc(sizeof *s);
    char *line = ctl_alloc(LINE_MAX_BYTES);

    s->ctl = ctl;
    while (fgets(line, LINE_MAX_BYTES, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        session_line(s, line);
    }
    ctl_free(line);
    /* The followers' threads use the client and the readers: the process ends as it is. */
    (void)ctl_fail(EXIT_INVALID_INPUT, "Error reading watch request line: EOF");
    (void)fflush(stdout);
    _Exit(EXIT_INVALID_INPUT);
}

static int watch_run(struct ctl *ctl)
{
    struct kvs_watch_create_req req;
    const char *const *exec;
    void *memory = NULL;
    int code = printer_check(ctl, ctl->printer->watch != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl_bool(ctl, "interactive")) {
        return ctl_client(ctl) != NULL ? watch_interactive(ctl) : EXIT_BAD_CONNECTION;
    }
    code = watch_request(ctl, &req, &exec, &memory);
    if (code == 0) {
        code = watching_run(ctl, &req, exec);
    }
    ctl_free(memory);
    return code;
}

const struct command command_watch = {
    "watch", "[options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
    "Watches events stream on keys or prefixes", watch_flags, watch_run};
