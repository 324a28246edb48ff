/* Titles and texts of notifications, within their limits. */
#include "delivery_kit.h"

#include "base/utf8.h"
#include "outbox/compose.h"

#define NALERTS 3

struct group {
    struct tmon_pair labels[NALERTS][4];
    struct tmon_alert alerts[NALERTS];
    const struct tmon_alert *list[NALERTS];
    struct tmon_notification notification;
};

static void make(struct group *group, size_t n)
{
    memset(group, 0, sizeof *group);
    for (size_t i = 0; i < n; i++) {
        group->labels[i][0] = (struct tmon_pair){"alertname", "DiskFull"};
        group->labels[i][1] = (struct tmon_pair){"host", "a"};
        group->labels[i][2] = (struct tmon_pair){"mount", i == 0 ? "/" : "/var"};
        group->labels[i][3] = (struct tmon_pair){"severity", "critical"};
        group->alerts[i] = (struct tmon_alert){.size = sizeof group->alerts[i],
                                               .severity = TMON_SEVERITY_CRITICAL,
                                               .firing = true,
                                               .key = "1",
                                               .name = "DiskFull",
                                               .summary = "it is full",
                                               .labels = group->labels[i],
                                               .nlabels = 4,
                                               .starts_ms = 1700000000000};
        group->list[i] = &group->alerts[i];
    }
    group->notification = (struct tmon_notification){
        .size = sizeof group->notification, .id = "n", .alerts = group->list, .nalerts = n};
}

static void expect_title(const struct group *group, const char *expected)
{
    struct buf buf;

    buf_init(&buf, LIMIT_TITLE_BYTES);
    compose_title(&buf, &group->notification);
    assert_string_equal(buf_str(&buf), expected);
    buf_finish(&buf);
}

static void renders_titles(void **state)
{
    struct group group;

    make(&group, 1);
    expect_title(&group, "[FIRING:1] DiskFull (host=\"a\", mount=\"/\")");
    make(&group, 2);
    expect_title(&group, "[FIRING:2] DiskFull (host=\"a\")");
    group.alerts[1].firing = false;
    expect_title(&group, "[FIRING:1] DiskFull (host=\"a\")");
    group.notification.ntruncated = 7;
    expect_title(&group, "[FIRING:8] DiskFull (host=\"a\")");
    group.notification.ntruncated = 0;
    group.alerts[0].firing = false;
    expect_title(&group, "[RESOLVED] DiskFull (host=\"a\")");
    group.alerts[1].name = "CPU";
    expect_title(&group, "[RESOLVED] DiskFull, CPU (host=\"a\")");
    group.labels[1][1].value = "b";
    expect_title(&group, "[RESOLVED] DiskFull, CPU");
    make(&group, 0);
    expect_title(&group, "[RESOLVED] ");
}

static void keeps_titles_on_a_line(void **state)
{
    static char longest[2000];
    struct group group;
    struct buf buf;

    make(&group, 1);
    group.labels[0][1].value = "a\nb\x7f";
    group.alerts[0].name = "Disk\tFull";
    expect_title(&group, "[FIRING:1] Disk Full (host=\"a b \", mount=\"/\")");
    for (size_t i = 0; i + 2 < sizeof longest; i += 2) {
        memcpy(longest + i, "\xc3\xbc", 2);
    }
    group.alerts[0].name = longest;
    buf_init(&buf, LIMIT_TITLE_BYTES);
    compose_title(&buf, &group.notification);
    assert_true(buf.len >= LIMIT_TITLE_BYTES - 1);
    assert_true(utf8_valid(buf.data, buf.len));
    buf_finish(&buf);
}

static void renders_texts(void **state)
{
    struct group group;
    struct buf buf;

    make(&group, 2);
    group.notification.title = "T";
    group.notification.ntruncated = 4;
    group.alerts[0].description = "more\nof it";
    group.alerts[0].generator_url = "http://g/";
    group.alerts[1].description = "it is full"; // the summary once more
    group.alerts[1].firing = false;
    group.alerts[1].ends_ms = 1700000001000;
    group.alerts[0].name = group.alerts[1].name = "DiskFull";
    for (size_t i = 0; i < 2; i++) { // as decoded: never NULL
        if (!group.alerts[i].description) {
            group.alerts[i].description = "";
        }
        if (!group.alerts[i].generator_url) {
            group.alerts[i].generator_url = "";
        }
    }
    buf_init(&buf, LIMIT_PLAIN_BYTES);
    compose_text(&buf, &group.notification);
    assert_string_equal(
        buf_str(&buf), "T\n"
                       "\nFIRING DiskFull (critical) since 2023-11-14T22:13:20.000Z\n"
                       "it is full\nmore\nof it\n"
                       "alertname=\"DiskFull\", host=\"a\", mount=\"/\", severity=\"critical\"\n"
                       "http://g/\n"
                       "\nRESOLVED DiskFull (critical) since 2023-11-14T22:13:20.000Z until "
                       "2023-11-14T22:13:21.000Z\n"
                       "it is full\n"
                       "alertname=\"DiskFull\", host=\"a\", mount=\"/var\", severity=\"critical\"\n"
                       "\nand 4 more\n");
    buf_finish(&buf);
}

#define CREATED_MS INT64_C(1700000000123)

/* Composes and reads again. */
static int compose(struct compose *compose, const struct tmon_notification *from,
                   struct tmon_notification **ret_notification)
{
    struct outbox_attempt *attempt = kit_attempt("slack", 1, from);
    struct wire_reader reader;
    int r;

    attempt->attempt = 3;
    attempt->created_ms = CREATED_MS;
    r = compose_notification(compose, attempt, "http://agent/");
    free(attempt);
    if (r == 0) {
        wire_reader_init(&reader, compose->out.data, compose->out.len);
        assert_int_equal(notification_decode(&reader, ret_notification), 0);
        assert_true(wire_done(&reader));
    }
    return r;
}

static void fills_in(void **state)
{
    struct tmon_notification *notification;
    struct compose kept;
    struct group group;

    make(&group, 2);
    compose_init(&kept);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(compose(&kept, &group.notification, &notification), 0);
        assert_string_equal(notification->receiver, "slack");
        assert_string_equal(notification->external_url, "http://agent/");
        assert_string_equal(notification->id, "n");
        assert_int_equal(notification->attempt, 3);
        assert_int_equal(notification->nalerts, 2);
        assert_string_equal(notification->title, "[FIRING:2] DiskFull (host=\"a\")");
        assert_true(strncmp(notification->text, "[FIRING:2] DiskFull", 19) == 0);
        notification_destroy(notification);
    }
    group.notification.title = "a digest";
    group.notification.text = "of much";
    assert_int_equal(compose(&kept, &group.notification, &notification), 0);
    assert_string_equal(notification->title, "a digest");
    assert_string_equal(notification->text, "of much");
    notification_destroy(notification);
    compose_finish(&kept);
}

/* What fires has a link, the same for each attempt; without a place that people reach there is
 * none.
 */
static void links_what_fires(void **state)
{
    struct tmon_notification *notification;
    struct ack_key key = {.set = true, .bytes = "a key that nobody guesses"};
    struct compose kept;
    struct group group;
    char token[ACK_TOKEN_SIZE], url[256], episode[ACK_EPISODE_SIZE];

    make(&group, 2);
    group.alerts[0].key = "b807e636403824b5-18c0-2a";
    group.alerts[1].key = "b807e636403824b6-18c0-2b";
    group.alerts[1].firing = false;
    compose_init(&kept);
    assert_int_equal(compose(&kept, &group.notification, &notification), 0);
    assert_null(notification->alerts[0]->ack_url); /* there is no key yet */
    notification_destroy(notification);
    kept.ack_key = key;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(compose(&kept, &group.notification, &notification), 0);
        assert_int_equal(ack_token_make(&key, group.alerts[0].key, CREATED_MS + ACK_LINK_MS, token),
                         0);
        (void)snprintf(url, sizeof url, "http://agent/ack/%s", token);
        assert_string_equal(notification->alerts[0]->ack_url, url);
        assert_null(notification->alerts[1]->ack_url);
        assert_null(strstr(notification->text, token)); /* it may be logged */
        notification_destroy(notification);
    }
    assert_int_equal(ack_token_read(&key, token, CREATED_MS, episode), 0);
    assert_string_equal(episode, group.alerts[0].key);
    compose_finish(&kept);
}

/* Alerts that fill a call by themselves go without a text; larger ones do not go. */
static void stays_within_a_call(void **state)
{
    enum { N = 66 };
    static char text[LIMIT_ALERT_TEXT_BYTES + 1];
    static struct tmon_alert alerts[N];
    static const struct tmon_alert *list[N];
    struct tmon_notification from = {.size = sizeof from, .id = "n", .alerts = list};
    struct tmon_notification *notification;
    struct compose kept;
    size_t with = 0, without = 0, refused = 0;

    memset(text, 'x', sizeof text - 1);
    compose_init(&kept);
    for (size_t i = 0; i < N; i++) {
        alerts[i] = (struct tmon_alert){
            .size = sizeof alerts[i], .firing = true, .key = "1", .name = "N", .description = text};
        list[i] = &alerts[i];
        from.nalerts = i + 1;
        if (compose(&kept, &from, &notification) == 0) {
            assert_true(strlen(notification->text) <= LIMIT_PLAIN_BYTES);
            with += *notification->text != '\0';
            without += *notification->text == '\0';
            notification_destroy(notification);
        } else {
            refused++;
        }
    }
    assert_true(with > 55);
    assert_true(without >= 1);
    assert_true(refused >= 1);
    compose_finish(&kept);
}

static void refuses_what_is_no_notification(void **state)
{
    struct outbox_attempt *attempt = calloc(1, sizeof *attempt + 10);
    struct compose kept;

    assert_non_null(attempt);
    attempt->len = 10;
    compose_init(&kept);
    assert_int_equal(compose_notification(&kept, attempt, ""), -EPROTO);
    compose_finish(&kept);
    free(attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders_titles),
        cmocka_unit_test(keeps_titles_on_a_line),
        cmocka_unit_test(renders_texts),
        cmocka_unit_test(fills_in),
        cmocka_unit_test(links_what_fires),
        cmocka_unit_test(stays_within_a_call),
        cmocka_unit_test(refuses_what_is_no_notification),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
