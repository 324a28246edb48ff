/* core/state on a disk that is full in earnest: a small tmpfs in a mount namespace of the test's
 * own. Where that may not be made, the cases are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "kit.h"

#define DISK "size=3m"
#define RESERVE (512u << 10)

static bool private_mounts(void)
{
    return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int set_up(void **state)
{
    struct kit *kit = malloc(sizeof *kit);

    kit_init(kit);
    kit->options.reserve_bytes = RESERVE;
    kit->options.wal_pages = 40;
    *state = kit;
    return 0;
}

static int tear_down(void **state)
{
    struct kit *kit = *state;

    kit_close(kit);
    (void)umount2(kit->directory, MNT_DETACH);
    kit_finish(kit);
    free(kit);
    return 0;
}

static void mount_disk(struct kit *kit, bool possible)
{
    if (!possible || mount("tmpfs", kit->directory, "tmpfs", 0, DISK) < 0) {
        skip();
    }
}

static const char *filler(struct kit *kit, char path[static 128])
{
    return kit_path(kit, "filler", path);
}

/* Another program takes what there is. */
static void take_all(struct kit *kit)
{
    static const char block[4096];
    char path[128];
    int fd = open(filler(kit, path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0) {}
    assert_int_equal(errno, ENOSPC);
    (void)close(fd);
}

static void give_back(struct kit *kit)
{
    char path[128];

    assert_int_equal(unlink(filler(kit, path)), 0);
}

static int add(struct kit *kit, bool grows, int64_t *ret_id)
{
    struct kit_job job = {.len = 3000, .job.grows = grows};
    int r = kit_run(kit, &job);

    if (r == 0) {
        *ret_id = job.id;
    }
    return r;
}

static void test_full_disk(void **state)
{
    struct kit *kit = *state;
    int64_t ids[3000] = {0}, id;
    size_t n = 0;
    struct stat st;
    char path[128];
    int r, loads;

    mount_disk(kit, getenv("TMON_MOUNTS"));
    kit->options.retry_ms = 50;
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(stat(kit_path(kit, "state.reserve", path), &st), 0);
    assert_true((size_t)st.st_blocks * 512 >= RESERVE);
    while (n < 20) {
        assert_int_equal(add(kit, true, &ids[n++]), 0);
    }
    take_all(kit);

    // what grows goes on in what the log has, then is refused
    while ((r = add(kit, true, &id)) == 0) {
        ids[n++] = id;
    }
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(kit->condition, STATE_FULL);
    assert_int_not_equal(stat(path, &st), 0); // the reserve was given back
    for (int i = 0; i < 10; i++) {
        assert_int_equal(add(kit, true, &id), -ENOSPC);
    }

    // the rest lives from the reserve, until that is used up too
    assert_int_equal(add(kit, false, &ids[n++]), 0);
    assert_int_equal(kit_remove(kit, ids[0]), 0);
    while ((r = add(kit, false, &id)) == 0) {
        ids[n++] = id;
        assert_true(n < 3000);
    }
    assert_int_equal(r, -ENOSPC);
    assert_true(n > 20 + RESERVE / 2 / 8192);
    assert_int_equal(kit->condition, STATE_FULL);

    // reading everything anew is dear: not for every job that is refused
    loads = kit->loads;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(add(kit, false, &id), -ENOSPC);
    }
    assert_in_range(kit->loads - loads, 0, 100);

    // it stays full as long as there is no room for the reserve and as much again
    (void)poll(NULL, 0, 100);
    assert_int_equal(kit->condition, STATE_FULL);
    give_back(kit);
    assert_true(kit_wait_condition(kit, STATE_WELL));
    assert_int_equal(add(kit, true, &ids[n++]), 0);
    assert_false(kit_has(kit, ids[0]));
    for (size_t i = 1; i < n; i++) {
        assert_true(kit_has(kit, ids[i]));
    }
    kit_close(kit);

    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).lost_rows + kit_stats(kit).salvages, 0);
    for (size_t i = 1; i < n; i++) {
        assert_true(kit_has(kit, ids[i]));
    }
}

static void test_starts_on_a_full_disk(void **state)
{
    struct kit *kit = *state;
    int64_t id = 0, other;
    char path[128];

    mount_disk(kit, getenv("TMON_MOUNTS"));
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(add(kit, true, &id), 0);
    kit_close(kit);
    assert_int_equal(unlink(kit_path(kit, "state.reserve", path)), 0);
    take_all(kit);
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit->condition, STATE_FULL);
    assert_int_equal(add(kit, true, &other), -ENOSPC);
    assert_true(kit_has(kit, id));
    give_back(kit);
    assert_true(kit_wait_condition(kit, STATE_WELL));
    assert_int_equal(add(kit, true, &other), 0);
}

static void test_new_on_a_full_disk(void **state)
{
    struct kit *kit = *state;
    struct buf why;

    mount_disk(kit, getenv("TMON_MOUNTS"));
    take_all(kit);
    buf_init(&why, 4096);
    assert_int_equal(kit_open_why(kit, &why), -ENOSPC);
    assert_non_null(strstr(buf_str(&why), "full"));
    buf_finish(&why);
    give_back(kit);
    assert_int_equal(kit_open(kit), 0);
}

static void test_salvage_on_a_full_disk(void **state)
{
    struct kit *kit = *state;
    int64_t id = 0;
    char path[128];
    unsigned char bad = 0xff;
    int fd;

    mount_disk(kit, getenv("TMON_MOUNTS"));
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(add(kit, true, &id), 0);
    kit_close(kit);
    take_all(kit);
    fd = open(kit_path(kit, "state.db", path), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &bad, 1, 20), 1);
    (void)close(fd);
    // the reserve has room for the copy
    assert_int_equal(kit_open(kit), 0);
    assert_int_equal(kit_stats(kit).salvages, 1);
    assert_true(kit_has(kit, id));
}

static void test_read_only_file_system(void **state)
{
    struct kit *kit = *state;
    struct buf why;

    mount_disk(kit, getenv("TMON_MOUNTS"));
    assert_int_equal(mount("none", kit->directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    buf_init(&why, 4096);
    assert_int_equal(kit_open_why(kit, &why), -EROFS);
    assert_non_null(strstr(buf_str(&why), "agent.state_dir"));
    buf_finish(&why);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_full_disk),
        CASE(test_starts_on_a_full_disk),
        CASE(test_new_on_a_full_disk),
        CASE(test_salvage_on_a_full_disk),
        CASE(test_read_only_file_system),
    };

    if (private_mounts()) {
        (void)setenv("TMON_MOUNTS", "1", 1);
    }
    if (!getenv("TMON_VERBOSE")) {
        log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
