/* The table of commands, in alphabetical order as the help prints them. */
#include "commands.h"

#include <stddef.h>

const struct command *const ctl_commands[] = {
    &command_alarm_disarm,
    &command_alarm_list,
    &command_compaction,
    &command_completion_bash,
    &command_defrag,
    &command_del,
    &command_elect,
    &command_endpoint_hashkv,
    &command_endpoint_health,
    &command_endpoint_status,
    &command_get,
    &command_lease_grant,
    &command_lease_keep_alive,
    &command_lease_list,
    &command_lease_revoke,
    &command_lease_timetolive,
    &command_lock,
    &command_member_add,
    &command_member_list,
    &command_member_promote,
    &command_member_remove,
    &command_member_update,
    &command_move_leader,
    &command_put,
    &command_snapshot_save,
    &command_snapshot_status,
    &command_txn,
    &command_version,
    &command_watch,
    NULL,
};
