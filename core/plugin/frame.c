/*
 * frame.c: see frame.h.  Used by the agent, by workers and by fetch, so it knows nothing of what
 * the frames say.  A header and its payload leave in one sendmsg(), without a copy in between; a
 * message of one frame is read where it lies, and only longer ones are put together in memory.
 */
#include "plugin/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"

#define FLAGS_KNOWN FRAME_MORE

int frame_parse(const void *packet, size_t len, struct frame *ret_frame)
{
    const uint8_t *head = packet;
    struct wire_reader reader;

    if (len < FRAME_HEADER_BYTES || len > LIMIT_FRAME_BYTES || (head[1] & ~FLAGS_KNOWN) != 0 ||
        head[2] != 0 || head[3] != 0) {
        return -EPROTO;
    }
    wire_reader_init(&reader, head + 4, 4);
    *ret_frame = (struct frame){
        .type = head[0],
        .flags = head[1],
        .call = wire_get_u32(&reader),
        .payload = head + FRAME_HEADER_BYTES,
        .len = len - FRAME_HEADER_BYTES,
    };
    return 0;
}

static void put_header(uint8_t *head, enum frame_type type, bool more, uint32_t call)
{
    head[0] = (uint8_t)type;
    head[1] = more ? FRAME_MORE : 0;
    head[2] = 0;
    head[3] = 0;
    for (int i = 0; i < 4; i++) {
        head[4 + i] = (uint8_t)(call >> (8 * i));
    }
}

/* One frame of a message, the one that begins at `pos`.  0, -EAGAIN, -EPIPE, -errno. */
static int send_one(int fd, int flags, enum frame_type type, uint32_t call, const void *payload,
                    size_t len, size_t pos, size_t *ret_n)
{
    uint8_t head[FRAME_HEADER_BYTES];
    size_t n = len - pos < FRAME_PAYLOAD_BYTES ? len - pos : FRAME_PAYLOAD_BYTES;
    struct iovec parts[2] = {{head, sizeof head}, {n > 0 ? (char *)payload + pos : NULL, n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = n > 0 ? 2 : 1};

    put_header(head, type, pos + n < len, call);
    while (sendmsg(fd, &message, flags | MSG_NOSIGNAL) < 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            return -EAGAIN;
        }
        return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
    }
    *ret_n = n;
    return 0;
}

/* Until the socket can be written.  0, -ETIMEDOUT, -errno. */
static int wait_writable(int fd, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd item = {.fd = fd, .events = POLLOUT};
        int64_t left_ms = (deadline_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
        int n;

        if (left_ms <= 0) {
            return -ETIMEDOUT;
        }
        n = poll(&item, 1, left_ms > 60 * MS_PER_S ? 60 * MS_PER_S : (int)left_ms);
        if (n > 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return -errno;
        }
    }
}

int frame_send(int fd, enum frame_type type, uint32_t call, const void *payload, size_t len,
               int64_t deadline_ns)
{
    int flags = deadline_ns ? MSG_DONTWAIT : 0;
    size_t pos = 0;

    for (;;) {
        size_t n;
        int r = send_one(fd, flags, type, call, payload, len, pos, &n);

        if (r == -EAGAIN && deadline_ns) {
            r = wait_writable(fd, deadline_ns);
        } else if (r == 0) {
            pos += n;
            if (pos == len) {
                return 0;
            }
        }
        if (r < 0) {
            return r;
        }
    }
}

int frame_send_some(int fd, enum frame_type type, uint32_t call, const void *payload, size_t len,
                    size_t *pos)
{
    do {
        size_t n;
        int r = send_one(fd, MSG_DONTWAIT, type, call, payload, len, *pos, &n);

        if (r < 0) {
            return r;
        }
        *pos += n;
    } while (*pos < len);
    return 0;
}

int frame_recv(int fd, void *packet, struct frame *ret_frame)
{
    ssize_t n;

    do {
        // MSG_TRUNC: the length of the whole packet, so that a longer one is noticed
        n = recv(fd, packet, LIMIT_FRAME_BYTES, MSG_TRUNC);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == ECONNRESET ? 0 : -errno;
    }
    if (n == 0) {
        return 0;
    }
    if (frame_parse(packet, (size_t)n, ret_frame) < 0) {
        return -EPROTO;
    }
    return 1;
}

void frame_assembly_init(struct frame_assembly *assembly, size_t cap)
{
    *assembly = (struct frame_assembly){0};
    buf_init(&assembly->buf, cap);
}

void frame_assembly_finish(struct frame_assembly *assembly)
{
    if (!assembly) {
        return;
    }
    buf_finish(&assembly->buf);
    assembly->open = false;
}

int frame_assembly_add(struct frame_assembly *assembly, const struct frame *frame,
                       const void **ret_data, size_t *ret_len)
{
    bool more = frame->flags & FRAME_MORE;

    if (!assembly->open) {
        if (!more) {
            if (frame->len > assembly->buf.cap) {
                return -EMSGSIZE;
            }
            *ret_data = frame->payload;
            *ret_len = frame->len;
            return 1;
        }
        buf_clear(&assembly->buf);
        assembly->type = frame->type;
        assembly->call = frame->call;
        assembly->open = true;
    } else if (frame->type != assembly->type || frame->call != assembly->call) {
        return -EPROTO;
    }
    if (more && frame->len != FRAME_PAYLOAD_BYTES) {
        return -EPROTO; // only the last may be short, so a flood of empty ones cannot keep us busy
    }
    buf_append(&assembly->buf, frame->payload, frame->len);
    if (assembly->buf.failed) {
        return -EMSGSIZE;
    }
    if (more) {
        return 0;
    }
    assembly->open = false;
    *ret_data = buf_str(&assembly->buf);
    *ret_len = assembly->buf.len;
    return 1;
}
