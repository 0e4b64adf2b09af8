#include "endpoints.h"

#include <string.h>

static void add(struct endpoints *e, const char *text, size_t len)
{
    char *name = ctl_alloc(len + 1);

    memcpy(name, text, len);
    e->names = ctl_realloc(e->names, (e->count + 1) * sizeof *e->names);
    e->names[e->count++] = name;
}

static void from_flag(const char *list, struct endpoints *e)
{
    while (*list != '\0') {
        size_t len = strcspn(list, ",");

        if (len > 0) {
            add(e, list, len);
        }
        list += len + (list[len] == ',' ? 1 : 0);
    }
}

static int from_members(struct ctl *ctl, struct endpoints *e)
{
    static const struct kvs_member_list_req req;
    const struct kvs_member_list_resp *resp;
    struct kvs_error error;

    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_member_list_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_ERROR, "failed to fetch endpoints from etcd cluster member list: %s",
                        error.msg);
    }
    for (size_t i = 0; i < resp->n_members; i++) {
        for (size_t u = 0; u < resp->members[i].n_client_urls; u++) {
            add(e, resp->members[i].client_urls[u].data, resp->members[i].client_urls[u].len);
        }
    }
    kvs_resp_free(resp);
    return 0;
}

int endpoints_get(struct ctl *ctl, struct endpoints *ret_endpoints)
{
    *ret_endpoints = (struct endpoints){NULL, 0};
    if (ctl_bool(ctl, "cluster")) {
        return from_members(ctl, ret_endpoints);
    }
    from_flag(ctl_string(ctl, "endpoints"), ret_endpoints);
    return ctl_client(ctl) != NULL ? 0 : EXIT_BAD_CONNECTION;
}

void endpoints_free(struct endpoints *e)
{
    for (size_t i = 0; i < e->count; i++) {
        ctl_free(e->names[i]);
    }
    ctl_free(e->names);
}
