/* Addresses, and the sockets made of them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/listen.h"

struct folder {
    char path[64];
    char sock[128];
    char url[160];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);

    assert_non_null(folder);
    strcpy(folder->path, "/tmp/tmon-listen-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    (void)snprintf(folder->sock, sizeof folder->sock, "%s/s", folder->path);
    (void)snprintf(folder->url, sizeof folder->url, "unix:%s", folder->sock);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;

    (void)unlink(folder->sock);
    assert_int_equal(rmdir(folder->path), 0); /* nothing else was left there */
    free(folder);
    return 0;
}

static void test_parse(void **state)
{
    static const struct {
        const char *text, *host, *port, *path;
    } good[] = {
        {"127.0.0.1:9909", "127.0.0.1", "9909", NULL},
        {"localhost:0", "localhost", "0", NULL},
        {"[::1]:80", "::1", "80", NULL},
        {"unix:/run/x", NULL, NULL, "/run/x"},
    };
    static const char *const bad[] = {
        "",
        "localhost",
        "localhost:",
        ":80",
        "localhost:x",
        "localhost:65536",
        "::1:80",
        "[::1]",
        "[]:80",
        "[::1:80",
        "unix:",
        "unix:relative",
        "1.2.3.4:1 ",
        "a:123456",
        "unix:/"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaa",
    };
    struct listen_address address;
    struct buf why;

    buf_init(&why, 1000);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(listen_parse(good[i].text, &why, &address), 0);
        assert_string_equal(address.text, good[i].text);
        if (good[i].path) {
            assert_string_equal(address.path, good[i].path);
            assert_null(address.host);
        } else {
            assert_string_equal(address.host, good[i].host);
            assert_string_equal(address.port, good[i].port);
            assert_null(address.path);
        }
        listen_finish(&address);
    }
    assert_int_equal(why.len, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_clear(&why);
        assert_int_equal(listen_parse(bad[i], &why, &address), -EINVAL);
        assert_non_null(strstr(buf_str(&why), "write HOST:PORT"));
    }
    buf_finish(&why);
}

static void test_tcp(void **state)
{
    struct listen_address address;
    struct listen_address same;
    struct listen_socket sock;
    struct listen_socket other = {.fd = -7};
    struct buf why;
    char text[32];

    buf_init(&why, 1000);
    assert_int_equal(listen_parse("127.0.0.1:0", &why, &address), 0);
    assert_int_equal(listen_open(&address, &why, &sock), 0);
    assert_true(sock.port > 0);
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", sock.port);
    assert_int_equal(listen_parse(text, &why, &same), 0);
    assert_int_equal(listen_open(&same, &why, &other), -EADDRINUSE);
    assert_int_equal(other.fd, -7); /* not written on failure */
    assert_non_null(strstr(buf_str(&why), "another agent"));
    listen_close(&address, &sock);
    assert_int_equal(sock.fd, -1);
    buf_clear(&why);
    assert_int_equal(listen_open(&same, &why, &sock), 0);
    listen_close(&same, &sock);
    listen_finish(&address);
    listen_finish(&same);
    buf_finish(&why);
}

static void test_unix(void **state)
{
    struct folder *folder = *state;
    struct listen_address address;
    struct listen_socket sock;
    struct listen_socket second;
    struct stat st;
    struct buf why;

    buf_init(&why, 1000);
    assert_int_equal(listen_parse(folder->url, &why, &address), 0);
    assert_int_equal(listen_open(&address, &why, &sock), 0);
    assert_int_equal(lstat(folder->sock, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);

    /* somebody listens: it stays his */
    assert_int_equal(listen_open(&address, &why, &second), -EADDRINUSE);
    assert_non_null(strstr(buf_str(&why), "another process"));

    /* he died without a word: it is replaced */
    (void)close(sock.fd);
    buf_clear(&why);
    assert_int_equal(listen_open(&address, &why, &second), 0);

    /* what is not ours any more stays when we leave */
    assert_int_equal(unlink(folder->sock), 0);
    assert_int_equal(close(open(folder->sock, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    listen_close(&address, &second);
    assert_int_equal(lstat(folder->sock, &st), 0);

    /* and a file that is no socket is nothing to replace */
    assert_int_equal(listen_open(&address, &why, &second), -EEXIST);
    assert_int_equal(unlink(folder->sock), 0);

    assert_int_equal(listen_open(&address, &why, &second), 0);
    listen_close(&address, &second);
    assert_int_equal(lstat(folder->sock, &st), -1);
    listen_finish(&address);
    buf_finish(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_tcp),
        cmocka_unit_test_setup_teardown(test_unix, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
