#include "store/pictures/canvas.h"
#include "store/screen.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct Canvas {
    cairo_surface_t *surface;
    cairo_t *cairo;
    PangoLayout *layout;
};

static const Colour light = {240, 240, 240}, line = {170, 170, 170}, dark = {90, 90, 90};

static void set_colour(Canvas *canvas, Colour colour) {
    cairo_set_source_rgb(canvas->cairo, colour.red / 255.0, colour.green / 255.0,
                         colour.blue / 255.0);
}

Canvas *canvas_new(double width, double height, GError **error) {
    if (width > CANVAS_SIDE_LIMIT || height > CANVAS_SIDE_LIMIT ||
        width * height > CANVAS_PIXELS_LIMIT) {
        fault_set(error, FAULT_USAGE,
                  "the picture would have %.0f x %.0f pixels, too many; a smaller --cell helps",
                  width, height);
        return NULL;
    }
    Canvas *canvas = g_new0(Canvas, 1);
    canvas->surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(width), (int)ceil(height));
    canvas->cairo = cairo_create(canvas->surface);
    canvas->layout = pango_cairo_create_layout(canvas->cairo);
    pango_layout_set_single_paragraph_mode(canvas->layout, TRUE);
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return canvas;
}

void canvas_free(Canvas *canvas) {
    if (canvas == NULL)
        return;
    g_object_unref(canvas->layout);
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->surface);
    g_free(canvas);
}

/* --- text --- */

/* Sets the layout to it: as text, not as markup. */
static void lay_out(Canvas *canvas, const TextStyle *style, const char *text) {
    enum { LONGEST = 1000 }; /* bytes: more is never seen */
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans, Sans");
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(font,
                                      style->is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(canvas->layout, font);
    pango_font_description_free(font);
    g_autofree char *cut = g_strndup(text, LONGEST);
    g_autofree char *plain = screen_plain(cut);
    pango_layout_set_text(canvas->layout, plain, -1);
}

void canvas_text(Canvas *canvas, Box box, const TextStyle *style, const char *text) {
    static const PangoAlignment alignments[] = {PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
                                                PANGO_ALIGN_RIGHT};
    int height;
    lay_out(canvas, style, text);
    pango_layout_set_width(canvas->layout, (int)(box.width * PANGO_SCALE));
    pango_layout_set_ellipsize(canvas->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_auto_dir(canvas->layout, FALSE); /* left stays left, whatever stands there */
    pango_layout_set_alignment(canvas->layout, alignments[style->place]);
    pango_layout_get_pixel_size(canvas->layout, NULL, &height);
    set_colour(canvas, style->colour);
    cairo_move_to(canvas->cairo, box.x, box.y + (box.height - height) / 2);
    pango_cairo_show_layout(canvas->cairo, canvas->layout);
}

double canvas_text_width(Canvas *canvas, const TextStyle *style, const char *text) {
    int width;
    lay_out(canvas, style, text);
    pango_layout_set_width(canvas->layout, -1);
    pango_layout_get_pixel_size(canvas->layout, &width, NULL);
    return width;
}

/* --- boxes --- */

static void add_box(Canvas *canvas, Box box) {
    cairo_rectangle(canvas->cairo, box.x, box.y, box.width, box.height);
}

void canvas_fill(Canvas *canvas, Box box, Colour colour) {
    set_colour(canvas, colour);
    add_box(canvas, box);
    cairo_fill(canvas->cairo);
}

/* Inside the box, so that lines of one pixel are sharp. */
void canvas_frame(Canvas *canvas, Box box, Colour colour) {
    set_colour(canvas, colour);
    add_box(canvas, (Box){box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1});
    cairo_set_line_width(canvas->cairo, 1);
    cairo_stroke(canvas->cairo);
}

void canvas_hatch(Canvas *canvas, Box box) {
    double gap = MAX(5, MIN(box.width, box.height) / 7);
    canvas_fill(canvas, box, light);
    cairo_save(canvas->cairo);
    add_box(canvas, box);
    cairo_clip(canvas->cairo);
    for (double x = box.x - box.height + gap / 2; x < box.x + box.width; x += gap) {
        cairo_move_to(canvas->cairo, x, box.y + box.height);
        cairo_line_to(canvas->cairo, x + box.height, box.y);
    }
    set_colour(canvas, line);
    cairo_set_line_width(canvas->cairo, 1);
    cairo_stroke(canvas->cairo);
    cairo_restore(canvas->cairo);
}

void canvas_cross(Canvas *canvas, Box box) {
    double inset = MIN(box.width, box.height) / 5;
    canvas_fill(canvas, box, (Colour){214, 214, 214});
    cairo_move_to(canvas->cairo, box.x + inset, box.y + inset);
    cairo_line_to(canvas->cairo, box.x + box.width - inset, box.y + box.height - inset);
    cairo_move_to(canvas->cairo, box.x + box.width - inset, box.y + inset);
    cairo_line_to(canvas->cairo, box.x + inset, box.y + box.height - inset);
    set_colour(canvas, dark);
    cairo_set_line_width(canvas->cairo, MAX(1.5, inset / 6));
    cairo_stroke(canvas->cairo);
}

void canvas_scale(Canvas *canvas, Box box, bool is_grey) {
    enum { STEPS = 256 };
    cairo_save(canvas->cairo);
    cairo_set_antialias(canvas->cairo, CAIRO_ANTIALIAS_NONE);
    for (int step = 0; step < STEPS; step++) {
        guint8 grey = (guint8)step;
        Colour colour = is_grey ? (Colour){grey, grey, grey} : colour_viridis(step / 255.0);
        double left = box.x + box.width * step / STEPS;
        canvas_fill(canvas, (Box){left, box.y, box.x + box.width - left, box.height}, colour);
    }
    cairo_restore(canvas->cairo);
}

void canvas_arrow(Canvas *canvas, Box box, bool to_the_left, Colour colour) {
    double tip = to_the_left ? box.x : box.x + box.width;
    double back = to_the_left ? box.x + box.width : box.x;
    cairo_move_to(canvas->cairo, tip, box.y + box.height / 2);
    cairo_line_to(canvas->cairo, back, box.y);
    cairo_line_to(canvas->cairo, back, box.y + box.height);
    cairo_close_path(canvas->cairo);
    set_colour(canvas, colour);
    cairo_fill(canvas->cairo);
}

/* --- pictures --- */

static cairo_surface_t *surface_of(const Picture *picture, const guint8 shades[256]) {
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)picture->width, (int)picture->height);
    guint8 *rows = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const guint8 *pixel = picture->pixels;
    for (guint y = 0; y < picture->height; y++) {
        guint32 *row = (guint32 *)(void *)(rows + (gsize)y * (gsize)stride);
        for (guint x = 0; x < picture->width; x++)
            row[x] = shades[*pixel++] * 0x010101u;
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

void canvas_picture(Canvas *canvas, Box box, const Picture *picture, const guint8 shades[256]) {
    double factor = MIN(box.width / picture->width, box.height / picture->height);
    double width = MAX(1, rint(picture->width * factor));
    double height = MAX(1, rint(picture->height * factor));
    cairo_surface_t *surface = surface_of(picture, shades);
    cairo_save(canvas->cairo);
    cairo_translate(canvas->cairo, box.x + floor((box.width - width) / 2),
                    box.y + floor((box.height - height) / 2));
    add_box(canvas, (Box){0, 0, width, height});
    cairo_clip(canvas->cairo);
    cairo_scale(canvas->cairo, width / picture->width, height / picture->height);
    cairo_set_source_surface(canvas->cairo, surface, 0, 0);
    /* Averages where it shrinks; at the border it takes the border's pixels. */
    cairo_pattern_set_filter(cairo_get_source(canvas->cairo), CAIRO_FILTER_GOOD);
    cairo_pattern_set_extend(cairo_get_source(canvas->cairo), CAIRO_EXTEND_PAD);
    cairo_paint(canvas->cairo);
    cairo_restore(canvas->cairo);
    cairo_surface_destroy(surface);
}

void canvas_tile(Canvas *canvas, Box box, const Picture *picture, const guint8 shades[256]) {
    if (picture == NULL) {
        canvas_cross(canvas, box);
        return;
    }
    canvas_fill(canvas, box, (Colour){255, 255, 255});
    canvas_picture(canvas, box, picture, shades);
}

/* --- the file --- */

static bool write_failed(const char *path, GError **error) {
    return fault_set(error, FAULT_STOP, "%s: %s", path, g_strerror(errno));
}

static cairo_status_t add_bytes(void *file, const unsigned char *bytes, unsigned length) {
    return fwrite(bytes, 1, length, file) == length ? CAIRO_STATUS_SUCCESS
                                                    : CAIRO_STATUS_WRITE_ERROR;
}

static bool write_to(Canvas *canvas, FILE *file, const char *path, GError **error) {
    errno = 0;
    cairo_status_t status = cairo_surface_write_to_png_stream(canvas->surface, add_bytes, file);
    if (status == CAIRO_STATUS_SUCCESS && fflush(file) == 0)
        return true;
    if (errno == 0)
        return fault_set(error, FAULT_STOP, "%s: %s", path, cairo_status_to_string(status));
    return write_failed(path, error);
}

/* Into a file beside the one that is wanted, which then takes its name. */
static bool write_file(Canvas *canvas, const char *path, GError **error) {
    g_autofree char *beside = g_strconcat(path, ".XXXXXX", NULL);
    int descriptor = g_mkstemp_full(beside, O_RDWR | O_CLOEXEC, 0666);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (file == NULL)
        return write_failed(path, error);
    bool ok = write_to(canvas, file, path, error);
    if (ok && fsync(descriptor) != 0)
        ok = write_failed(path, error);
    if (fclose(file) != 0 && ok)
        ok = write_failed(path, error);
    if (ok && rename(beside, path) != 0)
        ok = write_failed(path, error);
    if (!ok)
        unlink(beside);
    return ok;
}

/* A pipe or a device is written into: a file that takes its name would take its place. */
static bool write_into(Canvas *canvas, const char *path, GError **error) {
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return write_failed(path, error);
    bool ok = write_to(canvas, file, path, error);
    if (fclose(file) != 0 && ok)
        ok = write_failed(path, error);
    return ok;
}

static bool is_file_or_nothing(const char *path) {
    struct stat found;
    return stat(path, &found) != 0 || S_ISREG(found.st_mode);
}

bool canvas_write(Canvas *canvas, const char *path, GError **error) {
    if (g_str_equal(path, "-"))
        return write_to(canvas, stdout, "standard output", error);
    return is_file_or_nothing(path) ? write_file(canvas, path, error)
                                    : write_into(canvas, path, error);
}
