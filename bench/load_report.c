/* The result of one run: a line of JSON for bench/run, or text. */
#include <inttypes.h>
#include <stdio.h>

#include "load.h"

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* What a measurement counts: events for watches, else answers. */
static uint64_t report_units(const struct load *l)
{
    return l->options.workload == LOAD_WATCH ? l->result.n_events : l->result.n_ok;
}

static double report_us(const struct hist *h, unsigned per_mille)
{
    return (double)hist_at(h, per_mille) / 1000;
}

static void report_json(const struct load *l, double seconds, double cpu_us)
{
    const struct load_result *r = &l->result;
    const struct hist *h = &r->latency_ns;
    double units = (double)report_units(l);

    (void)printf("{\"workload\": \"%s\", \"ops\": %" PRIu64 ", \"seconds\": %.3f, "
                 "\"per_s\": %.1f, \"errors\": %" PRIu64 ", \"missed\": %" PRIu64
                 ", \"late\": %" PRIu64 ", \"first_error\": \"%s\"",
                 load_workload_names[l->options.workload], r->n_ok, seconds, ratio(units, seconds),
                 r->n_errors, r->n_missed, r->n_late, r->first_error);
    (void)printf(", \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f",
                 report_us(h, 500), report_us(h, 990), report_us(h, 999), (double)h->max / 1000);
    (void)printf(", \"events\": %" PRIu64 ", \"events_expected\": %" PRIu64 ", \"mb_per_s\": %.1f",
                 r->n_events, r->n_events_expected, ratio((double)r->n_bytes / 1e6, seconds));
    (void)printf(", \"compact_ms\": %" PRIu64 ", \"compact_p99_us\": %.1f", r->compact_ms,
                 (double)r->compact_p99_ns / 1000);
    (void)printf(", \"cpu_us\": %.0f, \"cpu_us_per_op\": %.2f, \"load_cpu_percent\": %.0f", cpu_us,
                 ratio(cpu_us, units), 100 * ratio((double)l->own_cpu_us / 1e6, seconds));
    (void)printf(", \"rss_before_kb\": %" PRIu64 ", \"rss_after_kb\": %" PRIu64
                 ", \"rss_max_kb\": %" PRIu64 ", \"anon_before_kb\": %" PRIu64
                 ", \"anon_after_kb\": %" PRIu64 ", \"anon_max_kb\": %" PRIu64
                 ", \"watchers\": %zu}\n",
                 l->before.rss_kb, l->after.rss_kb, l->rss_max_kb, l->before.anon_kb,
                 l->after.anon_kb, l->anon_max_kb, l->n_streams * l->options.watchers);
}

static void report_text(const struct load *l, double seconds, double cpu_us)
{
    const struct load_result *r = &l->result;
    const struct hist *h = &r->latency_ns;
    double units = (double)report_units(l);

    (void)printf("%s: %.0f/s  p50 %.0f us  p99 %.0f us  p99.9 %.0f us  max %.0f us\n",
                 load_workload_names[l->options.workload], ratio(units, seconds), report_us(h, 500),
                 report_us(h, 990), report_us(h, 999), (double)h->max / 1000);
    (void)printf("  %" PRIu64 " answers in %.2f s, %" PRIu64 " errors, %" PRIu64 " missed, %" PRIu64
                 " late; %.1f MB/s; generator %.0f %% of a core\n",
                 r->n_ok, seconds, r->n_errors, r->n_missed, r->n_late,
                 ratio((double)r->n_bytes / 1e6, seconds),
                 100 * ratio((double)l->own_cpu_us / 1e6, seconds));
    if (l->options.servers.n > 0) {
        (void)printf("  servers: %.2f us CPU each, RSS %" PRIu64 " -> %" PRIu64 " (max %" PRIu64
                     ") kB\n",
                     ratio(cpu_us, units), l->before.rss_kb, l->after.rss_kb, l->rss_max_kb);
    }
    if (l->options.workload == LOAD_WATCH) {
        (void)printf("  %" PRIu64 " of %" PRIu64 " events\n", r->n_events, r->n_events_expected);
    }
    if (l->options.workload == LOAD_COMPACT) {
        (void)printf("  compaction %" PRIu64 " ms, p99 meanwhile %.0f us\n", r->compact_ms,
                     (double)r->compact_p99_ns / 1000);
    }
    if (r->first_error[0] != '\0') {
        (void)printf("  first error: %s\n", r->first_error);
    }
}

void load_report(const struct load *l)
{
    double seconds = (double)(l->measure_end_ns - l->measure_begin_ns) / 1e9;
    double cpu_us = (double)l->after.cpu_us - (double)l->before.cpu_us;

    if (l->options.json) {
        report_json(l, seconds, cpu_us);
    } else {
        report_text(l, seconds, cpu_us);
    }
}
