/*
 * routes.c: see routes.h.  Runs where a configuration is loaded.
 *
 * The keys of a route are declared in a table and checked like everything else; here is what a
 * table cannot say: matchers, names that must be there, routes in routes.
 */
#include "config/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config/schema.h"
#include "config/sections.h"
#include "config/windows.h"

#define WEEK_MS 604800000
#define YEAR_MS 31536000000

static const struct tmon_option route_options[] = {
    {"match", TMON_MAP, 0, NULL, 0, 0, NULL, "labels that an alert must have", NULL},
    {"matchers", TMON_LIST, 0, NULL, 0, 0, NULL, "conditions, such as team=~\"db|web\"", NULL},
    {"to", TMON_LIST, 0, NULL, 0, 0, NULL, "the instances that are told", NULL},
    {"continue", TMON_BOOL, 0, "false", 0, 0, NULL, "true: the routes after this one look too",
     NULL},
    {"group_by", TMON_LIST, 0, NULL, 0, 0, NULL, "alerts alike in these labels are told together",
     NULL},
    {"group_wait", TMON_DURATION, 0, NULL, 0, WEEK_MS, NULL,
     "how long a new group waits for more alerts", NULL},
    {"group_interval", TMON_DURATION, 0, NULL, 10, WEEK_MS, NULL,
     "how long after it was told of a group is told of again", NULL},
    {"repeat_interval", TMON_DURATION, 0, NULL, 10, YEAR_MS, NULL,
     "how long until what still fires is told again", NULL},
    {"maintenance", TMON_GROUPS, 0, NULL, 0, 0, NULL,
     "when nobody is told of what fires, each week again", windows_options},
    {0},
};

/* Keys of Alertmanager's that are called otherwise here. */
static const struct {
    const char *theirs, *ours;
} foreign[] = {
    {"receiver", "to"},
    {"match_re", "matchers"},
};
static const char *const others[] = {"routes", "receiver", "match_re", NULL};

struct reading {
    const struct config *config;
    struct config_errors *errors;
    const struct manifest_option *options;
    size_t noptions;
    size_t nroutes;
};

static int read_list(struct reading *reading, const struct node *list, size_t *ret_n,
                     struct config_route **ret_routes);

/* ---- targets ---- */

/* Also where something else of the route is wrong. */
static void check_to(struct reading *reading, const struct node *mapping)
{
    const struct node *node = node_get(mapping, "to", NULL);
    size_t n = !node ? 0 : node->kind == NODE_SEQUENCE ? node->count : 1;

    for (size_t i = 0; i < n; i++) {
        const struct node *item = section_item(node, i);

        if (item->kind == NODE_SCALAR && !item->unset && item->value && *item->value &&
            strcmp(item->value, CONFIG_LOG_INSTANCE) != 0 &&
            !config_find(reading->config, item->value)) {
            section_unknown_instance(reading->config, "to", item->value, item, item->at,
                                     reading->errors);
        }
    }
}

static int read_to(struct reading *reading, const struct node *mapping,
                   const struct settings *settings, struct config_route *route)
{
    const struct setting *to = settings_find(settings, "to");
    const struct node *node = node_get(mapping, "to", NULL);

    route->to_set = to->set;
    if (!to->set) {
        return 0;
    }
    if (to->count == 0 && node->kind == NODE_SEQUENCE && node->count == 0) {
        config_error(reading->errors, node->at,
                     "'to' is empty; name an instance, or leave it out to inherit it");
    }
    route->to = calloc(to->count ? to->count : 1, sizeof *route->to);
    if (!route->to) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < to->count; i++) {
        struct config_target *target = &route->to[route->nto];

        target->at = section_item_at(node, i);
        target->name = strdup(to->items[i]);
        if (!target->name) {
            return -ENOMEM;
        }
        route->nto++;
    }
    return 0;
}

/* ---- groups ---- */

static int read_group_by(struct reading *reading, const struct node *mapping,
                         const struct settings *settings, struct config_route *route)
{
    const struct setting *setting = settings_find(settings, "group_by");
    const struct node *node = node_get(mapping, "group_by", NULL);

    route->group_by_set = setting->set;
    for (size_t i = 0; i < setting->count; i++) {
        if (strcmp(setting->items[i], "...") == 0) {
            route->group_by_all = true;
            if (setting->count > 1) {
                config_error(
                    reading->errors, section_item_at(node, i),
                    "'group_by': '...' stands for all labels; no other may stand beside it");
            }
        }
    }
    return section_label_names(mapping, settings, "group_by", ", or '...' for all of them",
                               reading->errors, &route->ngroup_by, &route->group_by);
}

static int64_t read_time(const struct settings *settings, const char *name)
{
    const struct setting *setting = settings_find(settings, name);

    return setting->set ? setting->num : -1;
}

/* ---- routes ---- */

static void tell_foreign_keys(struct reading *reading, const struct node *mapping)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct node *key = NULL;

        if (node_get(mapping, foreign[i].theirs, &key)) {
            config_error(reading->errors, key->at, "'%s' is called '%s' here", foreign[i].theirs,
                         foreign[i].ours);
        }
    }
}

static int read_inner(struct reading *reading, const struct node *mapping,
                      struct config_route *route)
{
    const struct node *inner = node_get(mapping, "routes", NULL);

    return inner && !node_is_null(inner)
               ? read_list(reading, inner, &route->nroutes, &route->routes)
               : 0;
}

static int read_route(struct reading *reading, const struct node *mapping,
                      struct config_route *route)
{
    const struct schema schema = {
        .options = reading->options, .noptions = reading->noptions, .others = others};
    struct settings *settings = NULL;
    int r;

    *route = (struct config_route){
        .at = mapping->at, .group_wait_ms = -1, .group_interval_ms = -1, .repeat_interval_ms = -1};
    if (mapping->kind != NODE_MAPPING) {
        config_error(reading->errors, mapping->at,
                     "each entry of 'routes' must be a mapping, such as {match: {severity: "
                     "critical}, to: [slack]}, not %s",
                     node_kind_name(mapping));
        return 0;
    }
    tell_foreign_keys(reading, mapping);
    r = schema_check(&schema, mapping, mapping->at, reading->errors, &settings);
    check_to(reading, mapping);
    if (r == 0) {
        route->go_on = section_number(settings, "continue") != 0;
        route->group_wait_ms = read_time(settings, "group_wait");
        route->group_interval_ms = read_time(settings, "group_interval");
        route->repeat_interval_ms = read_time(settings, "repeat_interval");
        r = section_matchers(mapping, settings, "match", "matchers", reading->errors,
                             &route->nmatchers, &route->matchers);
    }
    if (r == 0) {
        r = read_to(reading, mapping, settings, route);
    }
    if (r == 0) {
        r = read_group_by(reading, mapping, settings, route);
    }
    if (r == 0) {
        r = windows_read(node_get(mapping, "maintenance", NULL),
                         settings_find(settings, "maintenance"), reading->errors, route);
    }
    if (r == 0 || r == -EINVAL) { // what is wrong below is told too
        r = read_inner(reading, mapping, route);
    }
    settings_destroy(settings);
    return r;
}

/* What takes everything hides what stands behind it. */
static void tell_hidden(struct reading *reading, const struct config_route *routes, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        if (routes[i].nmatchers == 0 && !routes[i].go_on) {
            config_warning(reading->errors, routes[i + 1].at,
                           "no alert reaches this route: the one in line %u takes them all; give "
                           "it 'match', or 'continue: true'",
                           routes[i].at.line);
            return;
        }
    }
}

static int read_list(struct reading *reading, const struct node *list, size_t *ret_n,
                     struct config_route **ret_routes)
{
    size_t before = reading->errors->errors;
    struct config_route *routes;
    int r = 0;

    if (list->kind != NODE_SEQUENCE) {
        config_error(reading->errors, list->at,
                     "'routes' must be a list, each entry starting with '- ', not %s",
                     node_kind_name(list));
        return 0;
    }
    routes = calloc(list->count ? list->count : 1, sizeof *routes);
    if (!routes) {
        return -ENOMEM;
    }
    *ret_routes = routes;
    for (size_t i = 0; i < list->count && r == 0; i++) {
        if (++reading->nroutes > LIMIT_ROUTES) {
            config_error(reading->errors, list->items[i]->at, "there are more than %d routes",
                         LIMIT_ROUTES);
            break;
        }
        *ret_n = i + 1;
        r = read_route(reading, list->items[i], &routes[i]);
    }
    if (reading->errors->errors == before) {
        tell_hidden(reading, routes, *ret_n);
    }
    return r;
}

int routes_read(const struct node *list, struct config_errors *errors, struct config *config)
{
    struct reading reading = {.config = config, .errors = errors};
    struct manifest_option *options = schema_options(route_options, &reading.noptions);
    int r;

    if (!options) {
        return -ENOMEM;
    }
    reading.options = options;
    r = read_list(&reading, list, &config->nroutes, &config->routes);
    schema_free_options(options, reading.noptions);
    return r;
}

void routes_finish(struct config_route *routes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct config_route *route = &routes[i];

        for (size_t j = 0; j < route->nto; j++) {
            free(route->to[j].name);
        }
        for (size_t j = 0; j < route->ngroup_by; j++) {
            free(route->group_by[j]);
        }
        matchers_free(route->matchers, route->nmatchers);
        free(route->to);
        free(route->group_by);
        windows_finish(route);
        routes_finish(route->routes, route->nroutes);
    }
    free(routes);
}
