/* Tells the service manager about the state of the process (sd_notify(3) protocol). */
#ifndef SHARED_NOTIFY_H
#define SHARED_NOTIFY_H

/* Sends `state`, e.g. "READY=1", to the socket in $NOTIFY_SOCKET; does nothing without one. A
 * failure is ignored: the service manager then times out by itself. Any thread; also from a signal
 * handler, as long as nobody changes the environment. */
void notify_service_manager(const char *state);

#endif
