#include "sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/rand.h"

/* What a name stands for. `now` is what can be read; `kept` what the medium has. Both have
 * `capacity` bytes, zero behind their sizes. */
struct sim_inode {
    unsigned refs; /* names (now, kept, in changes) and handles */
    bool is_dir;
    bool locked;
    uint8_t *now;
    uint8_t *kept;
    bool *dirty; /* per sector: written since the last sync */
    uint64_t capacity;
    uint64_t now_size;
    uint64_t kept_size;
    bool size_dirty;
};

struct sim_name {
    struct list node;
    char *path;
    struct sim_inode *inode;
};

/* A change of names that its folder's sync will make durable. */
struct sim_change {
    struct list node;
    char *from; /* goes away; NULL: nothing does */
    char *to;   /* comes; NULL: nothing does */
    struct sim_inode *inode;
};

struct disk_file {
    struct sim_inode *inode;
    unsigned life; /* of the disk when it was opened */
};

struct disk_lock {
    struct sim_inode *inode;
    unsigned life;
};

struct sim_disk {
    struct disk vtable;
    struct rng rng;
    struct list now;  /* of sim_name */
    struct list kept; /* likewise: what the medium has */
    struct list changes;
    size_t sector;
    uint64_t capacity;
    uint64_t ops;
    uint64_t fail_at; /* in ops; 0: never */
    int fail_err;
    uint64_t cut_at;
    bool off;
    unsigned life; /* counts power cycles */
};

/* --- memory --------------------------------------------------------------------------------- */

static void *sim_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes > 0 ? bytes : 1);

    if (memory == NULL) {
        (void)fputs("sim_disk: out of memory\n", stderr);
        abort();
    }
    return memory;
}

static char *sim_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;

    return memcpy(sim_alloc(bytes), text, bytes);
}

static struct sim_inode *inode_new(bool is_dir)
{
    struct sim_inode *inode = sim_alloc(sizeof *inode);

    inode->refs = 1;
    inode->is_dir = is_dir;
    return inode;
}

static struct sim_inode *inode_ref(struct sim_inode *inode)
{
    inode->refs++;
    return inode;
}

static void inode_unref(struct sim_inode *inode)
{
    if (--inode->refs > 0) {
        return;
    }
    free(inode->now);
    free(inode->kept);
    free(inode->dirty);
    free(inode);
}

static void inode_reserve(const struct sim_disk *d, struct sim_inode *inode, uint64_t bytes)
{
    uint64_t capacity = inode->capacity > 0 ? inode->capacity : 4096;
    uint8_t *now;
    uint8_t *kept;
    bool *dirty;

    if (bytes <= inode->capacity) {
        return;
    }
    while (capacity < bytes) {
        capacity *= 2;
    }
    now = sim_alloc(capacity);
    kept = sim_alloc(capacity);
    dirty = sim_alloc(capacity / d->sector * sizeof *dirty);
    if (inode->capacity > 0) {
        memcpy(now, inode->now, inode->capacity);
        memcpy(kept, inode->kept, inode->capacity);
        memcpy(dirty, inode->dirty, inode->capacity / d->sector * sizeof *dirty);
    }
    free(inode->now);
    free(inode->kept);
    free(inode->dirty);
    inode->now = now;
    inode->kept = kept;
    inode->dirty = dirty;
    inode->capacity = capacity;
}

static struct sim_name *name_find(const struct list *names, const char *path)
{
    LIST_FOREACH(it, names)
    {
        struct sim_name *name = list_entry(it, struct sim_name, node);

        if (strcmp(name->path, path) == 0) {
            return name;
        }
    }
    return NULL;
}

static void name_remove(struct sim_name *name)
{
    list_remove(&name->node);
    inode_unref(name->inode);
    free(name->path);
    free(name);
}

/* Takes a reference; replaces what the name stood for. */
static void name_set(struct list *names, const char *path, struct sim_inode *inode)
{
    struct sim_name *name = name_find(names, path);

    (void)inode_ref(inode);
    if (name != NULL) {
        inode_unref(name->inode);
        name->inode = inode;
        return;
    }
    name = sim_alloc(sizeof *name);
    name->path = sim_strdup(path);
    name->inode = inode;
    list_push_back(names, &name->node);
}

static void names_clear(struct list *names)
{
    struct list *node;

    while ((node = list_pop_front(names)) != NULL) {
        name_remove(list_entry(node, struct sim_name, node));
    }
}

/* --- folders -------------------------------------------------------------------------------- */

static size_t parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? 0 : (size_t)(slash - path);
}

static bool is_child(const char *path, const char *dir)
{
    size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);

    return parent_len(path) == len && memcmp(path, dir, len) == 0 && strcmp(path, dir) != 0;
}

static bool is_root(const char *path)
{
    return strcmp(path, "/") == 0 || strcmp(path, ".") == 0;
}

static bool dir_exists(const struct list *names, const char *path, size_t len)
{
    if (len == 0 || (len == 1 && is_root(path))) {
        return true;
    }
    LIST_FOREACH(it, names)
    {
        const struct sim_name *name = list_entry(it, struct sim_name, node);

        if (strlen(name->path) == len && memcmp(name->path, path, len) == 0) {
            return name->inode->is_dir;
        }
    }
    return false;
}

static void
change_add(struct sim_disk *d, const char *from, const char *to, struct sim_inode *inode)
{
    struct sim_change *change = sim_alloc(sizeof *change);

    change->from = from != NULL ? sim_strdup(from) : NULL;
    change->to = to != NULL ? sim_strdup(to) : NULL;
    change->inode = inode_ref(inode);
    list_push_back(&d->changes, &change->node);
}

static void change_free(struct sim_change *change)
{
    list_remove(&change->node);
    inode_unref(change->inode);
    free(change->from);
    free(change->to);
    free(change);
}

/* Brings the change to the medium. */
static void change_keep(struct sim_disk *d, struct sim_change *change)
{
    struct sim_name *from = change->from != NULL ? name_find(&d->kept, change->from) : NULL;

    /* Not if a later change, already durable, has given the name to something else. */
    if (from != NULL && from->inode == change->inode) {
        name_remove(from);
    }
    if (change->to != NULL) {
        name_set(&d->kept, change->to, change->inode);
    }
}

static bool change_in(const struct sim_change *change, const char *dir)
{
    return is_child(change->to != NULL ? change->to : change->from, dir);
}

/* --- operations ----------------------------------------------------------------------------- */

/* Starts an operation. 0: do it; else its error, and *ret_partly whether a write gets half done. */
static int op_begin(struct sim_disk *d, bool *ret_partly)
{
    d->ops++;
    *ret_partly = false;
    if (d->off) {
        return KVS_E_IO;
    }
    if (d->cut_at == d->ops) {
        d->off = true;
        *ret_partly = true;
        return KVS_E_IO;
    }
    if (d->fail_at == d->ops) {
        *ret_partly = true;
        return d->fail_err;
    }
    return 0;
}

static int op_begin_plain(struct sim_disk *d)
{
    bool partly;

    return op_begin(d, &partly);
}

static int sim_make_dir(void *ctx, const char *path)
{
    struct sim_disk *d = ctx;
    struct sim_inode *inode;
    int rv = op_begin_plain(d);

    if (rv != 0 || name_find(&d->now, path) != NULL || is_root(path)) {
        return rv;
    }
    if (!dir_exists(&d->now, path, parent_len(path))) {
        return KVS_E_NOT_FOUND;
    }
    inode = inode_new(true);
    name_set(&d->now, path, inode);
    change_add(d, NULL, path, inode);
    inode_unref(inode);
    return 0;
}

static int sim_list(void *ctx, const char *path, disk_list_fn each, void *list_ctx)
{
    struct sim_disk *d = ctx;
    int rv = op_begin_plain(d);

    if (rv == 0 && !dir_exists(&d->now, path, strlen(path))) {
        rv = KVS_E_NOT_FOUND;
    }
    if (rv != 0) {
        return rv;
    }
    LIST_FOREACH(it, &d->now)
    {
        const struct sim_name *name = list_entry(it, struct sim_name, node);

        if (is_child(name->path, path)) {
            const char *slash = strrchr(name->path, '/');

            rv = each(list_ctx, slash != NULL ? slash + 1 : name->path);
            if (rv != 0) {
                return rv;
            }
        }
    }
    return 0;
}

static int sim_sync_dir(void *ctx, const char *path)
{
    struct sim_disk *d = ctx;
    int rv = op_begin_plain(d);

    if (rv == 0 && !dir_exists(&d->now, path, strlen(path))) {
        rv = KVS_E_NOT_FOUND;
    }
    if (rv != 0) {
        return rv;
    }
    LIST_FOREACH_SAFE(it, after, &d->changes)
    {
        struct sim_change *change = list_entry(it, struct sim_change, node);

        if (change_in(change, is_root(path) ? "" : path)) {
            change_keep(d, change);
            change_free(change);
        }
    }
    return 0;
}

static int sim_rename(void *ctx, const char *from, const char *to)
{
    struct sim_disk *d = ctx;
    struct sim_name *name = name_find(&d->now, from);
    struct sim_inode *inode;
    int rv = op_begin_plain(d);

    if (rv == 0 && (name == NULL || !dir_exists(&d->now, to, parent_len(to)))) {
        rv = KVS_E_NOT_FOUND;
    }
    if (rv != 0) {
        return rv;
    }
    inode = inode_ref(name->inode);
    name_remove(name);
    name_set(&d->now, to, inode);
    change_add(d, from, to, inode);
    inode_unref(inode);
    return 0;
}

static int sim_unlink(void *ctx, const char *path)
{
    struct sim_disk *d = ctx;
    struct sim_name *name = name_find(&d->now, path);
    int rv = op_begin_plain(d);

    if (rv == 0 && name == NULL) {
        rv = KVS_E_NOT_FOUND;
    }
    if (rv == 0) {
        change_add(d, path, NULL, name->inode);
        name_remove(name);
    }
    return rv;
}

static uint64_t bytes_used(const struct sim_disk *d)
{
    uint64_t bytes = 0;

    LIST_FOREACH(it, &d->now)
    {
        bytes += list_entry(it, struct sim_name, node)->inode->now_size;
    }
    return bytes;
}

static uint64_t bytes_left(const struct sim_disk *d)
{
    uint64_t used = bytes_used(d);

    if (d->capacity == 0) {
        return UINT64_MAX;
    }
    return used < d->capacity ? d->capacity - used : 0;
}

static int sim_free_bytes(void *ctx, const char *path, uint64_t *ret_bytes)
{
    struct sim_disk *d = ctx;
    int rv = op_begin_plain(d);

    (void)path;
    if (rv == 0) {
        *ret_bytes = bytes_left(d);
    }
    return rv;
}

/* --- files ---------------------------------------------------------------------------------- */

static void file_sizes(struct sim_inode *inode, uint64_t size)
{
    inode->now_size = size;
    inode->size_dirty = true;
}

static void
mark_dirty(const struct sim_disk *d, struct sim_inode *inode, uint64_t offset, uint64_t len)
{
    for (uint64_t at = offset & ~(uint64_t)(d->sector - 1); at < offset + len; at += d->sector) {
        inode->dirty[at / d->sector] = true;
    }
}

static int sim_open(void *ctx, const char *path, enum disk_open how, struct disk_file **ret_file)
{
    struct sim_disk *d = ctx;
    struct sim_name *name = name_find(&d->now, path);
    struct disk_file *file;
    int rv = op_begin_plain(d);

    if (rv != 0) {
        return rv;
    }
    if (name == NULL) {
        struct sim_inode *inode;

        if (how != DISK_CREATE || !dir_exists(&d->now, path, parent_len(path))) {
            return KVS_E_NOT_FOUND;
        }
        inode = inode_new(false);
        name_set(&d->now, path, inode);
        change_add(d, NULL, path, inode);
        inode_unref(inode);
        name = name_find(&d->now, path);
    } else if (how == DISK_CREATE && name->inode->now_size > 0) {
        memset(name->inode->now, 0, name->inode->now_size);
        mark_dirty(d, name->inode, 0, name->inode->now_size);
        file_sizes(name->inode, 0);
    }
    file = sim_alloc(sizeof *file);
    file->inode = inode_ref(name->inode);
    file->life = d->life;
    *ret_file = file;
    return 0;
}

static void sim_close(void *ctx, struct disk_file *file)
{
    (void)ctx;
    inode_unref(file->inode);
    free(file);
}

static int sim_lock(void *ctx, const char *path, struct disk_lock **ret_lock)
{
    struct sim_disk *d = ctx;
    struct disk_file *file;
    struct disk_lock *lock;
    int rv = sim_open(ctx, path, DISK_CREATE, &file);

    if (rv != 0) {
        return rv;
    }
    if (file->inode->locked) {
        sim_close(ctx, file);
        return KVS_E_LOCKED;
    }
    lock = sim_alloc(sizeof *lock);
    lock->inode = inode_ref(file->inode);
    lock->inode->locked = true;
    lock->life = d->life;
    sim_close(ctx, file);
    *ret_lock = lock;
    return 0;
}

static void sim_unlock(void *ctx, struct disk_lock *lock)
{
    const struct sim_disk *d = ctx;

    if (lock->life == d->life) {
        lock->inode->locked = false;
    }
    inode_unref(lock->inode);
    free(lock);
}

static int sim_size(void *ctx, struct disk_file *file, uint64_t *ret_bytes)
{
    struct sim_disk *d = ctx;
    int rv = op_begin_plain(d);

    kvs_assert(file->life == d->life || d->off);
    if (rv == 0) {
        *ret_bytes = file->inode->now_size;
    }
    return rv;
}

static int
sim_pread(void *ctx, struct disk_file *file, void *to, size_t len, uint64_t offset, size_t *ret_len)
{
    struct sim_disk *d = ctx;
    const struct sim_inode *inode = file->inode;
    int rv = op_begin_plain(d);

    kvs_assert(file->life == d->life || d->off);
    if (rv != 0) {
        return rv;
    }
    if (offset >= inode->now_size) {
        len = 0;
    } else if (len > inode->now_size - offset) {
        len = (size_t)(inode->now_size - offset);
    }
    if (len > 0) {
        memcpy(to, inode->now + offset, len);
    }
    *ret_len = len;
    return 0;
}

static void write_bytes(
    struct sim_disk *d, struct sim_inode *inode, const uint8_t *from, size_t len, uint64_t offset)
{
    if (len == 0) {
        return;
    }
    inode_reserve(d, inode, offset + len);
    memcpy(inode->now + offset, from, len);
    mark_dirty(d, inode, offset, len);
    if (offset + len > inode->now_size) {
        file_sizes(inode, offset + len);
    }
}

static int
sim_pwrite(void *ctx, struct disk_file *file, const void *from, size_t len, uint64_t offset)
{
    struct sim_disk *d = ctx;
    struct sim_inode *inode = file->inode;
    bool partly;
    int rv = op_begin(d, &partly);
    uint64_t room;

    kvs_assert(file->life == d->life || d->off);
    if (rv != 0) {
        if (partly) {
            write_bytes(d, inode, from, (size_t)rng_below(&d->rng, len + 1), offset);
        }
        return rv;
    }
    room = bytes_left(d);
    if (offset + len > inode->now_size && offset + len - inode->now_size > room) {
        uint64_t end = inode->now_size + room;

        write_bytes(d, inode, from, end > offset ? (size_t)(end - offset) : 0, offset);
        return KVS_E_FULL;
    }
    write_bytes(d, inode, from, len, offset);
    return 0;
}

/* Writes back each dirty sector with `percent`; afterwards none is dirty. */
static void write_back(struct sim_disk *d, struct sim_inode *inode, unsigned percent)
{
    for (uint64_t at = 0; at < inode->capacity; at += d->sector) {
        bool *dirty = &inode->dirty[at / d->sector];

        if (*dirty && rng_percent(&d->rng, percent)) {
            memcpy(inode->kept + at, inode->now + at, d->sector);
        }
        *dirty = false;
    }
    if (inode->size_dirty) {
        uint64_t low = inode->now_size < inode->kept_size ? inode->now_size : inode->kept_size;
        uint64_t high = inode->now_size < inode->kept_size ? inode->kept_size : inode->now_size;

        if (percent == 100) {
            inode->kept_size = inode->now_size;
        } else {
            const uint64_t choices[] = {low, high, rng_between(&d->rng, low, high)};

            inode->kept_size = choices[rng_below(&d->rng, 3)];
        }
        inode->size_dirty = false;
    }
    if (inode->kept_size < inode->capacity) {
        memset(inode->kept + inode->kept_size, 0, inode->capacity - inode->kept_size);
    }
}

static int sim_sync(void *ctx, struct disk_file *file)
{
    struct sim_disk *d = ctx;
    bool partly;
    int rv = op_begin(d, &partly);

    kvs_assert(file->life == d->life || d->off);
    if (rv == 0) {
        write_back(d, file->inode, 100);
    } else if (partly && !d->off) {
        write_back(d, file->inode, 50);
    }
    return rv;
}

static int sim_truncate(void *ctx, struct disk_file *file, uint64_t size)
{
    struct sim_disk *d = ctx;
    struct sim_inode *inode = file->inode;
    int rv = op_begin_plain(d);

    kvs_assert(file->life == d->life || d->off);
    if (rv != 0) {
        return rv;
    }
    inode_reserve(d, inode, size);
    if (size < inode->now_size) {
        memset(inode->now + size, 0, inode->now_size - size);
        mark_dirty(d, inode, size, inode->now_size - size);
    }
    file_sizes(inode, size);
    return 0;
}

static int sim_allocate(void *ctx, struct disk_file *file, uint64_t offset, uint64_t len)
{
    struct sim_disk *d = ctx;
    struct sim_inode *inode = file->inode;
    int rv = op_begin_plain(d);

    kvs_assert(file->life == d->life || d->off);
    if (rv != 0 || offset + len <= inode->now_size) {
        return rv;
    }
    if (offset + len - inode->now_size > bytes_left(d)) {
        return KVS_E_FULL;
    }
    inode_reserve(d, inode, offset + len);
    file_sizes(inode, offset + len);
    return 0;
}

/* --- life ----------------------------------------------------------------------------------- */

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *d = sim_alloc(sizeof *d);

    d->vtable = (struct disk){
        .make_dir = sim_make_dir,
        .list = sim_list,
        .sync_dir = sim_sync_dir,
        .rename = sim_rename,
        .unlink = sim_unlink,
        .free_bytes = sim_free_bytes,
        .lock = sim_lock,
        .unlock = sim_unlock,
        .open = sim_open,
        .close = sim_close,
        .size = sim_size,
        .pread = sim_pread,
        .pwrite = sim_pwrite,
        .sync = sim_sync,
        .truncate = sim_truncate,
        .allocate = sim_allocate,
        .ctx = d,
    };
    rng_init(&d->rng, seed);
    list_init(&d->now);
    list_init(&d->kept);
    list_init(&d->changes);
    d->sector = 512;
    return d;
}

static void changes_clear(struct sim_disk *d)
{
    LIST_FOREACH_SAFE(it, after, &d->changes)
    {
        change_free(list_entry(it, struct sim_change, node));
    }
}

void sim_disk_free(struct sim_disk *d)
{
    if (d == NULL) {
        return;
    }
    changes_clear(d);
    names_clear(&d->now);
    names_clear(&d->kept);
    free(d);
}

const struct disk *sim_disk_vtable(struct sim_disk *d)
{
    return &d->vtable;
}

void sim_disk_set_sector(struct sim_disk *d, size_t bytes)
{
    kvs_assert(list_empty(&d->now) && bytes >= 8 && (bytes & (bytes - 1)) == 0 && bytes <= 4096);
    d->sector = bytes;
}

void sim_disk_set_capacity(struct sim_disk *d, uint64_t bytes)
{
    d->capacity = bytes;
}

uint64_t sim_disk_ops(const struct sim_disk *d)
{
    return d->ops;
}

void sim_disk_fail_at(struct sim_disk *d, uint64_t nth, int err)
{
    d->fail_at = nth > 0 ? d->ops + nth : 0;
    d->fail_err = err;
}

void sim_disk_cut_at(struct sim_disk *d, uint64_t nth)
{
    d->cut_at = nth > 0 ? d->ops + nth : 0;
}

bool sim_disk_is_off(const struct sim_disk *d)
{
    return d->off;
}

static void inode_survive(struct sim_disk *d, struct sim_inode *inode)
{
    write_back(d, inode, 50);
    if (inode->capacity > 0) {
        memcpy(inode->now, inode->kept, inode->capacity);
    }
    inode->now_size = inode->kept_size;
    inode->locked = false;
}

/* What is in a folder that did not survive is out of reach. */
static void names_prune(struct list *names)
{
    bool again = true;

    while (again) {
        again = false;
        LIST_FOREACH_SAFE(it, after, names)
        {
            struct sim_name *name = list_entry(it, struct sim_name, node);

            if (!dir_exists(names, name->path, parent_len(name->path))) {
                name_remove(name);
                again = true;
            }
        }
    }
}

void sim_disk_power_cycle(struct sim_disk *d)
{
    LIST_FOREACH_SAFE(it, after, &d->changes)
    {
        struct sim_change *change = list_entry(it, struct sim_change, node);

        if (rng_percent(&d->rng, 50)) {
            change_keep(d, change);
        }
        change_free(change);
    }
    names_prune(&d->kept);
    names_clear(&d->now);
    LIST_FOREACH(it, &d->kept)
    {
        const struct sim_name *name = list_entry(it, struct sim_name, node);

        if (!name->inode->is_dir) {
            inode_survive(d, name->inode);
        }
        name_set(&d->now, name->path, name->inode);
    }
    d->off = false;
    d->cut_at = 0;
    d->fail_at = 0;
    d->life++;
}

/* --- for tests ------------------------------------------------------------------------------ */

struct sim_disk *sim_disk_clone(const struct sim_disk *d, uint64_t seed)
{
    struct sim_disk *copy = sim_disk_new(seed);

    copy->sector = d->sector;
    copy->capacity = d->capacity;
    LIST_FOREACH(it, &d->now)
    {
        const struct sim_name *name = list_entry(it, struct sim_name, node);
        struct sim_inode *inode = inode_new(name->inode->is_dir);

        if (name->inode->now_size > 0) {
            inode_reserve(copy, inode, name->inode->now_size);
            memcpy(inode->now, name->inode->now, name->inode->now_size);
            memcpy(inode->kept, name->inode->now, name->inode->now_size);
            inode->now_size = name->inode->now_size;
            inode->kept_size = inode->now_size;
        }
        name_set(&copy->now, name->path, inode);
        name_set(&copy->kept, name->path, inode);
        inode_unref(inode);
    }
    return copy;
}

bool sim_disk_contents(const struct sim_disk *d, const char *path, struct kvs_view *ret_contents)
{
    const struct sim_name *name = name_find(&d->now, path);

    if (name == NULL || name->inode->is_dir) {
        return false;
    }
    *ret_contents = (struct kvs_view){name->inode->now, (size_t)name->inode->now_size};
    return true;
}

static struct sim_inode *file_inode(const struct sim_disk *d, const char *path)
{
    struct sim_name *name = name_find(&d->now, path);

    kvs_assert(name != NULL && !name->inode->is_dir);
    return name->inode;
}

void sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask)
{
    struct sim_inode *inode = file_inode(d, path);

    kvs_assert(offset < inode->now_size);
    inode->now[offset] ^= mask;
    inode->kept[offset] = inode->now[offset];
}

void sim_disk_zero(struct sim_disk *d, const char *path, uint64_t offset, uint64_t len)
{
    struct sim_inode *inode = file_inode(d, path);

    kvs_assert(offset + len <= inode->now_size);
    memset(inode->now + offset, 0, len);
    memset(inode->kept + offset, 0, len);
}

void sim_disk_cut_file(struct sim_disk *d, const char *path, uint64_t size)
{
    struct sim_inode *inode = file_inode(d, path);

    kvs_assert(size <= inode->now_size);
    sim_disk_zero(d, path, size, inode->now_size - size);
    inode->now_size = size;
    inode->kept_size = size;
}

void sim_disk_remove(struct sim_disk *d, const char *path)
{
    struct sim_name *now = name_find(&d->now, path);
    struct sim_name *kept = name_find(&d->kept, path);

    kvs_assert(now != NULL);
    name_remove(now);
    if (kept != NULL) {
        name_remove(kept);
    }
}

void sim_disk_write(struct sim_disk *d, const char *path, struct kvs_view contents)
{
    struct sim_inode *inode = inode_new(false);

    if (contents.len > 0) {
        inode_reserve(d, inode, contents.len);
        memcpy(inode->now, contents.data, contents.len);
        memcpy(inode->kept, contents.data, contents.len);
    }
    inode->now_size = contents.len;
    inode->kept_size = contents.len;
    name_set(&d->now, path, inode);
    name_set(&d->kept, path, inode);
    inode_unref(inode);
}
