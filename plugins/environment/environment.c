/*
 * environment.c: the component `environment`: are the variables there that a program needs?
 *
 * Runs on a thread of the agent's own: it reads regular files and procfs and waits for nothing.
 * Values are looked at only to see whether they are empty; they are in no report, detail or log.  A
 * process is read once, not at each check: its environment was fixed when it started, and reading
 * it may have to wait for a lock of that process.
 */
#include "environment.h"

#include <errno.h>
#include <string.h>

#include <plugin_api.h>

#include "../common/file.h"

static const struct tmon_option options[] = {
    {"required", TMON_LIST, TMON_REQUIRED, NULL, 0, 0, NULL,
     "Variables that have to be there and not be empty.", NULL},
    {"env_file", TMON_STRING, 0, NULL, 0, 0, NULL,
     "A file of KEY=VALUE lines to look into instead of the agent's own environment.", NULL},
    {"process", TMON_STRING, 0, NULL, 0, 0, NULL,
     "A process, by its name or number, to look into instead of the agent's own environment.",
     NULL},
    {"procfs", TMON_STRING, 0, "/proc", 0, 0, NULL,
     "Where the host's procfs is seen; in a container, where it is mounted.", NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct environment {
    const char *env_file, *process, *procfs; /* borrowed from the settings; "" when not set */
    int procfs_dir;
    pid_t pid; /* the process that `wanted` is about; 0: none yet */
    uint64_t started;
    struct wanted wanted;
};

void wanted_reset(struct wanted *wanted)
{
    memset(wanted->seen, 0, sizeof wanted->seen);
}

void wanted_meet(struct wanted *wanted, const char *name, size_t len, bool filled)
{
    size_t i;

    for (i = 0; i < wanted->count; i++) {
        if (strncmp(wanted->names[i], name, len) == 0 && wanted->names[i][len] == '\0') {
            wanted->seen[i] = filled;
        }
    }
}

static bool is_name(const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] == '=' || text[i] == ' ' || (unsigned char)text[i] < 0x20) {
            return false;
        }
    }
    return i > 0;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct environment *environment = self;
    size_t i;

    environment->procfs_dir = -1; // opened by the first look: it may be mounted later than we start
    environment->env_file = tmon_config_string(call, config, "env_file");
    environment->process = tmon_config_string(call, config, "process");
    environment->procfs = tmon_config_string(call, config, "procfs");
    if (environment->env_file[0] != '\0' && environment->process[0] != '\0') {
        tmon_log(call, TMON_ERROR,
                 "env_file and process are both set: make two instances, one for each");
        return TMON_REJECTED;
    }
    for (i = 0; i < tmon_config_count(call, config, "required"); i++) {
        const char *name = tmon_config_item(call, config, "required", i);

        if (!is_name(name) || i >= ENVIRONMENT_NAMES) {
            // Not quoted in full: somebody may have written NAME=secret.
            tmon_log(call, TMON_ERROR, "required: entry %zu is no name of a variable (\"%.*s...\")",
                     i + 1, (int)(strcspn(name, "= ") > 64 ? 64 : strcspn(name, "= ")), name);
            return TMON_REJECTED;
        }
        environment->wanted.names[i] = name;
        environment->wanted.count = i + 1;
    }
    if (environment->wanted.count == 0) {
        tmon_log(call, TMON_ERROR, "required: is empty; name at least one variable");
        return TMON_REJECTED;
    }
    return TMON_OK;
}

static void destroy(struct tmon_call *call, void *self)
{
    struct environment *environment = self;

    file_close(&environment->procfs_dir);
}

/* Fills `wanted` from the process, unless it is the one that it was filled from. */
static int look_at_process(struct environment *environment)
{
    uint64_t started = 0;
    pid_t pid = environment->pid;
    int rc;

    if (environment->procfs_dir < 0) {
        environment->procfs_dir = file_open_dir(environment->procfs);
    }
    if (environment->procfs_dir < 0) {
        return environment->procfs_dir;
    }
    // The process of last time is the right one as long as it lives: no search of all the others.
    if (pid > 0 && environment_started(environment->procfs_dir, pid, &started) == 0 &&
        started == environment->started) {
        return 0;
    }
    environment->pid = 0;
    rc = environment_find(environment->procfs_dir, environment->process, &pid);
    if (rc == 0) {
        rc = environment_started(environment->procfs_dir, pid, &started);
    }
    if (rc == 0) {
        wanted_reset(&environment->wanted);
        rc = environment_process(&environment->wanted, environment->procfs_dir, pid);
    }
    if (rc == 0) {
        environment->pid = pid;
        environment->started = started;
    }
    return rc;
}

static void explain_process(struct tmon_call *call, const struct environment *environment, int rc)
{
    char text[512];

    if (environment->procfs_dir < 0) {
        (void)snprintf(text, sizeof text, "procfs: cannot open %s: %s", environment->procfs,
                       strerror(-rc));
    } else if (rc == -EACCES || rc == -EPERM) {
        (void)snprintf(
            text, sizeof text,
            "not allowed to read the environment of %s: the agent has to run as the same user, or "
            "with CAP_SYS_PTRACE",
            environment->process);
    } else if (rc == -ESRCH || rc == -ENOENT) {
        (void)snprintf(text, sizeof text, "there is no process %s", environment->process);
    } else {
        (void)snprintf(text, sizeof text, "cannot read the environment of %s: %s",
                       environment->process, strerror(-rc));
    }
    tmon_report(call, NULL, TMON_FAIL, text);
}

static void explain_file(struct tmon_call *call, const char *path, int rc)
{
    char text[512];

    (void)snprintf(text, sizeof text, "cannot read %s: %s", path,
                   rc == -EINVAL  ? "it is not a regular file"
                   : rc == -EFBIG ? "it is larger than 1 MiB"
                                  : strerror(-rc));
    tmon_report(call, NULL, TMON_FAIL, text);
}

static void report_missing(struct tmon_call *call, const struct wanted *wanted)
{
    char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "missing or empty:");
    size_t missing = 0, i;

    for (i = 0; i < wanted->count; i++) {
        if (wanted->seen[i]) {
            continue;
        }
        tmon_detail_item(call, "missing", wanted->names[i]);
        missing++;
        if (len + strlen(wanted->names[i]) + 32 < sizeof text) { // room for "and N more"
            len += (size_t)snprintf(text + len, sizeof text - len, "%s %s", missing > 1 ? "," : "",
                                    wanted->names[i]);
        } else if (len + 8 < sizeof text && strcmp(text + len - 3, "...") != 0) {
            len += (size_t)snprintf(text + len, sizeof text - len, ", ...");
        }
    }
    if (missing > 0) {
        tmon_report(call, NULL, TMON_FAIL, text);
    }
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    struct environment *environment = self;
    int rc = 0;

    if (environment->process[0] != '\0') {
        rc = look_at_process(environment);
        if (rc < 0) {
            explain_process(call, environment, rc);
            return TMON_OK; // the verdict is in the report; nothing of ours failed
        }
        tmon_detail(call, "pid", environment->pid);
    } else {
        wanted_reset(&environment->wanted);
        if (environment->env_file[0] != '\0') {
            rc = environment_file(&environment->wanted, environment->env_file);
        } else {
            environment_own(&environment->wanted);
        }
        if (rc < 0) {
            explain_file(call, environment->env_file, rc);
            return TMON_OK;
        }
    }
    report_missing(call, &environment->wanted);
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "environment",
    .summary = "Whether variables are set, for the agent, in an env file or for a process",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct environment),
    .create = create,
    .destroy = destroy,
    .check = check,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("environment", "1.0", "Apache-2.0", components)
