/* A store inside a program: no server, no port, durable, with etcd's semantics. */
#include <stdio.h>

#include <kvstore/client.h>
#include <kvstore/node.h>

int main(int argc, char **argv)
{
    struct kvs_node_options options;
    struct kvs_node *node;
    struct kvs_client *client;
    struct kvs_error error;
    const struct kvs_put_req put = {.key = {"greeting", 8}, .value = {"hello", 5}, .prev_kv = true};
    const struct kvs_put_resp *resp;

    kvs_node_options_init(&options);
    options.data_dir = argc > 1 ? argv[1] : "embedded.data";
    options.listen_client_urls = NULL; /* nobody else comes in */
    options.listen_peer_urls = NULL;   /* and it stays alone */
    options.log_level = KVS_LOG_WARN;
    if (kvs_node_open(&options, &node, &error) != 0 || kvs_node_wait_ready(node, 10000) != 0 ||
        kvs_client_open_node(node, &client, &error) != 0 ||
        kvs_put_sync(client, &put, NULL, &resp, &error) != 0) {
        (void)fprintf(stderr, "embedded: %s\n", error.msg);
        return 1;
    }
    (void)printf("revision %lld, version before: %lld\n", (long long)resp->header.revision,
                 (long long)(resp->has_prev ? resp->prev_kv.version : 0));
    kvs_resp_free(resp);
    kvs_client_close(client);
    kvs_node_close(node);
    return 0;
}
