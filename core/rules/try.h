/*
 * try.h: an expression of somebody who wants to see what it gives.
 */
#ifndef RULES_TRY_H
#define RULES_TRY_H

#include "rules/engine.h"

/* Evaluates over the history, and over what the store holds now, and what rules said last, of
 * series without one: a range over those holds one sample, and when it was asked for one, ret_why
 * tells of it though all went well ("" otherwise).  As expr_parse() and expr_eval().  Rules'
 * thread. */
int rules_try(struct rules_engine *engine, const char *text, int64_t now_ms,
              struct expr_result *ret_result, char *ret_why, size_t size);

#endif
