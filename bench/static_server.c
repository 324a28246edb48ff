/*
 * static_server.c: libmicrohttpd's floor: a file's bytes from one epoll
 * thread.  Whatever the agent does with the same library costs at least this.
 *
 * usage: bench_static PORT FILE        (answers every request; ends with its stdin)
 */
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **per_request)
{
    static int seen;

    if (!*per_request) { // the headers are in; answer with the next call, as the manual says
        *per_request = &seen;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

static char *read_file(const char *path, size_t *ret_len)
{
    struct stat info;
    char *bytes = NULL;
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) < 0 || !(bytes = malloc((size_t)info.st_size + 1))) {
        return NULL;
    }
    while (len < (size_t)info.st_size) {
        ssize_t n = read(fd, bytes + len, (size_t)info.st_size - len);

        if (n <= 0) {
            return NULL;
        }
        len += (size_t)n;
    }
    close(fd);
    *ret_len = len;
    return bytes;
}

int main(int argc, char **argv)
{
    char *bytes;
    size_t len = 0;
    struct MHD_Response *response;
    struct MHD_Daemon *daemon;
    long port = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

    if (port < 1 || port > 65535) {
        fprintf(stderr, "usage: bench_static PORT FILE\n");
        return 2;
    }
    bytes = read_file(argv[2], &len);
    if (!bytes) {
        perror("bench_static");
        return 1;
    }
    response = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_PERSISTENT);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, answer,
                              response, MHD_OPTION_END);
    if (!response || !daemon) {
        fprintf(stderr, "bench_static: cannot listen on port %ld\n", port);
        return 1;
    }
    while (getchar() != EOF) {}
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    free(bytes);
    return 0;
}
