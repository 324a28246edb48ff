/* What a worker may not do: layers, limits, and that it dies with its agent. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rig.h"

#ifndef TMON_SANITIZED /* there the sandbox and the memory limit step aside */

/* Asked of the kernel and not of the worker, which might have forgotten. */
static bool kernel_has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* only tell the version */) >= 1;
}

static int mode_of(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? (int)(info.st_mode & 07777) : -1;
}

static struct verdict *try_everything(const char *component, bool spawns, uint32_t *ret_layers)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_load(&rig, &(struct rig_load){.fixture = "sandbox", .spawns = spawns});
    *ret_layers = rig.layers;
    rig_send_create(&rig, component, NULL);
    rig_wait_done(&rig, &done);
    verdict = rig_check(&rig, &done);
    rig_stop(&rig);
    return verdict;
}

static void test_refusals(void **state)
{
    static const char *const refused[] = {
        "fork",  "spawn",  "kill_parent", "ptrace", "pdeathsig", "exec",        "create_file",
        "mkdir", "unlink", "chmod",       "mount",  "unshare",   "raise_limit", "shared_memory"};
    static const char *const allowed[] = {"kill_self", "read_file", "write_null", "thread"};
    const char *kept = "/tmp/toiletmon-fixture-keep";
    FILE *file = fopen(kept, "w");
    uint32_t layers;
    struct verdict *verdict;
    int mode = mode_of("/tmp");

    assert_non_null(file);
    (void)fclose(file);
    (void)rmdir("/tmp/toiletmon-fixture-dir"); // left by a worker that could, in a run that failed
    (void)unlink("/tmp/toiletmon-fixture");
    verdict = try_everything("sandbox", false, &layers);
    assert_int_equal(layers & (FRAME_LAYER_NO_NEW_PRIVS | FRAME_LAYER_LIMITS | FRAME_LAYER_SECCOMP),
                     FRAME_LAYER_NO_NEW_PRIVS | FRAME_LAYER_LIMITS | FRAME_LAYER_SECCOMP);
    assert_int_equal((layers & FRAME_LAYER_LANDLOCK) != 0, kernel_has_landlock());
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        double error = rig_number(verdict, refused[i]);

        if (!(layers & FRAME_LAYER_LANDLOCK) &&
            (strstr(refused[i], "file") || strcmp(refused[i], "mkdir") == 0 ||
             strcmp(refused[i], "unlink") == 0)) {
            continue; // nothing is promised
        }
        if (error != EPERM && error != EACCES) {
            fail_msg("%s gave errno %g", refused[i], error);
        }
    }
    assert_float_equal(rig_number(verdict, "clone3"), ENOSYS, 0);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (rig_number(verdict, allowed[i]) != 0) {
            fail_msg("%s gave errno %g", allowed[i], rig_number(verdict, allowed[i]));
        }
    }
    assert_float_equal(rig_number(verdict, "environment"), 0, 0);
    assert_float_equal(rig_number(verdict, "descriptors"), 0, 0);
    assert_int_equal(mode_of("/tmp"), mode);
    verdict_destroy(verdict);
    (void)unlink(kept);
}

static void test_a_spawner_may_spawn_and_no_more(void **state)
{
    uint32_t layers;
    struct verdict *verdict;

    verdict = try_everything("spawner", true, &layers);
    assert_float_equal(rig_number(verdict, "fork"), 0, 0);
    assert_float_equal(rig_number(verdict, "spawn"), 0, 0);
    assert_float_equal(rig_number(verdict, "spawn_status"), 0, 0);
    assert_float_equal(rig_number(verdict, "exec"), ENOENT, 0);
    assert_float_equal(rig_number(verdict, "ptrace"), EPERM, 0);
    assert_float_equal(rig_number(verdict, "mount"), EPERM, 0);
    if (layers & FRAME_LAYER_LANDLOCK) {
        assert_float_equal(rig_number(verdict, "create_file"), EACCES, 0);
    }
    if (layers & FRAME_LAYER_SCOPE) {
        assert_float_equal(rig_number(verdict, "kill_parent"), EPERM, 0);
    }
    verdict_destroy(verdict);
}

static void test_a_probe_never_spawns(void **state)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_load(&rig, &(struct rig_load){.fixture = "sandbox", .spawns = true, .probe = true});
    rig_send_create(&rig, "spawner", NULL);
    rig_wait_done(&rig, &done);
    verdict = rig_check(&rig, &done);
    assert_float_equal(rig_number(verdict, "fork"), EPERM, 0);
    verdict_destroy(verdict);
    rig_stop(&rig);
}

static struct verdict *check_of(const struct rig_load *load, const char *component)
{
    struct rig rig;
    struct rig_done done;
    struct verdict *verdict;

    rig_load(&rig, load);
    rig_send_create(&rig, component, NULL);
    rig_wait_done(&rig, &done);
    verdict = rig_check(&rig, &done);
    rig_stop(&rig);
    return verdict;
}

static void test_fork_bomb_is_defused(void **state)
{
    struct verdict *verdict;

    verdict = check_of(&(struct rig_load){.fixture = "fork_bomb"}, "fork_bomb");
    assert_int_equal(verdict->status, TMON_PASS);
    assert_float_equal(rig_number(verdict, "children"), 0, 0);
    verdict_destroy(verdict);
}

static void test_memory_is_limited(void **state)
{
    struct verdict *verdict;

    verdict = check_of(&(struct rig_load){.fixture = "leak", .memory_bytes = 32 << 20}, "leak");
    assert_int_equal(verdict->status, TMON_FAIL);
    assert_true(rig_number(verdict, "mib") > 20 && rig_number(verdict, "mib") < 32);
    verdict_destroy(verdict);
}

static void test_descriptors_are_limited(void **state)
{
    struct verdict *verdict;

    verdict =
        check_of(&(struct rig_load){.fixture = "descriptors", .descriptors = 20}, "descriptors");
    assert_float_equal(rig_number(verdict, "opened"), 16, 0);
    assert_float_equal(rig_number(verdict, "errno"), EMFILE, 0);
    verdict_destroy(verdict);
}

#endif

static void test_cpu_is_limited(void **state)
{
    struct rig rig;
    struct rig_done done;
    int status;

    rig_load(&rig, &(struct rig_load){.fixture = "spin", .cpu_percent = 10});
    rig_send_create(&rig, "spin", NULL);
    rig_wait_done(&rig, &done);
    rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
    status = rig_wait(&rig);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
    rig_finish(&rig);
}

/* The test's child starts a worker and dies; the worker, handed on to us, must die too. */
static void test_dies_with_its_agent(void **state)
{
    int ready[2], status;
    pid_t agent, worker = 0;

    assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1), errno);
    assert_return_code(pipe(ready), errno);
    agent = fork();
    if (agent == 0) {
        struct rig rig;

        rig_create(&rig, "hang", "hang", NULL);
        rig_call(&rig, ABILITY_CHECK, "", 1000, NULL);
        (void)!write(ready[1], &rig.pid, sizeof rig.pid);
        (void)pause();
        _exit(1);
    }
    (void)close(ready[1]); // so that the read ends when the child fails
    assert_int_equal(read(ready[0], &worker, sizeof worker), sizeof worker);
    assert_return_code(kill(agent, SIGKILL), errno);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    (void)close(ready[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef TMON_SANITIZED
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_spawner_may_spawn_and_no_more),
        cmocka_unit_test(test_a_probe_never_spawns),
        cmocka_unit_test(test_fork_bomb_is_defused),
        cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_descriptors_are_limited),
#endif
        cmocka_unit_test(test_cpu_is_limited),
        cmocka_unit_test(test_dies_with_its_agent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
