/*
 * kit.h: a loop, a spawner with the programs of this build, and a count of what is left behind.
 */
#ifndef TESTS_UNIT_PLUGIN_KIT_H
#define TESTS_UNIT_PLUGIN_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/loop.h"
#include "plugin/spawner.h"

static inline const char *kit_build(void)
{
    const char *build = getenv("TMON_BUILD");

    assert_non_null(build);
    return build;
}

static inline struct spawner *kit_spawner(void)
{
    struct spawner *spawner = NULL;
    struct buf why;

    buf_init(&why, 1000);
    if (spawner_create_in(kit_build(), true, &why, &spawner) < 0) {
        fail_msg("%s", buf_str(&why));
    }
    buf_finish(&why);
    return spawner;
}

/* Of a fixture plugin; good until the next call. */
static inline const char *kit_fixture(const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/fixtures/%s.so", kit_build(), name);
    return path;
}

static inline size_t kit_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        n++;
    }
    (void)closedir(dir);
    return n;
}

/* Neither a running nor a dead child is left. */
static inline void kit_no_children(void)
{
    siginfo_t info = {0};

    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != -1 || errno != ECHILD) {
        fail_msg("process %d is left, %s", (int)info.si_pid, info.si_pid ? "dead" : "running");
    }
}

/* ---- running a loop until something is so ---- */

struct kit_wait {
    struct loop *loop;
    struct loop_timer timer;
    bool (*so)(void *arg);
    void *arg;
    int64_t end_ns;
    bool happened;
};

static inline void kit_look(struct loop_timer *timer, int64_t now_ns)
{
    struct kit_wait *wait = timer->owner;

    wait->happened = wait->so(wait->arg);
    if (wait->happened || now_ns > wait->end_ns) {
        loop_stop(wait->loop);
        return;
    }
    (void)loop_timer_set(wait->loop, timer, now_ns + NS_PER_MS);
}

/* Runs the loop, at most `ms`, until so(arg). */
static inline bool kit_until(struct loop *loop, bool (*so)(void *arg), void *arg, int64_t ms)
{
    struct kit_wait wait = {
        .loop = loop, .so = so, .arg = arg, .end_ns = clock_mono_ns() + ms * NS_PER_MS};

    loop_timer_init(&wait.timer, kit_look, &wait);
    assert_int_equal(loop_timer_set(loop, &wait.timer, clock_mono_ns()), 0);
    assert_int_equal(loop_run(loop), 0);
    loop_timer_stop(loop, &wait.timer);
    return wait.happened;
}

#endif
