/* kit.c: see kit.h. */
#include "kit.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KIT_BYTES_MAX (512 << 10)

static void body_of(int64_t id, size_t len, char *ret_body)
{
    for (size_t i = 0; i < len; i++) {
        ret_body[i] = (char)('a' + (id * 7 + (int64_t)i * 13) % 26);
    }
}

static uint32_t sum_of(int64_t id, const void *body, size_t len)
{
    return state_sum_bytes(state_sum_int(STATE_SUM, id), body, len);
}

/* ---- the mirror ---- */

static void mirror_add(struct kit *kit, int64_t id, size_t len)
{
    assert(kit->nrows < KIT_ROWS);
    kit->rows[kit->nrows++] = (struct kit_row){id, len};
}

static struct kit_row *mirror_find(struct kit *kit, int64_t id)
{
    for (size_t i = 0; i < kit->nrows; i++) {
        if (kit->rows[i].id == id) {
            return &kit->rows[i];
        }
    }
    return NULL;
}

static void mirror_remove(struct kit *kit, int64_t id)
{
    struct kit_row *row = mirror_find(kit, id);

    if (row) {
        *row = kit->rows[--kit->nrows];
    }
}

/* ---- hooks ---- */

static int load(void *owner, struct state_tx *tx, bool writable)
{
    struct kit *kit = owner;
    static const char select[] = "SELECT id, body, sum FROM alert ORDER BY id";
    static const char forget[] = "DELETE FROM alert WHERE id = ?";
    sqlite3_stmt *rows;
    int64_t bad[64];
    size_t nbad = 0;
    int r;

    kit->loads++;
    kit->last_writable = writable;
    if (kit->fail_load > 0) {
        kit->fail_load--;
        return -EIO;
    }
    kit->nrows = 0;
    if (kit->forget_cache) {
        kit->forget_cache = false;
        (void)sqlite3_db_release_memory(tx->db);
    }
    rows = state_prepare(tx, select);
    while ((r = state_step(tx, rows)) > 0) {
        int64_t id = sqlite3_column_int64(rows, 0);
        const void *body = sqlite3_column_blob(rows, 1);
        size_t len = (size_t)sqlite3_column_bytes(rows, 1);

        if (sqlite3_column_int64(rows, 2) != (int64_t)sum_of(id, body, len)) {
            state_lost(tx->state, "alert", 1);
            if (nbad < 64) {
                bad[nbad++] = id;
            }
            continue;
        }
        mirror_add(kit, id, len);
    }
    for (size_t i = 0; r == 0 && writable && i < nbad; i++) {
        sqlite3_stmt *statement = state_prepare(tx, forget);

        (void)sqlite3_bind_int64(statement, 1, bad[i]);
        r = state_step(tx, statement);
    }
    return r;
}

static void committed(void *owner)
{
    struct kit *kit = owner;

    kit->commits++;
}

static void condition(void *owner, enum state_condition condition, const char *text)
{
    struct kit *kit = owner;

    (void)pthread_mutex_lock(&kit->lock);
    kit->condition = condition;
    kit->conditions++;
    (void)pthread_cond_broadcast(&kit->changed);
    (void)pthread_mutex_unlock(&kit->lock);
}

/* ---- jobs ---- */

static int add(struct kit_job *job, struct state_tx *tx)
{
    static const char insert[] = "INSERT INTO alert (body, sum) VALUES (zeroblob(?), 0)";
    static const char fill[] = "UPDATE alert SET body = ?, sum = ? WHERE id = ?";
    char *body = malloc(KIT_BYTES_MAX);
    sqlite3_stmt *statement = state_prepare(tx, insert);
    int r;

    // two statements, so that half of a job would show
    (void)sqlite3_bind_int64(statement, 1, (int64_t)job->len);
    r = state_step(tx, statement);
    if (r == 0) {
        job->id = sqlite3_last_insert_rowid(tx->db);
        body_of(job->id, job->len, body);
        statement = state_prepare(tx, fill);
        (void)sqlite3_bind_blob(statement, 1, body, (int)job->len, SQLITE_TRANSIENT);
        (void)sqlite3_bind_int64(statement, 2, sum_of(job->id, body, job->len));
        (void)sqlite3_bind_int64(statement, 3, job->id);
        r = state_step(tx, statement);
    }
    if (r == 0) {
        mirror_add(job->kit, job->id, job->len);
    }
    if (r == 0 && job->breaks) {
        r = state_exec(tx, "INSERT INTO alert (id, body, sum) VALUES (1, NULL, NULL)");
    }
    free(body);
    return r;
}

static int run(struct state_job *base, struct state_tx *tx)
{
    struct kit_job *job = (struct kit_job *)base;
    static const char forget[] = "DELETE FROM alert WHERE id = ?";
    sqlite3_stmt *statement;

    if (job->refuse < 0) {
        return job->refuse;
    }
    if (job->reads) {
        const struct kit_row *row = mirror_find(job->kit, job->id);

        job->len = row ? row->len : 0;
        return row != NULL;
    }
    if (!job->removes) {
        return add(job, tx);
    }
    statement = state_prepare(tx, forget);
    (void)sqlite3_bind_int64(statement, 1, job->id);
    mirror_remove(job->kit, job->id);
    return state_step(tx, statement);
}

static void done(struct state_job *base, int result)
{
    struct kit_job *job = (struct kit_job *)base;
    struct kit *kit = job->kit;

    (void)pthread_mutex_lock(&kit->lock);
    job->result = result;
    job->over = true;
    (void)pthread_cond_broadcast(&kit->changed);
    (void)pthread_mutex_unlock(&kit->lock);
}

void kit_submit(struct kit *kit, struct kit_job *job)
{
    int r;

    job->job.run = run;
    job->job.done = done;
    job->kit = kit;
    job->over = false;
    r = state_submit(kit->state, &job->job);
    if (r < 0) {
        job->result = r;
        job->over = true;
    }
}

int kit_wait(struct kit_job *job)
{
    struct kit *kit = job->kit;
    int result;

    (void)pthread_mutex_lock(&kit->lock);
    while (!job->over) {
        (void)pthread_cond_wait(&kit->changed, &kit->lock);
    }
    result = job->result;
    (void)pthread_mutex_unlock(&kit->lock);
    return result;
}

int kit_run(struct kit *kit, struct kit_job *job)
{
    kit_submit(kit, job);
    return kit_wait(job);
}

int kit_add(struct kit *kit, size_t len, int64_t *ret_id)
{
    struct kit_job job = {.len = len, .job.grows = true};
    int r = kit_run(kit, &job);

    if (r == 0 && ret_id) {
        *ret_id = job.id;
    }
    return r;
}

int kit_remove(struct kit *kit, int64_t id)
{
    struct kit_job job = {.removes = true, .id = id};

    return kit_run(kit, &job);
}

bool kit_has(struct kit *kit, int64_t id)
{
    struct kit_job job = {.reads = true, .id = id};

    return kit_run(kit, &job) == 1;
}

size_t kit_len(struct kit *kit, int64_t id)
{
    struct kit_job job = {.reads = true, .id = id};

    (void)kit_run(kit, &job);
    return job.len;
}

bool kit_wait_condition(struct kit *kit, enum state_condition condition)
{
    struct timespec until;
    bool reached;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    (void)pthread_mutex_lock(&kit->lock);
    while (kit->condition != condition &&
           pthread_cond_timedwait(&kit->changed, &kit->lock, &until) == 0) {}
    reached = kit->condition == condition;
    (void)pthread_mutex_unlock(&kit->lock);
    return reached;
}

struct state_stats kit_stats(struct kit *kit)
{
    struct state_stats stats;

    state_stats(kit->state, &stats);
    return stats;
}

/* ---- its life ---- */

const char *kit_path(struct kit *kit, const char *name, char ret_path[static 128])
{
    (void)snprintf(ret_path, 128, "%s/%s", kit->directory, name);
    return ret_path;
}

void kit_init(struct kit *kit)
{
    *kit = (struct kit){.directory = "/tmp/tmon-state-XXXXXX"};
    if (access("/dev/shm", W_OK) == 0) {
        // memory: thousands of syncs that nobody needs
        (void)snprintf(kit->directory, sizeof kit->directory, "/dev/shm/tmon-state-XXXXXX");
    }
    (void)pthread_mutex_init(&kit->lock, NULL);
    (void)pthread_cond_init(&kit->changed, NULL);
    if (!mkdtemp(kit->directory)) {
        abort();
    }
    kit->options = (struct state_options){
        .directory = kit->directory,
        .reserve_bytes = 65536,
        .retry_ms = 20,
        .reserve_retry_ms = 20,
        .hooks = {.owner = kit, .load = load, .committed = committed, .condition = condition},
    };
}

int kit_open_why(struct kit *kit, struct buf *why)
{
    struct buf own;
    int r;

    buf_init(&own, 4096);
    kit->condition = STATE_WELL;
    r = state_open(&kit->options, why ? why : &own, &kit->state);
    if (r < 0 && !why) {
        (void)fprintf(stderr, "# %s\n", buf_str(&own));
    }
    buf_finish(&own);
    return r;
}

int kit_open(struct kit *kit)
{
    return kit_open_why(kit, NULL);
}

void kit_close(struct kit *kit)
{
    state_close(kit->state);
    kit->state = NULL;
}

void kit_finish(struct kit *kit)
{
    DIR *directory;
    struct dirent *entry;
    char path[512];

    kit_close(kit);
    directory = opendir(kit->directory);
    while (directory && (entry = readdir(directory))) {
        (void)snprintf(path, sizeof path, "%s/%s", kit->directory, entry->d_name);
        (void)unlink(path);
    }
    if (directory) {
        (void)closedir(directory);
    }
    (void)rmdir(kit->directory);
    (void)pthread_mutex_destroy(&kit->lock);
    (void)pthread_cond_destroy(&kit->changed);
}
