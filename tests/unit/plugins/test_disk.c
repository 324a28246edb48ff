/* plugins/disk on real file systems: the root, and (as root) a small tmpfs that is filled and made
 * read-only. */
#include "kit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

static void the_root(void **state)
{
    struct mock_host *mock =
        kit_start("disk", "warn_above: 100\nfail_above: 100\ninodes_warn_above: 100\n"
                          "inodes_fail_above: 100\nread_only: ignore\n");
    struct statvfs info;

    assert_int_equal(statvfs("/", &info), 0);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    assert_non_null(mock_report_on(mock, "/"));
    assert_null(mock_report_on(mock, "/")->text);
    assert_string_equal(mock_detail_text(mock, "path"), "/");
    kit_near(mock_detail(mock, "limit.bytes"), (double)info.f_blocks * (double)info.f_frsize);
    assert_true(mock_detail(mock, "usage.percentage") > 0);
    kit_stop(mock);
}

static void a_path_that_is_not_there(void **state)
{
    struct mock_host *mock =
        kit_start("disk", "paths: [/nonexistent/mount, /]\nwarn_above: 100\nfail_above: 100\n");

    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "No such file or directory; is it mounted?"));
    assert_int_equal(mock_report_on(mock, "/nonexistent/mount")->verdict, TMON_FAIL);
    assert_int_equal(mock_report_on(mock, "/")->verdict, TMON_PASS); // one does not hide the other
    kit_stop(mock);
}

static void full_and_read_only(void **state)
{
    char settings[1024], path[512];
    const char *dir = *state;
    static char block[1 << 20];
    struct mock_host *mock;
    int fd, i;

    // A mount namespace of our own: the mount ends with this process, whatever happens.
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", dir, "tmpfs", 0, "size=10m,nr_inodes=20") != 0) {
        skip();
    }
    (void)snprintf(settings, sizeof settings, "paths: [%s, /]\n", dir);
    mock = kit_start("disk", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_report_on(mock, dir)->verdict, TMON_PASS);

    (void)snprintf(path, sizeof path, "%s/file", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (i = 0; i < 17; i++) { // 8.5 of 10 MiB
        assert_int_equal(write(fd, block, sizeof block / 2), sizeof block / 2);
    }
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_report_on(mock, dir)->verdict, TMON_WARN);
    assert_string_equal(mock_report_on(mock, dir)->text,
                        "85.0 % of the space is used, more than 80 %");
    assert_string_equal(mock_detail_text(mock, "path"), dir);
    kit_near(mock_detail(mock, "usage.percentage"), 85);
    for (i = 0; i < 2; i++) {
        assert_int_equal(write(fd, block, sizeof block / 2), sizeof block / 2);
    }
    (void)close(fd);
    for (i = 0; i < 17; i++) {
        (void)snprintf(path, sizeof path, "inode%d", i);
        kit_write(dir, path, "");
    }
    assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_report_on(mock, dir)->verdict, TMON_FAIL);
    assert_string_equal(
        mock_report_on(mock, dir)->text,
        "95.0 % of the space is used, more than 90 %; 95.0 % of the inodes are used, more "
        "than 90 %; it is mounted read-only");
    kit_near(mock_detail(mock, "inodes.percentage"), 95);
    kit_stop(mock);

    (void)snprintf(settings, sizeof settings,
                   "paths: [%s]\nwarn_above: 99\nfail_above: 99\ninodes_warn_above: "
                   "99\ninodes_fail_above: 99\n",
                   dir);
    mock = kit_start("disk", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_WARN);
    assert_string_equal(mock_report_on(mock, dir)->text, "it is mounted read-only");
    kit_stop(mock);
    (void)strcat(settings, "read_only: ignore\n");
    mock = kit_start("disk", settings);
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_stop(mock);
    assert_int_equal(umount(dir), 0);
}

static void file_systems_without_numbers(void **state)
{
    struct mock_host *mock = kit_start("disk", "paths: /proc\n");

    assert_int_equal(mock_check(mock, 1000), TMON_OK); // no blocks, no inodes: nothing to divide by
    assert_int_equal(mock_report_on(mock, "/proc")->verdict, TMON_PASS);
    kit_near(mock_detail(mock, "usage.percentage"), 0);
    kit_near(mock_detail(mock, "inodes.percentage"), 0);
    kit_stop(mock);
}

static void wrong_settings(void **state)
{
    static const char *const wrong[][2] = {
        {"paths: []\n", "is empty"},
        {"paths: [relative]\n", "\"relative\" does not start with a slash"},
        {"warn_above: 95\n", "warn_above (95) is larger than fail_above (90)"},
        {"inodes_fail_above: 50\n", "inodes_warn_above (80)"},
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct mock_host *mock = mock_open(kit_plugin("disk"), "disk", wrong[i][0]);

        assert_string_equal(mock_error(mock), "");
        assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
        assert_true(mock_said(mock, wrong[i][1]));
        kit_stop(mock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root),
        cmocka_unit_test(a_path_that_is_not_there),
        cmocka_unit_test_setup_teardown(full_and_read_only, kit_scratch, kit_remove),
        cmocka_unit_test(file_systems_without_numbers),
        cmocka_unit_test(wrong_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
