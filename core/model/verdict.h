/*
 * verdict.h: what a check said, and its encoding.
 *
 * A verdict is collected on the side where the plugin runs (verdict_add_...), encoded once at the
 * end of the call, and decoded by the agent into an immutable object that the store keeps and
 * health shows.
 */
#ifndef MODEL_VERDICT_H
#define MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugin_api.h"

enum detail_kind { DETAIL_NUMBER, DETAIL_TEXT, DETAIL_LIST };

struct detail {
    char *key; /* may be dotted */
    enum detail_kind kind;
    double number;
    char *text;
    size_t nitems;
    char **items;
};

struct subject {
    char *name;
    tmon_verdict status;
    char *text; /* NULL: none */
};

struct verdict {
    tmon_verdict status;
    char *message; /* NULL where it passes without a word */
    size_t nsubjects;
    struct subject *subjects;
    size_t ndetails;
    struct detail *details;
    uint32_t dropped; /* subjects and details beyond LIMIT_SUBJECTS */
};

/* NULL when out of memory. */
struct verdict *verdict_create(tmon_verdict status, const char *message);
void verdict_destroy(struct verdict *verdict);
/* Copy what they are given; cut texts at LIMIT_TEXT_BYTES on a code point; drop beyond the limits.
 */
void verdict_report(struct verdict *verdict, const char *subject, tmon_verdict status,
                    const char *text);
void verdict_detail_number(struct verdict *verdict, const char *key, double number);
void verdict_detail_text(struct verdict *verdict, const char *key, const char *text);
void verdict_detail_item(struct verdict *verdict, const char *key, const char *text);

void verdict_encode(const struct verdict *verdict, struct buf *buf);
/* -EPROTO, -ENOMEM. */
int verdict_decode(struct wire_reader *reader, struct verdict **ret_verdict);
/* "pass", "warn", "fail" */
const char *verdict_name(tmon_verdict status);

#endif
