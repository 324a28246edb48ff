/* plugins/resend: the mails that it sends, and what it makes of answers. */
#include "sink_kit.h"

#include "mail_check.h"

#define KEY "re_0123456789abcdef"
#define SETTINGS                                                                                   \
    "api_key: " KEY                                                                                \
    "\nfrom: Toiletmon <noreply@far.example>\nto: [a@far.example, \"b@far.example, "               \
    "c@far.example\"]\n"

static json_t *format(struct mock_host *mock, const struct sink_case *c)
{
    const struct tmon_request *request;
    json_t *root;
    const char *why;

    assert_int_equal(mock_format(mock, &c->notification, &request), TMON_OK);
    assert_string_equal(request->url, "https://api.resend.com/emails");
    assert_string_equal(request->method, "POST");
    assert_int_equal(request->nheaders, 3);
    assert_string_equal(request->headers[0].key, "Authorization");
    assert_string_equal(request->headers[0].value, "Bearer " KEY);
    assert_string_equal(request->headers[2].key, "Idempotency-Key");
    assert_true(strlen(request->headers[2].value) > 0 && strlen(request->headers[2].value) <= 256);
    why = check_resend(request->body.data, request->body.len, &root);
    if (why != NULL) {
        fail_msg("%s: %.4000s", why, (const char *)request->body.data);
    }
    return root;
}

static void a_mail(void **state)
{
    struct mock_host *mock = kit_start("resend", SETTINGS);
    struct sink_case *c = sink_case(2);
    json_t *root;

    sink_resolve(c, 1);
    root = format(mock, c);
    assert_string_equal(sink_text(root, "from"), "Toiletmon <noreply@far.example>");
    assert_int_equal(json_array_size(json_object_get(root, "to")), 3);
    assert_string_equal(sink_text(root, "subject"), "HighMemory on web-1");
    assert_string_equal(sink_text(json_object_get(root, "headers"), "References"),
                        "<episode.b807e636403824b5-1@far.example> "
                        "<episode.b807e636403824b5-1@far.example>");
    assert_non_null(strstr(sink_text(root, "html"), "1 firing, 1 resolved"));
    json_decref(root);
    free(c);
    kit_stop(mock);
}

static void hostile_texts(void **state)
{
    struct mock_host *mock = kit_start("resend", SETTINGS);
    struct sink_case *c = sink_case(1);

    for (size_t i = 0; i < COUNT(sink_hostile); i++) {
        const struct tmon_pair pairs[] = {{sink_hostile[i], sink_hostile[i]}};

        sink_set_texts(c, sink_hostile[i], pairs, 1);
        json_decref(format(mock, c));
    }
    free(c);
    kit_stop(mock);
}

static void judges_answers(void **state)
{
    static const struct sink_verdict cases[] = {
        {200, "{\"id\":\"49a3999c\"}", -1, TMON_OK, -1, NULL},
        {200, "<html>", -1, TMON_AMBIGUOUS, -1, "Resend answered 200"},
        {409, "{\"name\":\"concurrent_idempotent_requests\"}", -1, TMON_RETRY, -1,
         "Resend answered 409: {\"name\":\"concurrent_idempotent_requests\"}"},
        {409, "{\"name\":\"invalid_idempotent_request\"}", -1, TMON_REJECTED, -1,
         "Resend answered 409: {\"name\":\"invalid_idempotent_request\"}"},
        {429, "{\"name\":\"rate_limit_exceeded\"}", 1000, TMON_RETRY, 1000,
         "Resend answered 429: {\"name\":\"rate_limit_exceeded\"}"},
        {429, "{\"name\":\"daily_quota_exceeded\"}", 1000, TMON_REJECTED, -1,
         "Resend answered 429: {\"name\":\"daily_quota_exceeded\"}"},
        {429, "", -1, TMON_RETRY, -1, "Resend answered 429"},
        {401, "{\"message\":\"" KEY "\"}", -1, TMON_REJECTED, -1,
         "Resend answered 401: {\"message\":\"***\"}"},
        {500, "{}", 2000, TMON_RETRY, 2000, "Resend answered 500: {}"},
    };
    struct mock_host *mock = kit_start("resend", SETTINGS);

    sink_try_verdicts(mock, cases, COUNT(cases));
    kit_stop(mock);
}

static void try_settings(const char *component, const char *settings, const char *said)
{
    struct mock_host *mock = mock_open(kit_plugin(component), component, settings);

    assert_string_equal(mock_error(mock), "");
    assert_int_equal(mock_create(mock, 1000), TMON_REJECTED);
    assert_true(mock_said(mock, said));
    mock_close(mock);
}

#define RESEND "api_key: k\nfrom: a@b.example\n"
#define SMTP "host: h.example\nfrom: a@b.example\nto: [c@d.example]\n"

static void settings_that_cannot_be_are_refused(void **state)
{
    try_settings("resend", "api_key: k\nfrom: nobody\nto: [c@d.example]\n", "from: it is no");
    try_settings("resend", "api_key: a b\nfrom: a@b.example\nto: [c@d.example]\n", "api_key: ");
    try_settings("resend", RESEND "to: [\"c@d.example, x\"]\n", "to: the one at place 2 is no");
    try_settings("resend", RESEND "to: []\n", "to: nobody is named");
    try_settings("smtp", "host: a/b\nfrom: a@b.example\nto: [c@d.example]\n",
                 "host: it is neither");
    try_settings("smtp", SMTP "hello: a b\n", "hello: it is neither");
    try_settings("smtp", SMTP "user: u\n", "one goes with the other");
    try_settings("smtp", SMTP "user: u\npassword: p\ntls: none\n", "not sent without TLS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mail),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(judges_answers),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
