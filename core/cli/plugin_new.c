/*
 * plugin_new.c: `toiletmon plugin new`: a folder with a plugin that builds, passes its test, and
 * can be changed into something useful.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/plugin_template.h"
#include "cli/probe.h"

#define NAME_BYTES 40

static bool name_ok(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return name[0] >= 'a' && name[0] <= 'z' && !name[len] && len <= NAME_BYTES;
}

/* Appends text with @NAME@ replaced. */
static void put_named(struct buf *buf, const char *text, const char *name)
{
    for (const char *at; (at = strstr(text, "@NAME@")); text = at + 6) {
        buf_append(buf, text, (size_t)(at - text));
        buf_puts(buf, name);
    }
    buf_puts(buf, text);
}

/* Never over a file that is there. */
static int write_file(int directory, const struct template_file *file, const char *name)
{
    struct buf path, text;
    mode_t mode = strcmp(file->name, "test.sh") == 0 ? 0755 : 0644;
    size_t done = 0;
    int fd = -1, r = 0;

    buf_init(&path, 256);
    buf_init(&text, 65536);
    put_named(&path, file->name, name);
    put_named(&text, file->text, name);
    if (path.failed || text.failed) {
        r = cli_failed("there is not enough memory");
        goto out;
    }
    fd = openat(directory, buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        r = cli_failed("%s cannot be made: %s", buf_str(&path), log_errno(errno));
        goto out;
    }
    while (done < text.len) {
        ssize_t n = write(fd, text.data + done, text.len - done);

        if (n < 0) {
            r = cli_failed("%s cannot be written: %s", buf_str(&path), log_errno(errno));
            goto out;
        }
        done += (size_t)n;
    }
    printf("  %s\n", buf_str(&path));
out:
    if (fd >= 0 && close(fd) < 0 && r == 0) {
        r = cli_failed("%s cannot be written: %s", buf_str(&path), log_errno(errno));
    }
    buf_finish(&path);
    buf_finish(&text);
    return r;
}

static int write_files(int directory, const struct template_file *file, const char *name)
{
    int r = CLI_OK;

    for (; file->name && r == CLI_OK; file++) {
        r = write_file(directory, file, name);
    }
    return r;
}

/* Two files with one component would leave the agent without either.  CLI_OK, or complains. */
static int check_free(const struct cli *cli, const char *name)
{
    const struct registry_file *file = NULL;
    struct spawner *spawner = NULL;
    struct registry *registry = NULL;
    struct buf why;
    int r = probe_spawner(&spawner);

    buf_init(&why, 4096);
    if (r == CLI_OK) {
        r = probe_all(cli, spawner, &registry);
    }
    if (r == CLI_OK && registry_find(registry, name, &file, &why)) {
        r = cli_failed("there is a component '%s' already, in %s: take another name", name,
                       file->path);
    }
    buf_finish(&why);
    registry_destroy(registry);
    spawner_destroy(spawner);
    return r;
}

int cli_plugin_new(struct cli *cli)
{
    const char *name = cli->arguments[0];
    const char *path = cli->narguments > 1 ? cli->arguments[1] : name;
    int directory, r;

    if (!name_ok(name)) {
        return cli_usage(cli, "the name must match [a-z][a-z0-9_]* and have at most %d bytes",
                         NAME_BYTES);
    }
    r = check_free(cli, name);
    if (r != CLI_OK) {
        return r;
    }
    // 0755: an agent refuses plugins from a directory that others can write to.
    if (mkdir(path, 0755) < 0 && errno != EEXIST) {
        return cli_failed("%s cannot be made: %s", path, log_errno(errno));
    }
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return cli_failed("%s cannot be used: %s", path, log_errno(errno));
    }
    printf("%s:\n", path);
    r = write_files(directory, cli_flag(cli, "sink") ? plugin_template_sink : plugin_template_check,
                    name);
    if (r == CLI_OK) {
        r = write_files(directory, plugin_template_shared, name);
    }
    close(directory);
    if (r == CLI_OK) {
        printf("\nNext: cd %s && make && make check\n", path);
    }
    return r;
}
