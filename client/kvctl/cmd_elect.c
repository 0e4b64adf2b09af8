/* elect: campaigns and stays leader until interrupted; with -l only observes who leads. */
#include <stdio.h>

#include "commands.h"
#include "output.h"
#include "session.h"

static const struct flag elect_flags[] = {
    {"listen", "l", FLAG_BOOL, "false", "observation mode"},
    FLAG_END,
};

enum { SESSION_TTL_S = 60 };

struct observation {
    struct ctl *ctl;
    struct interrupt interrupt;
    struct kvs_error error;
};

static void
observed_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *leader)
{
    struct observation *o = ctx;

    if (leader != NULL) {
        o->ctl->printer->range(o->ctl, leader);
        (void)fflush(stdout);
        return;
    }
    o->error = *error;
    interrupt_raise(&o->interrupt);
}

static int observe(struct ctl *ctl, const char *name)
{
    struct observation o = {.ctl = ctl};
    struct kvs_election_observer *observer;
    int code = interrupt_open(&o.interrupt);

    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_election_observe(ctl->client, ctl_view(name), observed_cb, &o, &observer) != 0) {
        return ctl_fail(EXIT_ERROR, "out of memory");
    }
    if (interrupt_wait(&o.interrupt) == INTERRUPT_RAISED) {
        code = ctl_fail_kvs(&o.error);
    }
    kvs_client_close(ctl->client); /* before `o` goes */
    ctl->client = NULL;
    return code;
}

static int campaign(struct ctl *ctl, const char *name, const char *proposal)
{
    struct session s;
    int code = session_open(&s, ctl, SESSION_TTL_S);

    if (code == 0) {
        code = session_acquire(&s, name, ctl_view(proposal));
    }
    if (code == 0) {
        code = session_show(&s);
    }
    if (code == 0 && interrupt_wait(&s.interrupt) == INTERRUPT_RAISED) {
        code = ctl_fail(EXIT_ERROR, "elect: session expired");
    }
    if (ctl->client != NULL) {
        session_close(&s);
    }
    return code;
}

static int elect_run(struct ctl *ctl)
{
    bool listen = ctl_bool(ctl, "listen");
    int code = printer_check(ctl, ctl->printer->range != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl->n_args != 1 && ctl->n_args != 2) {
        return ctl_fail(EXIT_BAD_ARGS,
                        "elect takes one election name argument and an optional proposal argument");
    }
    if (ctl->n_args == 1 && !listen) {
        return ctl_fail(EXIT_BAD_ARGS, "no proposal argument but -l not set");
    }
    if (ctl->n_args == 2 && listen) {
        return ctl_fail(EXIT_BAD_ARGS, "proposal given but -l is set");
    }
    return listen ? observe(ctl, ctl->args[0]) : campaign(ctl, ctl->args[0], ctl->args[1]);
}

const struct command command_elect = {"elect", "<election-name> [proposal]",
                                      "Observes and participates in leader election", elect_flags,
                                      elect_run};
