/* Stores inside the test's process: temporary directories, free loopback ports, no log. */
#ifndef TEST_LOCAL_STORE_H
#define TEST_LOCAL_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/view.h"
#include "kvstore/client.h"
#include "kvstore/node.h"

enum { LOCAL_READY_MS = 60000 };

struct local_store {
    char dir[64];
    struct kvs_node *node;
    struct kvs_client *client;
};

static inline void local_log_nothing(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    (void)line;
    (void)len;
}

/* A port that nobody listens on now. */
static inline unsigned local_free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(close(fd), 0);
    return ntohs(at.sin_port);
}

/* Opens a node with the rest of `options` in a new directory. */
static inline void local_store_open(struct local_store *s, struct kvs_node_options *options)
{
    struct kvs_error error = {0};

    (void)snprintf(s->dir, sizeof s->dir, "/tmp/keelson-local-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->client = NULL;
    options->data_dir = s->dir;
    options->log_fn = local_log_nothing;
    if (kvs_node_open(options, &s->node, &error) != 0) {
        fail_msg("%s", error.msg);
    }
}

static inline void local_store_attach(struct local_store *s)
{
    assert_int_equal(kvs_node_wait_ready(s->node, LOCAL_READY_MS), 0);
    assert_int_equal(kvs_client_open_node(s->node, &s->client, NULL), 0);
}

/* One member, no port, a client inside. */
static inline void local_store_start(struct local_store *s)
{
    struct kvs_node_options options;

    kvs_node_options_init(&options);
    local_store_open(s, &options);
    local_store_attach(s);
}

static inline void local_store_stop(struct local_store *s)
{
    char command[128];

    kvs_client_close(s->client);
    kvs_node_close(s->node);
    (void)snprintf(command, sizeof command, "rm -rf %s", s->dir);
    assert_int_equal(system(command), 0);
}

static inline kvs_revision local_put(struct kvs_client *c, const char *key, const char *value)
{
    const struct kvs_put_req req = {.key = view_str(key), .value = view_str(value)};
    const struct kvs_put_resp *resp;
    struct kvs_error error;
    kvs_revision revision;

    if (kvs_put_sync(c, &req, NULL, &resp, &error) != 0) {
        fail_msg("put %s: %s", key, error.msg);
    }
    revision = resp->header.revision;
    kvs_resp_free(resp);
    return revision;
}

#endif
