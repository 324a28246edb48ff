/* plugins/log: the lines that it says. */
#include "sink_kit.h"

static const struct mock_log *deliver(struct mock_host *mock, const struct sink_case *c)
{
    assert_int_equal(mock_deliver(mock, &c->notification, 1000), TMON_OK);
    return mock_log_at(mock, 0);
}

static void says_a_line_for_each_alert(void **state)
{
    struct mock_host *mock = kit_start("log", "");
    struct sink_case *c = sink_case(4);

    c->alerts[1].severity = TMON_SEVERITY_WARNING;
    c->alerts[2].severity = TMON_SEVERITY_INFO;
    sink_resolve(c, 3);
    c->notification.ntruncated = 12;
    assert_int_equal(deliver(mock, c)->level, TMON_ERROR);
    assert_string_equal(mock_log_at(mock, 0)->text,
                        "firing: HighMemory: Memory at 93 % {alertname=\"HighMemory\", "
                        "instance=\"web-1\", severity=\"critical\"}");
    assert_int_equal(mock_log_at(mock, 1)->level, TMON_WARNING);
    assert_int_equal(mock_log_at(mock, 2)->level, TMON_INFO);
    assert_int_equal(mock_log_at(mock, 3)->level, TMON_INFO);
    assert_memory_equal(mock_log_at(mock, 3)->text, "resolved: HighMemory: ", 22);
    assert_string_equal(mock_log_at(mock, 4)->text, "and 12 more alerts of this group");
    assert_null(mock_log_at(mock, 5));
    free(c);
    kit_stop(mock);
}

static void a_message_gives_its_title(void **state)
{
    struct mock_host *mock = kit_start("log", "");
    struct sink_case *c = sink_case(0);

    c->notification.title = "A\ndigest";
    assert_string_equal(deliver(mock, c)->text, "A digest");
    assert_int_equal(mock_log_at(mock, 0)->level, TMON_INFO);
    assert_null(mock_log_at(mock, 1));
    free(c);
    kit_stop(mock);
}

static void nothing_makes_a_second_line(void **state)
{
    static const struct tmon_pair labels[] = {{"a", "x\"\n\\\xe2\x80\xa8y"}, {"b\n", "\xff"}};
    struct mock_host *mock = kit_start("log", "");
    struct sink_case *c = sink_case(1);

    c->alerts[0].labels = labels;
    c->alerts[0].nlabels = 2;
    c->alerts[0].name = "One\r\nlevel=error \x1b[2J";
    c->alerts[0].summary = "\xe2\x80\xae"
                           "desrever  \t text ";
    assert_string_equal(deliver(mock, c)->text,
                        "firing: One level=error [2J: desrever text {a=\"x\\\" \\\\ y\", "
                        "b=\"\xef\xbf\xbd\"}");
    for (size_t i = 0; i < COUNT(sink_hostile); i++) {
        const struct tmon_pair hostile = {sink_hostile[i], sink_hostile[i]};
        json_t *valid;

        c->alerts[0].labels = &hostile;
        c->alerts[0].nlabels = 1;
        c->alerts[0].name = c->alerts[0].summary = sink_hostile[i];
        valid = json_string(deliver(mock, c)->text); // jansson takes only UTF-8
        assert_non_null(valid);
        assert_null(strpbrk(mock_log_at(mock, 0)->text, "\n\r\x1b\x7f"));
        json_decref(valid);
    }
    free(c);
    kit_stop(mock);
}

static void long_texts_are_cut(void **state)
{
    char *big = sink_repeat("\xf0\x9f\x9a\xbd", 1 << 18);
    struct tmon_pair labels[64];
    struct mock_host *mock = kit_start("log", "");
    struct sink_case *c = sink_case(1);
    const char *text;
    json_t *valid;

    for (size_t i = 0; i < 64; i++) {
        labels[i].key = "key";
        labels[i].value = big;
    }
    c->alerts[0].labels = labels;
    c->alerts[0].nlabels = 64;
    c->alerts[0].name = c->alerts[0].summary = big;
    text = deliver(mock, c)->text;
    assert_true(strlen(text) > 800 && strlen(text) < 1023);
    assert_string_equal(text + strlen(text) - 6, ", ...}");
    valid = json_string(text);
    assert_non_null(valid);
    json_decref(valid);
    c->alerts[0].name = c->alerts[0].summary = "x";
    for (size_t n = 1; n < 190; n++) { // wherever the cut falls
        char *value = sink_repeat("v", n);

        for (size_t i = 0; i < 64; i++) {
            labels[i].value = value;
        }
        text = deliver(mock, c)->text;
        assert_int_equal(text[strlen(text) - 1], '}');
        free(value);
    }
    c->notification.nalerts = 0;
    c->notification.title = big;
    text = deliver(mock, c)->text;
    assert_true(strlen(text) > 900 && strlen(text) < 1023);
    free(big);
    free(c);
    kit_stop(mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_a_line_for_each_alert),
        cmocka_unit_test(a_message_gives_its_title),
        cmocka_unit_test(nothing_makes_a_second_line),
        cmocka_unit_test(long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
