/*
 * sections.h: what the files of this room share; nobody else includes it.
 */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config/config.h"

/* The `agent:` section, joined from all files and resolved.  Fills ret_agent, which is then
 * finished by agent_section_finish() whatever is returned.  -ENOMEM; mistakes are in `errors`. */
int agent_section_read(const struct node *mapping, struct config_position at,
                       struct config_errors *errors, struct config_agent *ret_agent);
void agent_section_finish(struct config_agent *agent);

/* One entry of `plugins:`.  As above. */
int instance_read(struct node *key, struct node *node, const struct manifest_option *core_options,
                  size_t ncore_options, const struct config_env *env, struct config_errors *errors,
                  struct config_instance *ret_instance);
void instance_finish(struct config_instance *instance);
/* The keys that the core takes from every instance. */
extern const struct tmon_option instance_core_options[];

/* The `routes:` of all files in one list, resolved; the instances are there already.  As above;
 * what is made is freed by routes_finish(). */
int routes_read(const struct node *list, struct config_errors *errors, struct config *config);
void routes_finish(struct config_route *routes, size_t n);

/* `key` names an instance that there is not; `node` is the name as written, or NULL. */
void section_unknown_instance(const struct config *config, const char *key, const char *name,
                              const struct node *node, struct config_position at,
                              struct config_errors *errors);
/* The `flapping:` of one file.  As above. */
int flapping_read(struct node *node, const struct config_env *env, struct config_errors *errors,
                  struct config *config);
/* The `inhibit_rules:` of all files in one list, resolved.  As above. */
int inhibit_read(const struct node *list, struct config_errors *errors, struct config *config);
void inhibit_finish(struct config_inhibit *rules, size_t n);

/* ---- label_settings.c: mistakes are in `errors`; -ENOMEM ---- */

/* Item i of a list; one item needs no brackets. */
const struct node *section_item(const struct node *node, size_t i);
/* Where that stands. */
struct config_position section_item_at(const struct node *node, size_t i);
/* The matchers of two settings: a map of labels, and a list of conditions.  What is made is counted
 * in ret_n, which starts at 0, and is the caller's whatever is returned. */
int section_matchers(const struct node *mapping, const struct settings *settings,
                     const char *match_key, const char *matchers_key, struct config_errors *errors,
                     size_t *ret_n, struct matcher **ret_matchers);
/* Warns of a label `severity` whose value is none of ours, but nearly one. */
void section_look_at_severity(const char *name, const char *value, struct config_position at,
                              struct config_errors *errors);
/* Names of labels, sorted; none twice.  `besides`: what else is allowed, for people; where that is
 * not "", '...' is passed over. */
int section_label_names(const struct node *mapping, const struct settings *settings,
                        const char *key, const char *besides, struct config_errors *errors,
                        size_t *ret_n, char ***ret_names);
/* The `heartbeat:` section, joined and resolved.  As above. */
int heartbeat_section_read(const struct node *mapping, struct config_position at,
                           struct config_errors *errors, struct config_heartbeat *ret_heartbeat);
void heartbeat_section_finish(struct config_heartbeat *heartbeat);

/* Takes the text out of a setting (NULL when it is unset), or the items out of a list. */
char *section_take_text(struct settings *settings, const char *name);
void section_take_list(struct settings *settings, const char *name, size_t *ret_count,
                       char ***ret_items);
int64_t section_number(const struct settings *settings, const char *name);
const char *section_text(const struct settings *settings, const char *name);
/* The settings of a SCHEMA_ONE group. */
struct settings *section_group(const struct settings *settings, const char *name);

#endif
