/*
 * mime_header.c: the lines of a message's head.  See mime.h.
 */
#include <string.h>

#include "base/utf8.h"
#include "common/utf8.h"
#include "mail/mime.h"
#include "mail/mime_private.h"

#define VALUE_BYTES 1024
#define FOLD_COLUMN 76
#define WORD_MOST 60   // a longer word is encoded, since it cannot be folded
#define FRAME_BYTES 12 /* of =?UTF-8?B??= */

static bool is_plain(const char *text)
{
    size_t word = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        word = *p == ' ' ? 0 : word + 1;
        if (*p < ' ' || *p > '~' || word > WORD_MOST) {
            return false;
        }
    }
    return strstr(text, "=?") == NULL; // would be read as an encoded word
}

/* Words and the blanks between them, in lines; `column` is where the first one begins. */
static void put_folded(struct buf *out, const char *text, size_t column)
{
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");

        if (column + len + 1 > FOLD_COLUMN && column > 1) {
            buf_puts(out, "\r\n ");
            column = 1;
        } else {
            buf_putc(out, ' ');
            column++;
        }
        buf_append(out, text, len);
        column += len;
        text += len + (text[len] != '\0');
    }
}

/* The first word shares its line with `column` bytes; the others have lines of their own. */
static void put_encoded(struct buf *out, const char *text, size_t column)
{
    size_t left = strlen(text);

    for (bool first = true; first || left > 0; first = false) {
        const size_t room = FOLD_COLUMN - 1 - FRAME_BYTES - (first ? column : 1);
        const size_t n = utf8_cut(text, left, room / 4 * 3);

        buf_puts(out, first ? " =?UTF-8?B?" : "\r\n =?UTF-8?B?");
        mime_put_base64(out, text, n);
        buf_puts(out, "?=");
        text += n;
        left -= n;
    }
}

void mime_put_value(struct buf *out, const char *value, size_t column)
{
    char line[VALUE_BYTES];

    utf8_line(line, sizeof line, value);
    if (is_plain(line)) {
        put_folded(out, line, column);
    } else {
        put_encoded(out, line, column);
    }
}

void mime_put_header(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, name);
    buf_putc(out, ':');
    mime_put_value(out, value, strlen(name) + 1);
    buf_puts(out, "\r\n");
}

static void put_name(struct buf *out, const char *name)
{
    if (!is_plain(name)) {
        mime_put_value(out, name, FOLD_COLUMN / 4);
        return;
    }
    buf_puts(out, " \"");
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\') {
            buf_putc(out, '\\');
        }
        buf_putc(out, *name);
    }
    buf_putc(out, '"');
}

void mime_put_addresses(struct buf *out, const char *header, const struct mime_address *addresses,
                        size_t count)
{
    buf_puts(out, header);
    buf_putc(out, ':');
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",\r\n" : "");
        if (addresses[i].name[0] != '\0') {
            put_name(out, addresses[i].name);
            buf_printf(out, " <%s>", addresses[i].address);
        } else {
            buf_printf(out, " %s", addresses[i].address);
        }
    }
    buf_puts(out, "\r\n");
}

/* ---- addresses ---- */

/* Of what stands in real addresses; quoted local parts and IP literals are left out. */
static bool is_address(const char *text)
{
    static const char local[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-/=?^_`{|}~.";
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    const char *at = strchr(text, '@');
    const size_t before = at ? (size_t)(at - text) : 0;

    return at && before > 0 && before <= 64 && strspn(text, local) == before && at[1] != '\0' &&
           strspn(at + 1, host) == strlen(at + 1) && at[1] != '.' && !strstr(text, "..") &&
           text[0] != '.' && at[-1] != '.';
}

static bool copy_trimmed(char *to, size_t size, const char *from, size_t len)
{
    while (len > 0 && (*from == ' ' || *from == '"')) {
        from++;
        len--;
    }
    while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '"')) {
        len--;
    }
    if (len >= size) {
        return false;
    }
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

const char *mime_address_read(struct mime_address *ret_address, const char *text)
{
    struct mime_address address = {.name = ""};
    const char *open = strchr(text, '<');
    const size_t len = strlen(text);

    if (!utf8_valid(text, len)) {
        return "is no UTF-8";
    }
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p < ' ' || *p == 0x7f) {
            return "has control characters";
        }
    }
    if (open) {
        if (!copy_trimmed(address.name, sizeof address.name, text, (size_t)(open - text))) {
            return "has too long a name";
        }
        if (len < 1 || text[len - 1] != '>') {
            return "is no address: write a@example.com or Name <a@example.com>";
        }
        if (!copy_trimmed(address.address, sizeof address.address, open + 1,
                          (size_t)(text + len - 1 - (open + 1)))) {
            return "is too long";
        }
    } else if (!copy_trimmed(address.address, sizeof address.address, text, len)) {
        return "is too long";
    }
    if (!is_address(address.address)) {
        return "is no address: write a@example.com or Name <a@example.com>";
    }
    *ret_address = address;
    return NULL;
}

const char *mime_address_domain(const struct mime_address *address)
{
    return strchr(address->address, '@') + 1;
}
