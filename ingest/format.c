#include "ingest/format.h"
#include <errno.h>
#include <unistd.h>

const Format *const *format_table(void) {
    static const Format *const formats[] = {
#define FORMAT(name) &format_##name,
#include "ingest/formats.list"
#undef FORMAT
        NULL};
    return formats;
}

void structure_free(Structure *structure) {
    if (structure == NULL)
        return;
    g_array_unref(structure->pages);
    g_free(structure);
}

bool format_read(int fd, guint64 offset, void *buffer, gsize length, GError **error) {
    guint8 *at = buffer;
    while (length > 0) {
        ssize_t count = pread(fd, at, length, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fault_set(error, FAULT_AGAIN, "cannot be read at byte %" G_GUINT64_FORMAT ": %s",
                             offset, g_strerror(errno));
        if (count == 0)
            return fault_set(error, FAULT_AGAIN,
                             "ends at byte %" G_GUINT64_FORMAT ": it became shorter meanwhile",
                             offset);
        at += count;
        offset += (guint64)count;
        length -= (gsize)count;
    }
    return true;
}

/* "begins with 00 00 00 00: neither tiff nor png" */
static bool set_unknown(const guint8 *head, gsize length, GError **error) {
    g_autoptr(GString) words = g_string_new("begins with");
    for (gsize i = 0; i < MIN(length, 4); i++)
        g_string_append_printf(words, " %02x", head[i]);
    for (const Format *const *format = format_table(); *format != NULL; format++)
        g_string_append_printf(words, "%s %s", format == format_table() ? ": neither" : " nor",
                               (*format)->name);
    return fault_set(error, FAULT_AGAIN, "%s", words->str);
}

/* The format that recognises the file; NULL with FAULT_AGAIN. */
static const Format *format_find(int fd, guint64 size_bytes, GError **error) {
    guint8 head[FORMAT_HEAD_BYTES];
    gsize length = MIN(size_bytes, sizeof head);
    if (length == 0) {
        fault_set(error, FAULT_AGAIN, "is empty");
        return NULL;
    }
    if (!format_read(fd, 0, head, length, error))
        return NULL;
    for (const Format *const *format = format_table(); *format != NULL; format++)
        if ((*format)->recognises(head, length))
            return *format;
    set_unknown(head, length, error);
    return NULL;
}

Structure *format_structure(int fd, guint64 size_bytes, GError **error) {
    const Format *format = format_find(fd, size_bytes, error);
    if (format == NULL)
        return NULL;
    g_autoptr(Structure) structure = g_new0(Structure, 1);
    structure->format = format->name;
    structure->pages = g_array_new(FALSE, TRUE, sizeof(FormatPage));
    if (!format->read(fd, size_bytes, structure->pages, error))
        return NULL;
    return g_steal_pointer(&structure);
}

/* Whoever asks for a page was told of it by this file: one that cannot give it has changed. */
static bool cut_page(int fd, guint64 size_bytes, guint32 page, FrameBytes *bytes, GError **error) {
    const Format *format = format_find(fd, size_bytes, error);
    if (format == NULL)
        return false;
    if (format->cut != NULL)
        return format->cut(fd, size_bytes, page, bytes, error);
    if (page > 0)
        return fault_set(error, FAULT_AGAIN, "a %s file has one page, not %u", format->name,
                         page + 1);
    frame_bytes_add_range(bytes, 0, size_bytes);
    return true;
}

FrameBytes *format_cut(int fd, guint64 size_bytes, gint64 mtime_ns, guint32 page, GError **error) {
    g_autoptr(FrameBytes) bytes = frame_bytes_new(fd, size_bytes, mtime_ns);
    g_autoptr(GError) reason = NULL;
    if (!frame_bytes_check(bytes, error))
        return NULL;
    if (!cut_page(fd, size_bytes, page, bytes, &reason)) {
        fault_set(error, FAULT_VANISHED, "no longer holds page %u: %s", page, reason->message);
        return NULL;
    }
    return g_steal_pointer(&bytes);
}
