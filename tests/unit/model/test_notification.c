/* core/model/notification.c: a notification and its alerts come out as they went in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "model/notification.h"

static const struct tmon_pair labels[] = {{"alertname", "Disk"}, {"instance", "a"}};
static const struct tmon_alert alert = {
    .size = sizeof alert,
    .severity = TMON_SEVERITY_CRITICAL,
    .firing = true,
    .key = "f00-17",
    .name = "Disk",
    .summary = "Disk is full",
    .description = "really",
    .labels = labels,
    .nlabels = 2,
    .annotations = labels,
    .nannotations = 1,
    .starts_ms = 17,
    .fingerprint = "b807e636403824b5",
    .generator_url = "http://prometheus/graph",
};
static const struct tmon_alert *const alerts[] = {&alert, &alert};
static const struct tmon_notification notification = {
    .size = sizeof notification,
    .attempt = 2,
    .id = "id-1",
    .alerts = alerts,
    .nalerts = 2,
    .ntruncated = 1,
    .group = labels,
    .ngroup = 1,
    .group_key = "{}:{alertname=\"Disk\"}",
    .receiver = "slack",
    .external_url = "",
    .title = "[FIRING:2] Disk",
    .text = "two lines\nof text",
    .headers = labels,
    .nheaders = 2,
};

static void test_round_trip(void **state)
{
    struct tmon_notification *got;
    struct wire_reader reader;
    struct buf buf;

    buf_init(&buf, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(&buf, &notification), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(notification_decode(&reader, &got), 0);
    assert_true(wire_done(&reader));
    assert_int_equal(got->attempt, 2);
    assert_false(got->resolved);
    assert_string_equal(got->id, "id-1");
    assert_int_equal(got->nalerts, 2);
    assert_int_equal(got->ntruncated, 1);
    assert_int_equal(got->alerts[1]->severity, TMON_SEVERITY_CRITICAL);
    assert_true(got->alerts[1]->firing);
    assert_string_equal(got->alerts[1]->key, "f00-17");
    assert_string_equal(got->alerts[1]->labels[1].key, "instance");
    assert_string_equal(got->alerts[1]->annotations[0].value, "Disk");
    assert_int_equal(got->alerts[1]->starts_ms, 17);
    assert_string_equal(got->alerts[1]->fingerprint, "b807e636403824b5");
    assert_string_equal(got->alerts[1]->generator_url, "http://prometheus/graph");
    assert_string_equal(got->group[0].key, "alertname");
    assert_string_equal(got->title, notification.title);
    assert_string_equal(got->text, notification.text);
    assert_null(got->html);
    assert_int_equal(got->nheaders, 2);
    notification_destroy(got);
    for (size_t len = 0; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(notification_decode(&reader, &got), -EPROTO);
    }
    buf_finish(&buf);
}

/* One alert has a link, the other has none. */
static void test_ack_urls(void **state)
{
    const char *const urls[] = {"https://m.example/ack/x", NULL};
    struct tmon_alert pair[] = {alert, alert};
    const struct tmon_alert *const pointers[] = {&pair[0], &pair[1]};
    struct tmon_notification linked = notification, *got;
    struct wire_reader reader;
    struct buf buf;
    size_t without;

    linked.alerts = pointers;
    buf_init(&buf, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(&buf, &linked), 0);
    without = buf.len;
    buf_clear(&buf);
    pair[0].ack_url = urls[0];
    assert_int_equal(notification_encode(&buf, &linked), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(notification_decode(&reader, &got), 0);
    assert_true(wire_done(&reader));
    assert_string_equal(got->alerts[0]->ack_url, urls[0]);
    assert_null(got->alerts[1]->ack_url);
    notification_destroy(got);
    for (size_t len = without + 1; len < buf.len; len++) {
        wire_reader_init(&reader, buf.data, len);
        assert_int_equal(notification_decode(&reader, &got), -EPROTO);
    }
    wire_reader_init(&reader, buf.data, without); /* as one of before there were links */
    assert_int_equal(notification_decode(&reader, &got), 0);
    assert_null(got->alerts[0]->ack_url);
    notification_destroy(got);
    buf_finish(&buf);
}

static void test_too_many_alerts_are_counted(void **state)
{
    const struct tmon_alert *many[LIMIT_ALERTS + 7];
    struct tmon_notification large = notification;
    struct tmon_notification *got;
    struct wire_reader reader;
    struct buf buf;

    for (size_t i = 0; i < LIMIT_ALERTS + 7; i++) {
        many[i] = &alert;
    }
    large.alerts = many;
    large.nalerts = LIMIT_ALERTS + 7;
    large.html = "<b>x</b>";
    buf_init(&buf, LIMIT_CALL_BYTES);
    assert_int_equal(notification_encode(&buf, &large), 0);
    wire_reader_init(&reader, buf.data, buf.len);
    assert_int_equal(notification_decode(&reader, &got), 0);
    assert_int_equal(got->nalerts, LIMIT_ALERTS);
    assert_int_equal(got->ntruncated, 8);
    assert_string_equal(got->html, "<b>x</b>");
    notification_destroy(got);

    buf_finish(&buf);
    buf_init(&buf, 1000);
    assert_int_equal(notification_encode(&buf, &large), -ENOBUFS);
    assert_int_equal(buf.len, 0);
    buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ack_urls),
        cmocka_unit_test(test_too_many_alerts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
