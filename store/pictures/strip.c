#include "store/pictures/strip.h"
#include "store/pictures/heading.h"
#include "store/pictures/legend.h"
#include <math.h>

enum {
    ROW_NAMES = 96,
    TIMES = 38, /* above each line */
    LINE_GAP = 18,
    PICTURES_WIDTH = 1800,
};

static const Colour ink = {30, 30, 30}, faint = {110, 110, 110};

struct Strip {
    StripForm form;           /* without its texts */
    double cell, cell_height; /* of a picture, with the gap to the next */
    guint across, lines;
    Canvas *canvas;
};

/* --- places --- */

static double line_height(const Strip *strip) {
    return TIMES + strip->form.rows * strip->cell_height + LINE_GAP;
}

static double strip_width(const Strip *strip) {
    return MAX(PAGE_WIDTH_LEAST, 2 * PAGE_MARGIN + ROW_NAMES + strip->across * strip->cell);
}

static double legends_top(const Strip *strip) {
    return PAGE_MARGIN + HEADING_HEIGHT + strip->lines * line_height(strip);
}

Box strip_box(const Strip *strip, guint row, guint time) {
    double gap = MAX(1, floor(strip->cell / 60));
    return (Box){PAGE_MARGIN + ROW_NAMES + time % strip->across * strip->cell,
                 PAGE_MARGIN + HEADING_HEIGHT + time / strip->across * line_height(strip) + TIMES +
                     row * strip->cell_height,
                 strip->cell - gap, strip->cell_height - gap};
}

/* --- the page --- */

static void draw_gaps(Strip *strip) {
    for (guint row = 0; row < strip->form.rows; row++)
        for (guint time = 0; time < strip->form.times; time++)
            canvas_hatch(strip->canvas, strip_box(strip, row, time));
}

Strip *strip_new(const StripForm *form, GError **error) {
    enum { LEAST = 90, MOST = 220 };
    g_autoptr(Strip) strip = g_new0(Strip, 1);
    strip->form = *form;
    strip->form.title = strip->form.subtitle = strip->form.remark = NULL;
    double suiting = CLAMP(floor((double)PICTURES_WIDTH / MAX(1, form->times)), LEAST, MOST);
    strip->cell = form->cell > 0 ? form->cell : suiting < 150 ? 150 : suiting;
    strip->cell_height = rint(strip->cell * form->aspect);
    strip->across = CLAMP((guint)(PICTURES_WIDTH / strip->cell), 1, MAX(1, form->times));
    strip->lines = (MAX(1, form->times) - 1) / strip->across + 1;
    double height = legends_top(strip) + form->rows * LEGEND_HEIGHT + PAGE_MARGIN + 34;
    strip->canvas = canvas_new(strip_width(strip), height, error);
    if (strip->canvas == NULL)
        return NULL;
    heading_draw(strip->canvas, strip_width(strip), form->title, form->subtitle, form->remark);
    draw_gaps(strip);
    return g_steal_pointer(&strip);
}

void strip_free(Strip *strip) {
    if (strip == NULL)
        return;
    canvas_free(strip->canvas);
    g_free(strip);
}

/* Anew in each line. */
void strip_draw_row_name(Strip *strip, guint row, const char *name) {
    static const TextStyle style = {15, true, TEXT_LEFT, ink};
    for (guint line = 0; line < strip->lines; line++) {
        Box box = strip_box(strip, row, line * strip->across);
        canvas_text(strip->canvas, (Box){PAGE_MARGIN, box.y, ROW_NAMES - 8, box.height}, &style,
                    name);
    }
}

void strip_draw_time(Strip *strip, guint time, const char *name, const char *ago) {
    static const TextStyle name_style = {13, true, TEXT_LEFT, ink};
    static const TextStyle ago_style = {12, false, TEXT_LEFT, faint};
    Box box = strip_box(strip, 0, time);
    canvas_text(strip->canvas, (Box){box.x + 1, box.y - TIMES + 2, box.width, 18}, &name_style,
                name);
    canvas_text(strip->canvas, (Box){box.x + 1, box.y - TIMES + 18, box.width, 18}, &ago_style,
                ago);
}

void strip_draw_picture(Strip *strip, guint row, guint time, const Picture *picture,
                        const guint8 shades[256]) {
    canvas_tile(strip->canvas, strip_box(strip, row, time), picture, shades);
}

void strip_draw_pale(Strip *strip, guint row, guint time) {
    legend_draw_pale(strip->canvas, strip_box(strip, row, time));
}

static Box legend_box(const Strip *strip, guint row) {
    return (Box){PAGE_MARGIN + ROW_NAMES, legends_top(strip) + row * LEGEND_HEIGHT,
                 strip_width(strip) - 2 * PAGE_MARGIN - ROW_NAMES, LEGEND_HEIGHT};
}

void strip_draw_legend(Strip *strip, guint row, const ColourScale *greys, const char *words) {
    if (greys != NULL)
        legend_scale(strip->canvas, legend_box(strip, row), greys, true, words);
    else
        legend_words(strip->canvas, legend_box(strip, row), words);
}

void strip_draw_samples(Strip *strip, bool has_crosses, bool has_pale, bool has_gaps) {
    const Sample samples[] = {
        {SAMPLE_CROSS, NULL, "broken", has_crosses},
        {SAMPLE_PALE, NULL, "picture not kept", has_pale},
        {SAMPLE_HATCH, NULL, "no frame", has_gaps},
        {0},
    };
    legend_samples(strip->canvas, legend_box(strip, strip->form.rows - 1), samples);
}

bool strip_write(Strip *strip, const char *path, GError **error) {
    return canvas_write(strip->canvas, path, error);
}
