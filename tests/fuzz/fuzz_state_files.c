/*
 * Damaged state files: whatever a database, its log and the mark hold, the salvage ends, and the
 * new file is one that opens.  The input: two bytes with the length of the database in units of 16,
 * one with the pages that the mark calls committed (0: there is no mark), then the database, then
 * the log.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/salvage.h"
#include "state/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void spill(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    (void)close(fd);
}

static void remove_all(const struct state_paths *paths, const char *kept)
{
    const char *const suffixes[] = {"", "-wal", "-journal"};
    char path[512];

    (void)unlink(paths->db);
    (void)unlink(paths->wal);
    (void)unlink(paths->mark);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s%s", paths->directory, kept, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(paths->directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char directory[] = "/tmp/fuzz-state-XXXXXX";
    struct state_paths paths;
    struct mark mark = {0};
    struct marker marker = {.fd = -1};
    struct salvage salvage;
    struct buf why;
    sqlite3 *db = NULL;
    size_t len;

    if (size < 3) {
        return 0;
    }
    len = 16 * ((size_t)data[0] << 8 | data[1]);
    len = len < size - 3 ? len : size - 3;
    if (!mkdtemp(directory) || paths_init(&paths, directory) < 0) {
        abort();
    }
    spill(paths.db, data + 3, len);
    spill(paths.wal, data + 3 + len, size - 3 - len);
    if (data[2] > 0) {
        mark = (struct mark){
            .valid = true, .version = (uint32_t)state_schema_version, .pages = data[2]};
        if (size - 3 - len >= 24) { // of the generation that the log's header names
            const uint8_t *salt = data + 3 + len + 16;

            mark.salt[0] = (uint32_t)salt[0] << 24 | (uint32_t)salt[1] << 16 |
                           (uint32_t)salt[2] << 8 | salt[3];
            mark.salt[1] = (uint32_t)salt[4] << 24 | (uint32_t)salt[5] << 16 |
                           (uint32_t)salt[6] << 8 | salt[7];
        }
    }
    buf_init(&why, 65536);
    if (salvage_run(&paths, NULL, &mark, &why, &salvage) < 0) {
        (void)fprintf(stderr, "%s\n", buf_str(&why));
        abort();
    }
    marker.last = mark;
    if (file_open(&paths, NULL, &marker, &why, &db) < 0) {
        (void)fprintf(stderr, "%s\n", buf_str(&why));
        abort();
    }
    file_close(db);
    buf_finish(&why);
    remove_all(&paths, salvage.kept);
    paths_finish(&paths);
    return 0;
}
