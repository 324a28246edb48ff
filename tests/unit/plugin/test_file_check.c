/* Which files may be loaded. */
#include "kit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/file_check.h"

struct place {
    char folder[64];
    char file[128];
    char why[512];
    struct file_identity identity;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    int fd;

    assert_non_null(place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/tmon-file-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->file, sizeof place->file, "%s/a.so", place->folder);
    fd = open(place->file, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0644), 0);
    (void)close(fd);
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;
    char link[128];

    (void)snprintf(link, sizeof link, "%s/link.so", place->folder);
    (void)unlink(link);
    (void)unlink(place->file);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

static int check(struct place *place, const char *path)
{
    place->why[0] = '\0';
    return file_check(path, &place->identity, place->why, sizeof place->why);
}

static void takes_a_file_of_ours(void **state)
{
    struct place *place = *state;
    struct stat status;

    assert_int_equal(check(place, place->file), 0);
    assert_int_equal(stat(place->file, &status), 0);
    assert_int_equal(place->identity.inode, status.st_ino);
    assert_int_equal(place->identity.size, 0);
}

static void refuses_what_others_can_write(void **state)
{
    struct place *place = *state;

    assert_int_equal(chmod(place->file, 0664), 0);
    assert_int_equal(check(place, place->file), -EPERM);
    assert_non_null(strstr(place->why, "its group"));
    assert_non_null(strstr(place->why, "chmod go-w '/tmp/tmon-file-"));
    assert_int_equal(chmod(place->file, 0646), 0);
    assert_int_equal(check(place, place->file), -EPERM);
    assert_non_null(strstr(place->why, "others"));
    assert_int_equal(chmod(place->file, 0644), 0);

    assert_int_equal(chmod(place->folder, 0777), 0);
    assert_int_equal(check(place, place->file), -EPERM);
    assert_non_null(strstr(place->why, "the folder "));
    assert_int_equal(chmod(place->folder, 01777), 0);
    assert_int_equal(check(place, place->file), -EPERM);
}

static void refuses_what_belongs_to_others(void **state)
{
    struct place *place = *state;

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(place->file, 12345, 0), 0);
    assert_int_equal(check(place, place->file), -EPERM);
    assert_non_null(strstr(place->why, "user 12345"));
    assert_non_null(strstr(place->why, "chown root '"));
    assert_int_equal(chown(place->file, 0, 0), 0);
    assert_int_equal(chown(place->folder, 12345, 0), 0);
    assert_int_equal(check(place, place->file), -EPERM);
    assert_int_equal(chown(place->folder, 0, 0), 0);
}

/* What counts is where a link leads. */
static void follows_links(void **state)
{
    struct place *place = *state;
    char link[128];

    (void)snprintf(link, sizeof link, "%s/link.so", place->folder);
    assert_int_equal(symlink(place->file, link), 0);
    assert_int_equal(check(place, link), 0);
    assert_int_equal(chmod(place->file, 0666), 0);
    assert_int_equal(check(place, link), -EPERM);
    assert_non_null(strstr(place->why, place->file));
}

static void refuses_what_is_no_file(void **state)
{
    struct place *place = *state;

    assert_int_equal(check(place, place->folder), -EINVAL);
    assert_int_equal(check(place, "/tmp/tmon-no-such.so"), -ENOENT);
    assert_non_null(strstr(place->why, "/tmp/tmon-no-such.so"));
    assert_int_equal(check(place, "/dev/null"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_a_file_of_ours, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_what_others_can_write, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_what_belongs_to_others, make_place, drop_place),
        cmocka_unit_test_setup_teardown(follows_links, make_place, drop_place),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_file, make_place, drop_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
