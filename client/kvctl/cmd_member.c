/* member list, add, remove, update, promote. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "output.h"
#include "quote.h"

enum { URLS_MAX = 32 };

static const struct flag list_flags[] = {
    {"consistency", NULL, FLAG_STRING, "l", "Linearizable(l) or Serializable(s)"},
    FLAG_END,
};

static const struct flag add_flags[] = {
    {"peer-urls", NULL, FLAG_STRING, "", "comma separated peer URLs for the new member"},
    {"learner", NULL, FLAG_BOOL, "false", "the new member is a learner, without a vote"},
    FLAG_END,
};

static const struct flag update_flags[] = {
    {"peer-urls", NULL, FLAG_STRING, "", "comma separated peer URLs for the updated member"},
    FLAG_END,
};

/* "a,b" -> views into it. */
static size_t split_urls(const char *text, struct kvs_view urls[URLS_MAX])
{
    size_t count = 0;

    while (*text != '\0' && count < URLS_MAX) {
        size_t len = strcspn(text, ",");

        if (len > 0) {
            urls[count++] = (struct kvs_view){text, len};
        }
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return count;
}

static int member_argument(struct ctl *ctl, uint64_t *ret_id)
{
    if (ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS, "member ID is not provided");
    }
    if (!ctl_parse_hex(ctl->args[0], ret_id)) {
        return ctl_fail(EXIT_BAD_ARGS, "bad member ID arg (%s), expecting ID in Hex", ctl->args[0]);
    }
    return 0;
}

/* The responses of remove, update and promote look alike. */
static int show_change(struct ctl *ctl,
                       uint64_t id,
                       const char *what,
                       int err,
                       const struct kvs_member_list_resp *resp,
                       const struct kvs_error *error)
{
    if (err != 0) {
        return ctl_fail_kvs(error);
    }
    ctl->printer->member_change(ctl, id, what, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

static int list_run(struct ctl *ctl)
{
    struct kvs_member_list_req req = {.linearizable =
                                          strcmp(ctl_string(ctl, "consistency"), "s") != 0};
    const struct kvs_member_list_resp *resp;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->member_list != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_member_list_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    ctl->printer->member_list(ctl, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* What the new member has to be started with. */
static void
show_settings(const char *name, const char *urls, const struct kvs_member_add_resp *resp)
{
    const char *comma = "";

    (void)printf("\nETCD_NAME=");
    quote_put(stdout, ctl_view(name));
    (void)printf("\nETCD_INITIAL_CLUSTER=\"");
    for (size_t i = 0; i < resp->n_members; i++) {
        const struct kvs_member *m = &resp->members[i];
        struct kvs_view shown = m->id == resp->member.id ? ctl_view(name) : m->name;

        for (size_t u = 0; u < m->n_peer_urls; u++) {
            (void)printf("%s%.*s=%.*s", comma, (int)shown.len, (const char *)shown.data,
                         (int)m->peer_urls[u].len, (const char *)m->peer_urls[u].data);
            comma = ",";
        }
    }
    (void)printf("\"\nETCD_INITIAL_ADVERTISE_PEER_URLS=\"%s\"\n"
                 "ETCD_INITIAL_CLUSTER_STATE=\"existing\"\n",
                 urls);
}

static int add_run(struct ctl *ctl)
{
    const char *text = ctl_string(ctl, "peer-urls");
    const struct kvs_member_add_resp *resp;
    struct kvs_view urls[URLS_MAX];
    struct kvs_member_add_req req = {.peer_urls = urls, .is_learner = ctl_bool(ctl, "learner")};
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->member_add != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl->n_args < 1) {
        return ctl_fail(EXIT_BAD_ARGS, "member name not provided");
    }
    if (ctl->n_args > 1) {
        return ctl_fail(EXIT_BAD_ARGS, "too many arguments");
    }
    req.n_peer_urls = split_urls(text, urls);
    if (req.n_peer_urls == 0) {
        return ctl_fail(EXIT_BAD_ARGS, "member peer urls not provided");
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_member_add_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    ctl->printer->member_add(ctl, resp);
    if (strcmp(ctl->printer->name, "simple") == 0) {
        show_settings(ctl->args[0], text, resp);
    }
    kvs_resp_free(resp);
    return EXIT_OK;
}

static int remove_run(struct ctl *ctl)
{
    const struct kvs_member_list_resp *resp = NULL;
    struct kvs_member_remove_req req;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->member_change != NULL);
    int err;

    if (code == 0) {
        code = member_argument(ctl, &req.id);
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    err = kvs_member_remove_sync(ctl->client, &req, NULL, &resp, &error);
    return show_change(ctl, req.id, "removed from", err, resp, &error);
}

static int update_run(struct ctl *ctl)
{
    const struct kvs_member_list_resp *resp = NULL;
    struct kvs_view urls[URLS_MAX];
    struct kvs_member_update_req req = {.peer_urls = urls};
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->member_change != NULL);
    int err;

    if (code == 0) {
        code = member_argument(ctl, &req.id);
    }
    if (code != 0) {
        return code;
    }
    req.n_peer_urls = split_urls(ctl_string(ctl, "peer-urls"), urls);
    if (req.n_peer_urls == 0) {
        return ctl_fail(EXIT_BAD_ARGS, "member peer urls not provided");
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    err = kvs_member_update_sync(ctl->client, &req, NULL, &resp, &error);
    return show_change(ctl, req.id, "updated in", err, resp, &error);
}

static int promote_run(struct ctl *ctl)
{
    const struct kvs_member_list_resp *resp = NULL;
    struct kvs_member_promote_req req;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->member_change != NULL);
    int err;

    if (code == 0) {
        code = member_argument(ctl, &req.id);
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    err = kvs_member_promote_sync(ctl->client, &req, NULL, &resp, &error);
    return show_change(ctl, req.id, "promoted in", err, resp, &error);
}

const struct command command_member_list = {"member list", "", "Lists all members in the cluster",
                                            list_flags, list_run};
const struct command command_member_add = {"member add", "<memberName> [options]",
                                           "Adds a member into the cluster", add_flags, add_run};
const struct command command_member_remove = {
    "member remove", "<memberID>", "Removes a member from the cluster", NULL, remove_run};
const struct command command_member_update = {"member update", "<memberID> [options]",
                                              "Updates a member in the cluster", update_flags,
                                              update_run};
const struct command command_member_promote = {
    "member promote", "<memberID>", "Promotes a learner to a voting member", NULL, promote_run};
