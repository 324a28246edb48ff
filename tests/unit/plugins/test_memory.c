/* plugins/memory: the machine, control groups of both versions, thresholds. */
#include "kit.h"

#include <sys/wait.h>

#define MEMINFO                                                                                    \
    "MemTotal:        1000000 kB\nMemFree:          100000 kB\nMemAvailable:     400000 kB\n"      \
    "Buffers:           50000 kB\nCached:           200000 kB\nSwapCached: 5 kB\nShmem: 50000 "    \
    "kB\n"

static struct mock_host *start(void **state, const char *more)
{
    char settings[1024];

    (void)snprintf(settings, sizeof settings, "procfs: %s/proc\ncgroupfs: %s/cgroup\n%s",
                   (const char *)*state, (const char *)*state, more);
    return kit_start("memory", settings);
}

/* Checks, and gives the percentage. */
static double used(struct mock_host *mock)
{
    assert_int_equal(mock_check(mock, 1000), TMON_OK);
    return mock_detail(mock, "usage.percentage");
}

static void the_machine(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", MEMINFO);
    mock = start(state, "");
    kit_near(used(mock), 60);
    assert_int_equal(mock_verdict(mock), TMON_PASS);
    kit_near(mock_detail(mock, "usage.bytes"), 600000 * 1024.0);
    kit_near(mock_detail(mock, "limit.bytes"), 1000000 * 1024.0);
    assert_string_equal(mock_detail_text(mock, "limit.of"), "machine");
    assert_int_equal(mock_collect(mock, 1000), TMON_OK);
    kit_near(mock_value(mock, "memory_used_percent"), 60);
    kit_stop(mock);
}

static void thresholds(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 250 kB\n");
    mock = start(state, "");
    kit_near(used(mock), 75);
    assert_int_equal(mock_verdict(mock), TMON_PASS); // above, not at
    kit_write(*state, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 240 kB\n");
    kit_near(used(mock), 76);
    assert_int_equal(mock_verdict(mock), TMON_WARN);
    assert_true(mock_said(mock, "76.0 % of the machine's memory is used"));
    assert_true(mock_said(mock, "more than 75 %"));
    kit_write(*state, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 90 kB\n");
    kit_near(used(mock), 91);
    assert_int_equal(mock_verdict(mock), TMON_FAIL);
    assert_true(mock_said(mock, "more than 90 %"));
    kit_stop(mock);
}

static void kernels_without_available(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo",
              "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 200 kB\nShmem: 50 kB\n");
    mock = start(state, "");
    kit_near(used(mock), 70); // 1000 - (100 + 50 + 200 - 50)
    kit_stop(mock);
}

static void cgroup_v2_with_a_tighter_ancestor(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", MEMINFO);
    kit_write(*state, "proc/self/cgroup", "0::/kube/pod/app\n");
    kit_write(*state, "cgroup/cgroup.controllers", "cpu memory pids\n");
    kit_write(*state, "cgroup/kube/memory.max", "max\n");
    kit_write(*state, "cgroup/kube/memory.current", "500000000\n");
    kit_write(*state, "cgroup/kube/pod/memory.max", "100000000\n");
    kit_write(*state, "cgroup/kube/pod/memory.current", "90000000\n");
    kit_write(*state, "cgroup/kube/pod/memory.stat", "anon 70000000\ninactive_file 10000000\n");
    kit_write(*state, "cgroup/kube/pod/app/memory.max", "50000000\n");
    kit_write(*state, "cgroup/kube/pod/app/memory.current", "30000000\n");
    kit_write(*state, "cgroup/kube/pod/app/memory.stat", "anon 30000000\n");
    mock = start(state, "");
    kit_near(used(mock), 80); // of the pod: 90 MB without 10 MB of idle pages
    kit_near(mock_detail(mock, "usage.bytes"), 80e6);
    kit_near(mock_detail(mock, "limit.bytes"), 100e6);
    assert_string_equal(mock_detail_text(mock, "limit.of"), "cgroup");
    assert_int_equal(mock_verdict(mock), TMON_WARN);
    assert_true(mock_said(mock, "control group's"));
    kit_write(*state, "cgroup/kube/pod/app/memory.current", "49000000\n");
    kit_near(used(mock), 98);
    kit_stop(mock);
}

static void cgroup_v1_and_hybrid(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", MEMINFO);
    kit_write(*state, "proc/self/cgroup",
              "5:cpu,cpuacct:/\n4:name=memory:/no\n3:hugetlb,memory:/docker/abc\n0::/x\n");
    kit_write(*state, "cgroup/unified/cgroup.controllers", "\n");
    kit_write(*state, "cgroup/unified/x/cgroup.procs", "");
    kit_write(*state, "cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    kit_write(*state, "cgroup/memory/memory.usage_in_bytes", "999999999999\n");
    kit_write(*state, "cgroup/memory/docker/abc/memory.limit_in_bytes", "1000000\n");
    kit_write(*state, "cgroup/memory/docker/abc/memory.usage_in_bytes", "950000\n");
    kit_write(*state, "cgroup/memory/docker/abc/memory.stat",
              "inactive_file 1\ntotal_inactive_file 200000\n");
    mock = start(state, "");
    kit_near(used(mock), 75);
    assert_string_equal(mock_detail_text(mock, "limit.of"), "cgroup");
    kit_stop(mock);
}

static void a_path_that_is_not_seen_under_the_mount(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", MEMINFO);
    kit_write(*state, "proc/self/cgroup", "4:memory:/docker/abc\n");
    kit_write(*state, "cgroup/memory/memory.limit_in_bytes",
              "1000000\n"); // the container's own is the mount
    kit_write(*state, "cgroup/memory/memory.usage_in_bytes", "880000\n");
    mock = start(state, "");
    kit_near(used(mock), 88);
    kit_write(*state, "proc/self/cgroup", "4:memory:/../../elsewhere\n");
    kit_near(used(mock), 88);
    kit_write(*state, "proc/self/cgroup",
              "4:memory:/docker/abc/inner\n"); // seen from /docker/abc on
    kit_write(*state, "cgroup/memory/inner/memory.limit_in_bytes", "1000000\n");
    kit_write(*state, "cgroup/memory/inner/memory.usage_in_bytes", "990000\n");
    kit_near(used(mock), 99);
    kit_stop(mock);
}

static void a_limit_above_the_machine_is_none(void **state)
{
    struct mock_host *mock;

    kit_write(*state, "proc/meminfo", MEMINFO);
    kit_write(*state, "proc/self/cgroup", "0::/\n");
    kit_write(*state, "cgroup/cgroup.controllers", "memory\n");
    kit_write(*state, "cgroup/memory.max", "2000000000\n");
    kit_write(*state, "cgroup/memory.current", "1999999999\n");
    mock = start(state, "");
    kit_near(used(mock), 60);
    assert_string_equal(mock_detail_text(mock, "limit.of"), "machine");
    kit_stop(mock);
}

static void odd_files(void **state)
{
    static const char *const odd[] = {"", "MemTotal:\n", "MemTotal: 0 kB\n", "garbage",
                                      ":::\n\n\n"};
    struct mock_host *mock;
    size_t i;

    kit_write(*state, "proc/meminfo", "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n");
    mock = start(state, "");
    assert_int_equal(mock_check(mock, 1000), TMON_RETRY); // too large to be true
    for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        kit_write(*state, "proc/meminfo", odd[i]);
        assert_int_equal(mock_check(mock, 1000), TMON_RETRY);
        assert_int_equal(mock_verdict(mock), TMON_FAIL);
        assert_true(mock_said(mock, "meminfo"));
        assert_int_equal(mock_collect(mock, 1000), TMON_RETRY);
        assert_int_equal(mock_sample_count(mock), 0);
    }
    kit_write(*state, "proc/meminfo",
              "MemTotal: 10 kB\nMemAvailable: 20 kB\n"); // more than there is
    kit_near(used(mock), 0);
    kit_stop(mock);
}

static void a_procfs_that_comes_later(void **state)
{
    struct mock_host *mock = start(state, "");

    assert_int_equal(mock_check(mock, 1000), TMON_RETRY);
    assert_true(mock_said(mock, "proc/meminfo: No such file"));
    kit_write(*state, "proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 5 kB\n");
    kit_near(used(mock), 50);
    kit_stop(mock);
}

static void wrong_settings(void **state)
{
    struct mock_host *mock = mock_open(kit_plugin("memory"), "memory", "warn_above: 95\n");

    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, "warn_above (95)"));
    kit_stop(mock);
}

static void this_very_machine(void **state)
{
    struct mock_host *mock = kit_start("memory", "");
    const double percentage = used(mock);

    assert_true(percentage > 0 && percentage <= 100);
    assert_true(mock_detail(mock, "limit.bytes") >= 4096);
    kit_stop(mock);
}

/* In the child: joins the group, uses memory, asks the plugin.  What it found, as an exit status.
 */
static int inside(const char *group)
{
    enum { USED = 40 << 20 };
    char *memory, pid[32];
    struct mock_host *mock;
    double percentage;
    bool good;

    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    kit_write(group, "cgroup.procs", pid);
    memory = malloc(USED); // not before: MALLOC_PERTURB_ touches it at once
    if (memory == NULL) {
        return 1;
    }
    memset(memory, 1, USED); // so that it is charged
    mock = kit_start("memory", "");
    percentage = used(mock);
    good = strcmp(mock_detail_text(mock, "limit.of"), "cgroup") == 0 &&
           mock_detail(mock, "limit.bytes") == 128 << 20 && percentage > 30 && percentage < 100 &&
           memory[USED / 2] == 1;
    kit_stop(mock);
    free(memory);
    return good ? 0 : 2;
}

static void a_real_control_group(void **state)
{
    static const char *const places[][2] = {{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                                            {"/sys/fs/cgroup", "memory.max"}};
    char group[256], limit[512];
    int status = -1;
    size_t i;
    pid_t pid;

    if (getenv("TMON_SANITIZED") && strcmp(getenv("TMON_SANITIZED"), "1") == 0) {
        skip(); // a sanitizer uses a multiple of what it is asked for
    }
    for (i = 0; i < 2; i++) {
        (void)snprintf(group, sizeof group, "%s/tmon-kit-%d", places[i][0], (int)getpid());
        (void)snprintf(limit, sizeof limit, "%s/%s", group, places[i][1]);
        if (mkdir(group, 0755) == 0) {
            if (access(limit, W_OK) == 0) {
                break;
            }
            (void)rmdir(group);
        }
    }
    if (i == 2) {
        skip(); // not root, or a container that may not make groups
    }
    kit_write(group, places[i][1], "134217728");
    pid = fork();
    if (pid == 0) {
        _exit(inside(group));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(rmdir(group), 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_machine, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(thresholds, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(kernels_without_available, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(cgroup_v2_with_a_tighter_ancestor, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(cgroup_v1_and_hybrid, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_path_that_is_not_seen_under_the_mount, kit_scratch,
                                        kit_remove),
        cmocka_unit_test_setup_teardown(a_limit_above_the_machine_is_none, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(odd_files, kit_scratch, kit_remove),
        cmocka_unit_test_setup_teardown(a_procfs_that_comes_later, kit_scratch, kit_remove),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(this_very_machine),
        cmocka_unit_test(a_real_control_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
