/* kvstored's command line: etcd's flags onto the options of a node. */
#ifndef KVSTORED_CONFIG_H
#define KVSTORED_CONFIG_H

#include <stdbool.h>

#include "kvstore/node.h"
#include "shared/flags.h"

struct config {
    struct kvs_node_options node;
    bool version;
    bool help;
    /* As given; checked and turned into `node`'s fields by config_load. */
    const char *initial_cluster_state;
    const char *log_level;
    const char *log_format;
    char data_dir[4096]; /* the default, made from the name */
    bool ignored;        /* target of flags without effect */
};

/* Reads environment and command line into `c`. Strings are borrowed from both.
 * KVS_E_INVALID with words in `ret_error`. */
KVS_MUST_USE int config_load(struct config *c,
                             int argc,
                             char **argv,
                             flags_warn_fn warn,
                             void *warn_ctx,
                             struct kvs_error *ret_error);

/* Prints the help text. */
void config_usage(struct config *c);

#endif
