/* core/alert/maintenance.c with a queue behind it: held in the window, told at its end. */
#include "kit.h"

#include "alert/private.h"
#include "base/log.h"

#define AT_22_13_20 INT64_C(1700000000000) /* of a Tuesday, in UTC */
#define UNTIL_23_MS INT64_C(2800000)

static const char *const to_both[] = {"chat", "page"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000},
    {.name = "page", .one_alert = true, .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *whole(struct kit *kit)
{
    struct routing *routing = kit_plain(sinks, 2, to_both, 2, true);

    kit_window(&routing->root, "22:00", "23:00");
    return routing;
}

/* What is critical has no windows; the rest inherits them. */
static struct routing *but_critical(struct kit *kit)
{
    struct routing *routing = routing_create();
    struct route *root = &routing->root;
    char why[128];

    for (size_t i = 0; i < 2; i++) {
        kit_sink(routing, sinks[i].name, sinks[i].one_alert);
    }
    kit_to(routing, root, to_both, 1);
    kit_window(root, "22:00", "23:00");
    root->group_wait_ms = 0;
    root->group_interval_ms = 1000;
    root->nroutes = 2;
    root->routes = calloc(2, sizeof *root->routes);
    for (size_t i = 0; i < 2; i++) {
        struct route *route = &root->routes[i];

        route_init(route);
        route->nmatchers = 1;
        route->matchers = calloc(1, sizeof *route->matchers);
        assert_int_equal(matcher_init(route->matchers, "severity", MATCHER_EQUAL,
                                      i == 0 ? "critical" : "warning", why, sizeof why),
                         0);
        route->maintenance_set = i == 0;
    }
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

static void answer_all(struct kit *kit)
{
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
}

static void held_and_told(void **state)
{
    struct kit *kit = kit_open(whole, sinks, 2);

    kit->now.real_ms = AT_22_13_20;
    kit_restart(kit);
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    assert_int_equal(kit->n, 0);
    kit_pass(kit, UNTIL_23_MS / 2);
    assert_int_equal(kit_resolve(kit, "B", "info"), ALERTS_RESOLVED);
    kit_restart(kit);
    kit_pass(kit, UNTIL_23_MS / 2 - 1);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 2000);
    assert_int_equal(kit->n, 2); /* of B nobody ever hears */
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    assert_string_equal(kit_text(kit, 1), "page: +A");
    answer_all(kit);
    kit_pass(kit, 3600000 + 1000);
    assert_int_equal(kit->n, 2); /* repeats go on */
    answer_all(kit);
    kit_close(kit);
}

/* Told before the window: no repeat in it, its end is told all the same. */
static void told_before(void **state)
{
    struct kit *kit = kit_open(whole, sinks, 2);

    kit->now.real_ms = AT_22_13_20 - 2 * 3600000;
    kit_restart(kit);
    (void)kit_fire(kit, "A", "info");
    (void)kit_fire(kit, "B", "info");
    answer_all(kit);
    kit_pass(kit, 3600000 + 47 * 60000); /* 22:00:20 */
    answer_all(kit);
    kit_pass(kit, 3500000);
    assert_int_equal(kit->n, 0); /* a repeat would be due */
    assert_int_equal(kit_resolve(kit, "A", "info"), ALERTS_RESOLVED);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    answer_all(kit);
    kit_pass(kit, 100000 + 3600000);
    assert_true(kit->n >= 2);
    answer_all(kit);
    kit_close(kit);
}

static bool see(void *arg, const struct alerts_view *view)
{
    *(int *)arg += view->muted;
    return true;
}

static int count_muted(struct kit *kit, struct state_tx *tx, void *arg)
{
    alerts_visit(kit->alerts, see, arg, kit->now);
    return 0;
}

static void only_its_route(void **state)
{
    struct kit *kit = kit_open(but_critical, sinks, 2);
    int muted = 0;

    kit->now.real_ms = AT_22_13_20;
    kit_restart(kit);
    (void)kit_fire(kit, "A", "critical");
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    answer_all(kit);
    (void)kit_fire(kit, "B", "warning");
    (void)kit_fire(kit, "C", "info");
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_do(kit, count_muted, &muted), 0);
    assert_int_equal(muted, 2);
    kit_pass(kit, 1000);
    assert_int_equal(kit->alerts->counts.held[HOLD_MAINTENANCE], 2);
    kit_pass(kit, UNTIL_23_MS);
    assert_int_equal(kit->n, 2);
    answer_all(kit);
    assert_int_equal(kit->alerts->counts.held[HOLD_MAINTENANCE], 0);
    kit_close(kit);
}

/* Windows are of the wall's clock, wherever that is put. */
static void the_clock_is_set(void **state)
{
    struct kit *kit = kit_open(whole, sinks, 2);

    kit->now.real_ms = AT_22_13_20;
    kit_restart(kit);
    (void)kit_fire(kit, "A", "info");
    assert_int_equal(kit->n, 0);
    kit->now.real_ms += 3600000;
    kit_pass(kit, 60000);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 2);
    answer_all(kit);
    kit_close(kit);
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR + 1, LOG_FORMAT_LOGFMT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_and_told),
        cmocka_unit_test(told_before),
        cmocka_unit_test(only_its_route),
        cmocka_unit_test(the_clock_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
