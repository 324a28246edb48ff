/* Mending by hand: what an operator queues again is still there after a restart. */
#include "kit.h"

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 2, .give_up_ms = 86400000},
};

static struct routing *chat(struct kit *kit)
{
    static const char *const names[] = {"chat"};
    struct routing *routing = routing_create();

    kit_sink(routing, "chat", false);
    kit_to(routing, &routing->root, names, 1);
    routing->root.group_wait_ms = 0;
    routing->root.group_interval_ms = 10000;
    routing->root.repeat_interval_ms = 3600000;
    routing->root.group_by_set = true;
    assert_int_equal(routing_finish_up(routing), 0);
    return routing;
}

static int retry_first(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_retry(kit->outbox, tx, 1, kit->now);
}

static int drop_first(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_drop(kit->outbox, tx, 1, kit->now);
}

static bool count(void *arg, const struct outbox_row *row)
{
    ++*(size_t *)arg;
    return true;
}

static int count_dead(struct kit *kit, struct state_tx *tx, void *arg)
{
    const struct outbox_filter filter = {.state = OUTBOX_DEAD};

    return outbox_list(kit->outbox, tx, &filter, count, arg);
}

static uint64_t lost(struct kit *kit)
{
    struct state_stats stats;

    state_stats(kit->state, &stats);
    return stats.lost_rows;
}

static void a_dead_letter_is_queued_again(void **state)
{
    struct kit *kit = kit_open(chat, sinks, 1);
    size_t dead = 0;

    (void)kit_fire(kit, "A", "critical");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 100000);
    assert_int_equal(kit_do(kit, retry_first, NULL), 0);
    assert_int_equal(kit->n, 1);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    kit_restart(kit);
    assert_int_equal(kit->n, 1);
    assert_string_equal(kit_text(kit, 0), "chat: +A");
    assert_int_equal(lost(kit), 0);

    /* and once more, which is buried where it can be found */
    kit_answer(kit, 0, OUTBOX_REJECTED);
    assert_int_equal(kit_do(kit, count_dead, &dead), 0);
    assert_int_equal(dead, 1);
    assert_int_equal(kit_do(kit, retry_first, NULL), 0);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit_do(kit, retry_first, NULL), -EINVAL);
    assert_int_equal(kit_do(kit, drop_first, NULL), -EINVAL);
    assert_int_equal(lost(kit), 0);
    kit_close(kit);
}

static void what_was_dropped_can_be_queued_again(void **state)
{
    struct kit *kit = kit_open(chat, sinks, 1);

    (void)kit_fire(kit, "A", "critical");
    assert_int_equal(kit_do(kit, drop_first, NULL), -EBUSY);
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit_do(kit, drop_first, NULL), 0);
    kit_pass(kit, 3600000 - 1);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_do(kit, retry_first, NULL), 0);
    kit_restart(kit);
    assert_int_equal(kit->n, 1);
    assert_int_equal(lost(kit), 0);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_is_queued_again),
        cmocka_unit_test(what_was_dropped_can_be_queued_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
