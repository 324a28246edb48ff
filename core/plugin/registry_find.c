/*
 * registry_find.c: the questions that are asked of a finished registry; see registry.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "plugin/registry.h"

static const struct manifest_component *component_of(const struct registry_file *file,
                                                     const char *component)
{
    return file->manifest ? manifest_find(file->manifest, component) : NULL;
}

/* The first file from `start` on that offers the component; nfiles when there is none. */
static size_t next_offer(const struct registry *registry, const char *component, size_t start)
{
    while (start < registry->nfiles && !component_of(&registry->files[start], component)) {
        start++;
    }
    return start;
}

static void say_conflict(const struct registry *registry, const char *component, size_t a, size_t b,
                         struct buf *why)
{
    buf_printf(why, "two plugins offer the component \"%s\": %s and %s; remove one of them",
               component, registry->files[a].path, registry->files[b].path);
}

static void say_missing(const struct registry *registry, const char *component,
                        const struct registry_file **ret_file, struct buf *why)
{
    char suggestion[SUGGESTION_SIZE];
    const char **names;
    size_t n = 0;

    *ret_file = NULL;
    for (size_t i = 0; i < registry->nfiles; i++) {
        const struct registry_file *file = &registry->files[i];

        if (file->why && strcmp(file->name, component) == 0) {
            *ret_file = file;
            buf_printf(why, "the plugin %s is refused: %s", file->path, file->why);
            return;
        }
    }
    names = registry_names(registry, &n);
    buf_printf(why, "no plugin offers a component '%s'%s", component,
               names ? suggest_ending(component, names, n, suggestion) : "");
    free(names);
}

const struct manifest_component *registry_find(const struct registry *registry,
                                               const char *component,
                                               const struct registry_file **ret_file,
                                               struct buf *why)
{
    size_t first = next_offer(registry, component, 0);
    size_t second;

    if (first == registry->nfiles) {
        say_missing(registry, component, ret_file, why);
        return NULL;
    }
    second = next_offer(registry, component, first + 1);
    if (second < registry->nfiles) {
        *ret_file = NULL;
        say_conflict(registry, component, first, second, why);
        return NULL;
    }
    *ret_file = &registry->files[first];
    return component_of(&registry->files[first], component);
}

size_t registry_conflicts(const struct registry *registry, struct buf *why)
{
    size_t n = 0;

    for (size_t i = 0; i < registry->nfiles; i++) {
        const struct manifest *manifest = registry->files[i].manifest;

        for (size_t c = 0; manifest && c < manifest->ncomponents; c++) {
            const char *name = manifest->components[c].name;
            size_t other = next_offer(registry, name, i + 1);

            if (other == registry->nfiles || next_offer(registry, name, 0) < i) {
                continue; // alone, or told before
            }
            if (n++ > 0) {
                buf_putc(why, '\n');
            }
            say_conflict(registry, name, i, other, why);
        }
    }
    return n;
}

const char **registry_names(const struct registry *registry, size_t *ret_n)
{
    size_t n = 0;
    const char **names;

    for (size_t i = 0; i < registry->nfiles; i++) {
        n += registry->files[i].manifest ? registry->files[i].manifest->ncomponents : 0;
    }
    names = calloc(n ? n : 1, sizeof *names);
    if (!names) {
        return NULL;
    }
    n = 0;
    for (size_t i = 0; i < registry->nfiles; i++) {
        const struct manifest *manifest = registry->files[i].manifest;

        for (size_t c = 0; manifest && c < manifest->ncomponents; c++) {
            names[n++] = manifest->components[c].name;
        }
    }
    *ret_n = n;
    return names;
}

const struct tmon_component *registry_own_component(const struct registry_file *file,
                                                    const char *component)
{
    if (!file->own) {
        return NULL;
    }
    for (const struct tmon_component *const *c = file->own->components; *c; c++) {
        if (strcmp((*c)->name, component) == 0) {
            return *c;
        }
    }
    return NULL;
}
