/*
 * registry.c: see registry.h.  One pass lists and checks the files, a second one asks those that
 * are new, several at once, what they declare.
 */
#include "plugin/registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "plugin/own.h"
#include "plugin/probe.h"

#define WHY_SIZE 1024

/* ---- files and problems ---- */

static int add_problem(struct registry *registry, const char *format, const char *what,
                       const char *why)
{
    char **problems =
        realloc(registry->problems, (registry->nproblems + 1) * sizeof *registry->problems);
    char *text;

    if (!problems) {
        return -ENOMEM;
    }
    registry->problems = problems;
    if (asprintf(&text, "%s %s: %s", format, what, why) < 0) {
        return -ENOMEM;
    }
    problems[registry->nproblems++] = text;
    return 0;
}

/* `path` is taken. */
static int add_file(struct registry *registry, char *path)
{
    struct registry_file *files =
        realloc(registry->files, (registry->nfiles + 1) * sizeof *registry->files);
    struct registry_file *file;

    if (!files) {
        free(path);
        return -ENOMEM;
    }
    registry->files = files;
    file = &files[registry->nfiles++];
    *file = (struct registry_file){.path = path};
    file->name = strdup(strrchr(path, '/') + 1);
    if (!file->name) {
        return -ENOMEM;
    }
    file->name[strlen(file->name) - strlen(".so")] = '\0';
    return 0;
}

static bool is_plugin_name(const char *name)
{
    size_t len = strlen(name);

    return len > 3 && name[0] != '.' && strcmp(name + len - 3, ".so") == 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct registry_file *)a)->path, ((const struct registry_file *)b)->path);
}

static int list_directory(struct registry *registry, const char *path)
{
    size_t first = registry->nfiles;
    DIR *dir = opendir(path);
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        return add_problem(registry, "cannot read the plugin directory", path, log_errno(errno));
    }
    while (r == 0 && (entry = readdir(dir))) {
        char *file;

        if (!is_plugin_name(entry->d_name)) {
            continue;
        }
        if (registry->nfiles >= LIMIT_PLUGIN_FILES) {
            r = add_problem(registry, "too many plugins; those left out are in", path,
                            "remove what is not used");
            break;
        }
        if (asprintf(&file, "%s/%s", path, entry->d_name) < 0) {
            r = -ENOMEM;
        } else {
            r = add_file(registry, file);
        }
    }
    (void)closedir(dir);
    if (registry->nfiles > first) {
        qsort(registry->files + first, registry->nfiles - first, sizeof *registry->files, by_path);
    }
    return r;
}

/* ---- what is in them ---- */

static int hold(struct registry_file *file, struct manifest *manifest)
{
    file->references = malloc(sizeof *file->references);
    if (!file->references) {
        manifest_destroy(manifest);
        return -ENOMEM;
    }
    *file->references = 1;
    file->manifest = manifest;
    return 0;
}

static bool same_file(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->mtime_ns == b->mtime_ns &&
           a->size == b->size;
}

/* Shares the manifest of a file that did not change. */
static bool reuse(struct registry_file *file, const struct registry *previous)
{
    for (size_t i = 0; previous && i < previous->nfiles; i++) {
        const struct registry_file *old = &previous->files[i];

        if (old->manifest && strcmp(old->path, file->path) == 0 &&
            same_file(&old->identity, &file->identity)) {
            file->manifest = old->manifest;
            file->references = old->references;
            file->layers = old->layers;
            file->own = old->own;
            (void)__atomic_add_fetch(file->references, 1, __ATOMIC_RELAXED);
            return true;
        }
    }
    return false;
}

static int refuse(struct registry_file *file, const char *why)
{
    file->why = strdup(why);
    return file->why ? 0 : -ENOMEM;
}

static int open_own(struct registry_file *file)
{
    struct manifest *manifest = NULL;
    char why[WHY_SIZE];
    int r = own_open(file->path, &file->own, &manifest, why, sizeof why);

    return r < 0 ? refuse(file, why) : hold(file, manifest);
}

/* The files from the first directory come first, `ndefault` of them.  What has to be asked in a
 * worker is left without manifest and without reason. */
static int look_at_files(struct registry *registry, size_t ndefault,
                         const struct registry *previous)
{
    int r = 0;

    for (size_t i = 0; i < registry->nfiles && r == 0; i++) {
        struct registry_file *file = &registry->files[i];
        char why[WHY_SIZE];

        if (file_check(file->path, &file->identity, why, sizeof why) < 0) {
            r = refuse(file, why);
        } else if (!reuse(file, previous) && i < ndefault && own_is(file->name)) {
            r = open_own(file);
        }
    }
    return r;
}

static int ask_workers(struct registry *registry, struct spawner *spawner, int cancel_fd)
{
    struct probe *probes = calloc(registry->nfiles ? registry->nfiles : 1, sizeof *probes);
    size_t n = 0;
    int cancelled;
    int r = 0;

    if (!probes) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < registry->nfiles; i++) {
        if (!registry->files[i].manifest && !registry->files[i].why) {
            probes[n++].path = registry->files[i].path;
        }
    }
    cancelled = probe_files(spawner, probes, n, PROBE_TIMEOUT_MS, cancel_fd);
    n = 0;
    for (size_t i = 0; i < registry->nfiles; i++) {
        struct registry_file *file = &registry->files[i];
        struct probe *probe = &probes[n];
        int error;

        if (file->manifest || file->why) {
            continue;
        }
        n++;
        file->layers = probe->layers;
        error = probe->manifest ? hold(file, probe->manifest) : refuse(file, probe->why);
        r = error < 0 ? error : r;
    }
    free(probes);
    return cancelled < 0 ? cancelled : r;
}

int registry_scan(struct spawner *spawner, const char *const *directories, size_t n,
                  const struct registry *previous, int cancel_fd, struct registry **ret_registry)
{
    struct registry *registry = calloc(1, sizeof *registry);
    size_t ndefault = 0;
    int r = 0;

    if (!registry) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        r = list_directory(registry, directories[i]);
        if (i == 0) {
            ndefault = registry->nfiles;
        }
    }
    if (r == 0) {
        r = look_at_files(registry, ndefault, previous);
    }
    if (r == 0) {
        r = ask_workers(registry, spawner, cancel_fd);
    }
    if (r == 0) {
        *ret_registry = registry;
        registry = NULL;
    }
    registry_destroy(registry);
    return r;
}

static void finish_file(struct registry_file *file)
{
    if (file->references && __atomic_sub_fetch(file->references, 1, __ATOMIC_ACQ_REL) == 0) {
        manifest_destroy(file->manifest);
        free(file->references);
    }
    free(file->path);
    free(file->name);
    free(file->why);
}

void registry_destroy(struct registry *registry)
{
    if (!registry) {
        return;
    }
    for (size_t i = 0; i < registry->nfiles; i++) {
        finish_file(&registry->files[i]);
    }
    for (size_t i = 0; i < registry->nproblems; i++) {
        free(registry->problems[i]);
    }
    free(registry->files);
    free(registry->problems);
    free(registry);
}
