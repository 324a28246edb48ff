/*
 * disk.c: the component `disk`: space and inodes of mount points, and whether they can be written.
 *
 * Runs in a worker of its own, because statvfs() of a mount whose server is dead does not return.
 * Then the check fails at its deadline, which is the point of it; the paths are looked at in the
 * order of the settings, so one that may hang stands last or has an instance of its own.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include <plugin_api.h>

static const struct tmon_option options[] = {
    {"paths", TMON_LIST, 0, "/", 0, 0, NULL,
     "Mount points, or any path on the file systems in question.", NULL},
    {"warn_above", TMON_FLOAT, 0, "80", 0, 100, NULL, "Warn when more than this is used, percent.",
     NULL},
    {"fail_above", TMON_FLOAT, 0, "90", 0, 100, NULL, "Fail when more than this is used, percent.",
     NULL},
    {"inodes_warn_above", TMON_FLOAT, 0, "80", 0, 100, NULL,
     "Warn when more than this of the inodes is used, percent.", NULL},
    {"inodes_fail_above", TMON_FLOAT, 0, "90", 0, 100, NULL,
     "Fail when more than this of the inodes is used, percent.", NULL},
    {"read_only", TMON_CHOICE, 0, "warn", 0, 0, "warn|fail|ignore",
     "What a file system that is mounted read-only means: a kernel remounts one that way after "
     "errors.",
     NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL},
};

struct disk {
    const struct tmon_config *config;
    double warn_above, fail_above;
    double inodes_warn_above, inodes_fail_above;
    bool read_only_ignored;
    tmon_verdict read_only;
};

/* How full one file system is; percentages as df computes them, of what ordinary users may have. */
struct usage {
    const char *path;
    double space, inodes; /* percent */
    double used, size;    /* bytes */
};

static bool out_of_order(struct tmon_call *call, const char *warn, double warn_above,
                         const char *fail, double fail_above)
{
    if (warn_above <= fail_above) {
        return false;
    }
    tmon_log(call, TMON_ERROR, "%s (%g) is larger than %s (%g)", warn, warn_above, fail,
             fail_above);
    return true;
}

static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct disk *disk = self;
    const char *read_only = tmon_config_string(call, config, "read_only");
    size_t i;

    disk->config = config;
    disk->warn_above = tmon_config_float(call, config, "warn_above");
    disk->fail_above = tmon_config_float(call, config, "fail_above");
    disk->inodes_warn_above = tmon_config_float(call, config, "inodes_warn_above");
    disk->inodes_fail_above = tmon_config_float(call, config, "inodes_fail_above");
    disk->read_only_ignored = strcmp(read_only, "ignore") == 0;
    disk->read_only = strcmp(read_only, "fail") == 0 ? TMON_FAIL : TMON_WARN;
    if (out_of_order(call, "warn_above", disk->warn_above, "fail_above", disk->fail_above) ||
        out_of_order(call, "inodes_warn_above", disk->inodes_warn_above, "inodes_fail_above",
                     disk->inodes_fail_above)) {
        return TMON_REJECTED;
    }
    if (tmon_config_count(call, config, "paths") == 0) {
        tmon_log(call, TMON_ERROR, "paths: is empty; name at least one, or leave it out for /");
        return TMON_REJECTED;
    }
    for (i = 0; i < tmon_config_count(call, config, "paths"); i++) {
        const char *path = tmon_config_item(call, config, "paths", i);

        if (path[0] != '/') {
            tmon_log(call, TMON_ERROR, "paths: \"%s\" does not start with a slash", path);
            return TMON_REJECTED;
        }
    }
    return TMON_OK;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static tmon_verdict judge(double value, double warn_above, double fail_above)
{
    return value > fail_above ? TMON_FAIL : value > warn_above ? TMON_WARN : TMON_PASS;
}

/* Looks at one path and reports on it.  False when there are no numbers to show. */
static bool look(struct tmon_call *call, const struct disk *disk, const char *path,
                 struct usage *ret_usage)
{
    struct statvfs info;
    struct usage usage = {path, 0, 0, 0, 0};
    tmon_verdict space, inodes, read_only = TMON_PASS, worst;
    char text[512] = "";
    size_t len = 0;
    double block;

    while (statvfs(path, &info) != 0) {
        if (errno == EINTR) {
            continue;
        }
        (void)snprintf(text, sizeof text, "cannot be asked: %s%s", strerror(errno),
                       errno == ENOENT || errno == ENOTCONN || errno == ESTALE ? "; is it mounted?"
                                                                               : "");
        tmon_report(call, path, TMON_FAIL, text);
        return false;
    }
    block = (double)(info.f_frsize > 0 ? info.f_frsize : info.f_bsize);
    usage.size = (double)info.f_blocks * block;
    usage.used = info.f_blocks > info.f_bfree ? (double)(info.f_blocks - info.f_bfree) * block : 0;
    usage.space = percent(usage.used, usage.used + (double)info.f_bavail * block);
    usage.inodes =
        info.f_files > info.f_ffree // some file systems (btrfs, vfat) have no number of inodes
            ? percent((double)(info.f_files - info.f_ffree),
                      (double)(info.f_files - info.f_ffree) + (double)info.f_favail)
            : 0;
    space = judge(usage.space, disk->warn_above, disk->fail_above);
    inodes = judge(usage.inodes, disk->inodes_warn_above, disk->inodes_fail_above);
    if ((info.f_flag & ST_RDONLY) != 0 && !disk->read_only_ignored) {
        read_only = disk->read_only;
    }
    if (space != TMON_PASS) {
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%.1f %% of the space is used, more than %g %%", usage.space,
                                space == TMON_FAIL ? disk->fail_above : disk->warn_above);
    }
    if (inodes != TMON_PASS) {
        len += (size_t)snprintf(
            text + len, sizeof text - len, "%s%.1f %% of the inodes are used, more than %g %%",
            len > 0 ? "; " : "", usage.inodes,
            inodes == TMON_FAIL ? disk->inodes_fail_above : disk->inodes_warn_above);
    }
    if (read_only != TMON_PASS) {
        (void)snprintf(text + len, sizeof text - len, "%sit is mounted read-only",
                       len > 0 ? "; " : "");
    }
    worst = space > inodes ? space : inodes;
    worst = worst > read_only ? worst : read_only;
    tmon_report(call, path, worst, worst == TMON_PASS ? NULL : text);
    *ret_usage = usage;
    return true;
}

static double rounded(double value)
{
    return (double)(int64_t)(value * 10 + 0.5) / 10;
}

static tmon_rc check(struct tmon_call *call, void *self)
{
    const struct disk *disk = self;
    const size_t count = tmon_config_count(call, disk->config, "paths");
    struct usage usage, fullest = {NULL, -1, -1, 0, 0};
    double inodes = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        if (!look(call, disk, tmon_config_item(call, disk->config, "paths", i), &usage)) {
            continue;
        }
        inodes = usage.inodes > inodes ? usage.inodes : inodes;
        if (usage.space > fullest.space) {
            fullest = usage;
        }
    }
    if (fullest.path != NULL) {
        tmon_detail_text(call, "path", fullest.path);
        tmon_detail(call, "usage.percentage", rounded(fullest.space));
        tmon_detail(call, "usage.bytes", fullest.used);
        tmon_detail(call, "limit.bytes", fullest.size);
        tmon_detail(call, "inodes.percentage", rounded(inodes));
    }
    return TMON_OK;
}

static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "disk",
    .summary = "How full file systems are, and whether they can be written",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct disk),
    .create = create,
    .check = check,
};

static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("disk", "1.0", "Apache-2.0", components)
