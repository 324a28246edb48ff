/* YAML that is accepted, and where each kind of mistake is said to be. */
#include <errno.h>

#include "base/limits.h"
#include "config_help.h"

static struct tree *tree;

static const char *parse_bytes(const char *yaml, size_t len)
{
    static char text[8192];
    struct config_errors errors;
    int r;

    tree_destroy(tree);
    tree = NULL;
    config_errors_init(&errors);
    r = tree_parse("f", yaml, len, &errors, &tree);
    assert_int_equal(r, errors.errors ? -EINVAL : 0);
    assert_int_equal(r == 0, tree != NULL);
    snprintf(text, sizeof text, "%s", help_text(&errors));
    config_errors_finish(&errors);
    return text;
}

static const char *parse(const char *yaml)
{
    return parse_bytes(yaml, strlen(yaml));
}

static int end(void **state)
{
    tree_destroy(tree);
    tree = NULL;
    return 0;
}

static void knows_positions(void **state)
{
    struct node *key = NULL, *list;

    assert_string_equal(parse("# first\nä: {b: 1}\nlist:\n  - x\n  - 'y z'\n"), "");
    assert_int_equal(tree->root->kind, NODE_MAPPING);
    list = node_get(tree->root, "list", &key);
    assert_int_equal(key->at.line, 3);
    assert_int_equal(key->at.column, 1);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[1]->at.line, 5);
    assert_int_equal(list->items[1]->at.column, 5);
    assert_string_equal(list->items[1]->text, "y z");
    assert_false(list->items[1]->plain);
    assert_int_equal(node_get(tree->root->items[0], "b", NULL)->at.column,
                     8); // characters, not bytes
    assert_null(node_get(tree->root, "nothing", NULL));
}

static void knows_nothing_from_empty(void **state)
{
    assert_string_equal(parse(""), "");
    assert_null(tree->root);
    assert_string_equal(parse("# only a remark\n"), "");
    assert_null(tree->root);
    assert_string_equal(parse("\xef\xbb\xbf"
                              "a: ~\nb: ''\nc:\n"),
                        "");
    assert_true(node_is_null(node_get(tree->root, "a", NULL)));
    assert_false(node_is_null(node_get(tree->root, "b", NULL)));
    assert_true(node_is_null(node_get(tree->root, "c", NULL)));
}

static void copies_aliases(void **state)
{
    assert_string_equal(parse("a: &x {k: [1, 2]}\nb: *x\nc: &y text\nd: *y\n"), "");
    assert_string_equal(node_get(node_get(tree->root, "b", NULL), "k", NULL)->items[1]->text, "2");
    assert_ptr_not_equal(node_get(tree->root, "a", NULL), node_get(tree->root, "b", NULL));
    assert_string_equal(node_get(tree->root, "d", NULL)->text, "text");
}

static void refuses_bad_aliases(void **state)
{
    assert_string_equal(parse("a: *x\n"), "f:1:4: there is no anchor &x above this alias\n");
    assert_string_equal(parse("a: &x [1, *x]\n"),
                        "f:1:11: the alias *x stands inside of what it names\n");
    assert_non_null(
        strstr(parse("a: &x {b: 1}\nc: {<<: *x}\n"), "f:2:5: merge keys (<<) are not supported"));
}

static void refuses_alias_bombs(void **state)
{
    char yaml[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";

    for (int i = 1; i < 9; i++) {
        sprintf(yaml + strlen(yaml), "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            sprintf(yaml + strlen(yaml), "%s*a%d", j ? ", " : "", i - 1);
        }
        strcat(yaml, "]\n");
    }
    assert_non_null(strstr(parse(yaml), "the file, with its aliases, has more than 200000 values"));
    // and one of bytes: few nodes, much text
    char *big = malloc(80000);
    strcpy(big, "a: &a '");
    memset(big + 7, 'x', 60000);
    strcpy(big + 60007, "'\nb: [");
    for (int i = 0; i < 200; i++) {
        strcat(big + 60000, "*a, ");
    }
    strcat(big + 60000, "]\n");
    assert_non_null(strstr(parse(big), "more than 200000 values or 8388608 bytes"));
    free(big);
}

static void refuses_duplicates(void **state)
{
    assert_string_equal(parse("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n"),
                        "f:2:17: the key 'c' is here twice, first in line 2; remove one\n"
                        "f:3:1: the key 'a' is here twice, first in line 1; remove one\n");
}

static void refuses_absurd_sizes(void **state)
{
    char deep[64];
    size_t len = LIMIT_CONFIG_BYTES + 1;
    char *big = malloc(len + 1);

    memset(deep, '[', sizeof deep);
    deep[63] = '\0';
    assert_string_equal(parse(deep), "f:1:17: nested deeper than 16 levels\n");
    memset(big, '#', len);
    assert_string_equal(
        parse_bytes(big, len),
        "f: the file has 1048577 bytes, more than 1048576; split it into conf.d/*.yaml\n");
    memset(big, 'x', len);
    memcpy(big, "a: ", 3);
    assert_string_equal(parse_bytes(big, 70003),
                        "f:1:4: a text of 70000 bytes is too long (65536 at most)\n");
    for (size_t i = 0; i + 4 <= len; i += 4) {
        memcpy(big + i, "- a\n", 4);
    }
    assert_non_null(strstr(parse_bytes(big, len - 1), "f:200000:3: the file, with its aliases"));
    free(big);
}

static void refuses_what_is_no_text(void **state)
{
    assert_string_equal(parse("ok: 1\nä: \xff\n"),
                        "f:2:4: this is not UTF-8; save the file as UTF-8\n");
    assert_string_equal(parse_bytes("a: 1\nb: \0\n", 10),
                        "f:2:4: there is a NUL byte here; the file must be text in UTF-8\n");
    assert_string_equal(parse("a: \"x\\0y\"\n"),
                        "f:1:4: a text may not hold a NUL byte; remove \\0\n");
    assert_non_null(strstr(parse("x: 1\nä: ~\x01\n"),
                           "f:2:5: this is not YAML: control characters are not allowed"));
}

static void refuses_what_is_no_configuration(void **state)
{
    assert_string_equal(parse("a: 1\n---\nb: 2\n"),
                        "f:2:1: a second document (---) starts here; one file holds one, put the "
                        "other into conf.d/*.yaml\n");
    assert_string_equal(parse("a: !!int 3\n"), "f:1:4: tags are not supported; remove the !!\n");
    assert_string_equal(parse("a: !env X\n"), "f:1:4: tags are not supported; remove the !\n");
    assert_string_equal(
        parse("? [a, b]\n: c\n"),
        "f:1:3: a key must be text, not a list; put quotes around text that starts with { or [\n");
    assert_string_equal(parse("{{a: b}: c}\n"), "f:1:2: a key must be text, not a mapping; put "
                                                "quotes around text that starts with { or [\n");
}

static void says_how_to_mend_syntax(void **state)
{
    assert_string_equal(
        parse("a:\n\tb: 1\n"),
        "f:2:1: this is not YAML: found character that cannot start any token; indent with "
        "spaces, never tabs, and put quotes around text that starts with @, ` or %\n");
    assert_non_null(
        strstr(parse("a: b: c\n"), "f:1:5: this is not YAML: mapping values are not allowed"));
    assert_non_null(strstr(parse("a: [1, 2\nb: 3\n"), "a { or [ above is not closed"));
    assert_non_null(
        strstr(parse("a: 'x\n"), "f:2:1: this is not YAML: found unexpected end of stream"));
    assert_non_null(strstr(parse("a: 1\n b: 2\n"), "f:2:3: this is not YAML: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(knows_positions, end),
        cmocka_unit_test_teardown(knows_nothing_from_empty, end),
        cmocka_unit_test_teardown(copies_aliases, end),
        cmocka_unit_test_teardown(refuses_bad_aliases, end),
        cmocka_unit_test_teardown(refuses_alias_bombs, end),
        cmocka_unit_test_teardown(refuses_duplicates, end),
        cmocka_unit_test_teardown(refuses_absurd_sizes, end),
        cmocka_unit_test_teardown(refuses_what_is_no_text, end),
        cmocka_unit_test_teardown(refuses_what_is_no_configuration, end),
        cmocka_unit_test_teardown(says_how_to_mend_syntax, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
