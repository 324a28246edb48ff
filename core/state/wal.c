/*
 * wal.c: see wal.h; the format is https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
 *
 * Each frame's checksum continues the one before it, so for SQLite the log ends at the first frame
 * that does not fit.  That is what a crash leaves, where the last commit was under way; and it is
 * what one flipped byte in the middle leaves, with durable commits behind it.  What proves the
 * latter: the mark says that more was committed; or behind the bad frame two transactions end, of
 * which the first must have been durable before the second began.
 */
#include "state/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/bytes.h"

#define MAGIC 0x377f0682U /* the last bit: checksums of big-endian words */

static uint32_t word(const unsigned char *at, bool big_endian)
{
    return big_endian ? bytes_get32(at) : __builtin_bswap32(bytes_get32(at));
}

void wal_sum_add(struct wal_sum *sum, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i + 8 <= len; i += 8) {
        sum->a += word(data + i, sum->big_endian) + sum->b;
        sum->b += word(data + i + 4, sum->big_endian) + sum->a;
    }
}

bool wal_sum_is(const struct wal_sum *sum, const unsigned char *at)
{
    return sum->a == bytes_get32(at) && sum->b == bytes_get32(at + 4);
}

static int read_at(int fd, void *data, size_t len, off_t offset)
{
    ssize_t n = pread(fd, data, len, offset);

    return n == (ssize_t)len ? 0 : n < 0 ? -errno : -ENODATA;
}

int wal_header(const struct wal *wal, unsigned char *ret_header)
{
    return read_at(wal->fd, ret_header, WAL_HEADER_BYTES, 0);
}

int wal_frame(const struct wal *wal, uint32_t frame, unsigned char *ret_frame)
{
    size_t size = WAL_FRAME_HEADER_BYTES + wal->page_bytes;

    return read_at(wal->fd, ret_frame, size, WAL_HEADER_BYTES + (off_t)(frame - 1) * (off_t)size);
}

static bool header_is_good(const struct wal *wal, struct wal_sum *ret_sum, uint32_t ret_salt[2])
{
    unsigned char header[WAL_HEADER_BYTES];
    struct wal_sum sum = {0};

    if (wal_header(wal, header) < 0 || (bytes_get32(header) & ~1U) != MAGIC ||
        bytes_get32(header + 8) != wal->page_bytes) {
        return false;
    }
    sum.big_endian = header[3] & 1;
    wal_sum_add(&sum, header, 24);
    if (!wal_sum_is(&sum, header + 24)) {
        return false;
    }
    *ret_sum = sum;
    ret_salt[0] = bytes_get32(header + 16);
    ret_salt[1] = bytes_get32(header + 20);
    return true;
}

struct scan {
    struct wal_sum sum;
    bool broken;      /* a frame did not fit; from here on SQLite sees nothing */
    uint32_t commits; /* behind that */
    uint32_t last;    /* the last frame of this generation behind it */
};

static void scan_frame(struct wal *wal, struct scan *scan, uint32_t frame,
                       const unsigned char *bytes)
{
    uint32_t page = bytes_get32(bytes);
    bool commits = bytes_get32(bytes + 4) != 0;
    bool ours = bytes_get32(bytes + 8) == wal->salt[0] && bytes_get32(bytes + 12) == wal->salt[1];

    if (!scan->broken) {
        wal_sum_add(&scan->sum, bytes, 8);
        wal_sum_add(&scan->sum, bytes + WAL_FRAME_HEADER_BYTES, wal->page_bytes);
        scan->broken = !ours || page == 0 || !wal_sum_is(&scan->sum, bytes + 16);
    }
    if (ours) {
        wal->pages[frame - 1] = page;
    }
    if (!scan->broken && commits) {
        wal->good = frame;
    }
    if (scan->broken && ours) {
        scan->commits += commits;
        scan->last = frame;
    }
}

static int scan_frames(struct wal *wal, struct scan *scan)
{
    unsigned char *bytes = malloc(WAL_FRAME_HEADER_BYTES + wal->page_bytes);

    if (!bytes) {
        return -ENOMEM;
    }
    for (uint32_t frame = 1; frame <= wal->frames; frame++) {
        if (wal_frame(wal, frame, bytes) < 0) {
            scan->broken = true; // a sector that cannot be read is as damaged
            continue;
        }
        scan_frame(wal, scan, frame, bytes);
    }
    free(bytes);
    return 0;
}

/* What is lost, and what of it can be used. */
static void judge(struct wal *wal, const struct scan *scan, const struct mark *mark,
                  bool header_good)
{
    bool same = mark->valid && mark->pages > 0 && mark->salt[0] == wal->salt[0] &&
                mark->salt[1] == wal->salt[1];

    wal->usable = wal->good;
    if (same && wal->good < mark->pages) {
        wal->lost = mark->pages - wal->good;
        wal->usable = mark->pages < wal->frames ? mark->pages : wal->frames;
    }
    if (wal->lost == 0 && scan->commits >= (mark->valid ? 2U : 1U)) {
        wal->lost = scan->last - wal->good;
        wal->usable = scan->last;
    }
    if (wal->frames > 0 && !header_good && !mark->valid) {
        wal->lost = wal->frames; // nobody knows of which generation they are: at most so many
    }
}

int wal_read(const char *path, uint32_t page_bytes, const struct mark *mark, struct wal *ret_wal)
{
    struct wal wal = {.fd = -1, .page_bytes = page_bytes};
    struct scan scan = {0};
    struct stat st = {0};
    bool header_good;
    int r = 0;

    wal.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (wal.fd < 0 && errno != ENOENT) {
        return -errno;
    }
    if (wal.fd >= 0 && fstat(wal.fd, &st) < 0) {
        r = -errno;
        goto out;
    }
    if (st.st_size > WAL_HEADER_BYTES) {
        wal.frames = (uint32_t)((st.st_size - WAL_HEADER_BYTES) /
                                (off_t)(WAL_FRAME_HEADER_BYTES + page_bytes));
    }
    wal.pages = calloc(wal.frames + 1, sizeof *wal.pages);
    if (!wal.pages) {
        r = -ENOMEM;
        goto out;
    }
    header_good = wal.frames > 0 && header_is_good(&wal, &scan.sum, wal.salt);
    if (!header_good) {
        // then the mark alone knows which generation the frames should be of
        scan.broken = true;
        wal.salt[0] = mark->salt[0];
        wal.salt[1] = mark->salt[1];
    }
    r = scan_frames(&wal, &scan);
    if (r < 0) {
        goto out;
    }
    judge(&wal, &scan, mark, header_good);
    *ret_wal = wal;
    return 0;

out:
    wal_finish(&wal);
    return r;
}

void wal_finish(struct wal *wal)
{
    free(wal->pages);
    wal->pages = NULL;
    if (wal->fd >= 0) {
        (void)close(wal->fd);
        wal->fd = -1;
    }
}

uint32_t wal_find(const struct wal *wal, uint32_t page, uint32_t upto)
{
    for (uint32_t frame = upto; frame > 0; frame--) {
        if (wal->pages[frame - 1] == page) {
            return frame;
        }
    }
    return 0;
}
