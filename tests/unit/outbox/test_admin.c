/* core/outbox/admin.c and prune: looking at the outbox, and mending it by hand. */
#include "kit.h"

static const char *const to_chat[] = {"chat"};

static const struct outbox_sink sinks[] = {
    {.name = "chat", .concurrency = 1, .give_up_ms = 86400000},
    {.name = "mail", .concurrency = 1, .give_up_ms = 86400000},
};

static struct routing *one_group(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, true);
}

static struct routing *each(struct kit *kit)
{
    return kit_plain(sinks, 2, to_chat, 1, false);
}

static void hear(struct kit *kit, const char *text, enum outbox_result result)
{
    assert_true(kit->n > 0);
    assert_string_equal(kit_text(kit, 0), text);
    kit_answer(kit, 0, result);
}

/* ---- lists ---- */

struct listing {
    struct outbox_filter filter;
    char text[1024];
    size_t n, stop;
};

static bool on_row(void *arg, const struct outbox_row *row)
{
    struct listing *listing = arg;

    (void)snprintf(listing->text + strlen(listing->text),
                   sizeof listing->text - strlen(listing->text), "%s%lld %s %s%s%s",
                   *listing->text ? "; " : "", (long long)row->id, row->sink,
                   outbox_state_name(row->state), row->parked ? " parked" : "",
                   row->under_way ? " under way" : "");
    assert_null(row->body);
    return ++listing->n != listing->stop;
}

static int list_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct listing *listing = arg;

    *listing->text = '\0';
    listing->n = 0;
    return outbox_list(kit->outbox, tx, &listing->filter, on_row, listing);
}

static const char *list(struct kit *kit, const char *sink, int state, int64_t before, size_t limit)
{
    static struct listing listing;

    listing = (struct listing){
        .filter = {.sink = sink, .state = state, .before = before, .limit = limit}};
    assert_int_equal(kit_do(kit, list_job, &listing), 0);
    return listing.text;
}

static void it_is_listed(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "info");
    hear(kit, "chat: +B", OUTBOX_REJECTED);
    (void)kit_fire(kit, "C", "info");
    (void)kit_fire(kit, "D", "info");
    assert_string_equal(list(kit, NULL, -1, 0, 0),
                        "4 chat pending; 3 chat pending under way; 2 chat dead; 1 chat delivered");
    assert_string_equal(list(kit, NULL, -1, 0, 2), "4 chat pending; 3 chat pending under way");
    assert_string_equal(list(kit, NULL, -1, 3, 0), "2 chat dead; 1 chat delivered");
    assert_string_equal(list(kit, NULL, OUTBOX_DEAD, 0, 0), "2 chat dead");
    assert_string_equal(list(kit, NULL, OUTBOX_DEAD, 2, 0), "");
    assert_string_equal(list(kit, "chat", OUTBOX_SENT, 0, 0), "1 chat delivered");
    assert_string_equal(list(kit, "mail", OUTBOX_SENT, 0, 0), "");
    assert_string_equal(list(kit, "chat", OUTBOX_PENDING, 0, 0),
                        "4 chat pending; 3 chat pending under way");
    assert_string_equal(list(kit, "chat", OUTBOX_PENDING, 4, 0), "3 chat pending under way");
    assert_string_equal(list(kit, "mail", -1, 0, 0), "");
    assert_string_equal(list(kit, "chat", -1, 2, 0), "1 chat delivered");

    /* Its sink leaves the configuration. */
    kit->sinks = &sinks[1];
    kit->nsinks = 1;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    assert_string_equal(list(kit, NULL, OUTBOX_PENDING, 0, 0),
                        "4 chat pending parked; 3 chat pending parked under way");
    kit_close(kit);
}

struct shown {
    int64_t id;
    int n;
    struct tmon_notification *notification;
    char reason[256], title[256];
    void *body;
};

static void on_shown(void *arg, const struct outbox_row *row)
{
    struct shown *shown = arg;
    struct wire_reader reader;

    shown->n++;
    shown->body = malloc(row->len);
    memcpy(shown->body, row->body, row->len);
    wire_reader_init(&reader, shown->body, row->len);
    assert_int_equal(notification_decode(&reader, &shown->notification), 0);
    (void)snprintf(shown->reason, sizeof shown->reason, "%s", row->reason);
    (void)snprintf(shown->title, sizeof shown->title, "%s", row->title);
}

static int show_job(struct kit *kit, struct state_tx *tx, void *arg)
{
    struct shown *shown = arg;

    return outbox_show(kit->outbox, tx, shown->id, on_shown, shown);
}

static void it_is_shown(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);
    struct shown shown = {.id = 1};

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_RETRY);
    assert_int_equal(kit_do(kit, show_job, &shown), 0);
    assert_int_equal(shown.n, 1);
    assert_string_equal(shown.reason, "answer 1");
    assert_string_equal(shown.title, "firing: A");
    assert_int_equal(shown.notification->nalerts, 1);
    assert_string_equal(shown.notification->alerts[0]->summary, "it is so");
    notification_destroy(shown.notification);
    free(shown.body);
    shown.id = 2;
    assert_int_equal(kit_do(kit, show_job, &shown), -ENOENT);
    assert_int_equal(shown.n, 1);
    kit_close(kit);
}

/* ---- tried again ---- */

static void a_dead_letter_is_tried_again(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_REJECTED);
    assert_int_equal(kit_view(kit, "chat").dead, 1);
    kit_pass(kit, 10000);
    assert_int_equal(kit_retry(kit, 99), -ENOENT);
    assert_int_equal(kit_retry(kit, 1), 0);
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    assert_int_equal(kit->n, 1);
    assert_int_equal(kit->attempts[0]->attempt, 2);
    kit_restart(kit); /* it is in the file as well */
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    assert_int_equal(kit_retry(kit, 1), -EINVAL);

    /* Now that it was told, its end is. */
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 1000);
    hear(kit, "chat: -A", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

/* What it tells of is over by now: its end comes right behind it. */
static void what_is_over_is_told_with_its_end(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "info");
    (void)kit_fire(kit, "C", "info");
    kit_pass(kit, 1000);
    kit_answer(kit, 0, OUTBOX_REJECTED); /* B and C, A beside them */
    (void)kit_resolve(kit, "B", "info");
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_retry(kit, 2), 0);
    assert_int_equal(strlen(kit_text(kit, 0)), strlen("chat: +B +C +A"));
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    hear(kit, "chat: -B", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    (void)kit_resolve(kit, "C", "info");
    kit_pass(kit, 1000);
    hear(kit, "chat: -C +A", OUTBOX_DELIVERED);
    kit_close(kit);
}

/* Behind what waits under its ordering, it is not forgotten. */
static void tried_again_behind_others(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_REJECTED);
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 1000);
    assert_string_equal(kit_text(kit, 0), "chat: +B");
    assert_int_equal(kit_retry(kit, 1), 0);
    assert_int_equal(kit->n, 1);
    hear(kit, "chat: +B", OUTBOX_DELIVERED);
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    kit_close(kit);
}

/* It is as old as it was, and tried for a whole time again, also after a restart. */
static void tried_again_it_keeps_its_age(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_REJECTED);
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 2 * 86400000);
    assert_int_equal(kit_retry(kit, 1), 0);
    assert_int_equal(kit_view(kit, "chat").oldest_ms, 1700000000000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    kit_restart(kit);
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    kit_pass(kit, 600000);
    assert_int_equal(kit_view(kit, "chat").oldest_ms, 1700000000000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    kit_pass(kit, 86400000);
    hear(kit, "chat: +A", OUTBOX_RETRY);
    assert_int_equal(kit_view(kit, "chat").dead, 1);
    kit_close(kit);
}

static void what_waits_is_tried_at_once(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    kit_answer_after(kit, 0, OUTBOX_RETRY, 3600000);
    kit_pass(kit, 1000);
    assert_int_equal(kit->n, 0);
    assert_int_equal(kit_retry(kit, 1), 0);
    assert_int_equal(kit->n, 1);
    assert_int_equal(kit_retry(kit, 1), 0); /* it is under way */
    assert_int_equal(kit->n, 1);
    kit_close(kit);
}

/* ---- dropped ---- */

static void it_is_dropped(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    assert_int_equal(kit_drop(kit, 1), -EBUSY);
    assert_int_equal(kit_drop(kit, 2), -ENOENT);
    kit_answer(kit, 0, OUTBOX_RETRY);
    assert_int_equal(kit_drop(kit, 1), 0);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    assert_int_equal(kit_drop(kit, 1), -EINVAL);
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);
    (void)kit_resolve(kit, "A", "info"); /* nobody has heard of it */
    kit_pass(kit, 60000);
    assert_int_equal(kit->n, 0);

    /* What may have been heard gets its end. */
    (void)kit_fire(kit, "B", "info");
    kit_answer(kit, 0, OUTBOX_AMBIGUOUS);
    assert_int_equal(kit_drop(kit, 2), 0);
    (void)kit_resolve(kit, "B", "info");
    kit_pass(kit, 60000);
    hear(kit, "chat: -B", OUTBOX_DELIVERED);

    /* Dropped, and wanted after all. */
    (void)kit_fire(kit, "C", "info");
    kit_answer(kit, 0, OUTBOX_REJECTED);
    assert_int_equal(kit_drop(kit, 4), 0);
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    assert_int_equal(kit_retry(kit, 4), 0);
    hear(kit, "chat: +C", OUTBOX_DELIVERED);
    kit_close(kit);
}

/* The first of an ordering is dropped: the next one is not held up, and shows nothing of it. */
static void the_first_is_dropped(void **state)
{
    struct kit *kit = kit_open(one_group, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    kit_answer(kit, 0, OUTBOX_RETRY);
    (void)kit_fire(kit, "B", "info");
    kit_pass(kit, 100);
    (void)kit_next(kit);
    kit_pass(kit, 900);
    if (kit->n > 0) {
        kit_answer(kit, 0, OUTBOX_RETRY);
    }
    assert_int_equal(kit_drop(kit, 1), 0);
    hear(kit, "chat: +B", OUTBOX_DELIVERED);
    (void)kit_resolve(kit, "A", "info");
    (void)kit_resolve(kit, "B", "info");
    kit_pass(kit, 1000);
    hear(kit, "chat: -B", OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 0);
    kit_close(kit);
}

/* ---- parked ---- */

static void parked_and_adopted(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    (void)kit_fire(kit, "A", "info");
    hear(kit, "chat: +A", OUTBOX_DELIVERED);
    (void)kit_fire(kit, "B", "info");
    kit_answer(kit, 0, OUTBOX_RETRY);
    kit->sinks = &sinks[1];
    kit->nsinks = 1;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    (void)kit_resolve(kit, "A", "info");
    kit_pass(kit, 600000);
    assert_int_equal(kit->n, 0);
    kit_restart(kit);
    assert_int_equal(kit_view(kit, "chat").pending, 2);
    assert_int_equal(kit_view(kit, "chat").oldest_ms, 1700000000000);
    kit->sinks = sinks;
    kit->nsinks = 2;
    assert_int_equal(kit_do(kit, kit_configure, NULL), 0);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit->n, 1);
    kit_answer(kit, 0, OUTBOX_DELIVERED);
    assert_int_equal(kit_view(kit, "chat").pending, 0);
    assert_int_equal(kit_view(kit, "chat").oldest_ms, 0);
    kit_close(kit);
}

/* ---- old ones ---- */

static void old_ones_are_forgotten(void **state)
{
    struct kit *kit = kit_open(each, sinks, 2);

    for (int i = 0; i < 3; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "A%d", i);
        (void)kit_fire(kit, name, "info");
        kit_answer(kit, 0, i == 1 ? OUTBOX_REJECTED : OUTBOX_DELIVERED);
        (void)kit_resolve(kit, name, "info");
        kit_pass(kit, 1000);
        if (kit->n > 0) {
            kit_answer(kit, 0, OUTBOX_DELIVERED);
        }
    }
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox"), "5");
    assert_int_equal(kit_view(kit, "chat").dead, 1);
    kit_pass(kit, INT64_C(6) * 86400000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox"), "5");
    kit_pass(kit, INT64_C(86400000) + 60000);
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox"), "0");
    assert_int_equal(kit_view(kit, "chat").dead, 0);
    kit_close(kit);
}

static void no_more_than_so_many_are_kept(void **state)
{
    static const char fill[] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20100) "
        "INSERT INTO outbox SELECT i, 'u' || i, 'chat', i, 0, 1, 1, 0, 1699999999000, "
        "1699999999000 + i, 0, '', '', x'00', 0 FROM n";
    struct kit *kit = kit_open(each, sinks, 2);

    assert_string_equal(kit_sql(kit, fill), "");
    kit_restart(kit); /* counts them */
    assert_string_equal(kit_sql(kit, "SELECT count(*) FROM outbox"), "20000");
    assert_string_equal(kit_sql(kit, "SELECT min(id) FROM outbox"), "101"); /* the oldest go */
    kit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_listed),
        cmocka_unit_test(it_is_shown),
        cmocka_unit_test(a_dead_letter_is_tried_again),
        cmocka_unit_test(what_is_over_is_told_with_its_end),
        cmocka_unit_test(tried_again_behind_others),
        cmocka_unit_test(tried_again_it_keeps_its_age),
        cmocka_unit_test(what_waits_is_tried_at_once),
        cmocka_unit_test(it_is_dropped),
        cmocka_unit_test(the_first_is_dropped),
        cmocka_unit_test(parked_and_adopted),
        cmocka_unit_test(old_ones_are_forgotten),
        cmocka_unit_test(no_more_than_so_many_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
