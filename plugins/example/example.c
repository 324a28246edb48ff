/*
 * example.c: where a plugin of your own starts.  It has one component with two abilities.
 *
 * The component `example` looks into a folder, say a spool where another program leaves files to be
 * processed.  Its check warns or fails when there are too many of them; its collect emits how many
 * there are and how large they are together.
 *
 * Build it with nothing but the installed header (a Makefile of one line does):
 *
 *     cc -shared -fPIC -fvisibility=hidden -o example.so example.c $(pkg-config --cflags toiletmon)
 */
#define _POSIX_C_SOURCE 200809L /* for -std=c11: what we use beyond C itself */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <plugin_api.h> /* the only header of ours; everything else comes from it */

/*
 * 1. The settings that an operator can write.  The agent checks them before it calls us: wrong
 * types, values out of range and misspelled names are reported with file, line and column, and we
 * never see them. What is declared here is also what `toiletmon plugin describe example` prints, so
 * `help` is for people.
 */
static const struct tmon_option options[] = {
    {"path", TMON_STRING, TMON_REQUIRED, NULL, 0, 0, NULL, "The folder to count.", NULL},
    {"warn_above", TMON_INT, 0, "100", 0, 1e9, NULL, "Warn when there are more entries than this.",
     NULL},
    {"fail_above", TMON_INT, 0, "1000", 0, 1e9, NULL, "Fail when there are more entries than this.",
     NULL},
    {NULL, 0, 0, NULL, 0, 0, NULL, NULL, NULL}, /* the end */
};

/*
 * 2. What an instance remembers from call to call.  The agent allocates it (zeroed) and hands it to
 * each callback as `self`.  Never use variables at file scope for this: two instances of a
 * component may share a process, and a worker may be replaced at any time.
 */
struct example {
    const char
        *path; /* borrowed from the settings, which stay valid until destroy() has returned */
    int64_t warn_above;
    int64_t fail_above;
};

/*
 * 3. create() is called once, before anything else.  Read the settings here; none of these calls
 * can fail. When something is wrong that the declaration cannot express, log it and return
 * TMON_REJECTED: with the flag TMON_CREATE_CHECKS (at the end of this file) `toiletmon check` says
 * so, and a configuration with it is not put in force.  The price of that flag: create() only looks
 * at its settings.  Whether the folder is there is for check() to say; it may be mounted later.
 */
static tmon_rc create(struct tmon_call *call, void *self, const struct tmon_config *config)
{
    struct example *example = self;

    example->path = tmon_config_string(call, config, "path");
    example->warn_above = tmon_config_int(call, config, "warn_above");
    example->fail_above = tmon_config_int(call, config, "fail_above");
    if (example->warn_above > example->fail_above) {
        tmon_log(call, TMON_ERROR, "warn_above (%lld) must not be larger than fail_above (%lld)",
                 (long long)example->warn_above, (long long)example->fail_above);
        return TMON_REJECTED;
    }
    return TMON_OK;
}

struct totals {
    int64_t entries;
    int64_t bytes;
};

/*
 * Counts the folder.  Returns TMON_OK; TMON_TIMEOUT when the call's time was up before the end,
 * because a folder of a million files on a slow disk takes longer than anybody wants to wait;
 * TMON_RETRY with errno set when the folder cannot be read.
 */
static tmon_rc count(struct tmon_call *call, const char *path, struct totals *ret_totals)
{
    struct totals totals = {0, 0};
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (dir == NULL) {
        return TMON_RETRY;
    }
    while ((entry = readdir(dir)) != NULL) {
        struct stat info;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        totals.entries++;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
            totals.bytes += (int64_t)info.st_size;
        }
        if (tmon_remaining_ms(call) == 0) {
            (void)closedir(dir);
            return TMON_TIMEOUT;
        }
    }
    (void)closedir(dir);
    *ret_totals = totals;
    return TMON_OK;
}

/*
 * 4. check() gives a verdict.  Details are numbers and texts behind it that appear in the health
 * answer. tmon_report() says what is wrong, in words that help somebody at three in the morning; no
 * report at all is a pass.  A check that cannot do its work returns something else than TMON_OK,
 * which is a fail.
 */
static tmon_rc check(struct tmon_call *call, void *self)
{
    const struct example *example = self;
    struct totals totals;
    char text[256];
    const tmon_rc rc = count(call, example->path, &totals);

    if (rc != TMON_OK) {
        (void)snprintf(text, sizeof text, "cannot count %s: %s", example->path,
                       rc == TMON_TIMEOUT ? "the time is up" : strerror(errno));
        tmon_report(call, NULL, TMON_FAIL, text);
        return rc;
    }
    tmon_detail(call, "entries", (double)totals.entries);
    if (totals.entries > example->fail_above) {
        (void)snprintf(text, sizeof text, "%lld entries in %s, more than %lld",
                       (long long)totals.entries, example->path, (long long)example->fail_above);
        tmon_report(call, NULL, TMON_FAIL, text);
    } else if (totals.entries > example->warn_above) {
        (void)snprintf(text, sizeof text, "%lld entries in %s, more than %lld",
                       (long long)totals.entries, example->path, (long long)example->warn_above);
        tmon_report(call, NULL, TMON_WARN, text);
    }
    return TMON_OK;
}

/*
 * 5. collect() emits samples.  They are kept only if it returns TMON_OK, so that nobody ever sees
 * half of a collection.  Names follow Prometheus: base units (seconds, bytes), the unit at the end,
 * counters end in _total.  Labels tell series of one family apart; the instance's name is added by
 * the agent where the operator asks for it (`labels:`), not by you.
 */
static tmon_rc collect(struct tmon_call *call, void *self)
{
    const struct example *example = self;
    const struct tmon_pair labels[] = {{"path", example->path}};
    struct totals totals;
    const tmon_rc rc = count(call, example->path, &totals);

    if (rc != TMON_OK) {
        tmon_log(call, TMON_WARNING, "cannot count %s: %s", example->path,
                 rc == TMON_TIMEOUT ? "the time is up" : strerror(errno));
        return rc;
    }
    tmon_gauge(call, "example_entries", "Entries of the folder.", (double)totals.entries, labels,
               1);
    tmon_gauge(call, "example_size_bytes",
               "Size of the folder's entries, without what is below them.", (double)totals.bytes,
               labels, 1);
    return TMON_OK;
}

/*
 * 6. The component: its name is what an operator writes behind `use:`.  Abilities that are left out
 * are not there.  destroy() would be set here if create() had opened something.
 */
static const struct tmon_component component = {
    .size = (uint32_t)sizeof component,
    .name = "example",
    .summary = "Counts the entries of a folder",
    .flags = TMON_CREATE_CHECKS,
    .options = options,
    .state_size = sizeof(struct example),
    .create = create,
    .check = check,
    .collect = collect,
};

/* 7. The manifest: the plugin's name, version and license, and its components. */
static const struct tmon_component *const components[] = {&component, NULL};

TMON_PLUGIN("example", "1.0", "Apache-2.0", components)
