/* core/http/form.c: what a browser sends for a form, and what somebody else might. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/form.h"

static void finds_fields(void **state)
{
    static const struct {
        const char *body, *value; /* of `by`; NULL: refused */
    } cases[] = {
        {"by=ada&comment=x", "ada"},
        {"comment=by=x&by=ada+l%2E", "ada l."},
        {"", ""},
        {"by", ""},
        {"by=", ""},
        {"&&by=a&by=b", "a"},
        {"bye=a&xby=b", ""},
        {"by=%C3%A9%f0%9f%9a%bd", "\xc3\xa9\xf0\x9f\x9a\xbd"},
        {"by=100%", "100%"},
        {"by=%4", "%4"},
        {"by=%zz", "%zz"},
        {"by=%41", "A"},
        {"by=a%00b", NULL},
        {"by=%ff", NULL},
        {"by=0123456789abcdef", NULL}, /* one too long */
    };
    char value[16];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int r = form_field(cases[i].body, strlen(cases[i].body), "by", value, sizeof value);

        assert_int_equal(r, cases[i].value ? 0 : -EINVAL);
        if (cases[i].value) {
            assert_string_equal(value, cases[i].value);
        }
    }
}

/* It does not look behind the end. */
static void ends_where_it_ends(void **state)
{
    char value[16];

    assert_int_equal(form_field("by=a%41", 6, "by", value, sizeof value), 0);
    assert_string_equal(value, "a%4");
    assert_int_equal(form_field("by=ab", 2, "by", value, sizeof value), 0);
    assert_string_equal(value, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_fields),
        cmocka_unit_test(ends_where_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
