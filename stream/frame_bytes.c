#include "stream/frame_bytes.h"
#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A piece stands either in memory or in the file. start is where it stands in the frame's bytes. */
typedef struct {
    guint64 start, length;
    GBytes *memory; /* NULL: a range of the file from offset on */
    guint64 offset;
} Piece;

struct FrameBytes {
    int fd;
    guint64 size_bytes;
    gint64 mtime_ns;
    GArray *pieces;
    guint64 total;
};

static void piece_clear(gpointer piece) {
    g_clear_pointer(&((Piece *)piece)->memory, g_bytes_unref);
}

FrameBytes *frame_bytes_new(int fd, guint64 size_bytes, gint64 mtime_ns) {
    FrameBytes *bytes = g_atomic_rc_box_new0(FrameBytes);
    bytes->fd = fd;
    bytes->size_bytes = size_bytes;
    bytes->mtime_ns = mtime_ns;
    bytes->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(bytes->pieces, piece_clear);
    return bytes;
}

FrameBytes *frame_bytes_ref(FrameBytes *bytes) {
    return g_atomic_rc_box_acquire(bytes);
}

static void destroy(gpointer data) {
    FrameBytes *bytes = data;
    g_array_unref(bytes->pieces);
    close(bytes->fd);
}

void frame_bytes_unref(FrameBytes *bytes) {
    if (bytes != NULL)
        g_atomic_rc_box_release_full(bytes, destroy);
}

static void add_piece(FrameBytes *bytes, Piece piece) {
    if (piece.length == 0)
        return;
    piece.start = bytes->total;
    bytes->total += piece.length;
    g_array_append_val(bytes->pieces, piece);
}

void frame_bytes_add_memory(FrameBytes *bytes, const void *data, gsize length) {
    if (length > 0)
        add_piece(bytes, (Piece){.length = length, .memory = g_bytes_new(data, length)});
}

void frame_bytes_add_range(FrameBytes *bytes, guint64 offset, guint64 length) {
    g_return_if_fail(offset <= bytes->size_bytes && length <= bytes->size_bytes - offset);
    add_piece(bytes, (Piece){.length = length, .offset = offset});
}

guint64 frame_bytes_total(const FrameBytes *bytes) {
    return bytes->total;
}

bool frame_bytes_check(FrameBytes *bytes, GError **error) {
    struct stat now;
    if (fstat(bytes->fd, &now) != 0)
        return fault_set(error, FAULT_VANISHED, "the file cannot be looked at: %s",
                         g_strerror(errno));
    gint64 mtime_ns = (gint64)now.st_mtim.tv_sec * 1000000000 + now.st_mtim.tv_nsec;
    if ((guint64)now.st_size != bytes->size_bytes)
        return fault_set(error, FAULT_VANISHED,
                         "the file has changed since it was announced: %lld bytes, not %llu",
                         (long long)now.st_size, (unsigned long long)bytes->size_bytes);
    /* Shares keep 100 ns; what they cut off is no change. */
    if (mtime_ns / 1000 != bytes->mtime_ns / 1000)
        return fault_set(error, FAULT_VANISHED,
                         "the file was written again since it was announced");
    return true;
}

/* The piece that holds offset, which must be below the total: by bisection, because a page of a
 * stack can have ten thousand strips. */
static const Piece *piece_at(const FrameBytes *bytes, guint64 offset) {
    guint low = 0, high = bytes->pieces->len;
    while (high - low > 1) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(bytes->pieces, Piece, middle).start <= offset)
            low = middle;
        else
            high = middle;
    }
    return &g_array_index(bytes->pieces, Piece, low);
}

static bool read_from_file(FrameBytes *bytes, guint64 offset, guint8 *buffer, gsize length,
                           GError **error) {
    while (length > 0) {
        ssize_t got = pread(bytes->fd, buffer, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fault_set(error, FAULT_VANISHED, "the file cannot be read at byte %llu: %s",
                             (unsigned long long)offset,
                             got < 0 ? g_strerror(errno) : "it has become shorter");
        buffer += got;
        offset += (guint64)got;
        length -= (gsize)got;
    }
    return true;
}

bool frame_bytes_read(FrameBytes *bytes, guint64 offset, void *buffer, gsize length,
                      GError **error) {
    g_return_val_if_fail(offset <= bytes->total && length <= bytes->total - offset, false);
    guint8 *to = buffer;
    while (length > 0) {
        const Piece *piece = piece_at(bytes, offset);
        guint64 within = offset - piece->start;
        gsize part = (gsize)MIN(length, piece->length - within);
        if (piece->memory != NULL)
            memcpy(to, (const guint8 *)g_bytes_get_data(piece->memory, NULL) + within, part);
        else if (!read_from_file(bytes, piece->offset + within, to, part, error))
            return false;
        to += part;
        offset += part;
        length -= part;
    }
    return frame_bytes_check(bytes, error);
}

static bool peer_is_gone(GError **error) {
    return fault_set(error, FAULT_AGAIN, "the peer takes no more bytes: %s", g_strerror(errno));
}

static bool send_memory(const Piece *piece, guint64 within, gsize length, int socket,
                        GError **error) {
    const guint8 *data = (const guint8 *)g_bytes_get_data(piece->memory, NULL) + within;
    while (length > 0) {
        ssize_t sent = send(socket, data, length, MSG_NOSIGNAL | MSG_MORE);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return peer_is_gone(error);
        data += sent;
        length -= (gsize)sent;
    }
    return true;
}

static bool send_range(FrameBytes *bytes, guint64 offset, guint64 length, int socket,
                       GError **error) {
    off_t at = (off_t)offset;
    while (length > 0) {
        ssize_t sent = sendfile(socket, bytes->fd, &at, (size_t)MIN(length, G_MAXINT));
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return peer_is_gone(error);
        if (sent == 0)
            return fault_set(error, FAULT_VANISHED, "the file has become shorter");
        length -= (guint64)sent;
    }
    return true;
}

bool frame_bytes_send(FrameBytes *bytes, guint64 offset, guint64 length, int socket,
                      GError **error) {
    g_return_val_if_fail(offset <= bytes->total && length <= bytes->total - offset, false);
    while (length > 0) {
        const Piece *piece = piece_at(bytes, offset);
        guint64 within = offset - piece->start;
        guint64 part = MIN(length, piece->length - within);
        bool sent = piece->memory != NULL
                        ? send_memory(piece, within, (gsize)part, socket, error)
                        : send_range(bytes, piece->offset + within, part, socket, error);
        if (!sent)
            return false;
        offset += part;
        length -= part;
    }
    return frame_bytes_check(bytes, error);
}
