/* Flags of the load generator. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

const char *const load_workload_names[LOAD_WORKLOAD_COUNT] = {
    [LOAD_FILL] = "fill",   [LOAD_PUT] = "put",     [LOAD_GET] = "get",
    [LOAD_MIXED] = "mixed", [LOAD_RANGE] = "range", [LOAD_COMPACT] = "compact",
    [LOAD_WATCH] = "watch", [LOAD_IDLE] = "idle",   [LOAD_KEEPALIVE] = "keepalive",
};

static const char usage[] =
    "usage: kvsbench [flags] fill|put|get|mixed|range|compact|watch|idle|keepalive\n"
    "  --endpoints LIST   host:port,... (127.0.0.1:2379)\n"
    "  --clients N        requests outstanding (1000)\n"
    "  --conns N          connections, spread over the endpoints (100)\n"
    "  --rate N           requests a second regardless of the answers; latency counts from when\n"
    "                     a request was due (0: closed loop)\n"
    "  --seconds N        measured time (10)\n"
    "  --warmup-ms N      time before it (1000)\n"
    "  --keys N           key space (100000)\n"
    "  --value N          bytes of a value (256)\n"
    "  --prefix TEXT      of every key (/bench/)\n"
    "  --reads N          mixed: percent of gets (90)\n"
    "  --serializable     gets need not be linearizable\n"
    "  --streams N        watch, idle: streams (1000)\n"
    "  --watchers N       watch, idle: watches per stream (1)\n"
    "  --timeout-ms N     of a request; 0: none (0)\n"
    "  --pids LIST        server processes: CPU and memory are reported\n"
    "  --seed N           of the choice of keys (1)\n"
    "  --json             one line of JSON instead of text\n";

enum { FLAG_SERIALIZABLE = 1000, FLAG_JSON, FLAG_HELP, FLAG_ENDPOINTS, FLAG_PREFIX, FLAG_PIDS };

struct load_number {
    const char *name;
    uint64_t min;
    uint64_t max;
    uint64_t value;
};

enum {
    NUM_CLIENTS,
    NUM_CONNS,
    NUM_RATE,
    NUM_SECONDS,
    NUM_WARMUP,
    NUM_KEYS,
    NUM_VALUE,
    NUM_READS,
    NUM_STREAMS,
    NUM_WATCHERS,
    NUM_TIMEOUT,
    NUM_SEED,
    NUM_COUNT,
};

static bool number_parse(struct load_number *n, const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || value < n->min || value > n->max) {
        (void)fprintf(stderr, "kvsbench: --%s: %s is not a number in range\n", n->name, text);
        return false;
    }
    n->value = value;
    return true;
}

static bool workload_parse(const char *text, enum load_workload *ret_workload)
{
    for (int i = 0; i < LOAD_WORKLOAD_COUNT; i++) {
        if (strcmp(text, load_workload_names[i]) == 0) {
            *ret_workload = (enum load_workload)i;
            return true;
        }
    }
    return false;
}

static bool word_parse(struct load_options *o, int flag, const char *text)
{
    switch (flag) {
    case FLAG_SERIALIZABLE:
        o->serializable = true;
        return true;
    case FLAG_JSON:
        o->json = true;
        return true;
    case FLAG_ENDPOINTS:
        o->endpoints = text;
        return true;
    case FLAG_PREFIX:
        o->prefix = text;
        return strlen(text) > 0 && strlen(text) < 200;
    case FLAG_PIDS:
        return procs_parse(text, &o->servers) == 0;
    default:
        return false;
    }
}

static void numbers_apply(struct load_options *o, const struct load_number *n)
{
    o->clients = (unsigned)n[NUM_CLIENTS].value;
    o->connections = (unsigned)n[NUM_CONNS].value;
    o->rate = (unsigned)n[NUM_RATE].value;
    o->seconds = (unsigned)n[NUM_SECONDS].value;
    o->warmup_ms = (unsigned)n[NUM_WARMUP].value;
    o->keys = n[NUM_KEYS].value;
    o->value_bytes = (unsigned)n[NUM_VALUE].value;
    o->reads = (unsigned)n[NUM_READS].value;
    o->streams = (unsigned)n[NUM_STREAMS].value;
    o->watchers = (unsigned)n[NUM_WATCHERS].value;
    o->timeout_ms = (unsigned)n[NUM_TIMEOUT].value;
    o->seed = n[NUM_SEED].value;
}

bool load_options_parse(struct load_options *o, int argc, char **argv)
{
    struct load_number numbers[NUM_COUNT] = {
        [NUM_CLIENTS] = {"clients", 1, 1000000, 1000}, [NUM_CONNS] = {"conns", 1, 10000, 100},
        [NUM_RATE] = {"rate", 0, 10000000, 0},         [NUM_SECONDS] = {"seconds", 1, 86400, 10},
        [NUM_WARMUP] = {"warmup-ms", 0, 600000, 1000}, [NUM_KEYS] = {"keys", 1, UINT32_MAX, 100000},
        [NUM_VALUE] = {"value", 8, 1 << 20, 256},      [NUM_READS] = {"reads", 0, 100, 90},
        [NUM_STREAMS] = {"streams", 1, 1000000, 1000}, [NUM_WATCHERS] = {"watchers", 1, 1000000, 1},
        [NUM_TIMEOUT] = {"timeout-ms", 0, 3600000, 0}, [NUM_SEED] = {"seed", 0, UINT64_MAX, 1},
    };
    struct option flags[NUM_COUNT + 7] = {{0}};
    int n_flags = NUM_COUNT;
    int flag;

    for (int i = 0; i < NUM_COUNT; i++) {
        flags[i] = (struct option){numbers[i].name, required_argument, NULL, i};
    }
    flags[n_flags++] = (struct option){"serializable", no_argument, NULL, FLAG_SERIALIZABLE};
    flags[n_flags++] = (struct option){"json", no_argument, NULL, FLAG_JSON};
    flags[n_flags++] = (struct option){"help", no_argument, NULL, FLAG_HELP};
    flags[n_flags++] = (struct option){"endpoints", required_argument, NULL, FLAG_ENDPOINTS};
    flags[n_flags++] = (struct option){"prefix", required_argument, NULL, FLAG_PREFIX};
    flags[n_flags++] = (struct option){"pids", required_argument, NULL, FLAG_PIDS};

    *o = (struct load_options){.endpoints = "127.0.0.1:2379", .prefix = "/bench/"};
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        bool is_ok = flag >= 0 && flag < NUM_COUNT ? number_parse(&numbers[flag], optarg)
                                                   : word_parse(o, flag, optarg);

        if (!is_ok) {
            (void)fputs(usage, stderr);
            return false;
        }
    }
    numbers_apply(o, numbers);
    if (optind != argc - 1 || !workload_parse(argv[optind], &o->workload)) {
        (void)fputs(usage, stderr);
        return false;
    }
    return true;
}
