/*
 * plugin_template.h: the files that `toiletmon plugin new` writes.
 */
#ifndef CLI_PLUGIN_TEMPLATE_H
#define CLI_PLUGIN_TEMPLATE_H

struct template_file {
    const char *name; /* @NAME@ is replaced here and in the text; NULL ends the list */
    const char *text;
};

extern const struct template_file plugin_template_shared[];
extern const struct template_file plugin_template_check[]; /* a check and a collector */
extern const struct template_file plugin_template_sink[];

#endif
