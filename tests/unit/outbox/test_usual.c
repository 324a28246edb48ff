/* What answers mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "outbox/usual.h"

static void judges_by_the_status(void **state)
{
    static const struct {
        int32_t status;
        enum outbox_result result;
    } cases[] = {
        {200, OUTBOX_DELIVERED}, {202, OUTBOX_DELIVERED}, {204, OUTBOX_DELIVERED},
        {299, OUTBOX_DELIVERED}, {100, OUTBOX_REJECTED},  {301, OUTBOX_REJECTED},
        {304, OUTBOX_REJECTED},  {400, OUTBOX_REJECTED},  {401, OUTBOX_PAUSE},
        {402, OUTBOX_REJECTED},  {403, OUTBOX_PAUSE},     {404, OUTBOX_PAUSE},
        {408, OUTBOX_RETRY},     {410, OUTBOX_REJECTED},  {413, OUTBOX_REJECTED},
        {429, OUTBOX_RETRY},     {500, OUTBOX_AMBIGUOUS}, {502, OUTBOX_AMBIGUOUS},
        {503, OUTBOX_RETRY},     {504, OUTBOX_AMBIGUOUS}, {599, OUTBOX_AMBIGUOUS},
        {600, OUTBOX_REJECTED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(usual_verdict(cases[i].status), cases[i].result);
    }
}

static void takes_the_plugins_word(void **state)
{
    assert_int_equal(usual_of_rc(TMON_OK, 404), OUTBOX_DELIVERED);
    assert_int_equal(usual_of_rc(TMON_RETRY, 404), OUTBOX_RETRY);
    assert_int_equal(usual_of_rc(TMON_AMBIGUOUS, 200), OUTBOX_AMBIGUOUS);
    assert_int_equal(usual_of_rc(TMON_TIMEOUT, 0), OUTBOX_AMBIGUOUS);
    assert_int_equal(usual_of_rc(TMON_REJECTED, 400), OUTBOX_REJECTED);
    assert_int_equal(usual_of_rc(TMON_UNSUPPORTED, 0), OUTBOX_REJECTED);
}

/* Settings that are wrong lose nothing, whatever the plugin says. */
static void pauses_all_the_same(void **state)
{
    assert_int_equal(usual_of_rc(TMON_REJECTED, 401), OUTBOX_PAUSE);
    assert_int_equal(usual_of_rc(TMON_REJECTED, 403), OUTBOX_PAUSE);
    assert_int_equal(usual_of_rc(TMON_REJECTED, 404), OUTBOX_PAUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_by_the_status),
        cmocka_unit_test(takes_the_plugins_word),
        cmocka_unit_test(pauses_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
