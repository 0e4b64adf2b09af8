/* lock: holds a named lock until interrupted, or while a command runs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "output.h"
#include "session.h"

static const struct flag lock_flags[] = {
    {"ttl", NULL, FLAG_INT, "10", "timeout for session, in seconds"},
    FLAG_END,
};

/* The command's exit code; its environment names the lock. */
static int run_command(const struct kvs_lock *lock, const char *const *exec)
{
    struct kvs_view key = kvs_lock_key(lock);
    char text[512];
    int status = 0;
    pid_t pid;

    (void)fflush(stdout);
    pid = fork();
    if (pid < 0) {
        return ctl_fail(EXIT_ERROR, "cannot fork");
    }
    if (pid == 0) {
        (void)snprintf(text, sizeof text, "%.*s", (int)key.len, (const char *)key.data);
        (void)setenv("ETCD_LOCK_KEY", text, 1);
        (void)snprintf(text, sizeof text, "%" PRId64, kvs_lock_revision(lock));
        (void)setenv("ETCD_LOCK_REV", text, 1);
        interrupt_reset();
        (void)execvp(exec[0], (char *const *)(uintptr_t)exec);
        (void)fprintf(stderr, "Error: exec: \"%s\": executable file not found in $PATH\n", exec[0]);
        _exit(EXIT_ERROR);
    }
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_ERROR;
}

static int hold(struct session *s)
{
    int code = session_show(s);

    if (code == 0 && interrupt_wait(&s->interrupt) == INTERRUPT_RAISED) {
        code = ctl_fail(EXIT_ERROR, "session expired");
    }
    return code;
}

static int lock_run(struct ctl *ctl)
{
    struct session s;
    int code = printer_check(ctl, ctl->printer->range != NULL);

    if (code == 0 && ctl->n_args == 0) {
        code = ctl_fail(EXIT_BAD_ARGS,
                        "lock takes a lock name argument and an optional command to execute");
    }
    if (code != 0) {
        return code;
    }
    code = session_open(&s, ctl, ctl_int(ctl, "ttl"));
    if (code == 0) {
        code = session_acquire(&s, ctl->args[0], (struct kvs_view){"", 0});
    }
    if (code == 0) {
        code = ctl->n_args > 1 ? run_command(s.lock, &ctl->args[1]) : hold(&s);
    }
    if (ctl->client != NULL) {
        session_close(&s);
    }
    return code;
}

const struct command command_lock = {"lock", "<lockname> [exec-command arg1 arg2 ...]",
                                     "Acquires a named lock", lock_flags, lock_run};
