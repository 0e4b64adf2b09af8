/* Upstream's golden objects, every kind as JSON and as protobuf: both directions have to give
 * exactly the other file, and a table's row of it a cell for each column. Exit status 77 (skipped)
 * without the package that has them. */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "kube/decode.h"
#include "kube/json.h"
#include "kube/printer.h"
#include "kube/proto.h"

#define SKIPPED 77

static const char *const places[] = {
    "/usr/share/gocode/src/k8s.io/api/testdata/HEAD",
    "/usr/local/share/keelson/gocode/src/k8s.io/api/testdata/HEAD",
};

struct tally {
    unsigned objects;
    unsigned rows;
    unsigned failures;
    const char *name; /* of the object at hand */
};

static void complain(struct tally *t, const char *format, ...) KVS_PRINTF(2, 3);

static void complain(struct tally *t, const char *format, ...)
{
    va_list args;

    t->failures++;
    printf("FAILED %s: ", t->name);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
}

static bool read_file(const char *path, struct buf *ret_content)
{
    FILE *f = fopen(path, "rb");
    uint8_t *at;
    size_t n = 1;

    buf_init(ret_content);
    if (f == NULL) {
        return false;
    }
    while (n > 0 && (at = buf_reserve(ret_content, 65536)) != NULL) {
        n = fread(at, 1, 65536, f);
        ret_content->len += n;
    }
    (void)fclose(f);
    return !ret_content->failed;
}

static void show_difference(struct buf *got, struct buf *want)
{
    size_t at = 0;

    while (at < got->len && at < want->len && got->data[at] == want->data[at]) {
        at++;
    }
    printf("   differ at byte %zu: got ", at);
    at = at > 20 ? at - 20 : 0;
    printf("%.*s\n   want %.*s\n", (int)(got->len - at < 100 ? got->len - at : 100), got->data + at,
           (int)(want->len - at < 100 ? want->len - at : 100), want->data + at);
}

static const struct kube_kind *kind_of(yyjson_mut_val *root, struct kvs_view name)
{
    const struct kube_kind *kind =
        kube_kind_find_api(kube_json_get_str(root, "apiVersion"), kube_json_get_str(root, "kind"));
    const char *last = memrchr(name.data, '.', name.len);

    if (kind != NULL) {
        return kind;
    }
    /* A WatchEvent does not say what it is: the file's name does. */
    last++;
    return kube_kind_find_api(VIEW_LITERAL("v1"),
                              view_make(last, name.len - (size_t)(last - (const char *)name.data)));
}

/* JSON that was decoded and written again has the same members in the same order. */
static void check_json(struct tally *t, yyjson_mut_doc *doc, const struct kube_message *m)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kube_report report;
    struct buf before;
    struct buf after;

    buf_init(&before);
    buf_init(&after);
    kube_report_init(&report, true);
    if (kube_json_write(&before, root) != 0 || kube_decode(doc, m, root, &report) != 0 ||
        kube_json_write(&after, root) != 0) {
        complain(t, "decode: %.*s", (int)report.error.len, report.error.data);
    } else if (report.n_findings > 0) {
        complain(t, "%s", kube_report_finding(&report, 0));
    } else if (!view_equal(buf_view(&before), buf_view(&after))) {
        complain(t, "decoded JSON is another");
        show_difference(&after, &before);
    }
    kube_report_fini(&report);
    buf_fini(&before);
    buf_fini(&after);
}

static void check_to_proto(struct tally *t,
                           yyjson_mut_val *root,
                           const struct kube_message *m,
                           struct kvs_view want)
{
    struct buf got;
    int err;

    buf_init(&got);
    err = kube_proto_encode(&got, m, root);
    if (err != 0) {
        complain(t, "encode: %s", kvs_err_name(err));
    } else if (!view_equal(buf_view(&got), want)) {
        complain(t, "protobuf is another: %zu bytes, not %zu", got.len, want.len);
    }
    buf_fini(&got);
}

static void check_from_proto(struct tally *t,
                             yyjson_mut_val *root,
                             const struct kube_message *m,
                             struct kvs_view bytes)
{
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    const struct kube_kind *kind;
    struct kube_envelope e;
    yyjson_mut_val *got;
    int err = kube_proto_open(bytes, &e);

    if (err == 0 && e.kind.len == 0) {
        err = kube_proto_decode_message(doc, m, e.raw, &got);
    } else if (err == 0) {
        err = kube_proto_decode(doc, bytes, &kind, &got);
    }
    if (err != 0) {
        complain(t, "decode protobuf: %s", kvs_err_name(err));
    } else {
        struct buf text;
        struct buf want;

        buf_init(&text);
        buf_init(&want);
        if (kube_json_write(&text, got) != 0 || kube_json_write(&want, root) != 0 ||
            !view_equal(buf_view(&text), buf_view(&want))) {
            complain(t, "JSON from protobuf is another");
            show_difference(&text, &want);
        }
        buf_fini(&text);
        buf_fini(&want);
    }
    yyjson_mut_doc_free(doc);
}

static const struct kube_resource *resource_of(yyjson_mut_val *root)
{
    struct kvs_view api = kube_json_get_str(root, "apiVersion");
    const char *slash = api.len == 0 ? NULL : memchr(api.data, '/', api.len);
    size_t group_len = slash == NULL ? 0 : (size_t)(slash - (const char *)api.data);
    size_t skip = slash == NULL ? 0 : group_len + 1;

    return kube_resource_by_kind(view_make(api.data, group_len),
                                 view_make((const char *)api.data + skip, api.len - skip),
                                 kube_json_get_str(root, "kind"));
}

/* Of a kind that is served: the row is JSON, with as many cells as there are columns. */
static void check_row(struct tally *t, yyjson_mut_val *root)
{
    const struct kube_resource *r = resource_of(root);
    const struct kube_printer *p = r == NULL ? NULL : kube_printer_find(r);
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *doc;
    struct buf row;

    if (p == NULL) {
        return;
    }
    t->rows++;
    buf_init(&row);
    buf_append_str(&row, "[");
    kube_printer_write(p, root, 0, &row);
    buf_append_str(&row, "]");
    if (row.failed || kube_json_read(buf_view(&row), &limits, kube_json_heap(), &doc, NULL) != 0) {
        complain(t, "no row: %.*s", (int)row.len, (const char *)row.data);
    } else {
        if (yyjson_mut_arr_size(yyjson_mut_doc_get_root(doc)) != p->n_columns) {
            complain(t, "%zu columns: %.*s", p->n_columns, (int)row.len, (const char *)row.data);
        }
        yyjson_mut_doc_free(doc);
    }
    buf_fini(&row);
}

static void check_object(struct tally *t, struct kvs_view json, struct kvs_view pb)
{
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_kind *kind;
    yyjson_mut_doc *doc;
    struct kvs_error error;

    if (kube_json_read(json, &limits, kube_json_heap(), &doc, &error) != 0) {
        complain(t, "read: %s", error.msg);
        return;
    }
    kind = kind_of(yyjson_mut_doc_get_root(doc), view_str(t->name));
    if (kind == NULL) {
        complain(t, "no such kind");
    } else {
        const struct kube_message *m = kube_kind_message(kind);

        check_row(t, yyjson_mut_doc_get_root(doc));
        check_json(t, doc, m);
        check_to_proto(t, yyjson_mut_doc_get_root(doc), m, pb);
        check_from_proto(t, yyjson_mut_doc_get_root(doc), m, pb);
    }
    yyjson_mut_doc_free(doc);
}

static void check_files(struct tally *t, const char *folder, const char *json_name)
{
    char name[256];
    char path[1024];
    struct buf json;
    struct buf pb;

    (void)snprintf(name, sizeof name, "%.*s", (int)(strlen(json_name) - strlen(".json")),
                   json_name);
    t->name = name;
    t->objects++;
    (void)snprintf(path, sizeof path, "%s/%s.json", folder, name);
    if (!read_file(path, &json)) {
        complain(t, "%s cannot be read", path);
    }
    (void)snprintf(path, sizeof path, "%s/%s.pb", folder, name);
    if (!read_file(path, &pb)) {
        complain(t, "%s cannot be read", path);
    }
    check_object(t, buf_view(&json), buf_view(&pb));
    buf_fini(&json);
    buf_fini(&pb);
}

static DIR *open_golden(int argc, char **argv, const char **ret_folder)
{
    for (size_t i = 0; i < (argc > 1 ? 1 : ARRAY_LEN(places)); i++) {
        DIR *dir;

        *ret_folder = argc > 1 ? argv[1] : places[i];
        dir = opendir(*ret_folder);
        if (dir != NULL) {
            return dir;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct tally t = {0};
    const char *folder;
    DIR *dir = open_golden(argc, argv, &folder);
    struct dirent *entry;

    if (dir == NULL) {
        printf("skipped: the package golang-k8s-api-dev is not here (tools/deps gets it)\n");
        return SKIPPED;
    }
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) {
            check_files(&t, folder, entry->d_name);
        }
    }
    (void)closedir(dir);
    printf("%u golden objects, %u rows, %u failures\n", t.objects, t.rows, t.failures);
    return t.failures == 0 && t.objects > 0 && t.rows > 0 ? 0 : 1;
}
