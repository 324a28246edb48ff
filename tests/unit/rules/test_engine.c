/* The engine without an agent: a range that does not fit, batches that fail, limits. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/labels.h"
#include "rules/engine.h"

/* What the hooks saw; under the lock. */
static struct {
    pthread_mutex_t lock;
    int fail;        /* so many batches fail */
    unsigned firing; /* changes that said so */
    unsigned resolved, batches;
    bool failing;
    char text[640];
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int on_submit(void *owner, struct rules_batch *batch)
{
    int r = 0;

    (void)pthread_mutex_lock(&seen.lock);
    seen.batches++;
    if (seen.fail > 0) {
        seen.fail--;
        r = -EIO;
    }
    for (size_t i = 0; i < batch->n && r == 0; i++) {
        seen.firing += batch->changes[i].say && batch->changes[i].firing;
        seen.resolved += batch->changes[i].say && !batch->changes[i].firing;
    }
    (void)pthread_mutex_unlock(&seen.lock);
    rules_batch_done(batch, r);
    return 0;
}

static bool on_sources_ran(void *owner)
{
    return true;
}

static void on_failing(void *owner, const char *group, bool failing, const char *text)
{
    (void)pthread_mutex_lock(&seen.lock);
    seen.failing = failing;
    snprintf(seen.text, sizeof seen.text, "%s", text);
    (void)pthread_mutex_unlock(&seen.lock);
}

struct rig {
    struct store *store;
    struct history *history;
    struct rules_engine *engine;
};

static void start(struct rig *rig, size_t bytes)
{
    const struct history_limits limits = {.bytes = bytes};
    const struct rules_options *options;

    memset(&seen.fail, 0, sizeof seen - offsetof(__typeof__(seen), fail));
    assert_int_equal(store_create(&(struct store_limits){0}, &rig->store), 0);
    assert_int_equal(history_create(rig->store, &limits, &rig->history), 0);
    options = &(struct rules_options){
        .store = rig->store,
        .history = rig->history,
        .hooks = {.submit = on_submit, .sources_ran = on_sources_ran, .failing = on_failing}};
    assert_int_equal(rules_engine_create(options, &rig->engine), 0);
    assert_int_equal(rules_engine_restore(rig->engine, NULL), 0);
}

static void end(struct rig *rig)
{
    rules_engine_stop(rig->engine);
    rules_engine_destroy(rig->engine);
    history_destroy(rig->history);
    store_destroy(rig->store);
}

/* One group, evaluated every 50 ms. */
static void set_rules(struct rig *rig, const char *rules)
{
    struct config_errors errors;
    struct config_rules config = {0};
    struct rules_set *set = NULL;
    struct tree *tree = NULL;
    char text[1024];

    snprintf(text, sizeof text, "- name: g\n  interval: 50ms\n  rules:\n%s", rules);
    config_errors_init(&errors);
    assert_int_equal(tree_parse("t", text, strlen(text), &errors, &tree), 0);
    assert_int_equal(config_rules_groups(tree->root, &errors, &config), 0);
    assert_int_equal(rules_compile(&config, 1000, &errors, &set), 0);
    assert_int_equal(rules_engine_set(rig->engine, set, NULL), 0);
    config_rules_finish(&config);
    tree_destroy(tree);
    config_errors_finish(&errors);
}

static bool wait_for(bool (*condition)(void))
{
    for (int i = 0; i < 1000; i++) {
        bool there;

        (void)pthread_mutex_lock(&seen.lock);
        there = condition();
        (void)pthread_mutex_unlock(&seen.lock);
        if (there) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static bool is_failing(void)
{
    return seen.failing;
}

static bool has_fired(void)
{
    return seen.firing > 0;
}

static bool has_resolved(void)
{
    return seen.resolved > 0;
}

/* An hour of samples that do not compress, of 40 series. */
static void fill(void *arg, struct rules_engine *engine)
{
    int64_t now_ms = clock_real_ms();
    uint64_t random = 1;

    for (int64_t at = now_ms - 3600000; at < now_ms; at += 15000) {
        for (int i = 0; i < 40; i++) {
            char name[8];
            const struct tmon_pair labels[] = {{"__name__", "x"}, {"i", name}};

            snprintf(name, sizeof name, "%d", i);
            random = random * 6364136223846793005u + 1442695040888963407u;
            (void)history_append(rules_engine_history(engine), labels, 2, at, (double)random / 1e9);
        }
    }
}

static void one(void *arg, struct rules_engine *engine)
{
    const struct tmon_pair label = {"__name__", "x"};

    (void)history_append(rules_engine_history(engine), &label, 1, clock_real_ms() - 1,
                         *(const double *)arg);
}

static void a_range_that_does_not_fit_fails(void **state)
{
    struct rig rig;

    start(&rig, 60000);
    set_rules(&rig, "  - {alert: A, expr: 'sum_over_time(x[1h]) > 0'}\n");
    assert_int_equal(rules_engine_call(rig.engine, fill, NULL), 0);
    assert_true(wait_for(is_failing));
    assert_non_null(strstr(seen.text, "the rule A cannot be evaluated: "));
    assert_non_null(strstr(seen.text, "history"));
    assert_int_equal(seen.firing, 0);
    end(&rig);
    start(&rig, 0); /* with enough room it fires */
    set_rules(&rig, "  - {alert: A, expr: 'count(sum_over_time(x[1h])) == 40'}\n");
    assert_int_equal(rules_engine_call(rig.engine, fill, NULL), 0);
    assert_true(wait_for(has_fired));
    assert_false(seen.failing);
    end(&rig);
}

static void says_it_until_it_is_durable(void **state)
{
    struct rig rig;
    double value = 1;

    start(&rig, 0);
    (void)pthread_mutex_lock(&seen.lock);
    seen.fail = 5;
    (void)pthread_mutex_unlock(&seen.lock);
    set_rules(&rig, "  - {alert: A, expr: 'x > 0', no_data: resolve}\n");
    assert_int_equal(rules_engine_call(rig.engine, one, &value), 0);
    assert_true(wait_for(has_fired));
    assert_true(seen.batches >= 6);
    usleep(300000); /* several evaluations in which nothing changes */
    (void)pthread_mutex_lock(&seen.lock);
    assert_int_equal(seen.firing, 1);
    assert_int_equal(seen.batches, 6);
    seen.fail = 3;
    (void)pthread_mutex_unlock(&seen.lock);
    value = 0;
    assert_int_equal(rules_engine_call(rig.engine, one, &value), 0);
    assert_true(wait_for(has_resolved));
    assert_int_equal(seen.resolved, 1);
    end(&rig);
}

static void a_rule_that_goes_resolves(void **state)
{
    struct rig rig;
    double value = 1;

    start(&rig, 0);
    set_rules(&rig, "  - {alert: A, expr: 'x > 0'}\n");
    assert_int_equal(rules_engine_call(rig.engine, one, &value), 0);
    assert_true(wait_for(has_fired));
    set_rules(&rig, "  - {alert: B, expr: 'x > 5'}\n");
    assert_true(wait_for(has_resolved));
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_that_does_not_fit_fails),
        cmocka_unit_test(says_it_until_it_is_durable),
        cmocka_unit_test(a_rule_that_goes_resolves),
    };

    return cmocka_run_group_tests_name("rules/engine", tests, NULL, NULL);
}
