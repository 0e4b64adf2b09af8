#include "watching.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"
#include "quote.h"

static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_quoted(const char *name, struct kvs_view bytes)
{
    char *text = quote_new(bytes);

    (void)setenv(name, text, 1);
    ctl_free(text);
}

/* Waits for the command, so that events are handled one by one in their order. The values are
 * quoted as etcdctl quotes them. */
static void
run_exec(const struct kvs_watch_resp *resp, const struct kvs_event *event, const char *const *exec)
{
    char revision[32];
    int status;
    pid_t pid;

    (void)fflush(stdout);
    (void)snprintf(revision, sizeof revision, "%" PRId64, resp->header.revision);
    pid = fork();
    if (pid < 0) {
        (void)fprintf(stderr, "command %s error (cannot fork)\n", exec[0]);
        return;
    }
    if (pid == 0) {
        (void)setenv("ETCD_WATCH_REVISION", revision, 1);
        (void)setenv("ETCD_WATCH_EVENT_TYPE",
                     event->type == KVS_EVENT_PUT ? "\"PUT\"" : "\"DELETE\"", 1);
        set_quoted("ETCD_WATCH_KEY", event->kv.key);
        set_quoted("ETCD_WATCH_VALUE", event->kv.value);
        (void)execvp(exec[0], (char *const *)(uintptr_t)exec);
        (void)fprintf(stderr, "command %s error (cannot run it)\n", exec[0]);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) == pid && status != 0) {
        (void)fprintf(stderr, "command %s error (exit status %d)\n", exec[0],
                      WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
}

static void show(struct ctl *ctl, const struct kvs_watch_resp *resp, const char *const *exec)
{
    if (resp->created && resp->n_events == 0) {
        return;
    }
    (void)pthread_mutex_lock(&output_lock);
    if (resp->n_events == 0) {
        (void)printf("progress notify: %" PRId64 "\n", resp->header.revision);
    }
    ctl->printer->watch(ctl, resp);
    (void)fflush(stdout);
    for (size_t i = 0; exec != NULL && i < resp->n_events; i++) {
        run_exec(resp, &resp->events[i], exec);
    }
    (void)pthread_mutex_unlock(&output_lock);
}

int watching_follow(struct ctl *ctl, struct kvs_watch_reader *reader, const char *const *exec)
{
    const struct kvs_watch_resp *resp;
    struct kvs_error error;

    while (kvs_watch_reader_next(reader, KVS_NO_TIMEOUT, &resp, &error) == 0) {
        show(ctl, resp, exec);
        kvs_resp_free(resp);
    }
    if (error.code == KVS_E_CANCELED) {
        return EXIT_OK;
    }
    resp = kvs_watch_reader_last_words(reader);
    if (resp != NULL && strcmp(ctl->printer->name, "simple") != 0) {
        ctl->printer->watch(ctl, resp);
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "watch was canceled (%s)\n", error.msg);
    return ctl_fail(EXIT_INTERRUPTED, "watch is canceled by the server");
}

int watching_run(struct ctl *ctl, const struct kvs_watch_create_req *req, const char *const *exec)
{
    struct kvs_watch_reader *reader;
    int err;

    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    err = kvs_watch_reader_open(ctl->client, req, 0, &reader);
    if (err != 0) {
        return ctl_fail(EXIT_ERROR, "%s", kvs_strerror(err));
    }
    err = watching_follow(ctl, reader, exec);
    kvs_watch_reader_close(reader);
    return err;
}
