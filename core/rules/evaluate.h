/*
 * evaluate.h: one evaluation of one rule: what its expression gives becomes alerts or samples.
 *
 * Knows no threads and no clocks: the engine and the unit tests of rules both stand on it, so a
 * test tests what runs.
 */
#ifndef RULES_EVALUATE_H
#define RULES_EVALUATE_H

#include "rules/active.h"
#include "rules/rule.h"

struct rules_time {
    int64_t real_ms;  /* of the samples */
    int64_t timer_ms; /* of `for` and keep_firing_for: does not jump */
};

struct rules_storage {
    void *owner;
    char *why;        /* where read() says what went wrong, or NULL */
    bool labels_stay; /* as in struct expr_input */
    /* As struct expr_input's, of a rule's selector. */
    int (*read)(void *owner, const struct rule *rule, size_t selector, int64_t from_ms,
                int64_t to_ms, int (*fn)(void *arg, const struct expr_series *series), void *arg);
    /* Labels sorted, with __name__.  -errno. */
    int (*append)(void *owner, const struct tmon_pair *labels, size_t n, int64_t time_ms,
                  double value);
};

struct rules_world {
    const struct tmon_pair *external_labels;
    size_t nexternal_labels;
    const char *external_url;
    enum config_no_data no_data; /* of rules that say nothing */
};

/* Evaluates.  What went wrong is in rule->error, and returned; then nothing has changed. */
int rule_evaluate(struct rule *rule, const struct rules_storage *storage,
                  const struct rules_world *world, struct rules_time now);
/* The samples of ALERTS and ALERTS_FOR_STATE for one of its alerts, until fn returns an error.
 * -ENOMEM; what fn returned. */
int rule_own_samples(const struct rule *rule, const struct active *active,
                     int (*fn)(void *arg, const struct tmon_pair *labels, size_t n, double value),
                     void *arg);
/* Forgets that it went wrong, or says that it did: copies. */
void rule_set_error(struct rule *rule, const char *text);

#endif
