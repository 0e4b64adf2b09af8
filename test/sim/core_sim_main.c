/* core_sim [--seeds N] [--start S]      random lives
 * core_sim --seed S [--trace]           one of them, with all that happens
 * core_sim --scenario NAME | --list     a failure seen elsewhere
 * core_sim --repeat S                   the same seed twice must be the same life
 * core_sim --mutant NAME [--seeds N]    (sabotage build) all scenarios, then random lives: fails,
 *                                       since the fault is noticed */
#include "core_sim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replica/core_int.h"

struct options {
    uint64_t seeds;
    uint64_t start;
    uint64_t seed;
    bool one;
    bool trace;
    bool verbose;
    bool repeat;
    bool list;
    const char *scenario;
    const char *mutant;
};

/* What the handler says: an assertion of the core does not know the seed. */
static char last_words[64];

static void on_abort(int signal)
{
    (void)signal;
    (void)!write(STDERR_FILENO, last_words, strlen(last_words));
    _Exit(1);
}

static void seed_is(uint64_t seed)
{
    (void)snprintf(last_words, sizeof last_words, "FAILED seed %" PRIu64 " (assertion)\n", seed);
}

static int usage(void)
{
    fprintf(stderr, "usage: core_sim [--seeds N] [--start S] [--seed S] [--repeat S] [--trace]\n"
                    "                [--verbose] [--scenario NAME] [--list] [--mutant NAME]\n");
    return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(arg, "--trace") == 0) {
            o->trace = true;
        } else if (strcmp(arg, "--verbose") == 0) {
            o->verbose = true;
        } else if (strcmp(arg, "--list") == 0) {
            o->list = true;
        } else if (value == NULL) {
            return usage();
        } else if (strcmp(arg, "--seeds") == 0) {
            o->seeds = strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(arg, "--start") == 0) {
            o->start = strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(arg, "--seed") == 0 || strcmp(arg, "--repeat") == 0) {
            o->one = true;
            o->repeat = strcmp(arg, "--repeat") == 0;
            o->seed = strtoull(value, NULL, 10);
            i++;
        } else if (strcmp(arg, "--scenario") == 0) {
            o->scenario = value;
            i++;
        } else if (strcmp(arg, "--mutant") == 0) {
            o->mutant = value;
            i++;
        } else {
            return usage();
        }
    }
    return 0;
}

#ifdef KVS_SABOTAGE
static const char *const mutant_names[MUTANT_COUNT] = {
    [MUTANT_VOTE_BEFORE_PERSIST] = "vote-before-persist",
    [MUTANT_ACK_BEFORE_PERSIST] = "ack-before-persist",
    [MUTANT_SELF_VOTE_BEFORE_PERSIST] = "self-vote-before-persist",
    [MUTANT_OWN_DISK_COUNTS_EARLY] = "own-disk-counts-early",
    [MUTANT_COMMIT_OLD_TERM] = "commit-old-term",
    [MUTANT_APPLY_BEFORE_COMMIT] = "apply-before-commit",
    [MUTANT_FOLLOWER_COMMITS_UNMATCHED] = "follower-commits-unmatched",
    [MUTANT_READ_WITHOUT_QUORUM] = "read-without-quorum",
    [MUTANT_READ_BEFORE_OWN_TERM] = "read-before-own-term",
    [MUTANT_TRUNCATE_ALWAYS] = "truncate-always",
    [MUTANT_JOINT_IGNORES_OLD] = "joint-ignores-old",
    [MUTANT_VOTE_IGNORES_LOG] = "vote-ignores-log",
    [MUTANT_CONF_NOT_ROLLED_BACK] = "conf-not-rolled-back",
    [MUTANT_LEAVE_JOINT_EARLY] = "leave-joint-early",
    [MUTANT_VOTE_TWICE] = "vote-twice",
    [MUTANT_NO_JOINT] = "no-joint",
    [MUTANT_CANDIDATE_REUSES_TERM] = "candidate-reuses-term",
};

static int sabotage(const char *name)
{
    for (int i = 1; i < MUTANT_COUNT; i++) {
        if (strcmp(name, mutant_names[i]) == 0) {
            core_sabotage = (enum core_mutant)i;
            return 0;
        }
    }
    fprintf(stderr, "no such mutant: %s\n", name);
    return 2;
}
#else
static int sabotage(const char *name)
{
    fprintf(stderr, "%s: this program is built without sabotage\n", name);
    return 2;
}
#endif

static int run_scenarios(const struct options *o)
{
    const char *name;

    for (size_t i = 0; (name = sim_scenario_name(i)) != NULL; i++) {
        if (o->list) {
            printf("%s\n", name);
        } else if (strcmp(o->scenario, name) == 0 || strcmp(o->scenario, "all") == 0) {
            (void)sim_scenario_run(name, o->one ? o->seed : 1, o->trace);
            printf("ok %s\n", name);
            (void)fflush(stdout); /* a failure ends the process at once */
            if (strcmp(o->scenario, "all") != 0) {
                return 0;
            }
        }
    }
    return o->list || strcmp(o->scenario, "all") == 0 ? 0 : usage();
}

static int run_one(const struct options *o)
{
    uint64_t hash = sim_random(o->seed, o->trace, true);

    if (o->repeat && sim_random(o->seed, false, true) != hash) {
        fprintf(stderr, "FAILED seed %" PRIu64 ": not the same twice\n", o->seed);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.seeds = 100, .start = 1};
    int rc = parse(argc, argv, &o);

    if (rc == 0 && o.mutant != NULL) {
        rc = sabotage(o.mutant);
    }
    if (rc != 0) {
        return rc;
    }
    (void)signal(SIGABRT, on_abort);
    seed_is(o.one ? o.seed : 1);
    if (o.list || o.scenario != NULL) {
        return run_scenarios(&o);
    }
    if (o.one) {
        return run_one(&o);
    }
    if (o.mutant != NULL) {
        o.scenario = "all";
        (void)run_scenarios(&o);
    }
    for (uint64_t seed = o.start; seed < o.start + o.seeds; seed++) {
        seed_is(seed);
        (void)sim_random(seed, o.trace, o.verbose);
    }
    printf("%" PRIu64 " seeds from %" PRIu64 " passed\n", o.seeds, o.start);
    return 0;
}
