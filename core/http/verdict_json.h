/*
 * verdict_json.h: a check's last verdict as health shows it.  Any thread.
 */
#ifndef HTTP_VERDICT_JSON_H
#define HTTP_VERDICT_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "store/verdicts.h"

/* {"status", details..., "subjects", "message", "age"}; the view must have a verdict.  Returns
 * owned, NULL when out of memory. */
json_t *verdict_json(const struct verdicts_view *view, int64_t now_ns);

#endif
