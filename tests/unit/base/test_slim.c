/* Code and constants are given back only where the kernel can bring them back, and serve on. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slim.h"

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Two pages of a file of its own. */
static unsigned char *map_pages(char *path)
{
    int fd = mkstemp(path);
    unsigned char *pages;

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)(2 * page())), 0);
    pages = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    return pages == MAP_FAILED ? NULL : pages;
}

static void test_code_runs_on(void **state)
{
    assert_true(slim_now() > 0);
    assert_int_equal(abs(-3), 3);
    assert_true(slim_now() > 0);
}

/* A page that was written to is not the file's any more: it stays, and all of its mapping. */
static void check_changed_stays(int protection)
{
    char path[] = "/tmp/tmon-slim-XXXXXX";
    unsigned char *pages = map_pages(path);

    assert_non_null(pages);
    pages[0] = 0xcc; /* as a debugger does, or the loader */
    if (mprotect(pages, 2 * page(), protection) < 0) {
        (void)unlink(path);
        skip(); /* a machine that lets nobody run a temporary file */
    }
    assert_true(slim_now() > 0);
    assert_int_equal(pages[0], 0xcc);
    assert_int_equal(munmap(pages, 2 * page()), 0);
    (void)unlink(path);
}

static void test_changed_code_stays(void **state)
{
    check_changed_stays(PROT_READ | PROT_EXEC);
}

static void test_changed_constants_stay(void **state)
{
    check_changed_stays(PROT_READ);
}

static void test_constants_go_and_come_back(void **state)
{
    char path[] = "/tmp/tmon-slim-XXXXXX";
    unsigned char *pages = map_pages(path);
    long without;

    assert_non_null(pages);
    without = slim_now(); /* while they may be written, they are nobody's constants */
    assert_int_equal(mprotect(pages, 2 * page(), PROT_READ), 0);
    assert_int_equal(slim_now() - without, 2 * page());
    assert_int_equal(pages[page()], 0);
    assert_int_equal(munmap(pages, 2 * page()), 0);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_runs_on),
        cmocka_unit_test(test_changed_code_stays),
        cmocka_unit_test(test_changed_constants_stay),
        cmocka_unit_test(test_constants_go_and_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
