/*
 * rows.h: what of an alert of a rule survives a restart: that it is there, and how far its timers
 * are.  A row of the table rule_state each.
 */
#ifndef RULES_ROWS_H
#define RULES_ROWS_H

#include <stdbool.h>

#include "rules/active.h"
#include "state/state.h"

/* A row as it was read. */
struct rules_row {
    struct rules_row *next;
    int64_t id;
    char *group, *rule; /* keys; owned, and one block with the rest is `memory` */
    struct tmon_pair *labels, *annotations; /* owned blocks */
    size_t nlabels, nannotations;
    enum active_state state;
    bool no_data, told_firing;
    int64_t elapsed_ms;      /* of `for`, when it was last seen to hold */
    int64_t keep_elapsed_ms; /* of keep_firing_for; -1: the condition holds */
    int64_t since_real_ms, fired_real_ms;
    double value;
};

/* The number of an alert's row. */
int64_t rules_row_id(const char *group, const char *rule, const char *key);
/* Appends the body of a row.  `timer_ms` is when the alert was last evaluated. */
void rules_row_encode(const struct active *active, const char *group, const char *rule,
                      int64_t timer_ms, bool told_firing, struct buf *buf);
/* Writes a row in place of the one that there is; len 0: none is there any more.  Errors are in the
 * tx. */
void rules_row_write(struct state_tx *tx, int64_t id, const void *body, size_t len);
/* All rows; those that do not verify are told and left out.  -errno. */
int rules_rows_read(struct state_tx *tx, struct rules_row **ret_rows);
/* Puts before the others what stands for an alert that fires and has no row; its keys are "". */
int rules_row_orphan(const struct tmon_pair *labels, size_t n, int64_t starts_ms,
                     struct rules_row **rows);
void rules_row_free(struct rules_row *row);

#endif
