/* A component with a setting of every type, for tests and fuzzing. */
#ifndef TESTS_CONFIG_EVERY_TYPE_H
#define TESTS_CONFIG_EVERY_TYPE_H

#include "model/manifest.h"

#define OPTION(name_, type_, ...)                                                                  \
    {                                                                                              \
        .name = (char *)(name_), .type = (type_), __VA_ARGS__, .help = (char *)"Where it is."      \
    }

static struct manifest_option every_inner[] = {
    OPTION("word", TMON_STRING, .flags = TMON_REQUIRED),
    OPTION("hidden", TMON_STRING, .flags = TMON_SECRET),
};

static struct manifest_option every_group[] = {
    OPTION("metric", TMON_STRING, .flags = TMON_REQUIRED),
    OPTION("size", TMON_BYTES, .fallback = (char *)"16MiB"),
    OPTION("inner", TMON_GROUPS, .group = every_inner, .ngroup = 2),
};

static struct manifest_option every_option[] = {
    OPTION("dsn", TMON_STRING, .flags = TMON_REQUIRED | TMON_SECRET),
    OPTION("text", TMON_STRING, .fallback = (char *)"a text"),
    OPTION("count", TMON_INT, .fallback = (char *)"5", .min = 1, .max = 100),
    OPTION("share", TMON_FLOAT, .fallback = (char *)"0.5", .min = 0, .max = 1),
    OPTION("flag", TMON_BOOL, .fallback = (char *)"yes"),
    OPTION("slow", TMON_DURATION, .fallback = (char *)"1s", .min = 0, .max = 60000),
    OPTION("size", TMON_BYTES, .flags = 0),
    OPTION("mode", TMON_CHOICE, .fallback = (char *)"strict", .choices = (char *)"strict|lenient"),
    OPTION("hook", TMON_URL, .flags = TMON_SECRET),
    OPTION("page", TMON_URL, .flags = 0),
    OPTION("names", TMON_LIST, .fallback = (char *)"a, b"),
    OPTION("keys", TMON_LIST, .flags = TMON_SECRET),
    OPTION("headers", TMON_MAP, .flags = 0),
    OPTION("passwords", TMON_MAP, .flags = TMON_SECRET),
    OPTION("tables", TMON_GROUPS, .group = every_group, .ngroup = 3),
    OPTION("pin", TMON_INT, .flags = TMON_SECRET),
    OPTION("token", TMON_STRING, .flags = TMON_SECRET, .fallback = (char *)"file:/etc/hostname"),
};

static const struct manifest_component every_component = {
    .name = (char *)"every",
    .summary = (char *)"",
    .noptions = sizeof every_option / sizeof *every_option,
    .options = every_option,
};

#endif
