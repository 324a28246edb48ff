/*
 * config.h: the configuration of an agent, from the main file and conf.d beside it.
 *
 * Two phases, because what a component takes is known only after its plugin was probed:
 *   config_load()               reads the files and checks all that needs no manifest;
 *   config_instance_settings()  checks one instance against its component and gives its settings.
 * `check` and `run` go the same way.  A config is immutable once loaded and may be read by any
 * thread; loading and config_instance_settings() belong to one thread at a time.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "config/errors.h"
#include "config/inhibit.h"
#include "config/routes.h"
#include "config/rules.h"
#include "config/tree.h"
#include "model/manifest.h"
#include "model/settings.h"

/* Where ${VARIABLES} come from; NULL for one that is not set.  The text is borrowed during the
 * call. */
struct config_env {
    const char *(*lookup)(void *owner, const char *name);
    void *owner;
};
/* The process's own environment. */
extern const struct config_env config_env_process;

/* The instance that is always there: alerts go to it that have no other. */
#define CONFIG_LOG_INSTANCE "log"
/* Checks of the agent's own, whose names no instance may have. */
#define CONFIG_CHECK_ROUTES "routes"
#define CONFIG_CHECK_STATE "state"

enum config_affects {
    CONFIG_AFFECTS_FAIL,    /* a failing check makes health unhealthy */
    CONFIG_AFFECTS_DEGRADE, /* ... makes it degraded at most */
    CONFIG_AFFECTS_NOTHING  /* ... is shown and changes nothing */
};
enum config_scope { CONFIG_SCOPE_NODE, CONFIG_SCOPE_CLUSTER };

/* An address to listen on: exactly one of host and path is set. */
struct config_listen {
    char *text;    /* as written, for people */
    char *host;    /* a name or address, without brackets */
    uint16_t port; /* 0: any free one */
    char *path;    /* of a Unix socket */
};

struct config_agent {
    size_t nlisten;
    struct config_listen *listen; /* at least one */
    char *state_dir;
    enum log_level log_level;
    enum log_format log_format;
    char *tls_certificate; /* paths; both or neither (NULL) */
    char *tls_key;
    char *write_token; /* secret; NULL: none */
    size_t nhosts;
    char **hosts; /* further names that a Host header may carry */
    size_t nplugin_dirs;
    char **plugin_dirs; /* in addition to the default */
    size_t nready;
    char **ready;       /* instances whose checks must pass for readiness; all exist */
    char *external_url; /* NULL: none */
    uint64_t series_total;
    uint64_t series_per_instance;
    int64_t series_stale_ms;
};

struct config_instance {
    char *name;
    char *component;               /* `use:`, or the instance's name where that is left out; NULL
                                      of one that is faulty, where that cannot be said */
    struct config_position at;     /* of the name */
    struct config_position use_at; /* of the component's name, for "there is no component ..." */
    int64_t interval_ms;
    int64_t timeout_ms; /* at most interval_ms, except of a sink, which is not scheduled */
    bool interval_set, timeout_set;
    struct config_position interval_at, timeout_at; /* where they are set */
    bool enabled;
    char *disabled_reason; /* e.g. "DATABASE_URL is not set"; NULL where enabled */
    uint64_t memory_bytes; /* limits of its worker */
    uint32_t descriptors;
    uint32_t cpu_percent; /* of one core; 0: none */
    enum config_affects affects;
    uint32_t fail_after;
    uint32_t pass_after;
    enum config_scope scope;
    size_t nlabels;
    struct tmon_pair *labels; /* sorted by key */
    bool alerts;
    uint32_t workers;
    uint32_t concurrency; /* 0: as the component likes */
    char *failover;       /* the name of another instance; NULL: none */
    struct config_position failover_at;
    uint32_t budget; /* notifications in budget_ms; 0: no limit */
    int64_t budget_ms;
    struct config_position budget_at;
    int64_t give_up_ms; /* how long a notification is tried */
    struct node *node;  /* the settings as they stand in the file; owned by the config */
    bool faulty;        /* something of it is wrong, which is told; never true of a good config */
};

/* A URL that is called while all is well. */
struct config_heartbeat {
    struct settings *settings; /* of which `url` is one; NULL: there is no heartbeat */
    int64_t interval_ms;
    int64_t timeout_ms; /* at most interval_ms */
};

struct config {
    char *path;
    struct config_agent agent;
    struct config_heartbeat heartbeat;
    size_t ninstances;
    struct config_instance *instances; /* in the order of the files */
    struct map by_name;                /* of the instances */
    size_t nroutes;
    struct config_route *routes; /* in the order of the files; none: everything goes to `log` */
    size_t ninhibit;
    struct config_inhibit *inhibit; /* of `inhibit_rules`, in the order of the files */
    struct config_rules rules;      /* of `groups` and `rule_files` */
    uint32_t flapping_changes;      /* 0: flapping is not looked for */
    int64_t flapping_window_ms;
    struct tree **trees; /* one a file; nodes and positions of the instances point into them */
    size_t ntrees;
    /* Of one with mistakes: there may be more instances, or directories of plugins, than are here.
     */
    bool instances_missed, dirs_missed;
};

/*
 * Reads `path` and conf.d/ *.yaml beside it.  Returns 0 with an owned config when there was no
 * error (there may be warnings in `errors`); -EINVAL with everything that is wrong in `errors`;
 * -ENOMEM.
 */
int config_load(const char *path, const struct config_env *env, struct config_errors *errors,
                struct config **ret_config);
/* The same, but with mistakes there may be a config too, of what is sound: to look for more of them
 * in it, and for nothing else. */
int config_read(const char *path, const struct config_env *env, struct config_errors *errors,
                struct config **ret_config);
void config_destroy(struct config *config);

/* What `name: {}` would make; owned.  -ENOMEM. */
int config_instance_default(const char *name, struct config_instance **ret_instance);
void config_instance_destroy(struct config_instance *instance);

/* NULL when there is none. */
const struct config_instance *config_find(const struct config *config, const char *name);

/*
 * Checks an instance against its component.  Returns 0 with owned settings, which do not depend on
 * the config's life; -EINVAL with errors added; -ENOMEM.  Reads `file:` secrets.  Of a disabled
 * instance unknown keys and wrong values are errors too, but not what is missing because a variable
 * is unset: 0 and *ret_settings NULL.
 */
int config_instance_settings(const struct config_instance *instance,
                             const struct manifest_component *component,
                             struct config_errors *errors, struct settings **ret_settings);

/* Adds the error for an instance whose component no plugin offers; `known` are the names that there
 * are. */
void config_unknown_component(const struct config_instance *instance, const char *const *known,
                              size_t count, struct config_errors *errors);

/* Whether name, component, and all keys of the core that a running instance was made by are the
 * same.  The settings are compared by settings_equal(). */
bool config_instance_equal(const struct config_instance *a, const struct config_instance *b);

/*
 * Makes settings of NAME=VALUE pairs instead of a file, checked the same way (`plugin test -s`).
 * Lists are written a,b and maps a=b,c=d; groups cannot be.  Messages carry `where` instead of a
 * file.
 */
int config_settings_from_pairs(const char *where, const struct tmon_pair *pairs, size_t npairs,
                               const struct manifest_component *component,
                               struct config_errors *errors, struct settings **ret_settings);

/* Appends "name: value" lines, secrets as "<secret>", what is unset left out. */
void config_settings_show(const struct settings *settings, struct buf *buf);
/* "15s", "1h30m", "250ms" */
#define CONFIG_DURATION_SIZE 64
const char *config_duration(int64_t ms, char space[static CONFIG_DURATION_SIZE]);

#endif
