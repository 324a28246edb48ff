/* core/alert and core/outbox together: the table of the design, row by row. */
#include "kit.h"

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 2, .give_up_ms = 86400000},
    {.name = "page", .one_alert = true, .concurrency = 2, .give_up_ms = 86400000},
};

/* Everything to both, at once, one group. */
static struct routing *both(struct kit *kit)
{
    static const char *const names[] = {"chat", "page"};
    struct routing *routing = routing_create();

    kit_sink(routing, "chat", false);
    kit_sink(routing, "page", true);
    kit_to(routing, &routing->root, names, 2);
    routing->root.group_wait_ms = 0;
    routing->root.group_interval_ms = 10000;
    routing->root.repeat_interval_ms = 3600000;
    routing->root.group_by_set = true;
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

static struct routing *chat_only(struct kit *kit)
{
    static const char *const names[] = {"chat"};
    struct routing *routing = routing_create();

    kit_sink(routing, "chat", false);
    kit_to(routing, &routing->root, names, 1);
    routing->root.group_wait_ms = 5000;
    routing->root.group_interval_ms = 10000;
    routing->root.repeat_interval_ms = 3600000;
    routing->root.group_by_set = true;
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

static void a_delivered_firing_gets_one_resolve(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    assert_int_equal(kit_fire(kit, "A", "critical"), ALERTS_FIRING);
    assert_int_equal(kit_fire(kit, "A", "critical"), ALERTS_UNCHANGED);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    assert_string_equal(kit_text(kit, 1), "page: +A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_resolve(kit, "A", "critical"), ALERTS_RESOLVED);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    assert_string_equal(kit_text(kit, 1), "page: -A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit_resolve(kit, "A", "critical"), ALERTS_NOT_FIRING);
    kit_pass(kit, 86400000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

static void what_nobody_heard_of_is_cancelled(void **state)
{
    struct kit *kit = kit_open(chat_only, sinks, 1);

    /* Within group_wait nothing was even queued. */
    (void)kit_fire(kit, "A", "critical");
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);

    /* Queued behind another of its group, never attempted: both are cancelled. */
    (void)kit_fire(kit, "B", "critical");
    kit_pass(kit, 5000);
    assert_string_equal(kit_text(kit, 0), "chat: +B");
    (void)kit_fire(kit, "C", "critical");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 1);
    (void)kit_resolve(kit, "C", "critical");
    kit_pass(kit, 10000);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

static void attempted_ones_are_resolved_in_order(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    kit_answer(kit, 1, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_AMBIGUOUS);
    kit_pass(kit, 100);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "page: -A");
    assert_string_equal(kit_text(kit, 1), "chat: +A"); /* first what is first */
    assert_int_equal(kit->attempts[1]->attempt, 2);
    kit_answer(kit, 1, OUTBOX_DELIVERED);
    assert_string_equal(kit_text(kit, 1), "chat: -A");
    kit_close(kit);
}

static void a_rejected_firing_gets_no_resolve(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 1);
    assert_string_equal(kit_text(kit, 0), "page: -A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);

    /* Also when the resolve was queued before the verdict came. */
    (void)kit_fire(kit, "B", "critical");
    (void)kit_resolve(kit, "B", "critical");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: +B");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    assert_int_equal(kit->n, 1);
    assert_string_equal(kit_text(kit, 0), "page: +B");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_string_equal(kit_text(kit, 0), "page: -B");
    kit_close(kit);
}

/* One 400 is not the end of it: what still fires is told with the next repeat. */
static void a_rejected_firing_is_told_with_the_next_repeat(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 3590000);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    kit_close(kit);
}

static void everything_survives_a_crash(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    assert_int_equal(kit->n, 2);
    kit_restart(kit);
    assert_int_equal(kit->n, 2); /* it may have arrived: the same again */
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    assert_int_equal(kit->attempts[0]->attempt, 2);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_restart(kit);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_fire(kit, "A", "critical"), ALERTS_UNCHANGED);
    kit_pass(kit, 20000);
    assert_int_equal(kit->n, 0);
    (void)kit_resolve(kit, "A", "critical");
    kit_restart(kit);
    kit_pass(kit, 20000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: -A");
    kit_close(kit);
}

static void group_wait_survives_a_crash(void **state)
{
    struct kit *kit = kit_open(chat_only, sinks, 1);

    (void)kit_fire(kit, "A", "critical");
    kit_pass(kit, 3000);
    kit_restart(kit);
    kit_pass(kit, 1900);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 100);
    assert_int_equal(kit->n, 1);
    kit_close(kit);
}

static void repeats_and_expires(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);
    struct kit_put put = {.name = "A", .severity = "info", .ttl_ms = 9000000};

    assert_int_equal(kit_do(kit, kit_put_job, &put), 0);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 3590000);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 3600000);
    assert_int_equal(kit->n, 2);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 1800000); /* its time is up */
    assert_int_equal(kit->n, 2);
    assert_string_equal(kit_text(kit, 1), "page: -A");
    kit_close(kit);
}

static void fires_again_before_anybody_was_told(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "critical"); /* group_interval has not passed */
    assert_int_equal(kit_fire(kit, "A", "critical"), ALERTS_FIRING);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

static void many_alerts_are_told_in_parts(void **state)
{
    struct kit *kit = kit_open(chat_only, sinks, 1);
    char name[32];
    size_t plus = 0;

    for (int i = 0; i < 450; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
    }
    kit_pass(kit, 5000);
    for (int part = 0; part < 3; part++) {
        struct tmon_notification *notification;
        struct wire_reader reader;

        assert_int_equal(kit->n, 1); /* one ordering: one at a time */
        wire_reader_init(&reader, kit->attempts[0]->body, kit->attempts[0]->len);
        assert_int_equal(notification_decode(&reader, &notification), 0);
        plus += notification->nalerts;
        if (part == 2) { /* 50 are new, 150 find room beside them */
            assert_int_equal(notification->nalerts, 200);
            assert_int_equal(notification->ntruncated, 250);
        }
        notification_destroy(notification);
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_int_equal(plus, 600);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delivered_firing_gets_one_resolve),
        cmocka_unit_test(what_nobody_heard_of_is_cancelled),
        cmocka_unit_test(attempted_ones_are_resolved_in_order),
        cmocka_unit_test(a_rejected_firing_gets_no_resolve),
        cmocka_unit_test(a_rejected_firing_is_told_with_the_next_repeat),
        cmocka_unit_test(everything_survives_a_crash),
        cmocka_unit_test(group_wait_survives_a_crash),
        cmocka_unit_test(repeats_and_expires),
        cmocka_unit_test(fires_again_before_anybody_was_told),
        cmocka_unit_test(many_alerts_are_told_in_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
