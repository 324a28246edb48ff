/* Tables align by what a terminal shows, whatever stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/show.h"
#include "cli/table.h"

static char text[4096];

static const char *print(const struct table *table, bool colour)
{
    FILE *file = fmemopen(text, sizeof text, "w");

    assert_non_null(file);
    table_print(table, file, colour);
    fclose(file);
    return text;
}

static void aligns_by_width(void **state)
{
    static const char *const headings[] = {"NAME", ">AGE", "MESSAGE", NULL};
    static const char *const rows[][3] = {
        {"a", "5s", "well"}, {"größe", "12s", NULL},        {"日本", "1s", "wide"},
        {"", "", ""},        {"e\u0301", "9s", "combined"},
    };
    struct table table;

    table_init(&table, headings);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        table_row(&table, rows[i]);
    }
    assert_string_equal(print(&table, false), "NAME   AGE  MESSAGE\n"
                                              "a       5s  well\n"
                                              "größe  12s\n" // nothing behind the last cell
                                              "日本    1s  wide\n"
                                              "\n"
                                              "e\u0301       9s  combined\n");
    table_finish(&table);
}

static void keeps_the_cursor_where_it_is(void **state)
{
    static const char *const headings[] = {"A", "B", NULL};
    static const char *const row[] = {"x\ny\tz", "\033[2J\a\x7f."};
    struct table table;

    table_init(&table, headings);
    table_row(&table, row);
    assert_string_equal(print(&table, false), "A      B\nx y z  ?[2J??.\n");
    table_finish(&table);
}

static const char *cleaned(const char *dirty)
{
    static char space[256];

    snprintf(space, sizeof space, "%s", dirty);
    return table_clean(space);
}

static void cleans_what_is_dangerous(void **state)
{
    assert_string_equal(cleaned("plain, gr\u00f6\u00dfe \u65e5 \U0001f6bd"),
                        "plain, gr\u00f6\u00dfe \u65e5 \U0001f6bd");
    assert_string_equal(cleaned("a\xc2\x9b[31mb"), "a?[31mb"); // CSI as one character
    assert_string_equal(cleaned("\xc2\x80\xc2\x9f\xc2\xa0"), "??\xc2\xa0");
    assert_string_equal(cleaned("\u202egnp.exe\u202c \u2066x\u2069"), "?gnp.exe? ?x?");
    assert_string_equal(cleaned("\u200f\u061c\u200b\u2028\ufeff\U000e0041"), "??????");
    assert_string_equal(cleaned("\U0001f468\u200d\U0001f469"),
                        "\U0001f468\u200d\U0001f469"); // joined emoji
    assert_string_equal(cleaned("\x9b\x1b"), "??");
    assert_string_equal(cleaned(""), "");
}

static const char *cut(const char *whole, size_t columns)
{
    static char space[256];

    snprintf(space, sizeof space, "%s", whole);
    return table_cut(space, columns);
}

static void cuts_at_columns(void **state)
{
    assert_string_equal(cut("abcdef", 6), "abcdef");
    assert_string_equal(cut("abcdefg", 6), "abc...");
    assert_string_equal(cut("\u65e5\u65e5\u65e5\u65e5", 8), "\u65e5\u65e5\u65e5\u65e5");
    assert_string_equal(cut("\u65e5\u65e5\u65e5\u65e5", 7), "\u65e5\u65e5...");
    assert_string_equal(cut("\u65e5\u65e5\u65e5\u65e5", 6), "\u65e5...");
    assert_string_equal(cut("abcde", 4), "a...");
    assert_string_equal(cut("\u65e5\u65e5\u65e5", 4), "...");
    assert_string_equal(cut("", 4), "");
}

static void colours_words_only(void **state)
{
    static const char *const headings[] = {"A", "B", NULL};
    static const char *const row[] = {"fail", "failed"};
    struct table table;

    table_init(&table, headings);
    table_row(&table, row);
    assert_string_equal(print(&table, true), "A     B\n\033[31mfail\033[0m  failed\n");
    table_finish(&table);
}

static void knows_widths(void **state)
{
    assert_int_equal(table_width(""), 0);
    assert_int_equal(table_width("abc"), 3);
    assert_int_equal(table_width("größe"), 5);
    assert_int_equal(table_width("日本"), 4);
    assert_int_equal(table_width("🚽"), 2);
    assert_int_equal(table_width("\xff\xfe"), 2); // whatever comes, it ends
    assert_int_equal(table_width("\xf0"), 1);
}

static void shows_ages(void **state)
{
    char space[32];

    assert_string_equal(show_age(0.4, space, sizeof space), "0s");
    assert_string_equal(show_age(-5, space, sizeof space), "0s");
    assert_string_equal(show_age(59, space, sizeof space), "59s");
    assert_string_equal(show_age(125, space, sizeof space), "2m5s");
    assert_string_equal(show_age(3725, space, sizeof space), "1h2m");
    assert_string_equal(show_age(90000, space, sizeof space), "1d1h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_by_width),    cmocka_unit_test(keeps_the_cursor_where_it_is),
        cmocka_unit_test(colours_words_only), cmocka_unit_test(knows_widths),
        cmocka_unit_test(shows_ages),         cmocka_unit_test(cleans_what_is_dangerous),
        cmocka_unit_test(cuts_at_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
