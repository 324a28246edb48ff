/*
 * sandbox.c: see sandbox.h.
 */
#include "worker/sandbox.h"

#include "plugin/frame.h"
#include "worker/landlock.h"
#include "worker/seccomp.h"

uint32_t sandbox_apply(bool spawns)
{
#ifdef TMON_SANITIZED
    // a sanitizer's runtime forks to look for leaks, and writes its reports where it is told to
    return 0;
#else
    uint32_t layers = landlock_apply(spawns);

    return layers | (seccomp_apply(spawns) ? FRAME_LAYER_SECCOMP : 0);
#endif
}
