#include "interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl.h"

static void signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
}

int interrupt_open(struct interrupt *i)
{
    sigset_t set;

    signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    i->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    i->event_fd = eventfd(0, EFD_CLOEXEC);
    return i->signal_fd >= 0 && i->event_fd >= 0 ? 0 : ctl_fail(EXIT_IO, "no descriptor left");
}

void interrupt_raise(struct interrupt *i)
{
    const uint64_t one = 1;

    (void)!write(i->event_fd, &one, sizeof one);
}

enum interrupt_why interrupt_wait(struct interrupt *i)
{
    struct pollfd fds[2] = {{.fd = i->signal_fd, .events = POLLIN},
                            {.fd = i->event_fd, .events = POLLIN}};
    uint64_t count;

    while (poll(fds, 2, -1) < 0) {
    }
    if (fds[1].revents != 0) {
        (void)!read(i->event_fd, &count, sizeof count);
        return INTERRUPT_RAISED;
    }
    return INTERRUPT_SIGNAL;
}

void interrupt_reset(void)
{
    sigset_t set;

    signals(&set);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
