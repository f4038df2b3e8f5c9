#include "store/pictures/picture.h"
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

typedef struct {
    bool is_too_large;
    int width, height;
} Size;

/* Told before any pixel is made; a size of nothing ends the reading. */
static void size_told(GdkPixbufLoader *loader, int width, int height, gpointer data) {
    Size *size = data;
    *size = (Size){.width = width, .height = height};
    size->is_too_large =
        width < 1 || height < 1 || (guint64)width * (guint64)height > PICTURE_PIXELS_LIMIT;
    if (size->is_too_large)
        gdk_pixbuf_loader_set_size(loader, 0, 0);
}

/* Colours are weighed as the eye does. */
static guint8 grey_of(const guint8 *pixel, int channels) {
    if (channels < 3)
        return pixel[0];
    return (guint8)((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
}

static Picture *picture_of(const GdkPixbuf *pixbuf) {
    Picture *picture = g_new0(Picture, 1);
    int channels = gdk_pixbuf_get_n_channels(pixbuf), stride = gdk_pixbuf_get_rowstride(pixbuf);
    const guint8 *rows = gdk_pixbuf_read_pixels(pixbuf);
    picture->width = (guint)gdk_pixbuf_get_width(pixbuf);
    picture->height = (guint)gdk_pixbuf_get_height(pixbuf);
    picture->pixels = g_new(guint8, (gsize)picture->width * picture->height);
    guint8 *next = picture->pixels;
    for (guint y = 0; y < picture->height; y++)
        for (guint x = 0; x < picture->width; x++)
            *next++ =
                grey_of(rows + (gsize)y * (gsize)stride + (gsize)x * (gsize)channels, channels);
    return picture;
}

/* The loader's name for it; NULL: not read. */
static const char *type_of(const char *mime) {
    static const char *const types[][2] = {{"image/jpeg", "jpeg"}, {"image/png", "png"}};
    for (guint i = 0; mime != NULL && i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(mime, types[i][0]))
            return types[i][1];
    return NULL;
}

/* Whether it ends as it should: the loaders make grey of what is missing. */
static bool is_whole(const char *type, const guint8 *bytes, gsize length) {
    static const guint8 jpeg[] = {0xff, 0xd9}, png[] = {'I', 'E', 'N', 'D', 0xae, 'B', '`', 0x82};
    bool is_jpeg = g_str_equal(type, "jpeg");
    gsize end = is_jpeg ? sizeof jpeg : sizeof png;
    return length >= end && memcmp(bytes + length - end, is_jpeg ? jpeg : png, end) == 0;
}

Picture *picture_read(const char *mime, const void *bytes, gsize length, GError **error) {
    g_autoptr(GError) refused = NULL;
    Size size = {0};
    const char *type = type_of(mime);
    if (type != NULL && !is_whole(type, bytes, length)) {
        fault_set(error, FAULT_BROKEN, "the thumbnail's end is missing");
        return NULL;
    }
    g_autoptr(GdkPixbufLoader) loader =
        type != NULL ? gdk_pixbuf_loader_new_with_type(type, &refused) : NULL;
    if (loader == NULL) {
        fault_set(error, FAULT_BROKEN, "a thumbnail is a JPEG or a PNG");
        return NULL;
    }
    g_signal_connect(loader, "size-prepared", G_CALLBACK(size_told), &size);
    bool written = gdk_pixbuf_loader_write(loader, bytes, length, &refused);
    bool closed = gdk_pixbuf_loader_close(loader, written ? &refused : NULL);
    const GdkPixbuf *pixbuf =
        written && closed && !size.is_too_large ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;
    if (pixbuf != NULL)
        return picture_of(pixbuf);
    if (size.is_too_large)
        fault_set(error, FAULT_BROKEN, "a thumbnail of %d x %d pixels is too large", size.width,
                  size.height);
    else
        fault_set(error, FAULT_BROKEN, "%s", refused != NULL ? refused->message : "no picture");
    return NULL;
}

void picture_free(Picture *picture) {
    if (picture == NULL)
        return;
    g_free(picture->pixels);
    g_free(picture);
}
