#include "procs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int procs_parse(const char *text, struct procs *ret_procs)
{
    struct procs p = {.n = 0};

    while (*text != '\0') {
        char *end;
        long pid = strtol(text, &end, 10);

        if (end == text || pid <= 0 || p.n == PROCS_MAX || (*end != ',' && *end != '\0')) {
            return -1;
        }
        p.pid[p.n++] = (pid_t)pid;
        text = *end == ',' ? end + 1 : end;
    }
    *ret_procs = p;
    return 0;
}

/* The file as a string; empty if it cannot be read. */
static void procs_read(pid_t pid, const char *what, char *text, size_t size)
{
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, what);
    text[0] = '\0';
    file = fopen(path, "re");
    if (file != NULL) {
        text[fread(text, 1, size - 1, file)] = '\0';
        (void)fclose(file);
    }
}

/* Fields 14 and 15 of stat; the name in field 2 may hold anything, even ')'. */
static uint64_t procs_cpu_us(pid_t pid)
{
    char text[1024];
    uint64_t user = 0;
    uint64_t system = 0;
    char *at;

    procs_read(pid, "stat", text, sizeof text);
    at = strrchr(text, ')');
    if (at == NULL ||
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
               &system) != 2) {
        return 0;
    }
    return (user + system) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t procs_field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at != NULL ? strtoull(at + strlen(name), NULL, 10) : 0;
}

struct procs_sample procs_sample(const struct procs *p)
{
    struct procs_sample sum = {0};
    char text[4096];

    for (size_t i = 0; i < p->n; i++) {
        procs_read(p->pid[i], "status", text, sizeof text);
        sum.cpu_us += procs_cpu_us(p->pid[i]);
        sum.rss_kb += procs_field(text, "VmRSS:");
        sum.anon_kb += procs_field(text, "RssAnon:");
    }
    return sum;
}
