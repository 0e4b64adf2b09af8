/* node_sim [--seeds N] [--start S] [--jobs J]   random lives of whole clusters
 * node_sim --seed S [--trace]                   one of them, with all that happens
 * node_sim --repeat S                           the same seed twice must be the same life
 * node_sim --mutants [--seeds N] [--mutant M]   (sabotage build) each deliberate fault is noticed
 *
 * Lives run in child processes: a failed assertion ends one of them, and the parent still removes
 * its files and says which seed it was. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "node_mutants.h"
#include "node_world.h"

enum { JOBS_MAX = 64 };

struct options {
    uint64_t seeds;
    uint64_t start;
    uint64_t seed;
    unsigned jobs;
    bool one;
    bool trace;
    bool repeat;
    bool mutants;
    const char *mutant;
    char scratch[SIM_PATH_MAX / 2];
};

/* What a child tells its parent. */
struct report {
    uint64_t seed; /* under way, or failed */
    uint64_t done;
    struct world_result sum;
};

static int usage(void)
{
    fprintf(stderr, "usage: node_sim [--seeds N] [--start S] [--jobs J] | --seed S [--trace] |\n"
                    "                --repeat S | --mutants [--mutant NAME]\n");
    return 2;
}

static bool parse_number(struct options *o, const char *arg, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);

    if (strcmp(arg, "--seeds") == 0) {
        o->seeds = number;
    } else if (strcmp(arg, "--start") == 0) {
        o->start = number;
    } else if (strcmp(arg, "--jobs") == 0) {
        o->jobs = number < 1 ? 1 : number > JOBS_MAX ? JOBS_MAX : (unsigned)number;
    } else if (strcmp(arg, "--seed") == 0 || strcmp(arg, "--repeat") == 0) {
        o->one = true;
        o->repeat = strcmp(arg, "--repeat") == 0;
        o->seed = number;
    } else if (strcmp(arg, "--mutant") == 0) {
        o->mutants = true;
        o->mutant = value;
    } else {
        return false;
    }
    return true;
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            o->trace = true;
        } else if (strcmp(argv[i], "--mutants") == 0) {
            o->mutants = true;
        } else if (i + 1 == argc || !parse_number(o, argv[i], argv[i + 1])) {
            return usage();
        } else {
            i++;
        }
    }
    return 0;
}

/* --- in a child --- */

static void add(struct world_result *sum, const struct world_result *r)
{
    sum->events += r->events;
    sum->virtual_us += r->virtual_us;
    sum->ops += r->ops;
    sum->acknowledged += r->acknowledged;
    sum->revisions += r->revisions;
    sum->watched += r->watched;
    sum->ends += r->ends;
    sum->snapshots += r->snapshots;
}

static void tell(int fd, const struct report *report)
{
    if (write(fd, report, sizeof *report) != (ssize_t)sizeof *report) {
        _exit(3);
    }
}

/* Seeds start, start + stride, ...: tells each seed before it is lived and the sum after each. */
static void live(const struct options *o, uint64_t first, uint64_t stride, int fd)
{
    struct report report = {.seed = 0};

    for (uint64_t seed = first; seed < o->start + o->seeds; seed += stride) {
        const struct world_options options = {seed, o->scratch, o->trace};
        struct world_result result;

        report.seed = seed;
        tell(fd, &report);
        world_run(&options, &result);
        add(&report.sum, &result);
        report.done++;
        report.sum.hash = result.hash;
        tell(fd, &report);
    }
}

/* --- in the parent --- */

struct child {
    pid_t pid;
    int fd;
    struct report report;
};

static void child_start(const struct options *o, uint64_t first, uint64_t stride, struct child *c)
{
    int fds[2];

    kvs_assert(pipe(fds) == 0);
    (void)fflush(NULL);
    c->report = (struct report){.seed = 0};
    c->pid = fork();
    kvs_assert(c->pid >= 0);
    if (c->pid == 0) {
        (void)close(fds[0]);
        live(o, first, stride, fds[1]);
        (void)fflush(NULL);
        exit(0); /* not _exit: coverage and leaks are reported here */
    }
    (void)close(fds[1]);
    c->fd = fds[0];
}

/* Reads what they tell until all have ended: none of them may wait for us. */
static void children_listen(struct child *children, unsigned n)
{
    struct pollfd fds[JOBS_MAX];
    unsigned open = n;

    for (unsigned i = 0; i < n; i++) {
        fds[i] = (struct pollfd){.fd = children[i].fd, .events = POLLIN};
    }
    while (open > 0) {
        kvs_assert(poll(fds, n, -1) >= 0);
        for (unsigned i = 0; i < n; i++) {
            struct report report;

            if (fds[i].fd < 0 || fds[i].revents == 0) {
                continue;
            }
            if (read(fds[i].fd, &report, sizeof report) == (ssize_t)sizeof report) {
                children[i].report = report;
            } else {
                fds[i].fd = -1;
                open--;
            }
        }
    }
}

/* It has ended; false if it failed. */
static bool child_finish(struct child *c)
{
    int status = 0;

    (void)close(c->fd);
    kvs_assert(waitpid(c->pid, &status, 0) == c->pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_scratch(struct options *o)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    (void)snprintf(o->scratch, sizeof o->scratch, "%s/node-sim-XXXXXX", base);
    return mkdtemp(o->scratch) != NULL;
}

/* 0, or the number of the first seed that failed. `sum` may be NULL. */
static int run(struct options *o, struct report *ret_sum)
{
    struct child children[JOBS_MAX];
    unsigned jobs = o->jobs;
    int rc = 0;

    if (!make_scratch(o)) {
        perror("scratch folder");
        return 2;
    }
    for (unsigned i = 0; i < jobs; i++) {
        child_start(o, o->start + i, jobs, &children[i]);
    }
    children_listen(children, jobs);
    *ret_sum = (struct report){.seed = 0};
    for (unsigned i = 0; i < jobs; i++) {
        if (!child_finish(&children[i])) {
            fprintf(stderr,
                    "FAILED seed %" PRIu64 "; replay: node_sim --seed %" PRIu64 " --trace\n",
                    children[i].report.seed, children[i].report.seed);
            ret_sum->seed = children[i].report.seed;
            rc = 1;
        }
        ret_sum->done += children[i].report.done;
        ret_sum->sum.hash = children[i].report.sum.hash;
        add(&ret_sum->sum, &children[i].report.sum);
    }
    sim_remove_tree(o->scratch);
    return rc;
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_lives(struct options *o)
{
    struct report sum;
    double since = seconds();
    int rc = run(o, &sum);
    double took = seconds() - since;

    printf("%" PRIu64 " lives of %.1f virtual hours in %.1f s (%.1f a second): %" PRIu64
           " events, %" PRIu64 " requests (%" PRIu64 " acknowledged), %" PRIu64
           " revisions, %" PRIu64 " watch events, %" PRIu64 " ends of nodes, %" PRIu64
           " snapshots installed\n",
           sum.done, (double)sum.sum.virtual_us / 3.6e9, took, (double)sum.done / took,
           sum.sum.events, sum.sum.ops, sum.sum.acknowledged, sum.sum.revisions, sum.sum.watched,
           sum.sum.ends, sum.sum.snapshots);
    return rc;
}

static int run_one(struct options *o)
{
    struct report first;
    struct report second;
    int rc;

    o->start = o->seed;
    o->seeds = 1;
    o->jobs = 1;
    if (!o->repeat) {
        return run_lives(o);
    }
    rc = run(o, &first);
    if (rc == 0) {
        rc = run(o, &second);
    }
    if (rc == 0 && first.sum.hash != second.sum.hash) {
        fprintf(stderr, "FAILED seed %" PRIu64 ": not the same twice\n", o->seed);
        rc = 1;
    }
    return rc;
}

/* --- sabotage --- */

static bool mutant_is_caught(struct options *o, const char *name, uint64_t *ret_seed)
{
    struct report sum;
    bool caught;

    kvs_assert(freopen("/dev/null", "w", stderr) != NULL); /* what fails is meant to */
    kvs_assert(node_mutant_set(name));
    caught = run(o, &sum) != 0;
    *ret_seed = sum.done + 1;
    return caught;
}

static int run_mutants(struct options *o)
{
    const char *name;
    int missed = 0;

    if (node_mutant_name(0) == NULL) {
        fprintf(stderr, "this program is built without sabotage\n");
        return 2;
    }
    for (size_t i = 0; (name = node_mutant_name(i)) != NULL; i++) {
        uint64_t lives = 0;

        /* Those of the core have core_sim; here they run when they are named. */
        if (o->mutant != NULL ? strcmp(o->mutant, name) != 0 : strncmp(name, "core", 4) == 0) {
            continue;
        }
        if (mutant_is_caught(o, name, &lives)) {
            printf("%-34s caught in life %" PRIu64 "\n", name, lives);
        } else {
            printf("%-34s NOT CAUGHT in %" PRIu64 " lives\n", name, o->seeds);
            missed++;
        }
        (void)fflush(stdout);
    }
    return missed > 0;
}

int main(int argc, char **argv)
{
    struct options o = {.seeds = 100, .start = 1, .jobs = 1};
    int rc = parse(argc, argv, &o);

    if (rc != 0) {
        return rc;
    }
    if (o.mutants) {
        return run_mutants(&o);
    }
    return o.one ? run_one(&o) : run_lives(&o);
}
