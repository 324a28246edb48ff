/*
 * kit.h: a table of rows with sums over the state, as the rooms above keep theirs: memory mirrors
 * the file, rows that do not verify are told and deleted.  It uses the table `alert`.
 */
#ifndef TEST_STATE_KIT_H
#define TEST_STATE_KIT_H

#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "state/state.h"

#define KIT_ROWS 4096 /* in memory */

struct kit_row {
    int64_t id;
    size_t len;
};

struct kit {
    char directory[64];
    struct state *state;
    struct state_options options;

    /* the state's thread */
    struct kit_row rows[KIT_ROWS]; /* memory's mirror */
    size_t nrows;
    int loads, commits, conditions;
    int fail_load; /* so many loads fail */
    bool last_writable;
    bool forget_cache; /* the next load reads from the disk */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    enum state_condition condition;
    int waiting;
};

/* A job that adds or removes one row. */
struct kit_job {
    struct state_job job;
    struct kit *kit;
    int64_t id;                  /* to remove; after the run, of the row added */
    size_t len;                  /* of the body */
    int refuse;                  /* run() refuses with it, before it does anything */
    bool removes, reads, breaks; /* breaks: fails a statement after the row was written */
    bool over;
    int result;
};

void kit_init(struct kit *kit);
void kit_finish(struct kit *kit);
/* 0, or -errno with the reason in `why`, which may be NULL. */
int kit_open_why(struct kit *kit, struct buf *why);
int kit_open(struct kit *kit);
void kit_close(struct kit *kit);
/* Submits and waits; the result. */
int kit_run(struct kit *kit, struct kit_job *job);
int kit_add(struct kit *kit, size_t len, int64_t *ret_id);
int kit_remove(struct kit *kit, int64_t id);
void kit_submit(struct kit *kit, struct kit_job *job);
int kit_wait(struct kit_job *job);
/* Waits for this condition, up to ten seconds. */
bool kit_wait_condition(struct kit *kit, enum state_condition condition);
/* Whether memory has the row; a job of its own, so in order with the others. */
bool kit_has(struct kit *kit, int64_t id);
/* The length of its body, 0: it is not there. */
size_t kit_len(struct kit *kit, int64_t id);
struct state_stats kit_stats(struct kit *kit);
const char *kit_path(struct kit *kit, const char *name, char ret_path[static 128]);

#endif
