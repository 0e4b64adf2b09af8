/* Follows every key under a prefix: first what there is, then what happens, without a gap. */
#include <stdio.h>
#include <string.h>

#include <kvstore/client.h>

static void show(const char *what, const struct kvs_kv *kv)
{
    (void)printf("%s %.*s = %.*s\n", what, (int)kv->key.len, (const char *)kv->key.data,
                 (int)kv->value.len, (const char *)kv->value.data);
    (void)fflush(stdout);
}

/* Returns the revision of the list; below 0: an error. */
static kvs_revision
list(struct kvs_client *client, const struct kvs_range_req *req, struct kvs_error *error)
{
    struct kvs_range_iter *iter;
    const struct kvs_kv *kv;
    kvs_revision revision = -1;

    if (kvs_range_iter_open(client, req, 0, &iter) != 0) {
        return -1;
    }
    while (kvs_range_iter_next(iter, &kv, error) == 0) {
        if (kv == NULL) {
            revision = kvs_range_iter_header(iter).revision;
            break;
        }
        show("is", kv);
    }
    kvs_range_iter_close(iter);
    return revision;
}

static int
follow(struct kvs_client *client, const struct kvs_watch_create_req *req, struct kvs_error *error)
{
    struct kvs_watch_reader *reader;
    const struct kvs_watch_resp *resp;
    int err = kvs_watch_reader_open(client, req, 0, &reader);

    while (err == 0) {
        err = kvs_watch_reader_next(reader, KVS_NO_TIMEOUT, &resp, error);
        for (size_t i = 0; err == 0 && i < resp->n_events; i++) {
            show(resp->events[i].type == KVS_EVENT_PUT ? "put" : "del", &resp->events[i].kv);
        }
        if (err == 0) {
            kvs_resp_free(resp);
        } else {
            kvs_watch_reader_close(reader);
        }
    }
    return err;
}

int main(int argc, char **argv)
{
    struct kvs_client_options options;
    struct kvs_client *client;
    struct kvs_error error = {0, ""};
    struct kvs_range_req range = {.key = {"/", 1}};
    struct kvs_watch_create_req watch;
    char end[256];

    kvs_client_options_init(&options);
    options.endpoints = argc > 1 ? argv[1] : "127.0.0.1:2379";
    if (argc > 2 && strlen(argv[2]) < sizeof end) {
        range.key = (struct kvs_view){argv[2], strlen(argv[2])};
    }
    range.range_end = (struct kvs_view){end, kvs_prefix_end(range.key, end)};
    if (kvs_client_open(&options, &client, &error) == 0) {
        kvs_revision revision = list(client, &range, &error);

        watch = (struct kvs_watch_create_req){
            .key = range.key, .range_end = range.range_end, .start_revision = revision + 1};
        if (revision >= 0) {
            (void)follow(client, &watch, &error);
        }
        kvs_client_close(client);
    }
    (void)fprintf(stderr, "watcher: %s\n", error.msg);
    return 1;
}
