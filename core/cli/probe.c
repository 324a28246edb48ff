/*
 * probe.c: looks into plugins by the agent's own means: the worker loads the file, never this
 * process.
 */
#include "cli/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "plugin/file_check.h"
#include "plugin/probe.h"
#include "tmon_build.h"

int probe_spawner(struct spawner **ret_spawner)
{
    struct buf why;
    int r;

    buf_init(&why, 1024);
    r = spawner_create(&why, ret_spawner);
    if (r) {
        r = cli_failed("%s", why.len ? buf_str(&why) : log_errno(r));
    }
    buf_finish(&why);
    return r;
}

bool probe_is_file(const char *text)
{
    size_t len = strlen(text);

    return strchr(text, '/') || (len > 3 && strcmp(text + len - 3, ".so") == 0);
}

int probe_one(struct spawner *spawner, const char *path, struct manifest **ret_manifest)
{
    struct probe probe = {0};
    struct file_identity identity;
    char real[PATH_MAX], why[PROBE_WHY_SIZE];

    if (!realpath(path, real)) {
        return cli_failed("%s cannot be read: %s", path, log_errno(errno));
    }
    if (file_check(real, &identity, why, sizeof why)) {
        return cli_failed("%s", why);
    }
    probe.path = real;
    (void)probe_files(spawner, &probe, 1, PROBE_TIMEOUT_MS, -1);
    if (!probe.manifest) {
        return cli_failed("%s: %s", path, probe.why);
    }
    *ret_manifest = probe.manifest;
    return CLI_OK;
}

int probe_all(const struct cli *cli, struct spawner *spawner, struct registry **ret_registry)
{
    const char *directories[CLI_VALUES + 1];
    char first[PATH_MAX];
    size_t n = 0;
    int r;

    if (spawner_build_tree(spawner)) {
        snprintf(first, sizeof first, "%s/plugins", spawner_directory(spawner));
    } else {
        snprintf(first, sizeof first, "%s", TMON_PLUGINDIR);
    }
    directories[n++] = first;
    for (const char *more; n < CLI_VALUES && (more = cli_value_at(cli, "plugin-dir", n - 1)); n++) {
        directories[n] = more;
    }
    r = registry_scan(spawner, directories, n, NULL, -1, ret_registry);
    return r ? cli_failed("the plugins cannot be listed: %s", log_errno(r)) : CLI_OK;
}
