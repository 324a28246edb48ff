/*
 * resolve.h: ${VARIABLES} in the scalars of a tree.
 */
#ifndef CONFIG_RESOLVE_H
#define CONFIG_RESOLVE_H

#include <stdbool.h>

#include "config/config.h"
#include "config/errors.h"
#include "config/tree.h"

/* Whether it can be the name of a variable: [A-Za-z_][A-Za-z0-9_]* */
bool resolve_is_name(const char *text);

/*
 * Sets `value` of every scalar below (and in) node, keys excluded: ${NAME}, ${NAME:-default}, $$.
 * What was put in is never read as YAML or as a variable again.  A variable that is unset without a
 * default is an error, or, with `lenient`, marks the scalar `unset`.  A scalar with an error is
 * marked `unset` too, so that nobody complains twice.  -ENOMEM; mistakes are in `errors`.
 */
int resolve_node(struct node *node, const struct config_env *env, bool lenient,
                 struct config_errors *errors);
/* The same in an instance, which can be turned off where a variable is unset. */
int resolve_instance(struct node *node, const struct config_env *env, bool lenient,
                     struct config_errors *errors);

#endif
