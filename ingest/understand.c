#include "ingest/understand.h"
#include "stream/naming.h"

/* What no descriptor can carry is unknown; the decoder will say what is wrong with it. */
static guint32 known(guint32 number) {
    return number <= G_MAXINT32 ? number : 0;
}

static void set_page(Frame *frame, guint32 number, const FormatPage *page) {
    frame->page = number;
    frame->width = known(page->width);
    frame->height = known(page->height);
    frame->bits = known(page->bits);
    frame->samples = known(page->samples);
    frame->pixel_size_um = page->pixel_size_um;
    frame_identify(frame);
}

GPtrArray *understand_frames(const SourceSettings *source, const char *path, guint64 size_bytes,
                             gint64 mtime_ns, gint64 closed_us, const Structure *structure) {
    g_autoptr(Frame) file = frame_new();
    frame_set_text(&file->source, source->name);
    frame_set_text(&file->path, path);
    frame_set_text(&file->format, structure->format);
    file->size_bytes = size_bytes;
    file->mtime_ns = mtime_ns;
    file->closed_us = closed_us;
    file->pages = structure->pages->len;
    naming_place(source, file);

    GPtrArray *frames = g_ptr_array_new_full(file->pages, (GDestroyNotify)frame_free);
    for (guint32 page = 0; page < file->pages; page++) {
        Frame *frame = frame_copy(file);
        set_page(frame, page, &g_array_index(structure->pages, FormatPage, page));
        g_ptr_array_add(frames, frame);
    }
    return frames;
}
