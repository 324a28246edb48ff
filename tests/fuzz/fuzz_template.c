/*
 * fuzz_template.c: the texts of rules that are no expressions: templates, durations, and the series
 * and values of unit tests.  The first byte says which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/rules.h"
#include "fuzz_text.h"
#include "rules/notation.h"
#include "rules/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_template(const char *text)
{
    static const struct tmon_pair labels[] = {{"instance", "db-1"}, {"n", "1.5"}};
    const struct template_data values = {
        .labels = labels, .nlabels = 2, .value = -93784.5, .external_url = "http://t/"};
    struct template *template = NULL;
    struct buf out;
    char why[256];

    if (template_parse(text, &template, why, sizeof why) < 0) {
        return;
    }
    buf_init(&out, 65536);
    (void)template_run(template, &values, &out, why, sizeof why);
    buf_finish(&out);
    template_destroy(template);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct notation_value *values = NULL;
    struct tmon_pair *labels = NULL;
    char why[256], *text;
    int64_t ms;
    size_t n;

    if (size < 1 || size > 4096 || !utf8_valid((const char *)data + 1, size - 1)) {
        return 0;
    }
    text = fuzz_text(data + 1, size - 1);
    if (!text) {
        return 0;
    }
    switch (data[0]) {
    case 's':
        if (notation_metric(text, &labels, &n, why, sizeof why) == 0) {
            free(labels);
        }
        break;
    case 'v':
        if (strlen(text) < 64 && notation_values(text, &values, &n, why, sizeof why) == 0) {
            free(values);
        }
        break;
    case 'd':
        (void)config_prometheus_duration(text, &ms);
        break;
    default:
        run_template(text);
        break;
    }
    free(text);
    return 0;
}
