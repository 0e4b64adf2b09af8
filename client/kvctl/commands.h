/* Every command of kvctl; the table is in commands.c. */
#ifndef KVCTL_COMMANDS_H
#define KVCTL_COMMANDS_H

#include "ctl.h"

extern const struct command command_alarm_disarm;
extern const struct command command_alarm_list;
extern const struct command command_compaction;
extern const struct command command_completion_bash;
extern const struct command command_defrag;
extern const struct command command_del;
extern const struct command command_elect;
extern const struct command command_endpoint_hashkv;
extern const struct command command_endpoint_health;
extern const struct command command_endpoint_status;
extern const struct command command_get;
extern const struct command command_lease_grant;
extern const struct command command_lease_keep_alive;
extern const struct command command_lease_list;
extern const struct command command_lease_revoke;
extern const struct command command_lease_timetolive;
extern const struct command command_lock;
extern const struct command command_member_add;
extern const struct command command_member_list;
extern const struct command command_member_promote;
extern const struct command command_member_remove;
extern const struct command command_member_update;
extern const struct command command_move_leader;
extern const struct command command_put;
extern const struct command command_snapshot_save;
extern const struct command command_snapshot_status;
extern const struct command command_txn;
extern const struct command command_version;
extern const struct command command_watch;

#endif
