/*
 * schema.h: the one checker of settings: a mapping against declared options.
 *
 * The agent's own section, the keys that the core takes from every instance, and the settings of
 * components all go through here.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "config/errors.h"
#include "config/tree.h"
#include "model/manifest.h"
#include "model/settings.h"

/* For our own tables only: a TMON_GROUPS that is one mapping and not a list; left out, it is all
 * defaults. */
#define SCHEMA_ONE (1u << 31)

struct schema {
    const struct manifest_option *options;
    size_t noptions;
    const char *const
        *others;         /* keys that are somebody else's business, ends with NULL; NULL: none */
    bool others_unknown; /* all keys that are no options are somebody else's business */
    bool lenient;        /* of a disabled instance: reads no files */
};

/*
 * Checks a mapping whose scalars were resolved.  `mapping` NULL: nothing was written.  `at` is
 * where missing settings are reported.  Returns 0 with owned settings, one for each option in their
 * order; -EINVAL with errors added; -ENOMEM.  Scalars marked `unset` are passed over in silence.
 */
int schema_check(const struct schema *schema, const struct node *mapping, struct config_position at,
                 struct config_errors *errors, struct settings **ret_settings);

/* Our own tables as what schema_check() takes.  Borrows names, defaults and help; free with
 * schema_free_options(). NULL when out of memory. */
struct manifest_option *schema_options(const struct tmon_option *table, size_t *ret_count);
void schema_free_options(struct manifest_option *options, size_t count);

#endif
