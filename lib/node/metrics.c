#include "node/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

void metrics_observe_ns(struct metrics_histogram *h, uint64_t ns)
{
    uint64_t bound_ns = 1000000;
    int i = 0;

    while (i < METRICS_BUCKETS && ns > bound_ns) {
        bound_ns *= 2;
        i++;
    }
    h->counts[i]++;
    h->count++;
    h->sum_s += (double)ns / 1e9;
}

void metrics_head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metrics_name(struct buf *b, const char *name, const char *labels)
{
    if (labels != NULL) {
        buf_printf(b, "%s{%s} ", name, labels);
    } else {
        buf_printf(b, "%s ", name);
    }
}

void metrics_u64(struct buf *b, const char *name, const char *labels, uint64_t value)
{
    metrics_name(b, name, labels);
    buf_printf(b, "%" PRIu64 "\n", value);
}

void metrics_f64(struct buf *b, const char *name, const char *labels, double value)
{
    metrics_name(b, name, labels);
    buf_printf(b, "%.9g\n", value);
}

void metrics_counter(struct buf *b, const char *name, const char *help, uint64_t value)
{
    metrics_head(b, name, "counter", help);
    metrics_u64(b, name, NULL, value);
}

void metrics_gauge(struct buf *b, const char *name, const char *help, uint64_t value)
{
    metrics_head(b, name, "gauge", help);
    metrics_u64(b, name, NULL, value);
}

void metrics_histogram(struct buf *b,
                       const char *name,
                       const char *help,
                       const struct metrics_histogram *h)
{
    uint64_t below = 0;
    double bound_s = 0.001;

    metrics_head(b, name, "histogram", help);
    for (int i = 0; i < METRICS_BUCKETS; i++, bound_s *= 2) {
        below += h->counts[i];
        buf_printf(b, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bound_s, below);
    }
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, h->count);
    buf_printf(b, "%s_sum %.9g\n%s_count %" PRIu64 "\n", name, h->sum_s, name, h->count);
}

static uint64_t metrics_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the directory itself */
}

void metrics_process(struct buf *b)
{
    unsigned long size_pages = 0;
    unsigned long resident_pages = 0;
    struct rusage usage = {0};
    struct rlimit files = {0};
    FILE *statm = fopen("/proc/self/statm", "re");
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t fds = metrics_open_fds();

    if (statm != NULL) {
        if (fscanf(statm, "%lu %lu", &size_pages, &resident_pages) != 2) {
            resident_pages = 0;
        }
        (void)fclose(statm);
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    metrics_gauge(b, "process_resident_memory_bytes", "Memory of this process that is in RAM.",
                  resident_pages * page);
    metrics_gauge(b, "process_virtual_memory_bytes", "Address space of this process.",
                  size_pages * page);
    metrics_head(b, "process_cpu_seconds_total", "counter", "User and system CPU time.");
    metrics_f64(b, "process_cpu_seconds_total", NULL,
                (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    metrics_gauge(b, "process_open_fds", "Open file descriptors.", fds);
    metrics_gauge(b, "process_max_fds", "Limit of open file descriptors.", files.rlim_cur);
    metrics_gauge(b, "os_fd_used", "Open file descriptors.", fds);
    metrics_gauge(b, "os_fd_limit", "Limit of open file descriptors.", files.rlim_cur);
}
