/* Templates: what Prometheus 2.42 makes of the same texts (printed by promtool), and what is
 * refused, where. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/template.h"

static const struct tmon_pair labels[] = {{"__name__", "v"}, {"i", "db \"1\""}, {"n", "1500"}};

static const char *show(const char *text, double value)
{
    static char shown[4096];
    const struct template_data data = {
        .labels = labels, .nlabels = 3, .value = value, .external_url = "http://t/"};
    struct template *template = NULL;
    struct buf buf;
    char why[256] = "";
    int r = template_parse(text, &template, why, sizeof why);

    buf_init(&buf, sizeof shown - 1);
    if (r == 0) {
        r = template_run(template, &data, &buf, why, sizeof why);
    }
    strcpy(shown, r < 0 ? why : buf_str(&buf));
    template_destroy(template);
    buf_finish(&buf);
    return shown;
}

static const struct {
    const char *text;
    double value;
    const char *shown;
} cases[] = {
    {"", 1, ""},
    {"plain } { text", 1, "plain } { text"},
    {"{{ $value }}|{{.Value}}|{{ $labels.i }}|{{.Labels.n}}|{{ $labels.none }}|", 1e6,
     "1e+06|1e+06|db \"1\"|1500||"},
    {"{{ $value }}", 123456789, "1.23456789e+08"},
    {"{{ $value }}", 123456, "123456"},
    {"{{ $value }}", 0.00001, "1e-05"},
    {"{{ $value }}", 0.1, "0.1"},
    {"{{ $value }}", -93784.5, "-93784.5"},
    {"{{ $value }}", 1e21, "1e+21"},
    {"{{ $value }}", INFINITY, "+Inf"},
    {"{{ $value }}", NAN, "NaN"},
    {"{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value}} "
     "{{ humanizePercentage $value }}",
     1000000, "1M 976.6ki 11d 13h 46m 40s 1e+08%"},
    {"{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value}} "
     "{{ humanizePercentage $value }}",
     1e20, "100E 86.74Ei -106751991167300d -15h -30m -8s 1e+22%"},
    {"{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value}} "
     "{{ humanizePercentage $value }}",
     0.00001, "10u 1e-05 10us 0.001%"},
    {"{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value}} "
     "{{ humanizePercentage $value }}",
     -93784.5, "-93.78k -91.59ki -1d 2h 3m 4s -9.378e+06%"},
    {"{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value}} "
     "{{ humanizePercentage $value }}",
     INFINITY, "+Inf +Inf +Inf +Inf%"},
    {"{{ humanizeDuration 0 }} {{ humanizeDuration 59.98765 }} {{ humanizeDuration 61 }}", 0,
     "0s 59.99s 1m 1s"},
    {"{{ humanize $labels.n }}", 0, "1.5k"},
    {"{{ printf \"%v %6.2f|%-8.3g|%08.2f|%+d|%d|%s\" $value $value $value $value 5 5 5 }}", 1e6,
     "1e+06 1000000.00|1e+06   |1000000.00|+5|5|%!s(int=5)"},
    {"{{ printf \"%6.2f|%-8.3g|%08.2f\" $value $value $value }}", INFINITY,
     "  +Inf|+Inf    |    +Inf"},
    {"{{ printf \"%6.2f|%-8.3g|%08.2f\" $value $value $value }}", NAN, "   NaN|NaN     |     NaN"},
    {"{{ printf \"%d\" $value }}|{{ printf \"%d\" }}|{{ printf \"a\" 1 }}", 1e6,
     "%!d(float64=1e+06)|%!d(MISSING)|a%!(EXTRA int=1)"},
    {"{{ printf \"%e %E %.2e %G %F %5d|%x|%X|%o|%b|%t\" $value $value $value $value $value 42 255 "
     "255}}",
     1e6,
     "1.000000e+06 1.000000E+06 1.00e+06 1E+06 1000000.000000    42|ff|FF|%!o(MISSING)|"
     "%!b(MISSING)|%!t(MISSING)"},
    {"{{ printf \"%.3s|%5s|%-5s|%q\" \"abcdef\" \"ab\" \"cd\" $labels.i }}", 0,
     "abc|   ab|cd   |\"db \\\"1\\\"\""},
    {"{{ \"a\\tb\" | printf \"%q\" }} {{ `raw` }} {{ true }} {{ 1e6 }} {{ 10000000 }} {{ 0x10 }}",
     0, "\"a\\tb\" raw true 1e+06 10000000 16"},
    {"{{ title \"hello wORLD foo-bar_x\" }}{{ \"x\" | toUpper | toLower -}}   x {{- /* c */ -}}  z",
     0, "Hello WORLD Foo-Bar_xxxz"},
    {"a  {{- \" b \" -}}  c", 0, "a b c"},
    {"{{ print $value 1 \"a\" 2 3 }} {{-3}}", 2, "2 1a2 3 -3"},
    {"{{ (printf \"%.1f\" (humanize $value | printf \"%s\" | print 1.25)) }}", 2,
     "%!f(string=1.252)"},
    {"{{ toUpper \"stra\xc3\x9f"
     "e \xc3\xa4\" }}{{ $externalURL }}",
     0,
     "STRA\xc3\x9f"
     "E \xc3\x84http://t/"},
    {"{{ \"}}\" }}", 0, "}}"},
    /* what is wrong */
    {"a {{ $value", 0, "1:3: {{ is not closed by }}"},
    {"a\nb {{ $valu }}", 0,
     "2:6: '$valu' is not known here; there are $value, $labels.NAME, $externalURL and "
     "$externalLabels.NAME"},
    {"{{ $labels }}", 0,
     "1:4: $labels as a whole is outside of what templates take here; name one: $labels.instance"},
    {"{{ if $value }}x{{ end }}", 0, "1:4: 'if' is outside of what templates take here"},
    {"{{ query \"up\" }}", 0, "1:4: the function 'query' is outside of what templates take here"},
    {"{{ $value | humanise }}", 0,
     "1:13: the function 'humanise' is outside of what templates take here; did you mean "
     "'humanize'?"},
    {"{{ $value | toUpper }}", 0, "1:13: toUpper takes a text, not a number"},
    {"{{ humanize }}", 0, "1:4: humanize takes one value, not 0"},
    {"{{ $x := 1 }}", 0,
     "1:4: '$x' is not known here; there are $value, $labels.NAME, $externalURL and "
     "$externalLabels.NAME"},
    {"{{ }}", 0, "1:4: a value or a function is missing here"},
    {"{{ $value | $value }}", 0, "1:13: only a function can take what comes through '|'"},
    {"{{ $value $value }}", 0, "1:4: a value takes no arguments; functions do"},
    {"{{ printf \"%x\" $value }}", 0,
     "1:4: printf: this use of '%x' is outside of what templates take here"},
    {"{{ printf \"%*d\" 1 2 }}", 0,
     "1:4: printf: this use of '%*' is outside of what templates take here"},
    {"{{ (1 }}", 0, "1:7: a closing bracket is missing"},
    {"{{ 1) }}", 0, "1:5: there is no opening bracket for this"},
    {"{{ \"a }}", 0, "1:1: {{ is not closed by }}"},
    {"{{/* a }}", 0, "1:1: the comment is not closed by */}}"},
    {"\xc3\xa4{{ 'a' }}", 0,
     "1:5: a character in quotes is outside of what templates take here; write a text"},
    {"{{ humanize $labels.i }}", 0, "\"db \"1\"\" is no number"},
};

static void does_as_prometheus(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(show(cases[i].text, cases[i].value), cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(does_as_prometheus)};

    return cmocka_run_group_tests_name("rules/template", tests, NULL, NULL);
}
