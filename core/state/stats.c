/* stats.c: what others may know, and what was lost. */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "state/private.h"

#define MEASURE_NS NS_PER_S /* two system calls; a gauge needs no more */

static uint64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

void stats_measure(struct state *state)
{
    int64_t now = clock_mono_ns();

    if (state->sized_ns != 0 && now - state->sized_ns < MEASURE_NS) {
        return;
    }
    state->sized_ns = now;
    atomic_store_explicit(&state->stats.file_bytes,
                          size_of(state->paths.db) + size_of(state->paths.wal),
                          memory_order_relaxed);
}

static void tell(struct state *state, const char *table, uint64_t rows)
{
    atomic_fetch_add_explicit(&state->stats.lost_rows, rows, memory_order_relaxed);
    log_error("rows of the state are damaged and were lost", LOG_S("table", table),
              LOG_I("rows", rows), LOG_S("file", state->paths.db));
}

void state_lost(struct state *state, const char *table, uint64_t rows)
{
    struct state_losses *losses = &state->losses;
    size_t i = 0;

    if (rows == 0) {
        return;
    }
    while (i < losses->n && strcmp(losses->tables[i], table) != 0) {
        i++;
    }
    if (!state->loading || i == STATE_LOST_TABLES) {
        tell(state, table, rows);
        return;
    }
    if (i == losses->n) {
        losses->tables[i] = table;
        losses->rows[i] = 0;
        losses->n++;
    }
    losses->rows[i] += rows;
}

void losses_tell(struct state *state)
{
    for (size_t i = 0; i < state->losses.n; i++) {
        tell(state, state->losses.tables[i], state->losses.rows[i]);
    }
    state->losses.n = 0;
}

#define READ(member) atomic_load_explicit(&state->stats.member, memory_order_relaxed)

void state_stats(const struct state *state, struct state_stats *ret_stats)
{
    *ret_stats = (struct state_stats){
        .condition = (enum state_condition)READ(condition),
        .jobs = READ(jobs),
        .batches = READ(batches),
        .failed_batches = READ(failed_batches),
        .lost_rows = READ(lost_rows),
        .salvages = READ(salvages),
        .waiting = queue_len(&state->queue),
        .file_bytes = READ(file_bytes),
        .commit_seconds = (double)READ(commit_ns) / (double)NS_PER_S,
        .oldest_ns = READ(oldest_ns),
    };
}
