/* core/alert/ack_link.c: tokens, the key on the disk. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "alert/ack_link.h"

#define NOW_MS INT64_C(1700000000000)

static const struct ack_key key = {.set = true, .bytes = "thirty-two bytes, or nearly so"};
static const char episode[] = "b807e636403824b5-18bcfe56800-2a";

static void there_and_back(void **state)
{
    char token[ACK_TOKEN_SIZE], got[ACK_EPISODE_SIZE];

    assert_int_equal(ack_token_make(&key, episode, NOW_MS + 60000, token), 0);
    assert_int_equal(ack_token_read(&key, token, NOW_MS, got), 0);
    assert_string_equal(got, episode);
    assert_int_equal(ack_token_read(&key, token, NOW_MS + 59999, got), 0);
    assert_int_equal(ack_token_read(&key, token, NOW_MS + 60000, got), -ETIME);
    /* the longest that there can be */
    assert_int_equal(ack_token_make(&key, "ffffffffffffffff-ffffffffffffffff-ffffffffffffffff",
                                    INT64_MAX, token),
                     0);
    assert_int_equal(ack_token_read(&key, token, NOW_MS, got), 0);
}

/* The same as `openssl dgst -sha256 -hmac` gives: links survive an update. */
static void is_what_it_was(void **state)
{
    static const struct ack_key zero = {.set = true};
    char token[ACK_TOKEN_SIZE];

    assert_int_equal(ack_token_make(&zero, "a-1-1", 16000, token), 0);
    assert_string_equal(token, "a-1-1.10.399b7224a76196d6955da60d6cde48106a964096");
}

/* Each byte counts, in each place, and so does the key. */
static void no_other_is_good(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a", "a.b", "a..", ".a.", "a.b.c"};
    struct ack_key other = key;
    char token[ACK_TOKEN_SIZE], got[ACK_EPISODE_SIZE] = "none";
    size_t len;

    assert_int_equal(ack_token_make(&key, episode, NOW_MS + 60000, token), 0);
    len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        char was = token[i];

        token[i] = was == '1' ? '2' : '1';
        assert_int_equal(ack_token_read(&key, token, NOW_MS, got), -EINVAL);
        token[i] = '\0';
        assert_int_equal(ack_token_read(&key, token, NOW_MS, got), -EINVAL);
        token[i] = was;
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ack_token_read(&key, bad[i], NOW_MS, got), -EINVAL);
    }
    other.bytes[31] ^= 1;
    assert_int_equal(ack_token_read(&other, token, NOW_MS, got), -EINVAL);
    other = (struct ack_key){0};
    assert_int_equal(ack_token_read(&other, token, NOW_MS, got), -EINVAL);
    assert_int_equal(ack_token_make(&other, episode, NOW_MS, token), -EINVAL);
    assert_int_equal(ack_token_make(&key, "", NOW_MS, token), -EINVAL);
    assert_int_equal(ack_token_make(&key, "a/b", NOW_MS, token), -EINVAL);
    assert_string_equal(got, "none");
}

static void the_key_is_kept(void **state)
{
    char directory[] = "/tmp/tmon-ack-XXXXXX", path[64];
    struct ack_key first = {0}, again = {0};
    struct stat status;
    struct buf why;
    FILE *file;

    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/ack.key", directory);
    buf_init(&why, 1024);
    assert_int_equal(ack_key_load(directory, &first, &why), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, ACK_KEY_BYTES);
    assert_int_equal(ack_key_load(directory, &again, &why), 0);
    assert_memory_equal(&first, &again, sizeof first);

    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(ack_key_load(directory, &again, &why), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);

    file = fopen(path, "w"); /* half of one */
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(ack_key_load(directory, &again, &why), 0);
    assert_memory_not_equal(first.bytes, again.bytes, ACK_KEY_BYTES);
    assert_int_equal(why.len, 0);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/dev/zero", path), 0); /* nobody else says what it is */
    assert_true(ack_key_load(directory, &again, &why) < 0);
    assert_non_null(strstr(buf_str(&why), "ack.key"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    buf_finish(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(is_what_it_was),
        cmocka_unit_test(no_other_is_good),
        cmocka_unit_test(the_key_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
