/* Opening a write-ahead log of arbitrary contents. The input is either the bytes of a segment, or a
 * recipe: fields and payloads that get good checksums, so that what is behind them is reached. A
 * log that opens must be usable: one more entry, and it opens again and ends with it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "replica/wal.h"
#include "replica/wal_format.h"
#include "sim_disk.h"

#define DIR "wal"

enum { FILE_BYTES = WAL_SEGMENT_BYTES_MIN };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint64_t take(struct input *in, size_t bytes)
{
    uint64_t value = 0;

    bytes = bytes < in->left ? bytes : in->left;
    if (bytes > 0) {
        memcpy(&value, in->at, bytes);
        in->at += bytes;
        in->left -= bytes;
    }
    return value;
}

/* Returns where the records end. */
static uint64_t put_records(struct input *in, uint8_t *file, uint64_t seed)
{
    uint64_t offset = WAL_HEADER_BYTES;

    while (in->left > 4) {
        struct wal_record r = {
            .type = (enum wal_record_type)(take(in, 1) % (WAL_RECORD_TYPE_END + 1)),
            .count = (uint32_t)take(in, 1),
            .synced = offset - take(in, 1) % 3 * WAL_ALIGN,
        };
        uint8_t *payload = file + offset + WAL_RECORD_HEAD_BYTES;

        r.len = (uint32_t)take(in, 1);
        r.len = r.len < in->left ? r.len : (uint32_t)in->left;
        if (offset + wal_record_bytes(r.len) > FILE_BYTES) {
            break;
        }
        for (uint32_t i = 0; i < r.len; i++) {
            payload[i] = (uint8_t)take(in, 1);
        }
        wal_record_encode(&r, seed, offset, file + offset);
        offset += wal_record_bytes(r.len);
    }
    return offset;
}

/* One or two segments by recipe. */
static void put_recipe(struct input *in, struct sim_disk *disk, uint8_t *file)
{
    char path[sizeof DIR + 1 + WAL_NAME_BYTES] = DIR "/";
    uint64_t prev_end = 0;
    uint64_t segments = 1 + take(in, 1) % 2;

    for (uint64_t i = 1; i <= segments; i++) {
        struct wal_header h = {
            .segment = i,
            .segment_bytes = FILE_BYTES,
            .prev_index = take(in, 2),
            .prev_term = take(in, 1),
            .hard.term = take(in, 1),
            .prev_end = prev_end + take(in, 1) % 2 * WAL_ALIGN,
            .flags = (uint32_t)take(in, 1) % 3,
        };
        struct input part = {in->at, i < segments ? in->left / 2 : in->left};
        uint64_t seed;

        memset(file, 0, FILE_BYTES);
        seed = wal_header_encode(&h, file);
        prev_end = put_records(&part, file, seed);
        in->left -= (size_t)(part.at - in->at);
        in->at = part.at;
        wal_segment_name(i, path + sizeof DIR);
        sim_disk_write(disk, path, (struct kvs_view){file, FILE_BYTES});
    }
}

static int see(void *ctx, const struct wal_entry *entry)
{
    uint64_t *last = ctx;

    kvs_assert(*last == 0 || entry->index == *last + 1);
    *last = entry->index;
    return 0;
}

static void use(struct sim_disk *disk)
{
    uint64_t last = 0;
    const struct wal_options options = {
        .dir = DIR,
        .disk = sim_disk_vtable(disk),
        .segment_bytes_first = FILE_BYTES,
        .segment_bytes_max = FILE_BYTES,
        .on_entry = see,
        .ctx = &last,
    };
    struct wal_recovered r;
    struct kvs_error error;
    struct wal_entry entry = {.data = {"x", 1}};
    struct wal *w;

    if (wal_open(&options, &r, &w, &error) != 0) {
        kvs_assert(error.code != 0 && error.msg[0] != '\0');
        return;
    }
    wal_check(w);
    kvs_assert(last == 0 || last == r.last_index);
    entry.index = r.last_index + 1;
    entry.term = r.last_term > 0 ? r.last_term : 1;
    kvs_assert(wal_append(w, NULL, &entry, 1) == 0);
    kvs_assert(wal_close(w) == 0);
    last = 0;
    kvs_assert(wal_open(&options, &r, &w, &error) == 0);
    kvs_assert(r.last_index == entry.index && last == entry.index);
    wal_abandon(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_BYTES];
    struct input in = {data, size};
    struct sim_disk *disk = sim_disk_new(1);
    const struct disk *d = sim_disk_vtable(disk);
    int rv = d->make_dir(d->ctx, DIR);

    kvs_assert(rv == 0);
    if (take(&in, 1) % 4 == 0) {
        sim_disk_write(disk, DIR "/0000000000000001.wal", (struct kvs_view){in.at, in.left});
    } else {
        put_recipe(&in, disk, file);
    }
    use(disk);
    sim_disk_free(disk);
    return 0;
}
