/* kvstored: one member of a store cluster as a program, with etcd's flags.
 *
 * Everything but the command line is in libkvstore; see kvstore/node.h. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "shared/notify.h"

/* The one global: what a signal stops. Set once, before the handlers are. */
static struct kvs_node *main_node;

static void main_on_signal(int signal_number)
{
    (void)signal_number;
    kvs_node_stop(main_node);
    notify_service_manager("STOPPING=1");
}

static void main_handle_signals(struct kvs_node *node)
{
    struct sigaction action = {.sa_handler = main_on_signal};

    main_node = node;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

/* The node is about to be freed: a second signal must not find it. */
static void main_ignore_signals(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
}

static void main_warn(void *ctx, const char *name, const char *what)
{
    (void)ctx;
    (void)fprintf(stderr, "kvstored: %s: %s\n", name, what);
}

/* Large blocks go back to the system when they are freed: what a burst of writes left in the
 * overlay would otherwise stay in the heap. (By default the limit grows with the first free.) */
static void main_set_up_heap(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

static int main_fail(const struct kvs_error *error)
{
    (void)fprintf(stderr, "kvstored: %s\n", error->msg);
    return 1;
}

int main(int argc, char **argv)
{
    static struct config config;
    struct kvs_error error = {0};
    struct kvs_node *node;
    int err;

    if (config_load(&config, argc, argv, main_warn, NULL, &error) != 0) {
        return main_fail(&error);
    }
    if (config.version) {
        (void)printf("kvstored Version: %s\n", kvs_version());
        return 0;
    }
    if (config.help) {
        config_usage(&config);
        return 0;
    }
    main_set_up_heap();
    (void)signal(SIGPIPE, SIG_IGN);
    if (kvs_node_open(&config.node, &node, &error) != 0) {
        return main_fail(&error);
    }
    main_handle_signals(node);
    if (kvs_node_wait_ready(node, UINT32_MAX) == 0) {
        notify_service_manager("READY=1");
    }
    err = kvs_node_wait(node, &error);
    main_ignore_signals();
    kvs_node_close(node);
    if (err == KVS_E_MEMBER_NOT_FOUND) {
        return 0; /* removed on purpose, and said so in the log */
    }
    return err != 0 ? main_fail(&error) : 0;
}
