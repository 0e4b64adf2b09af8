/* What the servers cost, read from /proc: CPU time and resident memory of a list of processes. */
#ifndef BENCH_PROCS_H
#define BENCH_PROCS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCS_MAX = 16 };

struct procs {
    pid_t pid[PROCS_MAX];
    size_t n;
};

/* Of all processes together. */
struct procs_sample {
    uint64_t cpu_us; /* user + system; the kernel counts in steps of 10 ms */
    uint64_t rss_kb;
    uint64_t anon_kb; /* the part of it that is not a mapped file */
};

/* "12,13,14" -> processes; -1 if it is anything else. */
int procs_parse(const char *text, struct procs *ret_procs);

/* A process that has gone counts as nothing. */
struct procs_sample procs_sample(const struct procs *p);

#endif
