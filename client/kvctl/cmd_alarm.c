/* alarm list, disarm. */
#include "commands.h"
#include "output.h"

static int list_run(struct ctl *ctl)
{
    static const struct kvs_alarm_req req = {.action = KVS_ALARM_GET};
    const struct kvs_alarm_list_resp *resp;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->alarms != NULL);

    if (code == 0 && ctl->n_args != 0) {
        code = ctl_fail(EXIT_BAD_ARGS, "alarm list command accepts no arguments");
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_alarm_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    ctl->printer->alarms(ctl, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* Ends each alarm that is on, and shows the ended ones. */
static int disarm_run(struct ctl *ctl)
{
    static const struct kvs_alarm_req all = {.action = KVS_ALARM_GET};
    const struct kvs_alarm_list_resp *resp;
    struct kvs_alarm_list_resp ended = {.n_alarms = 0};
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->alarms != NULL);

    if (code == 0 && ctl->n_args != 0) {
        code = ctl_fail(EXIT_BAD_ARGS, "alarm disarm command accepts no arguments");
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_alarm_sync(ctl->client, &all, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    for (size_t i = 0; i < resp->n_alarms && code == 0; i++) {
        const struct kvs_alarm_req one = {.action = KVS_ALARM_DEACTIVATE,
                                          .member_id = resp->alarms[i].member_id,
                                          .type = resp->alarms[i].type};
        const struct kvs_alarm_list_resp *gone;

        if (kvs_alarm_sync(ctl->client, &one, NULL, &gone, &error) != 0) {
            code = ctl_fail_kvs(&error);
        } else {
            ended.n_alarms++;
            kvs_resp_free(gone);
        }
    }
    ended.alarms = resp->alarms;
    ctl->printer->alarms(ctl, &ended);
    kvs_resp_free(resp);
    return code;
}

const struct command command_alarm_list = {"alarm list", "", "Lists all alarms", NULL, list_run};
const struct command command_alarm_disarm = {"alarm disarm", "", "Disarms all alarms", NULL,
                                             disarm_run};
