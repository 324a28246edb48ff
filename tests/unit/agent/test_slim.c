/* Code is given back only where the kernel can bring it back, and runs on afterwards. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/slim.h"

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Two pages of a file of its own. */
static unsigned char *map_code(char *path)
{
    int fd = mkstemp(path);
    unsigned char *code;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)(2 * page())), 0);
    code = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    return code == MAP_FAILED ? NULL : code;
}

static void test_code_runs_on(void **state)
{
    assert_true(slim_now() > 0);
    assert_int_equal(abs(-3), 3);
    assert_true(slim_now() > 0);
}

static void test_changed_code_stays(void **state)
{
    char path[] = "/tmp/tmon-slim-XXXXXX";
    unsigned char *code = map_code(path);

    assert_non_null(code);
    code[0] = 0xcc; /* as a debugger does */
    if (mprotect(code, 2 * page(), PROT_READ | PROT_EXEC) < 0) {
        (void)unlink(path);
        skip(); /* a machine that lets nobody run a temporary file */
    }
    assert_true(slim_now() > 0);
    assert_int_equal(code[0], 0xcc);
    assert_int_equal(munmap(code, 2 * page()), 0);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_runs_on),
        cmocka_unit_test(test_changed_code_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
