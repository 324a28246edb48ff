/*
 * rules_read.h: what those who read files of rules share: rules.c, rule.c, and the unit tests of
 * rules.
 */
#ifndef CONFIG_RULES_READ_H
#define CONFIG_RULES_READ_H

#include "config/rules.h"

/* Reads one entry of `rules:`; what is made is freed by rule_finish() in any case.  Mistakes are in
 * `errors`; -ENOMEM. */
int rule_read(const struct node *node, struct config_errors *errors, struct config_rule *rule);
void rule_finish(struct config_rule *rule);

/* Complains about keys that are not in `known` (NULL at the end). */
void rules_unknown_keys(const struct node *mapping, const char *const *known, const char *what,
                        struct config_errors *errors);
/* The text of a key, borrowed; NULL: not there, or nothing.  What is no text is an error. */
const char *rules_text(const struct node *mapping, const char *key, struct config_errors *errors);
/* A duration; unchanged when it is not there. */
void rules_duration(const struct node *mapping, const char *key, struct config_errors *errors,
                    int64_t *ret_ms);

#endif
