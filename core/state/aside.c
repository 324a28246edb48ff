/*
 * aside.c: see aside.h.  The order of the swap, each step one rename:
 *
 *     state.db.new -> state.db.salvaged     from here on it will be finished, by whoever comes
 *     state.db-wal -> state.db.damaged-TIME-wal     first: SQLite would apply it to the new file
 *     state.db     -> state.db.damaged-TIME
 *     state.db.salvaged -> state.db
 *
 * sqlite3 opens the damaged file together with its log under their new names.
 */
#include "state/aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#define PREFIX "state.db.damaged-"
#define NAME_BYTES 64

static int sync_directory(const struct state_paths *paths)
{
    int fd = open(paths->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return r;
}

static int move(const char *from, const char *to)
{
    return rename(from, to) < 0 ? -errno : 0;
}

static int path_of(const struct state_paths *paths, const char *name, const char *suffix,
                   char **ret_path)
{
    return asprintf(ret_path, "%s/%s%s", paths->directory, name, suffix) < 0 ? -ENOMEM : 0;
}

/* A name by the clock that is not taken. */
static void pick_name(const struct state_paths *paths, char *ret_name, size_t size)
{
    time_t now = (time_t)(clock_real_ms() / MS_PER_S);

    for (;; now++) {
        struct tm utc;
        char when[32];
        char *path;
        bool taken;

        (void)gmtime_r(&now, &utc);
        (void)strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
        (void)snprintf(ret_name, size, PREFIX "%s", when);
        if (path_of(paths, ret_name, "", &path) < 0) {
            return;
        }
        taken = access(path, F_OK) == 0;
        free(path);
        if (!taken) {
            return;
        }
    }
}

static int put_aside(const struct state_paths *paths, const char *name)
{
    const struct {
        const char *path, *suffix;
    } files[] = {{paths->wal, "-wal"}, {paths->journal, "-journal"}, {paths->db, ""}};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof files / sizeof files[0]; i++) {
        char *path;

        r = path_of(paths, name, files[i].suffix, &path);
        if (r == 0) {
            r = move(files[i].path, path);
            r = r == -ENOENT ? 0 : r;
            free(path);
        }
    }
    return r;
}

/* ---- keeping few ---- */

static int is_kept(const struct dirent *entry)
{
    const char *name = entry->d_name;

    // a name without a suffix stands for all three
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && !strchr(name + strlen(PREFIX), '-');
}

static void forget(const struct state_paths *paths, const char *name)
{
    static const char *const suffixes[] = {"-wal", "-journal", ""};

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *path;

        if (path_of(paths, name, suffixes[i], &path) == 0) {
            (void)unlink(path);
            free(path);
        }
    }
}

/* Their names sort by time. */
static void keep_few(const struct state_paths *paths)
{
    struct dirent **found;
    int n = scandir(paths->directory, &found, is_kept, alphasort);

    for (int i = 0; i < n; i++) {
        if (i < n - LIMIT_STATE_ASIDE) {
            forget(paths, found[i]->d_name);
        }
        free(found[i]);
    }
    if (n >= 0) {
        free(found);
    }
}

/* ---- the swap ---- */

static int finish_swap(const struct state_paths *paths, char *ret_kept, size_t size)
{
    int r;

    pick_name(paths, ret_kept, size);
    r = put_aside(paths, ret_kept);
    if (r == 0) {
        r = move(paths->salvaged, paths->db);
    }
    if (r == 0) {
        r = sync_directory(paths);
    }
    if (r == 0) {
        keep_few(paths);
    }
    return r;
}

int aside_swap(const struct state_paths *paths, char *ret_kept, size_t size)
{
    int r = move(paths->fresh, paths->salvaged);

    if (r == 0) {
        r = sync_directory(paths);
    }
    return r < 0 ? r : finish_swap(paths, ret_kept, size);
}

int aside_log(const struct state_paths *paths)
{
    char kept[NAME_BYTES], *path;
    int fd = -1;
    int r;

    if (access(paths->wal, F_OK) < 0) {
        return 0;
    }
    pick_name(paths, kept, sizeof kept);
    r = put_aside(paths, kept);
    if (r == 0) {
        r = path_of(paths, kept, "", &path);
    }
    if (r == 0) {
        // an empty database, so that both are counted as one
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        r = fd < 0 ? -errno : 0;
        free(path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    keep_few(paths);
    return r;
}

int aside_resume(const struct state_paths *paths)
{
    char kept[NAME_BYTES];
    int r;

    (void)unlink(paths->fresh);
    if (access(paths->salvaged, F_OK) < 0) {
        return 0;
    }
    r = finish_swap(paths, kept, sizeof kept);
    if (r == 0) {
        log_warning("a salvage of the state that was broken off is complete now",
                    LOG_S("kept", kept), LOG_S("directory", paths->directory));
    }
    return r;
}
