/* core/outbox/failover.c: a sink that is down, and the one that the configuration names for it. */
#include "kit.h"

static const char *const to_chat[] = {"chat"};
static const char *const to_both[] = {"chat", "mail"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .failover = "mail"},
    {.name = "mail", .concurrency = 4, .give_up_ms = 86400000},
};

static struct routing *one_group(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, true);
}

static struct routing *each(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, false);
}

static struct routing *both(struct kit *kit)
{
    return kit_plain(sinks, 2, to_both, 2, true);
}

/* One of the attempts says this, and is answered. */
static void hear(struct kit *kit, const char *text, enum outbox_result result)
{
    for (size_t i = 0; i < kit->n; i++) {
        if (strcmp(kit_text(kit, i), text) == 0) {
            kit_answer(kit, i, result);
            return;
        }
    }
    fail_msg("there is no \"%s\", but \"%s\"", text, kit_text(kit, 0));
}

static void what_waits_goes_to_the_other(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_pass(kit, 30000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    assert_int_equal(kit->n, 0);
    kit_pass(kit, 29999);
    if (kit->n > 0) {
        hear(kit, "chat: +A", OUTBOX_RETRY);
    }
    kit_pass(kit, 1);
    hear(kit, "mail: +A", OUTBOX_DELIVERED);
    (void)kit_next(kit);

    /* The end follows, and the first one hears nothing of either when it is back. */
    (void)kit_resolve(kit, "A", "critical");
    hear(kit, "mail: -A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "critical");
    kit_pass(kit, 300000);
    assert_int_equal(kit->n, 1);
    assert_non_null(strstr(kit_text(kit, 0), "+B"));
    assert_null(strstr(kit_text(kit, 0), "A"));
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_pass(kit, 3000000);
    assert_int_equal(kit->n, 0);
    assert_string_equal(kit_sql(kit, "SELECT reason FROM outbox WHERE id = 1"),
                        "taken over by mail");
    kit_close(kit);
}

/* Where it may have been heard, both hear of the end. */
static void what_may_have_been_heard(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_AMBIGUOUS);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 1);
    hear(kit, "mail: +A", OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 2);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    hear(kit, "mail: -A", OUTBOX_DELIVERED);
    kit_close(kit);
}

static void a_crash_is_such_a_case_too(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    assert_int_equal(kit->n, 1);
    kit_restart(kit);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_pass(kit, 60000);
    hear(kit, "mail: +A", OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 2);
    kit_close(kit);
}

/* News of both kinds in one notification: the firings go, the ends wait for whom they are for. */
static void a_mixed_one_is_parted(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "critical");
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 1000);
    assert_string_equal(kit_text(kit, 0), "chat: -A +B");
    kit_answer(kit, 0, OUTBOX_RETRY);
    (void)kit_fire(kit, "C", "critical"); /* shows B beside it */
    kit_pass(kit, 60000);
    hear(kit, "mail: +B", OUTBOX_DELIVERED);
    hear(kit, "mail: +C", OUTBOX_DELIVERED);
    hear(kit, "chat: -A", OUTBOX_RETRY);
    kit_pass(kit, 300000);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    (void)kit_resolve(kit, "B", "critical");
    (void)kit_resolve(kit, "C", "critical");
    kit_pass(kit, 1000);
    hear(kit, "mail: -B", OUTBOX_DELIVERED);
    hear(kit, "mail: -C", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM alert"), "0");
    kit_close(kit);
}

/* Who hears of it by himself is not told twice; what waits for the first one waits on. */
static void the_other_knows_already(void **state)
{
    struct kit *kit = kit_open(both, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    hear(kit, "mail: +A", OUTBOX_DELIVERED);
    kit_pass(kit, 120000);
    while (kit->n > 0) {
        hear(kit, "chat: +A", OUTBOX_RETRY);
    }
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 300000);
    hear(kit, "mail: -A", OUTBOX_DELIVERED);
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

/* What goes comes behind what is on its way there under the same ordering. */
static void behind_others(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_pass(kit, 60000);
    assert_string_equal(kit_text(kit, 0), "mail: +A");
    (void)kit_fire(kit, "B", "critical");
    hear(kit, "chat: +B", OUTBOX_RETRY);
    kit_pass(kit, 6000);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 6000);
    assert_int_equal(kit->n, 1);
    hear(kit, "mail: +A", OUTBOX_DELIVERED);
    hear(kit, "mail: +B", OUTBOX_DELIVERED);
    hear(kit, "mail: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

static void a_name_that_is_nobody(void **state)
{
    static const struct outbox_sink odd[] = {
        {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .failover = "nobody"},
        {.name = "mail", .concurrency = 4, .give_up_ms = 86400000, .failover = "mail"},
    };
    struct kit *kit = kit_open(both, odd, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    hear(kit, "mail: +A", OUTBOX_RETRY);
    for (int i = 0; i < 20; i++) {
        kit_pass(kit, 30000);
        while (kit->n > 0) {
            kit_answer(kit, 0, OUTBOX_RETRY);
        }
        assert_true(kit_next(kit) > 0);
    }
    kit_close(kit);
}

/* More orderings than are looked at in one go, and the first ones have nothing that may go. */
static void the_last_of_many(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    char name[16];
    bool found = false;

    for (int i = 0; i < 150; i++) { /* told and ended: these ends stay */
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
        while (kit->n > 0) {
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
    }
    kit_pass(kit, 2000);
    for (int i = 0; i < 150; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_resolve(kit, name, "info");
    }
    (void)kit_fire(kit, "Last", "critical");
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    for (int i = 0; i < 10 && !found; i++) {
        kit_pass(kit, i == 0 ? 60000 : 100);
        for (size_t j = 0; j < kit->n; j++) {
            found = found || strcmp(kit_text(kit, j), "mail: +Last") == 0;
        }
    }
    assert_true(found);
    kit_close(kit);
}

/* What waits for a sink that left is parked, not moved. */
static void a_sink_that_left(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit->sinks = &sinks[1];
    kit->nsinks = 1;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    kit_pass(kit, 600000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_next(kit) > 0, true);
    assert_false(kit_view(kit, "chat").configured);
    assert_int_equal(kit_view(kit, "chat").pending, 1);
    kit->sinks = sinks;
    kit->nsinks = 2;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    kit_pass(kit, 1);
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    kit_close(kit);
}

/* A repeat is not moved: its end would have to go to both. */
static void repeats_stay(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    kit_pass(kit, 3600000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_pass(kit, 120000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 300000);
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

/* A sink that takes one alert each gets one each. */
static void to_a_sink_of_another_kind(void **state)
{
    static const struct outbox_sink kinds[] = {
        {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .failover = "mail"},
        {.name = "mail", .one_alert = true, .concurrency = 4, .give_up_ms = 86400000},
    };
    struct kit *kit = kit_open(one_group, kinds, 2);

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "critical");
    (void)kit_fire(kit, "C", "critical");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_RETRY);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 2);
    assert_int_equal(strlen(kit_text(kit, 0)), strlen("mail: +B"));
    assert_int_equal(strlen(kit_text(kit, 1)), strlen("mail: +B"));
    kit_close(kit);
}

/* There and back: the second one goes down too. */
static void in_a_circle(void **state)
{
    static const struct outbox_sink circle[] = {
        {.name = "chat", .concurrency = 4, .give_up_ms = 86400000, .failover = "mail"},
        {.name = "mail", .concurrency = 4, .give_up_ms = 86400000, .failover = "chat"},
    };
    struct kit *kit = kit_open(each, circle, 2);
    int heard = 0;

    (void)kit_fire(kit, "A", "critical");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_pass(kit, 60000);
    hear(kit, "mail: +A", OUTBOX_RETRY);
    (void)kit_fire(kit, "B", "critical");
    for (int i = 0; i < 30; i++) {
        while (kit->n > 0) {
            bool chat = strncmp(kit_text(kit, 0), "chat", 4) == 0;

            heard += chat && strstr(kit_text(kit, 0), "+A");
            kit_answer(kit, 0, chat ? OUTBOX_DELIVERED : OUTBOX_RETRY);
        }
        kit_pass(kit, 10000);
    }
    assert_int_equal(heard, 1);
    (void)kit_resolve(kit, "A", "critical");
    kit_pass(kit, 1000);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_goes_to_the_other),
        cmocka_unit_test(what_may_have_been_heard),
        cmocka_unit_test(a_crash_is_such_a_case_too),
        cmocka_unit_test(a_mixed_one_is_parted),
        cmocka_unit_test(the_other_knows_already),
        cmocka_unit_test(behind_others),
        cmocka_unit_test(a_name_that_is_nobody),
        cmocka_unit_test(the_last_of_many),
        cmocka_unit_test(a_sink_that_left),
        cmocka_unit_test(repeats_stay),
        cmocka_unit_test(to_a_sink_of_another_kind),
        cmocka_unit_test(in_a_circle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
