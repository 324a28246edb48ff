/* core/outbox/rest.c and outcome.c: sinks that fail, and when they are tried again. */
#include "kit.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink one[] = {
    {.name = "chat", .concurrency = 1, .give_up_ms = 86400000},
};
static const struct outbox_sink eight[] = {
    {.name = "chat", .concurrency = 8, .give_up_ms = 86400000},
};

static struct routing *each(struct kit *kit)
{
    return kit_plain(one, 1, to_chat, 1, false);
}

static void fire_many(struct kit *kit, int n)
{
    char name[16];

    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
    }
}

/* Passes time until the next attempt; how long. */
static int64_t wait_for_attempt(struct kit *kit)
{
    int64_t waited = 0, next;

    while (kit->n == 0 && (next = kit_next(kit)) >= 0 && waited < 100000000) {
        kit_pass(kit, next);
        waited += next;
    }
    assert_true(kit->n > 0);
    return waited;
}

static void tries_are_further_and_further_apart(void **state)
{
    struct kit *kit = kit_open(each, one, 1);
    int64_t expected = 1000, waited;

    (void)kit_fire(kit, "A", "info");
    for (int i = 0; i < 4; i++) { /* before the sink rests */
        kit_answer(kit, 0, OUTBOX_RETRY);
        waited = wait_for_attempt(kit);
        assert_in_range(waited, expected * 8 / 10, expected * 12 / 10);
        assert_int_equal(kit->attempts[0]->attempt, i + 2);
        expected *= 2;
    }
    kit_close(kit);
}

static void the_breaker(void **state)
{
    static const int64_t rests[] = {15000, 30000, 60000, 120000, 240000, 300000, 300000};
    struct kit *kit = kit_open(each, one, 1);

    fire_many(kit, 50);
    for (int i = 0; i < 5; i++) {
        assert_false(kit_view(kit, "chat").resting);
        (void)wait_for_attempt(kit);
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        assert_true(kit_view(kit, "chat").resting);
        assert_int_equal(wait_for_attempt(kit), rests[i]);
        assert_int_equal(kit->n, 1);
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    /* One goes well: all is well. */
    (void)wait_for_attempt(kit);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_false(kit_view(kit, "chat").resting);
    for (int i = 0; i < 49; i++) {
        (void)wait_for_attempt(kit);
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    assert_int_equal(kit_next(kit) == -1 || kit_next(kit) > 1000000, true);
    kit_close(kit);
}

/* Attempts that were under way together fail together. */
static void failures_at_once_are_one(void **state)
{
    struct kit *kit = kit_open(each, eight, 1);

    fire_many(kit, 20);
    assert_int_equal(kit->n, 8);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    assert_int_equal(kit_view(kit, "chat").not_before_ms - kit->now.real_ms, 15000);
    assert_int_equal(wait_for_attempt(kit), 15000);
    assert_int_equal(kit->n, 1); /* one is tried */
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 8);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_PAUSE);
    }
    assert_int_equal(kit_view(kit, "chat").not_before_ms - kit->now.real_ms, 300000);
    kit_close(kit);
}

static void retry_after_is_for_all_of_it(void **state)
{
    struct kit *kit = kit_open(each, eight, 1);

    fire_many(kit, 20);
    kit_answer_after(kit, 0, OUTBOX_RETRY, 3600000);
    /* Another one, which was under way, goes well: that changes nothing. */
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_int_equal(kit_view(kit, "chat").pending, 13);
    assert_int_equal(wait_for_attempt(kit), 3600000);
    assert_int_equal(kit->n, 8);
    /* Nobody waits for years. */
    kit_answer_after(kit, 0, OUTBOX_RETRY, INT64_MAX);
    while (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_DELIVERED);
    }
    assert_int_equal(kit_view(kit, "chat").not_before_ms - kit->now.real_ms, 86400000);
    kit_close(kit);
}

static void a_yes_may_ask_for_a_pause_too(void **state)
{
    struct kit *kit = kit_open(each, one, 1);

    fire_many(kit, 2);
    kit_answer_after(kit, 0, OUTBOX_DELIVERED, 60000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_view(kit, "chat").pending, 1);
    assert_in_range(wait_for_attempt(kit), 60000, 61000);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    kit_close(kit);
}

static int resume_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    return outbox_resume(kit->outbox, arg, kit->now);
}

static void a_pause(void **state)
{
    static const struct outbox_sink changed[] = {
        {.name = "chat", .concurrency = 1, .give_up_ms = 86400000, .changed = true},
    };
    struct kit *kit = kit_open(each, one, 1);
    char chat[] = "chat", nobody[] = "nobody";

    fire_many(kit, 3);
    kit_answer(kit, 0, OUTBOX_PAUSE);
    assert_true(kit_view(kit, "chat").paused);
    assert_string_equal(kit_view(kit, "chat").reason, "answer 4");
    assert_int_equal(wait_for_attempt(kit), 300000);
    kit_answer(kit, 0, OUTBOX_PAUSE);
    assert_int_equal(wait_for_attempt(kit), 600000);
    /* For days: nothing is given up. */
    for (int i = 0; i < 60; i++) {
        kit_answer(kit, 0, OUTBOX_PAUSE);
        assert_true(wait_for_attempt(kit) <= 3600000);
    }
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit_view(kit, "chat").pending, 3);
    assert_int_equal(kit_view(kit, "chat").dead, 0);

    /* Somebody says that it is well, and it is given time to be. */
    assert_int_equal(kit_do(kit, resume_job, nobody), -ENOENT);
    assert_int_equal(kit_do(kit, resume_job, chat), 0);
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    assert_int_equal(kit_view(kit, "chat").pending, 3);

    /* Other settings end a pause too. */
    (void)wait_for_attempt(kit);
    kit_answer(kit, 0, OUTBOX_PAUSE);
    assert_int_equal(kit->n, 0);
    kit->sinks = changed;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_false(kit_view(kit, "chat").paused);
    assert_true(wait_for_attempt(kit) <= 360000);
    kit_close(kit);
}

static void it_is_given_up(void **state)
{
    static const struct outbox_sink hasty[] = {
        {.name = "chat", .concurrency = 1, .give_up_ms = 60000},
    };
    struct kit *kit = kit_open(each, hasty, 1);
    int tries = 0;

    (void)kit_fire(kit, "A", "info");
    while (kit_view(kit, "chat").dead == 0) {
        (void)wait_for_attempt(kit);
        kit_answer(kit, 0, OUTBOX_RETRY);
        assert_true(++tries < 20);
    }
    assert_non_null(strstr(kit_sql(kit, "SELECT reason FROM outbox"), "given up after "));
    assert_non_null(strstr(kit_sql(kit, "SELECT reason FROM outbox"), ": answer 1"));
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 600000);
    assert_int_equal(kit->n, 0); /* nobody heard of it */

    /* What may have been heard gets its end. */
    (void)kit_fire(kit, "B", "info");
    for (tries = 0; kit_view(kit, "chat").dead < 2; tries++) {
        (void)wait_for_attempt(kit);
        kit_answer(kit, 0, tries == 0 ? OUTBOX_AMBIGUOUS : OUTBOX_RETRY);
    }
    (void)kit_resolve(kit, "B", "info");
    kit_pass(kit, 600000);
    assert_string_equal(kit_text(kit, 0), "chat: -B");
    kit_close(kit);
}

/* The wall clock steps: nothing is given up for that. */
static void a_step_of_the_clock(void **state)
{
    struct kit *kit = kit_open(each, one, 1);

    (void)kit_fire(kit, "A", "info");
    kit_answer(kit, 0, OUTBOX_RETRY);
    kit->now.real_ms += INT64_C(86400000) * 400;
    (void)wait_for_attempt(kit);
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    /* Back again, and a start: what is due in a year by its row is due within a day. */
    (void)wait_for_attempt(kit);
    kit_answer(kit, 0, OUTBOX_RETRY);
    kit->now.real_ms -= INT64_C(86400000) * 400;
    kit_restart(kit);
    assert_true(wait_for_attempt(kit) <= 86400000);
    kit_close(kit);
}

static void unready_is_no_attempt(void **state)
{
    struct kit *kit = kit_open(each, one, 1);

    (void)kit_fire(kit, "A", "info");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kit->attempts[0]->attempt, 1);
        kit_answer(kit, 0, OUTBOX_UNREADY);
        assert_int_equal(wait_for_attempt(kit), 2000);
    }
    kit_answer(kit, 0, OUTBOX_UNREADY);
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 10000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    kit_close(kit);
}

/* Another sink is not concerned. */
static void each_for_itself(void **state)
{
    static const struct outbox_sink two[] = {
        {.name = "chat", .concurrency = 1, .give_up_ms = 86400000},
        {.name = "mail", .concurrency = 1, .give_up_ms = 86400000},
    };
    struct kit *kit = kit_open(each, two, 2);

    (void)kit_fire(kit, "A", "info");
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_PAUSE);
    assert_false(kit_view(kit, "mail").paused);
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_are_further_and_further_apart),
        cmocka_unit_test(the_breaker),
        cmocka_unit_test(failures_at_once_are_one),
        cmocka_unit_test(retry_after_is_for_all_of_it),
        cmocka_unit_test(a_yes_may_ask_for_a_pause_too),
        cmocka_unit_test(a_pause),
        cmocka_unit_test(it_is_given_up),
        cmocka_unit_test(a_step_of_the_clock),
        cmocka_unit_test(unready_is_no_attempt),
        cmocka_unit_test(each_for_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
