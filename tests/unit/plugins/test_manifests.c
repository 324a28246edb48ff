/* Every plugin of this build: its manifest passes the agent's own validation, defaults and all. */
#include "kit.h"

#include <dirent.h>
#include <dlfcn.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/manifest.h"

static void every_manifest_is_valid(void **state)
{
    char path[4096], why[512];
    const char *build = getenv("TMON_BUILD");
    struct dirent *entry;
    size_t plugins = 0;
    DIR *dir;

    (void)snprintf(path, sizeof path, "%s/plugins", build == NULL ? "build" : build);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const struct tmon_plugin *(*entry_point)(void);
        const char *dot = strrchr(entry->d_name, '.');
        struct manifest *manifest = NULL;
        const char *reason = "";
        struct buf buf;
        void *handle, *symbol;

        if (dot == NULL || strcmp(dot, ".so") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/plugins/%s", build == NULL ? "build" : build,
                       entry->d_name);
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        symbol = handle == NULL ? NULL : dlsym(handle, "toiletmon_plugin");
        if (symbol == NULL) {
            fail_msg("%s: %s", path, dlerror());
        }
        memcpy(&entry_point, &symbol, sizeof entry_point);
        buf_init(&buf, LIMIT_MANIFEST_BYTES);
        if (manifest_encode(entry_point(), &buf, &reason) != 0) {
            fail_msg("%s: %s", path, reason);
        }
        if (manifest_decode(buf.data, buf.len, &manifest, why, sizeof why) != 0) {
            fail_msg("%s: %s", path, why);
        }
        manifest_destroy(manifest);
        buf_finish(&buf);
        plugins++;
    }
    (void)closedir(dir);
    assert_true(plugins >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_manifest_is_valid)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
