/* snapshot save, status. A snapshot ends with the SHA-256 of what is before it; a file gets its
 * name only after the sum was found right and everything is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "kvstore/node.h"
#include "output.h"
#include "sha256.h"

enum { PATH_MAX_BYTES = 4096, READ_BYTES = 64 * 1024 };

/* A running sum over everything but the last 32 bytes, which are kept in `tail`. */
struct sum {
    struct sha256 sha;
    uint8_t tail[SHA256_BYTES];
    size_t tail_len;
    uint64_t size_bytes;
};

static void sum_update(struct sum *s, const uint8_t *data, size_t len)
{
    uint8_t both[2 * SHA256_BYTES];
    size_t keep = len < SHA256_BYTES ? len : SHA256_BYTES;
    size_t have = s->tail_len + keep;
    size_t out = have > SHA256_BYTES ? have - SHA256_BYTES : 0;

    /* What leaves the tail comes before the bulk of `data`. */
    memcpy(both, s->tail, s->tail_len);
    if (len > SHA256_BYTES) {
        sha256_update(&s->sha, s->tail, s->tail_len);
        sha256_update(&s->sha, data, len - SHA256_BYTES);
        memcpy(s->tail, data + len - SHA256_BYTES, SHA256_BYTES);
        s->tail_len = SHA256_BYTES;
    } else {
        memcpy(both + s->tail_len, data, keep);
        sha256_update(&s->sha, both, out);
        s->tail_len = have - out;
        memcpy(s->tail, both + out, s->tail_len);
    }
    s->size_bytes += len;
}

static bool sum_is_right(struct sum *s, uint8_t ret_sum[SHA256_BYTES])
{
    sha256_final(&s->sha, ret_sum);
    return s->tail_len == SHA256_BYTES && memcmp(ret_sum, s->tail, SHA256_BYTES) == 0;
}

/* ---- save ---- */

struct saving {
    int fd;
    int saved_errno;
    struct sum sum;
};

static int save_chunk(void *ctx, struct kvs_view blob, uint64_t remaining_bytes)
{
    struct saving *s = ctx;
    const uint8_t *at = blob.data;
    size_t left = blob.len;

    (void)remaining_bytes;
    sum_update(&s->sum, at, left);
    while (left > 0) {
        ssize_t n = write(s->fd, at, left);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            s->saved_errno = errno;
            return KVS_E_IO;
        }
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

static int save_stream(struct ctl *ctl, struct saving *s, const char *part)
{
    const struct kvs_call_options options = {.size = sizeof options, .timeout_ms = KVS_NO_TIMEOUT};
    uint8_t computed[SHA256_BYTES];
    struct kvs_error error;

    sha256_init(&s->sum.sha);
    if (kvs_snapshot_sync(ctl->client, &options, save_chunk, s, &error) != 0) {
        sha256_fini(&s->sum.sha);
        return s->saved_errno != 0
                   ? ctl_fail(EXIT_IO, "cannot write %s: %s", part, strerror(s->saved_errno))
                   : ctl_fail_kvs(&error);
    }
    if (!sum_is_right(&s->sum, computed)) {
        return ctl_fail(EXIT_ERROR, "the snapshot is damaged: its checksum does not match");
    }
    if (fsync(s->fd) != 0) {
        return ctl_fail(EXIT_IO, "cannot sync %s: %s", part, strerror(errno));
    }
    return 0;
}

static void sync_folder(const char *path)
{
    char folder[PATH_MAX_BYTES];
    const char *slash = strrchr(path, '/');
    int fd;

    (void)snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
                   slash != NULL ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static int save_run(struct ctl *ctl)
{
    char part[PATH_MAX_BYTES];
    struct saving s = {.fd = -1};
    const char *path = ctl->n_args == 1 ? ctl->args[0] : NULL;
    int code;

    if (path == NULL) {
        return ctl_fail(EXIT_BAD_ARGS, "snapshot save expects one argument");
    }
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) {
        return ctl_fail(EXIT_BAD_ARGS, "the file name is too long");
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    s.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (s.fd < 0) {
        return ctl_fail(EXIT_IO, "cannot create %s: %s", part, strerror(errno));
    }
    code = save_stream(ctl, &s, part);
    (void)close(s.fd);
    if (code == 0 && rename(part, path) != 0) {
        code = ctl_fail(EXIT_IO, "cannot rename %s: %s", part, strerror(errno));
    }
    if (code != 0) {
        (void)unlink(part);
        return code;
    }
    sync_folder(path);
    (void)printf("Snapshot saved at %s\n", path);
    return EXIT_OK;
}

/* ---- status ---- */

static int sum_file(const char *path, struct sum *sum)
{
    uint8_t *buffer = ctl_alloc(READ_BYTES);
    FILE *in = fopen(path, "rbe");
    size_t n;
    int code = 0;

    if (in == NULL) {
        ctl_free(buffer);
        return ctl_fail(EXIT_IO, "cannot open %s: %s", path, strerror(errno));
    }
    while ((n = fread(buffer, 1, READ_BYTES, in)) > 0) {
        sum_update(sum, buffer, n);
    }
    if (ferror(in)) {
        code = ctl_fail(EXIT_IO, "cannot read %s", path);
    }
    (void)fclose(in);
    ctl_free(buffer);
    return code;
}

static int status_run(struct ctl *ctl)
{
    struct sum sum = {.tail_len = 0};
    struct kvs_snapshot_status inside;
    struct snapshot_info info;
    struct kvs_error error;
    uint8_t computed[SHA256_BYTES];
    int code = printer_check(ctl, ctl->printer->snapshot != NULL);

    if (code == 0 && ctl->n_args != 1) {
        code = ctl_fail(EXIT_BAD_ARGS, "snapshot status requires exactly one argument");
    }
    if (code != 0) {
        return code;
    }
    sha256_init(&sum.sha);
    code = sum_file(ctl->args[0], &sum);
    if (code != 0) {
        sha256_fini(&sum.sha);
        return code;
    }
    if (!sum_is_right(&sum, computed)) {
        return ctl_fail(EXIT_ERROR, "%s is not a whole snapshot: its checksum does not match",
                        ctl->args[0]);
    }
    code = kvs_snapshot_status(ctl->args[0], &inside, &error);
    if (code == KVS_E_DAMAGED) { /* the sum was right */
        return ctl_fail(EXIT_ERROR, "%s is whole, but no snapshot of kvstored", ctl->args[0]);
    }
    if (code != 0) {
        return ctl_fail_kvs(&error);
    }
    info.revision = inside.revision;
    info.n_keys = inside.n_records;
    info.size_bytes = sum.size_bytes - SHA256_BYTES;
    info.hash = (uint32_t)computed[0] << 24 | (uint32_t)computed[1] << 16 |
                (uint32_t)computed[2] << 8 | computed[3];
    ctl->printer->snapshot(ctl, &info);
    return EXIT_OK;
}

const struct command command_snapshot_save = {
    "snapshot save", "<filename>", "Stores a snapshot of the store in a file", NULL, save_run};
const struct command command_snapshot_status = {
    "snapshot status", "<filename>",
    "Checks a snapshot file and prints hash, revision, keys and size", NULL, status_run};
