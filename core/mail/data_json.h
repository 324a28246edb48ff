/*
 * data_json.h: JSON as the data of a template.  Stands apart: plugins need no jansson for it.
 */
#ifndef MAIL_DATA_JSON_H
#define MAIL_DATA_JSON_H

#include <jansson.h>

#include "mail/data.h"

/* Fills the root, which stays a map only if `json` is an object.  Numbers are texts.  -E2BIG: it is
 * nested too deeply or has too many values; -ENOMEM. */
int mail_tree_from_json(struct mail_tree *tree, const json_t *json);

#endif
