/*
 * template.h: the templates of labels and annotations, as far as rules use Go's.
 *
 * {{ $value }}, {{ $labels.name }}, {{ .Labels.name }}, {{ $externalURL }}, {{ $externalLabels.name
 * }}, literals, pipelines, brackets, {{- -}}, comments, and the functions humanize, humanize1024,
 * humanizeDuration, humanizePercentage, printf, print, title, toUpper, toLower.  The output is
 * Prometheus's, byte for byte.  What is outside is an error when it is parsed.
 *
 * A template is immutable; any thread.
 */
#ifndef RULES_TEMPLATE_H
#define RULES_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "plugin_api.h"

struct template;

struct template_data {
    const struct tmon_pair *labels;
    size_t nlabels;
    double value;
    const struct tmon_pair *external_labels;
    size_t nexternal_labels;
    const char *external_url; /* NULL: "" */
};

/* Copies the text.  -EINVAL with a sentence that begins with "LINE:COLUMN: " within the text;
 * -ENOMEM. */
int template_parse(const char *text, struct template **ret_template, char *ret_why, size_t size);
void template_destroy(struct template *template);
/* Appends the output.  -EINVAL with a sentence (a text that is no number for humanize); then some
 * of it may have been appended. */
int template_run(const struct template *template, const struct template_data *data, struct buf *out,
                 char *ret_why, size_t size);

#endif
