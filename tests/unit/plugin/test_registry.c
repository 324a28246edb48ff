/* Which component is in which file. */
#include "kit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "plugin/registry.h"

struct place {
    struct spawner *spawner;
    char one[64], two[64];
    struct registry *registry;
    struct buf why;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    assert_non_null(place);
    (void)snprintf(place->one, sizeof place->one, "/tmp/tmon-one-XXXXXX");
    (void)snprintf(place->two, sizeof place->two, "/tmp/tmon-two-XXXXXX");
    assert_non_null(mkdtemp(place->one));
    assert_non_null(mkdtemp(place->two));
    place->spawner = kit_spawner();
    buf_init(&place->why, 10000);
    *state = place;
    return 0;
}

static void empty(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    (void)rmdir(folder);
}

static int drop_place(void **state)
{
    struct place *place = *state;

    registry_destroy(place->registry);
    spawner_destroy(place->spawner);
    buf_finish(&place->why);
    empty(place->one);
    empty(place->two);
    free(place);
    kit_no_children();
    return 0;
}

/* Makes folder/name.so lead to a plugin. */
static void lay(const char *folder, const char *name, const char *target)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/%s.so", folder, name);
    assert_int_equal(symlink(target, path), 0);
}

static void lay_text(const char *folder, const char *name)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("this is no object file\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void scan(struct place *place, const struct registry *previous)
{
    const char *const folders[] = {place->one, place->two};

    assert_int_equal(registry_scan(place->spawner, folders, 2, previous, -1, &place->registry), 0);
}

static void finds_components(void **state)
{
    struct place *place = *state;
    const struct manifest_component *component;
    const struct registry_file *file = NULL;
    const char **names;
    size_t n = 0;

    lay(place->one, "crash", kit_fixture("crash"));
    lay(place->two, "api_check", kit_fixture("api_check"));
    lay_text(place->one, "README");
    lay_text(place->one, ".hidden.so");
    scan(place, NULL);
    assert_int_equal(place->registry->nfiles, 2);
    assert_int_equal(place->registry->nproblems, 0);
    assert_string_equal(place->registry->files[0].name, "crash");
    component = registry_find(place->registry, "api_silent", &file, &place->why);
    assert_non_null(component);
    assert_int_equal(component->abilities, ABILITY_CHECK);
    assert_string_equal(file->name, "api_check");
    assert_null(registry_own_component(file, "api_silent"));
    assert_null(registry_find(place->registry, "crsh", &file, &place->why));
    assert_null(file);
    assert_string_equal(buf_str(&place->why),
                        "no plugin offers a component 'crsh'; did you mean 'crash'?");
    buf_clear(&place->why);
    assert_int_equal(registry_conflicts(place->registry, &place->why), 0);
    names = registry_names(place->registry, &n);
    assert_non_null(names);
    assert_int_equal(n, 9);
    assert_string_equal(names[0], "crash");
    free(names);
}

static void gives_the_reason_of_a_refused_file(void **state)
{
    struct place *place = *state;
    const struct registry_file *file = NULL;

    lay(place->one, "abi_new", kit_fixture("abi_new"));
    lay_text(place->one, "text.so");
    scan(place, NULL);
    assert_null(registry_find(place->registry, "abi_new", &file, &place->why));
    assert_non_null(file);
    assert_non_null(strstr(buf_str(&place->why), "0.99"));
    assert_non_null(strstr(buf_str(&place->why), "abi_new.so"));
    buf_clear(&place->why);
    assert_null(registry_find(place->registry, "text", &file, &place->why));
    assert_non_null(strstr(buf_str(&place->why), "text.so"));
}

static void refuses_two_of_one_name(void **state)
{
    struct place *place = *state;
    const struct registry_file *file = NULL;

    lay(place->one, "a", kit_fixture("crash"));
    lay(place->two, "b", kit_fixture("crash"));
    lay(place->two, "c", kit_fixture("api_check"));
    scan(place, NULL);
    assert_null(registry_find(place->registry, "crash", &file, &place->why));
    assert_non_null(strstr(buf_str(&place->why), "/a.so"));
    assert_non_null(strstr(buf_str(&place->why), "/b.so"));
    buf_clear(&place->why);
    assert_int_equal(registry_conflicts(place->registry, &place->why), 1);
    assert_non_null(strstr(buf_str(&place->why), "\"crash\""));
}

static void asks_only_new_files_again(void **state)
{
    struct place *place = *state;
    struct registry *first;

    lay(place->one, "crash", kit_fixture("crash"));
    lay(place->one, "abi_new", kit_fixture("abi_new"));
    scan(place, NULL);
    first = place->registry;
    lay(place->one, "hang", kit_fixture("hang"));
    scan(place, first);
    assert_int_equal(place->registry->nfiles, 3);
    assert_ptr_equal(place->registry->files[1].manifest, first->files[1].manifest);
    assert_non_null(place->registry->files[0].why);
    assert_non_null(place->registry->files[2].manifest);
    /* The manifest lives on without the registry that it came from. */
    registry_destroy(first);
    assert_string_equal(place->registry->files[1].manifest->name, "crash");
}

/* Ours that run on the component thread, and only from the first folder. */
static void loads_its_own_itself(void **state)
{
    struct place *place = *state;
    const struct registry_file *file = NULL;
    char memory[4096];

    (void)snprintf(memory, sizeof memory, "%s/plugins/memory.so", kit_build());
    lay(place->one, "memory", memory);
    scan(place, NULL);
    assert_non_null(registry_find(place->registry, "memory", &file, &place->why));
    assert_non_null(file->own);
    assert_non_null(registry_own_component(file, "memory"));
    assert_null(registry_own_component(file, "other"));
    registry_destroy(place->registry);
    empty(place->one);
    assert_int_equal(mkdir(place->one, 0700), 0);
    lay(place->two, "memory", memory);
    scan(place, NULL);
    assert_non_null(registry_find(place->registry, "memory", &file, &place->why));
    assert_null(file->own);
}

static void tells_of_folders_that_cannot_be_read(void **state)
{
    struct place *place = *state;
    const char *const folders[] = {place->one, "/tmp/tmon-no-such-folder"};

    assert_int_equal(registry_scan(place->spawner, folders, 2, NULL, -1, &place->registry), 0);
    assert_int_equal(place->registry->nfiles, 0);
    assert_int_equal(place->registry->nproblems, 1);
    assert_non_null(strstr(place->registry->problems[0], "/tmp/tmon-no-such-folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_components, make_place, drop_place),
        cmocka_unit_test_setup_teardown(gives_the_reason_of_a_refused_file, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_two_of_one_name, make_place, drop_place),
        cmocka_unit_test_setup_teardown(asks_only_new_files_again, make_place, drop_place),
        cmocka_unit_test_setup_teardown(loads_its_own_itself, make_place, drop_place),
        cmocka_unit_test_setup_teardown(tells_of_folders_that_cannot_be_read, make_place,
                                        drop_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
