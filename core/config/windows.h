/*
 * windows.h: `maintenance:` of a route: when nobody is told of what fires there.  Runs where a
 * configuration is loaded; for the files of this room.
 */
#ifndef CONFIG_WINDOWS_H
#define CONFIG_WINDOWS_H

#include "config/routes.h"
#include "config/tree.h"
#include "model/settings.h"

/* The keys of one window, as schema.h takes them. */
extern const struct tmon_option windows_options[];

/* Fills the route's windows; freed by windows_finish().  -ENOMEM; mistakes are in `errors`. */
int windows_read(const struct node *node, const struct setting *setting,
                 struct config_errors *errors, struct config_route *route);
void windows_finish(struct config_route *route);

#endif
