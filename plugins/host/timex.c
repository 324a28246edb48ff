/*
 * timex.c: how the kernel's clock is being steered (adjtimex(2)); the host's, in a container too.
 */
#include "host.h"

#include <sys/timex.h>

#define PPM 65536e6 /* frequencies are in parts per million with 16 bits behind the point */

struct value {
    const char *name, *help;
    double value;
};

static void emit(struct tmon_call *call, tmon_metric_kind kind, const struct value *values,
                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tmon_emit_simple(call, kind, values[i].name, values[i].help, values[i].value, NULL, 0);
    }
}

bool host_collect_timex(struct tmon_call *call, struct host *host)
{
    struct timex clock = {.modes = 0};
    const int state = adjtimex(&clock);
    const double unit = clock.status & STA_NANO ? 1e9 : 1e6;
    const struct value gauges[] = {
        {"node_timex_sync_status", "Whether the clock is synchronized (1 yes, 0 no).",
         state != TIME_ERROR},
        {"node_timex_status", "The kernel's status bits of the clock.", clock.status},
        {"node_timex_offset_seconds", "Offset to the reference.", (double)clock.offset / unit},
        {"node_timex_estimated_error_seconds", "Estimated error.", (double)clock.esterror / 1e6},
        {"node_timex_maxerror_seconds", "Maximum error.", (double)clock.maxerror / 1e6},
        {"node_timex_frequency_adjustment_ratio", "How much faster the clock is made to run.",
         1 + (double)clock.freq / PPM},
        {"node_timex_loop_time_constant", "Time constant of the phase-locked loop.",
         (double)clock.constant},
        {"node_timex_tick_seconds", "Time between two ticks.", (double)clock.tick / 1e6},
        {"node_timex_tai_offset_seconds", "Offset to international atomic time.", clock.tai},
        {"node_timex_pps_frequency_hertz", "Frequency of the pulse per second.",
         (double)clock.ppsfreq / PPM},
        {"node_timex_pps_jitter_seconds", "Jitter of the pulse per second.",
         (double)clock.jitter / unit},
        {"node_timex_pps_shift_seconds", "Interval of the pulse per second, as a power of two.",
         clock.shift},
        {"node_timex_pps_stability_hertz", "Stability of the pulse per second.",
         (double)clock.stabil / PPM},
    };
    const struct value counters[] = {
        {"node_timex_pps_calibration_total", "Calibration intervals.", (double)clock.calcnt},
        {"node_timex_pps_error_total", "Calibration errors.", (double)clock.errcnt},
        {"node_timex_pps_jitter_total", "Jitter limits that were exceeded.", (double)clock.jitcnt},
        {"node_timex_pps_stability_exceeded_total", "Stability limits that were exceeded.",
         (double)clock.stbcnt},
    };

    if (state < 0) {
        return false;
    }
    emit(call, TMON_GAUGE, gauges, sizeof gauges / sizeof gauges[0]);
    emit(call, TMON_COUNTER, counters, sizeof counters / sizeof counters[0]);
    return true;
}
