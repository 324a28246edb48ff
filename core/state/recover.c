/*
 * recover.c: see recover.h.
 *
 * One salvage a minute at most: where memory or the disk go on damaging what is written, copying
 * again and again would push the first damaged file, the one with the most in it, out of those that
 * are kept.
 */
#include "state/recover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/aside.h"
#include "state/salvage.h"
#include "state/schema.h"
#include "state/verify.h"

#define SALVAGE_PAUSE_NS (60 * NS_PER_S)

static void tell(struct state *state, const struct salvage *salvage, const char *why)
{
    uint64_t rows = 0;

    atomic_fetch_add_explicit(&state->stats.salvages, 1, memory_order_relaxed);
    for (size_t i = 0; i < salvage->ntables; i++) {
        rows += salvage->table[i].rows;
    }
    log_error("the state was damaged; what can be read was copied into a new file",
              LOG_S("reason", why), LOG_S("file", state->paths.db), LOG_S("kept", salvage->kept),
              LOG_I("rows", rows));
    if (salvage->log_pages_lost > 0) {
        log_error("committed pages at the end of the log of the state are gone",
                  LOG_I("pages", salvage->log_pages_lost), LOG_S("file", state->paths.wal));
    }
    for (size_t i = 0; i < salvage->ntables; i++) {
        state_lost(state, salvage->table[i].name, salvage->table[i].lost);
        if (salvage->table[i].damaged) {
            log_warning("the tree of a table of the state was damaged: rows may be lost uncounted",
                        LOG_S("table", salvage->table[i].name));
        }
    }
}

static int salvage(struct state *state, const struct mark *mark, struct buf *why)
{
    struct salvage result;
    char reason[256];
    int64_t now = clock_mono_ns();
    int r;

    if (state->salvaged_ns != 0 && now - state->salvaged_ns < SALVAGE_PAUSE_NS) {
        buf_printf(why, "; it was salvaged less than a minute ago");
        return -EUCLEAN;
    }
    state->salvaged_ns = now;
    (void)snprintf(reason, sizeof reason, "%s", buf_str(why));
    buf_clear(why);
    r = salvage_run(&state->paths, state->options.vfs, mark, why, &result);
    if (r == -ENOSPC) {
        reserve_release(&state->reserve);
        buf_clear(why);
        r = salvage_run(&state->paths, state->options.vfs, mark, why, &result);
    }
    if (r == 0) {
        tell(state, &result, reason);
    }
    return r;
}

/* From here on commits are marked. */
static void start_marking(struct state *state, const struct wal *wal)
{
    struct mark mark = {.valid = true,
                        .version = (uint32_t)state_schema_version,
                        .salt = {wal->salt[0], wal->salt[1]},
                        .pages = wal->good};

    marker_write(&state->marker, &mark);
    state->salt_known = false;
    transaction_watch(state);
}

static int open_marker(struct state *state, const struct mark *mark)
{
    int r = marker_open(&state->marker, state->paths.mark);

    if (r == 0) {
        state->marker.last = *mark;
        if (mark->version == 0) {
            // it is being made; without this a crash would leave a file that nobody knows for ours
            marker_write(&state->marker, &(struct mark){.valid = true});
            r = marker_sync(&state->marker);
        }
    }
    return r;
}

static int open_files(struct state *state, const struct mark *mark, struct buf *why)
{
    struct wal wal = {.fd = -1};
    int r = verify_files(&state->paths, mark, why, &wal);

    if (r == 0) {
        r = open_marker(state, mark);
    }
    if (r == 0) {
        r = file_open(&state->paths, state->options.vfs, &state->marker, why, &state->db);
    }
    if (r == 0) {
        start_marking(state, &wal);
    } else {
        marker_close(&state->marker);
    }
    return r;
}

int recover_open(struct state *state, struct buf *why)
{
    const struct state_paths *paths = &state->paths;
    struct buf reason;
    struct mark mark;
    int r;

    buf_init(&reason, 4096);
    r = aside_resume(paths);
    mark = mark_read(paths->mark);
    if (r == 0 && access(paths->db, F_OK) < 0 && errno == ENOENT) {
        // whoever removed it wants a new one
        r = aside_log(paths);
        mark = (struct mark){.valid = true};
    }
    if (r == 0) {
        r = open_files(state, &mark, &reason);
    }
    if (r == -ENOSPC) {
        reserve_release(&state->reserve);
        buf_clear(&reason);
        r = open_files(state, &mark, &reason);
    }
    if (r == -EUCLEAN) {
        r = salvage(state, &mark, &reason);
        if (r == 0) {
            mark = mark_read(paths->mark);
            r = open_files(state, &mark, &reason);
        }
    }
    if (r < 0) {
        buf_puts(why, buf_str(&reason));
    }
    buf_finish(&reason);
    return r;
}

int recover_damaged(struct state *state, struct buf *why)
{
    struct mark mark = state->marker.last;
    int r;

    buf_printf(why, "%s is damaged: %s", state->paths.db, state->last_error);
    recover_close(state, false);
    r = salvage(state, &mark, why);
    return r < 0 ? r : recover_open(state, why);
}

/* Where the log cannot be copied it stays for the next start, which loses nothing.  The mark is
 * cleared in between: a log that is gone must not be missed. */
static void leave_in_order(struct state *state)
{
    struct mark mark = state->marker.last;

    if (transaction_checkpoint(state, true) < 0) {
        return;
    }
    mark.pages = 0;
    marker_write(&state->marker, &mark);
    (void)sqlite3_db_config(state->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

void recover_close(struct state *state, bool in_order)
{
    if (state->db && in_order) {
        leave_in_order(state);
    }
    statements_finish(&state->statements);
    file_close(state->db);
    state->db = NULL;
    marker_close(&state->marker);
}
