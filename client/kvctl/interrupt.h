/* Waiting for SIGINT or SIGTERM, or for a callback to say that the wait is over. */
#ifndef KVCTL_INTERRUPT_H
#define KVCTL_INTERRUPT_H

struct interrupt {
    int signal_fd;
    int event_fd;
};

enum interrupt_why {
    INTERRUPT_SIGNAL,
    INTERRUPT_RAISED,
};

/* From here on the two signals wait for interrupt_wait. 0 or an exit code. */
int interrupt_open(struct interrupt *i);

/* Any thread. */
void interrupt_raise(struct interrupt *i);

enum interrupt_why interrupt_wait(struct interrupt *i);

/* In a child before exec: signals are as usual. */
void interrupt_reset(void);

#endif
