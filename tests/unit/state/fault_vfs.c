/*
 * fault_vfs.c: see fault_vfs.h.  While a crash is armed, the shim keeps for each file what a crash
 * would leave: its bytes at the last sync, and the writes since then.  Making and deleting files
 * count as durable at once; SQLite syncs the directory for what it needs.
 */
#include "fault_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR 512

struct change {
    struct change *next;
    bool truncates; /* to `offset` */
    sqlite3_int64 offset;
    size_t len;
    unsigned char data[];
};

struct image {
    unsigned char *data;
    size_t len;
};

struct tracked {
    struct tracked *next;
    char *path;
    struct image durable;
    struct change *first, **last;
};

struct shim_file {
    sqlite3_file base;
    struct tracked *tracked;
    sqlite3_file *real; /* behind this struct */
};

static struct {
    pthread_mutex_t lock;
    struct fault fault;
    int seen;
    bool hit, frozen;
    struct tracked *files;
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool installed;
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- what a crash leaves ---- */

static void image_write(struct image *image, const void *data, size_t len, size_t offset)
{
    if (offset + len > image->len) {
        image->data = realloc(image->data, offset + len);
        memset(image->data + image->len, 0, offset + len - image->len);
        image->len = offset + len;
    }
    memcpy(image->data + offset, data, len);
}

static void image_apply(struct image *image, const struct change *change, size_t len)
{
    if (!change->truncates) {
        image_write(image, change->data, len, (size_t)change->offset);
    } else if ((size_t)change->offset < image->len) {
        image->len = (size_t)change->offset;
    }
}

static void tracked_drop_changes(struct tracked *file)
{
    while (file->first) {
        struct change *change = file->first;

        file->first = change->next;
        free(change);
    }
    file->last = &file->first;
}

static void tracked_forget(struct tracked *file)
{
    tracked_drop_changes(file);
    free(file->durable.data);
    file->durable = (struct image){0};
}

static void tracked_read(struct tracked *file)
{
    unsigned char block[65536];
    ssize_t n;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);

    tracked_forget(file);
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0) {
        image_write(&file->durable, block, (size_t)n, file->durable.len);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static struct tracked *tracked_find(const char *path)
{
    struct tracked *file = shim.files;

    while (file && strcmp(file->path, path) != 0) {
        file = file->next;
    }
    return file;
}

static void track(struct shim_file *file, bool truncates, const void *data, size_t len,
                  sqlite3_int64 offset)
{
    struct change *change;

    if (shim.fault.kind != FAULT_CRASH || !file->tracked) {
        return;
    }
    change = malloc(sizeof *change + len);
    *change = (struct change){.truncates = truncates, .offset = offset, .len = len};
    if (len > 0) {
        memcpy(change->data, data, len);
    }
    *file->tracked->last = change;
    file->tracked->last = &change->next;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void leave(struct tracked *file, enum fault_survives survives, uint64_t *seed)
{
    int fd;

    for (const struct change *change = file->first; change; change = change->next) {
        size_t len = change->len;

        if (survives == FAULT_LOSE_ALL) {
            break;
        }
        if (survives == FAULT_MIX) {
            uint64_t dice = next_random(seed) % 4;

            if (dice == 0) {
                continue;
            }
            if (dice == 1 && len > SECTOR) {
                len = SECTOR * (next_random(seed) % (len / SECTOR));
            }
        }
        image_apply(&file->durable, change, len);
    }
    fd = open(file->path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (ftruncate(fd, 0) < 0 ||
            pwrite(fd, file->durable.data, file->durable.len, 0) != (ssize_t)file->durable.len) {
            abort();
        }
        (void)close(fd);
    }
}

void fault_crash(enum fault_survives survives, uint64_t seed)
{
    for (struct tracked *file = shim.files; file; file = file->next) {
        leave(file, survives, &seed);
    }
    fault_disarm();
}

/* ---- when to fail ---- */

void fault_arm(const struct fault *fault)
{
    (void)pthread_mutex_lock(&shim.lock);
    shim.fault = *fault;
    if (shim.fault.ops == 0) {
        shim.fault.ops = FAULT_ALL;
    }
    shim.seen = 0;
    shim.hit = false;
    shim.frozen = false;
    for (struct tracked *file = shim.files; file; file = file->next) {
        tracked_read(file);
    }
    (void)pthread_mutex_unlock(&shim.lock);
}

void fault_disarm(void)
{
    (void)pthread_mutex_lock(&shim.lock);
    shim.fault = (struct fault){0};
    shim.frozen = false;
    while (shim.files) {
        struct tracked *file = shim.files;

        // open files keep theirs; the name is enough to find it again
        shim.files = file->next;
        tracked_forget(file);
        free(file->path);
        free(file);
    }
    (void)pthread_mutex_unlock(&shim.lock);
}

int fault_seen(void)
{
    int seen;

    (void)pthread_mutex_lock(&shim.lock);
    seen = shim.seen;
    (void)pthread_mutex_unlock(&shim.lock);
    return seen;
}

bool fault_hit(void)
{
    bool hit;

    (void)pthread_mutex_lock(&shim.lock);
    hit = shim.hit;
    (void)pthread_mutex_unlock(&shim.lock);
    return hit;
}

/* Under the lock.  0, or the result with which this operation fails. */
static int verdict(unsigned op, int ioerr)
{
    const struct fault *fault = &shim.fault;

    errno = EIO;
    if (shim.frozen) {
        return ioerr;
    }
    if (fault->kind == FAULT_NONE || !(fault->ops & op)) {
        return SQLITE_OK;
    }
    shim.seen++;
    if (fault->first == 0 || shim.seen < fault->first ||
        (fault->times > 0 && shim.seen >= fault->first + fault->times)) {
        return SQLITE_OK;
    }
    shim.hit = true;
    shim.frozen = fault->kind == FAULT_CRASH;
    return fault->kind == FAULT_FULL && op != FAULT_DELETE ? SQLITE_FULL : ioerr;
}

/* ---- files ---- */

static int shim_close(sqlite3_file *base)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods ? file->real->pMethods->xClose(file->real) : SQLITE_OK;
}

static int shim_read(sqlite3_file *base, void *data, int len, sqlite3_int64 offset)
{
    struct shim_file *file = (struct shim_file *)base;
    int rc;

    (void)pthread_mutex_lock(&shim.lock);
    rc = shim.frozen ? SQLITE_OK : verdict(FAULT_READ, SQLITE_IOERR_READ);
    (void)pthread_mutex_unlock(&shim.lock);
    return rc != SQLITE_OK ? rc : file->real->pMethods->xRead(file->real, data, len, offset);
}

static int shim_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
    struct shim_file *file = (struct shim_file *)base;
    int rc;

    (void)pthread_mutex_lock(&shim.lock);
    if (!shim.frozen) {
        // also of the write in which it crashes, a part may be there
        track(file, false, data, (size_t)len, offset);
    }
    rc = verdict(FAULT_WRITE, SQLITE_IOERR_WRITE);
    if (rc == SQLITE_OK) {
        rc = file->real->pMethods->xWrite(file->real, data, len, offset);
    } else if (rc == SQLITE_FULL && len > 1) {
        // a full disk takes what fits
        (void)file->real->pMethods->xWrite(file->real, data, len / 2, offset);
    }
    (void)pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct shim_file *file = (struct shim_file *)base;
    int rc;

    (void)pthread_mutex_lock(&shim.lock);
    rc = verdict(FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE);
    if (rc == SQLITE_OK) {
        track(file, true, NULL, 0, size);
        rc = file->real->pMethods->xTruncate(file->real, size);
    }
    (void)pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_sync(sqlite3_file *base, int flags)
{
    struct shim_file *file = (struct shim_file *)base;
    int rc;

    (void)pthread_mutex_lock(&shim.lock);
    rc = verdict(FAULT_SYNC, SQLITE_IOERR_FSYNC);
    if (rc == SQLITE_OK && file->tracked && shim.fault.kind == FAULT_CRASH) {
        for (struct change *change = file->tracked->first; change; change = change->next) {
            image_apply(&file->tracked->durable, change, change->len);
        }
        tracked_drop_changes(file->tracked);
    }
    // the real one would only cost time: nothing here crashes in earnest
    (void)pthread_mutex_unlock(&shim.lock);
    return rc;
}

static int shim_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xFileSize(file->real, ret_size);
}

static int shim_lock(sqlite3_file *base, int lock)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xLock(file->real, lock);
}

static int shim_unlock(sqlite3_file *base, int lock)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xUnlock(file->real, lock);
}

static int shim_check_lock(sqlite3_file *base, int *ret_locked)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xCheckReservedLock(file->real, ret_locked);
}

static int shim_control(sqlite3_file *base, int op, void *arg)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xFileControl(file->real, op, arg);
}

static int shim_sector(sqlite3_file *base)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xSectorSize(file->real);
}

static int shim_device(sqlite3_file *base)
{
    struct shim_file *file = (struct shim_file *)base;

    return file->real->pMethods->xDeviceCharacteristics(file->real);
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, // no shared memory: what is locked for good needs none
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_check_lock,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector,
    .xDeviceCharacteristics = shim_device,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct shim_file *file = (struct shim_file *)base;
    int rc;

    *file = (struct shim_file){.real = (sqlite3_file *)(file + 1)};
    rc = shim.real->xOpen(shim.real, name, file->real, flags, ret_flags);
    if (rc != SQLITE_OK) {
        return rc;
    }
    file->base.pMethods = &methods;
    (void)pthread_mutex_lock(&shim.lock);
    if (name && shim.fault.kind == FAULT_CRASH) {
        file->tracked = tracked_find(name);
        if (!file->tracked) {
            file->tracked = calloc(1, sizeof *file->tracked);
            file->tracked->path = strdup(name);
            file->tracked->last = &file->tracked->first;
            file->tracked->next = shim.files;
            shim.files = file->tracked;
            tracked_read(file->tracked);
        }
    }
    (void)pthread_mutex_unlock(&shim.lock);
    return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct tracked *tracked;
    int rc;

    (void)pthread_mutex_lock(&shim.lock);
    rc = verdict(FAULT_DELETE, SQLITE_IOERR_DELETE);
    if (rc == SQLITE_OK) {
        rc = shim.real->xDelete(shim.real, name, sync);
        tracked = tracked_find(name);
        if (tracked) {
            tracked_forget(tracked);
        }
    }
    (void)pthread_mutex_unlock(&shim.lock);
    return rc;
}

void fault_install(void)
{
    if (shim.installed) {
        return;
    }
    shim.real = sqlite3_vfs_find(NULL);
    shim.vfs = *shim.real;
    shim.vfs.zName = FAULT_VFS;
    shim.vfs.pNext = NULL;
    shim.vfs.szOsFile = (int)sizeof(struct shim_file) + shim.real->szOsFile;
    shim.vfs.xOpen = shim_open;
    shim.vfs.xDelete = shim_delete;
    if (sqlite3_vfs_register(&shim.vfs, 0) != SQLITE_OK) {
        abort();
    }
    shim.installed = true;
}
