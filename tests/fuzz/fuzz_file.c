/* fuzz_file: bytes as a file: its structure, and every page cut out. A page cut out of a complete
 * file must be a complete file whose first page has the same shape. */
#include "ingest/format.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGES_TRIED 8

static int file_of(const void *data, gsize length) {
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length)
        abort();
    return fd;
}

static gint64 mtime_ns_of(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0)
        abort();
    return status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
}

static bool same_shape(const FormatPage *a, const FormatPage *b) {
    return a->width == b->width && a->height == b->height && a->bits == b->bits &&
           a->samples == b->samples;
}

static void try_page(int fd, guint64 size_bytes, const Structure *structure, guint32 page) {
    g_autoptr(FrameBytes) bytes = format_cut(dup(fd), size_bytes, mtime_ns_of(fd), page, NULL);
    if (bytes == NULL)
        abort();
    guint64 total = frame_bytes_total(bytes);
    if (total > 2 * size_bytes + 65536)
        abort();
    g_autofree guint8 *data = g_malloc(total);
    if (!frame_bytes_read(bytes, 0, data, total, NULL))
        abort();
    int alone = file_of(data, total);
    g_autoptr(Structure) cut = format_structure(alone, total, NULL);
    close(alone);
    if (cut == NULL || !same_shape(&g_array_index(cut->pages, FormatPage, 0),
                                   &g_array_index(structure->pages, FormatPage, page)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    int fd = file_of(data, length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Structure) structure = format_structure(fd, length, &error);
    if (structure == NULL && !fault_is(error, FAULT_AGAIN))
        abort();
    for (guint32 page = 0; structure != NULL && page < MIN(structure->pages->len, PAGES_TRIED);
         page++)
        try_page(fd, length, structure, page);
    close(fd);
    return 0;
}
