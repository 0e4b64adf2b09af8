/* The /metrics page can be read by a Prometheus, and has what etcd's dashboards ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <math.h>

#include "node/metrics.h"
#include "node/service_metrics.h"
#include "node_drive.h"

enum { FAMILIES_MAX = 200 };

struct page {
    struct {
        char name[96];
        char type[16];
    } families[FAMILIES_MAX];
    size_t n_families;
    size_t n_samples;
};

static size_t name_len(const char *at)
{
    size_t n = 0;

    while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == ':') {
        n++;
    }
    return isdigit((unsigned char)at[0]) ? 0 : n;
}

static bool belongs_to(const struct page *p, size_t i, const char *name, size_t len)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    size_t base = strlen(p->families[i].name);

    if (len < base || strncmp(p->families[i].name, name, base) != 0) {
        return false;
    }
    for (size_t s = 0; s < ARRAY_LEN(suffixes); s++) {
        if (strcmp(p->families[i].type, "histogram") == 0 && strlen(suffixes[s]) == len - base &&
            strncmp(suffixes[s], name + base, len - base) == 0) {
            return true;
        }
    }
    return len == base;
}

/* name="value",... with a closing brace; returns what follows it. */
static const char *labels(const char *at)
{
    assert_int_equal(*at, '{');
    do {
        size_t n = name_len(++at);

        assert_true(n > 0);
        at += n;
        assert_true(at[0] == '=' && at[1] == '"');
        at = strchr(at + 2, '"');
        assert_non_null(at);
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

static void sample(struct page *p, const char *line)
{
    size_t n = name_len(line);
    const char *at = line + n;
    char *end;

    assert_true(n > 0 && p->n_families > 0);
    if (!belongs_to(p, p->n_families - 1, line, n)) {
        fail_msg("%s is not of the family %s", line, p->families[p->n_families - 1].name);
    }
    at = *at == '{' ? labels(at) : at;
    assert_int_equal(*at, ' ');
    assert_true(isfinite(strtod(at + 1, &end)));
    assert_true(end > at + 1 && *end == '\0');
    p->n_samples++;
}

static void line_of_page(struct page *p, const char *line)
{
    if (strncmp(line, "# HELP ", 7) == 0) {
        assert_true(name_len(line + 7) > 0);
        assert_int_equal(line[7 + name_len(line + 7)], ' ');
    } else if (strncmp(line, "# TYPE ", 7) == 0) {
        size_t n = p->n_families++;

        assert_true(n < FAMILIES_MAX);
        assert_int_equal(sscanf(line + 7, "%95s %15s", p->families[n].name, p->families[n].type),
                         2);
        assert_true(strcmp(p->families[n].type, "counter") == 0 ||
                    strcmp(p->families[n].type, "gauge") == 0 ||
                    strcmp(p->families[n].type, "histogram") == 0);
        for (size_t i = 0; i < n; i++) {
            assert_string_not_equal(p->families[i].name, p->families[n].name);
        }
    } else {
        sample(p, line);
    }
}

static void read_page(struct buf *b, struct page *p)
{
    char *text;
    char *save = NULL;

    assert_false(b->failed);
    buf_append_u8(b, 0);
    text = (char *)b->data;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        line_of_page(p, line);
    }
}

static void test_the_page_of_a_node(void **state)
{
    static const char *const wanted[] = {
        "etcd_server_has_leader",
        "etcd_server_leader_changes_seen_total",
        "etcd_server_proposals_committed_total",
        "etcd_server_proposals_applied_total",
        "etcd_server_proposals_pending",
        "etcd_server_proposals_failed_total",
        "etcd_disk_wal_fsync_duration_seconds",
        "etcd_mvcc_db_total_size_in_bytes",
        "etcd_network_peer_sent_bytes_total",
        "etcd_debugging_mvcc_watcher_total",
        "grpc_server_handled_total",
        "grpc_server_started_total",
        "process_resident_memory_bytes",
        "process_open_fds",
    };
    static struct page page;
    struct service service;
    struct rpc_server *rpc;
    struct loop *loop;
    struct drive d;
    struct buf b;

    (void)state;
    drive_init(&d);
    assert_int_equal(drive_open(&d), 0);
    DRIVE_UNTIL(&d, node_is_ready(d.node));
    assert_int_equal(drive_put_wait(&d, "k", 1), 0);
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(rpc_server_new(loop, NULL, NULL, &rpc), 0);
    assert_int_equal(service_init(&service, d.node, loop, rpc), 0);
    buf_init(&b);
    service_metrics_write(&service, &b);
    read_page(&b, &page);
    assert_true(page.n_samples > 60);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        bool found = false;

        for (size_t f = 0; f < page.n_families; f++) {
            found |= strcmp(page.families[f].name, wanted[i]) == 0;
        }
        if (!found) {
            fail_msg("%s is missing", wanted[i]);
        }
    }
    buf_fini(&b);
    rpc_server_free(rpc);
    loop_free(loop);
    drive_close(&d);
    drive_fini(&d);
}

static void test_histograms_add_up(void **state)
{
    struct metrics_histogram h = {0};
    static struct page page;
    struct buf b;

    (void)state;
    metrics_observe_ns(&h, 0);
    metrics_observe_ns(&h, 1000000); /* a bound belongs to its bucket */
    metrics_observe_ns(&h, 1000001);
    metrics_observe_ns(&h, UINT64_MAX); /* above all bounds */
    assert_int_equal(h.counts[0], 2);
    assert_int_equal(h.counts[1], 1);
    assert_int_equal(h.counts[METRICS_BUCKETS], 1);
    buf_init(&b);
    metrics_histogram(&b, "h", "Of a test.", &h);
    buf_append_u8(&b, 0);
    assert_non_null(strstr((char *)b.data, "h_bucket{le=\"0.001\"} 2\n"));
    assert_non_null(strstr((char *)b.data, "h_bucket{le=\"0.002\"} 3\n"));
    assert_non_null(strstr((char *)b.data, "h_bucket{le=\"+Inf\"} 4\n"));
    assert_non_null(strstr((char *)b.data, "h_count 4\n"));
    b.len--;
    read_page(&b, &page);
    assert_int_equal(page.n_samples, METRICS_BUCKETS + 3);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_of_a_node),
        cmocka_unit_test(test_histograms_add_up),
    };

    return cmocka_run_group_tests_name("node_metrics", tests, NULL, NULL);
}
