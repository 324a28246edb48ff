/*
 * Mustache: cases of our own for each rule, all public cases where the contracts lie beside this
 * tree (TMON_CONTRACTS, or ../shared/contracts), what is refused and where, and the bounds.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "mail/data_json.h"
#include "mail/mustache.h"

#define PARTIALS 16
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What became of a template: its output, or why not. */
static const char *show(const char *text, const json_t *data, const json_t *named,
                        enum mustache_escape escape)
{
    static char shown[8192];
    struct mustache_partial partials[PARTIALS];
    struct mustache *template = NULL;
    struct mail_tree tree;
    struct buf out;
    char why[256] = "";
    const char *name;
    json_t *value;
    size_t n = 0;
    int r;

    mail_tree_init(&tree);
    buf_init(&out, sizeof shown - 1);
    assert_int_equal(mail_tree_from_json(&tree, data), 0);
    json_object_foreach((json_t *)named, name, value)
    {
        struct mustache *partial = NULL;

        assert_true(n < PARTIALS);
        assert_int_equal(mustache_compile(json_string_value(value), json_string_length(value),
                                          &partial, why, sizeof why),
                         0);
        partials[n++] = (struct mustache_partial){name, partial};
    }
    r = mustache_compile(text, strlen(text), &template, why, sizeof why);
    if (r == 0) {
        r = mustache_render(template, &tree.root, escape, partials, n, &out);
        (void)snprintf(why, sizeof why, "%s", r < 0 ? strerror(-r) : "");
    }
    (void)snprintf(shown, sizeof shown, "%s", r < 0 ? why : buf_str(&out));
    for (size_t i = 0; i < n; i++) {
        mustache_destroy((struct mustache *)partials[i].template);
    }
    mustache_destroy(template);
    buf_finish(&out);
    mail_tree_finish(&tree);
    return shown;
}

static const char *render(const char *text, const char *data, const char *partials,
                          enum mustache_escape escape)
{
    json_error_t error;
    json_t *values = json_loads(data, JSON_DECODE_ANY, &error);
    json_t *named = json_loads(partials, 0, &error);
    const char *shown;

    assert_non_null(values);
    assert_non_null(named);
    shown = show(text, values, named, escape);
    json_decref(named);
    json_decref(values);
    return shown;
}

static const struct {
    const char *text, *data, *partials, *shown;
} cases[] = {
    /* values */
    {"", "{}", "{}", ""},
    {"{{a}} {{ b }} {{\tc\n}}", "{\"a\": \"x\", \"b\": 7, \"c\": true}", "{}", "x 7 true"},
    {"{{a}}|{{{a}}}|{{&a}}|{{& a }}", "{\"a\": \"<\\\"&'>\"}", "{}",
     "&lt;&quot;&amp;&#39;&gt;|<\"&'>|<\"&'>|<\"&'>"},
    {"[{{a}}{{b}}{{c.d}}{{e}}]", "{\"a\": null, \"c\": \"text\", \"e\": [1]}", "{}", "[]"},
    {"{{a}} {{b}} {{c}}", "{\"a\": 1.5, \"b\": -0.25, \"c\": 12345678901}", "{}",
     "1.5 -0.25 12345678901"},
    {"{{a.b.c}}", "{\"a\": {\"b\": {\"c\": \"deep\"}}}", "{}", "deep"},
    /* sections */
    {"{{#a}}{{x}}{{/a}}", "{\"a\": {\"x\": \"in\"}, \"x\": \"out\"}", "{}", "in"},
    {"{{#a}}{{x}}{{/a}}", "{\"a\": {\"y\": \"in\"}, \"x\": \"out\"}", "{}", "out"},
    {"{{#a}}{{b.x}}{{/a}}", "{\"a\": {\"b\": {}}, \"b\": {\"x\": \"outer\"}}", "{}", ""},
    {"{{#a}}<{{.}}>{{/a}}", "{\"a\": [1, \"&\", false]}", "{}", "<1><&amp;><false>"},
    {"{{#a}}{{#.}}{{.}}{{/.}};{{/a}}", "{\"a\": [[1, 2], [3]]}", "{}", "12;3;"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": \"\"}", "{}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": 0}", "{}", "yes"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": []}", "{}", "no"},
    {"{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\": {}}", "{}", "yes"},
    {"{{#a}}{{#b}}x{{/b}}{{/a}}", "{\"a\": true, \"b\": [1, 2]}", "{}", "xx"},
    /* lines of their own */
    {"1\n{{#a}}\n2\n  {{/a}}  \n3\n", "{\"a\": true}", "{}", "1\n2\n3\n"},
    {"1\r\n{{#a}}\r\n2\r\n{{/a}}\r\n", "{\"a\": true}", "{}", "1\r\n2\r\n"},
    {"  {{#a}}\n2\n {{/a}}", "{\"a\": true}", "{}", "2\n"},
    {" {{#a}} {{/a}}\n", "{\"a\": true}", "{}", "  \n"},
    {" x {{! note }}\n{{! a\n b }}\nend", "{}", "{}", " x \nend"},
    {"a {{! b }} c", "{}", "{}", "a  c"},
    /* delimiters */
    {"{{=<% %>=}}<%a%>{{a}}<%={{ }}=%>{{a}}", "{\"a\": 1}", "{}", "1{{a}}1"},
    {"{{= | | =}}|#a||x||/a|", "{\"a\": {\"x\": 1}}", "{}", "1"},
    {"{{=[ ]=}}[>p]", "{\"a\": 1}", "{\"p\": \"{{a}}[a]\"}", "1[a]"},
    /* partials */
    {"[{{>p}}{{>none}}]", "{\"a\": 1}", "{\"p\": \"<{{a}}>\"}", "[<1>]"},
    {"  {{>p}}\nend", "{\"a\": \"x\\ny\"}", "{\"p\": \"1 {{{a}}}\\n\\n2\\n\"}",
     "  1 x\ny\n\n  2\nend"},
    {" {{>p}}\n", "{}", "{\"p\": \"p\\n {{>q}}\\n\", \"q\": \"q\\nr\\n\"}", " p\n  q\n  r\n"},
    {" {{>p}}\n", "{\"a\": [1, 2]}", "{\"p\": \"{{#a}}{{.}}{{/a}}!\\n\"}", " 12!\n"},
    {" a {{>p}}\n", "{}", "{\"p\": \"1\\n2\"}", " a 1\n2\n"},
    {"{{>p}}", "{\"n\": {\"v\": 1, \"n\": {\"v\": 2, \"n\": null}}}",
     "{\"p\": \"{{#n}}({{v}}{{>p}}){{/n}}\"}", "(1(2))"},
    /* what is wrong, and where */
    {"a\n b {{c", "{}", "{}", "2:4: this tag is not closed"},
    {"{{{a}}", "{}", "{}", "1:1: this tag is not closed"},
    {"{{}}", "{}", "{}", "1:1: a tag without a name"},
    {"{{a b}}", "{}", "{}", "1:1: a name has no blanks in it"},
    {"{{a..b}}", "{}", "{}", "1:1: there is nothing beside a dot of the name"},
    {"{{.a}}", "{}", "{}", "1:1: there is nothing beside a dot of the name"},
    {"{{#a}}x", "{}", "{}", "1:4: the section a is not closed"},
    {"x{{/a}}", "{}", "{}", "1:2: this closes a section that is not open"},
    {"{{#a}}{{#b}}{{/a}}{{/b}}", "{}", "{}", "1:13: this closes a, but b is open"},
    {"{{=<%=}}", "{}", "{}", "1:1: delimiters are two words without '=', as in {{=<% %>=}}"},
    {"{{=a b c=}}", "{}", "{}", "1:1: delimiters are two words without '=', as in {{=<% %>=}}"},
    {"{{=aaaaaaaaaaaaaaaaa b=}}", "{}", "{}", "1:1: a delimiter has 16 bytes at most"},
};

static void each_rule(void **state)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(render(cases[i].text, cases[i].data, cases[i].partials, MUSTACHE_HTML),
                            cases[i].shown);
    }
}

static void json_is_escaped_for_json(void **state)
{
    assert_string_equal(
        render("\"{{a}}\"", "{\"a\": \"\\\"\\\\\\n\\u2028\\u00e9<\"}", "{}", MUSTACHE_JSON),
        "\"\\\"\\\\\\u000a\\u2028\xc3\xa9<\"");
    struct buf out;

    buf_init(&out, 100);
    mustache_put(&out, "a\xff\xe2\x82", 4, MUSTACHE_JSON);
    assert_string_equal(buf_str(&out), "a\\ufffd\\ufffd\\ufffd");
    buf_finish(&out);
}

/* ---- the public cases ---- */

static const char *contracts(char *path, size_t size)
{
    const char *given = getenv("TMON_CONTRACTS"), *source = getenv("TMON_SOURCE");

    if (given) {
        (void)snprintf(path, size, "%s/mustache", given);
    } else {
        (void)snprintf(path, size, "%s/../shared/contracts/mustache", source ? source : ".");
    }
    return path;
}

static size_t run_file(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error), *one;
    size_t i;

    assert_non_null(root);
    json_array_foreach(json_object_get(root, "tests"), i, one)
    {
        const char *text = json_string_value(json_object_get(one, "template"));
        const char *expected = json_string_value(json_object_get(one, "expected"));
        const char *shown = show(text, json_object_get(one, "data"),
                                 json_object_get(one, "partials"), MUSTACHE_HTML);

        if (strcmp(shown, expected) != 0) {
            fail_msg("%s, %s: [%s] instead of [%s]", path,
                     json_string_value(json_object_get(one, "name")), shown, expected);
        }
    }
    i = json_array_size(json_object_get(root, "tests"));
    json_decref(root);
    return i;
}

static void the_public_cases(void **state)
{
    static const char *const names[] = {"comments", "delimiters", "interpolation",
                                        "inverted", "partials",   "sections"};
    char folder[2048], path[4096];
    size_t count = 0;
    DIR *dir = opendir(contracts(folder, sizeof folder));

    if (!dir) {
        print_message("# the public cases are not at %s\n", folder);
        skip();
    }
    closedir(dir);
    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s.json", folder, names[i]);
        count += run_file(path);
    }
    print_message("# %zu public cases\n", count);
    assert_true(count >= 136);
}

/* ---- bounds ---- */

static char *repeated(const char *text, size_t times)
{
    struct buf buf;

    buf_init(&buf, (size_t)4 << 20);
    for (size_t i = 0; i < times; i++) {
        buf_puts(&buf, text);
    }
    return buf_take(&buf);
}

static int compile_only(const char *text, char *why, size_t size)
{
    struct mustache *template = NULL;
    int r = mustache_compile(text, strlen(text), &template, why, size);

    mustache_destroy(template);
    return r;
}

static void templates_are_bounded(void **state)
{
    char *text, why[128];

    text = repeated("{{#a}}", LIMIT_MUSTACHE_DEPTH + 1);
    assert_int_equal(compile_only(text, why, sizeof why), -EINVAL);
    assert_non_null(strstr(why, "32 deep"));
    free(text);
    text = repeated("x", LIMIT_MUSTACHE_BYTES + 1);
    assert_int_equal(compile_only(text, why, sizeof why), -E2BIG);
    free(text);
    text = repeated("a{{b}}", LIMIT_MUSTACHE_TAGS);
    assert_int_equal(compile_only(text, why, sizeof why), -E2BIG);
    assert_non_null(strstr(why, "too many tags"));
    free(text);
    text = repeated("x", 300);
    char tag[400];
    (void)snprintf(tag, sizeof tag, "{{%s}}", text);
    assert_int_equal(compile_only(tag, why, sizeof why), -EINVAL);
    free(text);
}

static int run_only(const char *text, const char *data, size_t cap)
{
    struct mustache *template = NULL;
    struct mustache_partial partial = {.name = "p"};
    struct mail_tree tree;
    struct buf out;
    char why[128];
    json_t *root = json_loads(data, 0, NULL);
    int r;

    buf_init(&out, cap);
    mail_tree_init(&tree);
    assert_int_equal(mail_tree_from_json(&tree, root), 0);
    assert_int_equal(mustache_compile(text, strlen(text), &template, why, sizeof why), 0);
    partial.template = template; /* of itself */
    r = mustache_render(template, &tree.root, MUSTACHE_HTML, &partial, 1, &out);
    assert_true(out.len <= cap);
    mustache_destroy(template);
    mail_tree_finish(&tree);
    buf_finish(&out);
    json_decref(root);
    return r;
}

static void rendering_is_bounded(void **state)
{
    char *many = repeated("1,", 999), *data;

    assert_int_equal(run_only("{{>p}}", "{}", 1000), -ELOOP);
    assert_int_equal(run_only("x{{>p}}{{>p}}", "{}", 1000000), -ELOOP);
    assert_true(asprintf(&data, "{\"a\": [%s1]}", many) > 0);
    assert_int_equal(run_only("{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}", data, 1000), -EOVERFLOW);
    assert_int_equal(run_only("{{#a}}{{#a}}xxxxx{{/a}}{{/a}}", data, 4096), -E2BIG);
    assert_int_equal(run_only("{{#a}}x{{/a}}", data, 4096), 0);
    free(data);
    free(many);
}

static void data_is_bounded(void **state)
{
    struct mail_tree tree;
    json_t *root = json_array(), *deep = json_array();

    mail_tree_init(&tree);
    for (size_t i = 0; i <= LIMIT_MUSTACHE_VALUES; i++) {
        json_array_append_new(root, json_true());
    }
    assert_int_equal(mail_tree_from_json(&tree, root), -E2BIG);
    mail_tree_finish(&tree);
    json_decref(root);
    mail_tree_init(&tree);
    for (size_t i = 0; i < LIMIT_API_DEPTH; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, deep);
        deep = outer;
    }
    assert_int_equal(mail_tree_from_json(&tree, deep), -E2BIG);
    mail_tree_finish(&tree);
    json_decref(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule),
        cmocka_unit_test(json_is_escaped_for_json),
        cmocka_unit_test(the_public_cases),
        cmocka_unit_test(templates_are_bounded),
        cmocka_unit_test(rendering_is_bounded),
        cmocka_unit_test(data_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
