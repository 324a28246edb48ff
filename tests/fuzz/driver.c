/*
 * Runs a fuzzer's entry over a folder of kept inputs, without libFuzzer: what crashed once is tried
 * in every build, by every compiler. Prints TAP; an input that crashes again is the last one named.
 *
 * usage: replay_<what> FOLDER      (a folder that is not there yet counts as empty)
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX                                                                            \
    (1u << 20) /* libFuzzer's inputs are 64 KiB at most; kept ones are small                       \
                */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "README.md") != 0;
}

/* Reads a whole file; returns owned memory of exactly its size, so that a sanitizer sees overruns.
 */
static int read_file(const char *path, uint8_t **ret_data, size_t *ret_size)
{
    uint8_t *whole = NULL, *exact = NULL;
    int rc = 0;
    FILE *file = fopen(path, "rb");

    if (!file)
        return -errno;
    whole = malloc(INPUT_BYTES_MAX);
    if (!whole) {
        rc = -ENOMEM;
        goto out;
    }
    size_t size = fread(whole, 1, INPUT_BYTES_MAX, file);
    if (ferror(file) || (size == INPUT_BYTES_MAX && fgetc(file) != EOF)) {
        rc = -EFBIG;
        goto out;
    }
    exact = malloc(size ? size : 1);
    if (!exact) {
        rc = -ENOMEM;
        goto out;
    }
    memcpy(exact, whole, size);
    *ret_data = exact;
    *ret_size = size;
out:
    free(whole);
    fclose(file);
    return rc;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int failed = 0, count = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("ok %d - nothing\n", ++count);

    int found = scandir(argv[1], &entries, is_input, alphasort);
    for (int i = 0; i < found; i++) {
        char path[4096];
        uint8_t *data = NULL;
        size_t size = 0;

        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        printf("# %s\n", path);
        int rc = read_file(path, &data, &size);
        if (rc == 0)
            LLVMFuzzerTestOneInput(data, size);
        printf("%s %d - %s\n", rc == 0 ? "ok" : "not ok", ++count, entries[i]->d_name);
        failed += rc != 0;
        free(data);
        free(entries[i]);
    }
    free(entries);
    printf("1..%d\n", count);
    return failed ? 1 : 0;
}
