/*
 * unit_test.h: promtool's unit tests of rules, without an agent.
 *
 * The rules are evaluated by what evaluates them in an agent (evaluate.h), over series in memory.
 * As in Prometheus, and unlike in an agent, a rule that says nothing about `no_data` resolves.
 */
#ifndef RULES_UNIT_TEST_H
#define RULES_UNIT_TEST_H

#include <stdio.h>

/* Runs the tests of one file and says how they went, as promtool does: the verdict to `out`, what
 * is wrong to `err`.  0: all is well; 1: it is not; -ENOMEM. */
int unit_test_file(const char *path, FILE *out, FILE *err);

#endif
