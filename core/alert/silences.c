/*
 * silences.c: see silences.h.
 */
#include "alert/silences.h"

#include <errno.h>

const char *silence_state_name(enum silence_state state)
{
    static const char *const names[SILENCE_STATES] = {"pending", "active", "expired"};

    return state < SILENCE_STATES ? names[state] : "unknown";
}

int silence_input_check(const struct silence_input *input, int64_t now_ms, char *ret_why,
                        size_t size)
{
    return 0;
}

int alerts_silence_put(struct alerts *alerts, struct state_tx *tx,
                       const struct silence_input *input, struct alerts_time now,
                       char ret_id[SILENCE_ID_SIZE], char *ret_why, size_t size)
{
    return -EDQUOT;
}

int alerts_silence_expire(struct alerts *alerts, struct state_tx *tx, const char *id,
                          struct alerts_time now)
{
    return -ENOENT;
}

bool alerts_silence_get(struct alerts *alerts, const char *id, struct alerts_time now,
                        struct silence_view *ret_view)
{
    return false;
}

int alerts_silences_visit(struct alerts *alerts,
                          bool (*fn)(void *arg, const struct silence_view *view), void *arg,
                          struct alerts_time now)
{
    return 0;
}
