/* version */
#include <stdio.h>

#include "commands.h"

static int version_run(struct ctl *ctl)
{
    (void)ctl;
    (void)printf("kvctl version: %s\nAPI version: 3.6\n", KVCTL_VERSION);
    return EXIT_OK;
}

const struct command command_version = {"version", "", "Prints the version of kvctl", NULL,
                                        version_run};
