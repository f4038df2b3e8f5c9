#include "store/pictures/legend.h"
#include <math.h>

static const Colour text = {40, 40, 40}, edge = {150, 150, 150};
static const TextStyle words_style = {13, false, TEXT_LEFT, text};
static const TextStyle tick_style = {12, false, TEXT_MIDDLE, text};
static const TextStyle mark_style = {14, true, TEXT_MIDDLE, text};

enum {
    SCALE_WIDTH = 380,
    SCALE_HEIGHT = 14,
    ARROW = 9,
    WORDS_HEIGHT = 20,
    SAMPLE_SIDE = 18,
    SAMPLE_GAP = 22,
};

static void draw_tick(Canvas *canvas, Box bar, const ColourScale *scale, double tick) {
    double x = floor(bar.x + bar.width * colour_scale_share(scale, tick));
    g_autofree char *label = colour_scale_tick_text(scale, tick);
    canvas_fill(canvas, (Box){x, bar.y + bar.height, 1, 5}, text);
    canvas_text(canvas, (Box){x - 50, bar.y + bar.height + 5, 100, 18}, &tick_style, label);
}

void legend_scale(Canvas *canvas, Box box, const ColourScale *scale, bool is_grey,
                  const char *words) {
    Box bar = {box.x + ARROW + 3, box.y + WORDS_HEIGHT + 2, SCALE_WIDTH, SCALE_HEIGHT};
    canvas_text(canvas, (Box){bar.x, box.y, box.width / 2, WORDS_HEIGHT}, &words_style, words);
    canvas_scale(canvas, bar, is_grey);
    canvas_frame(canvas, bar, edge);
    Colour first = is_grey ? (Colour){0, 0, 0} : colour_viridis(0);
    Colour last = is_grey ? edge : colour_viridis(1);
    if (scale->has_below)
        canvas_arrow(canvas, (Box){bar.x - ARROW - 2, bar.y, ARROW, bar.height}, true, first);
    if (scale->has_above)
        canvas_arrow(canvas, (Box){bar.x + bar.width + 2, bar.y, ARROW, bar.height}, false, last);
    for (guint i = 0; i < scale->tick_count; i++)
        draw_tick(canvas, bar, scale, scale->ticks[i]);
}

void legend_words(Canvas *canvas, Box box, const char *words) {
    canvas_text(canvas, (Box){box.x, box.y, box.width / 2, WORDS_HEIGHT}, &words_style, words);
}

void legend_draw_pale(Canvas *canvas, Box box) {
    canvas_fill(canvas, box, (Colour){226, 226, 226});
}

void legend_draw_empty(Canvas *canvas, Box box) {
    canvas_fill(canvas, box, (Colour){255, 255, 255});
    canvas_frame(canvas, box, (Colour){215, 215, 215});
}

static void draw_below(Canvas *canvas, Box box) {
    canvas_arrow(canvas, (Box){box.x + 4, box.y + 3, ARROW, 12}, true, text);
}

static void draw_above(Canvas *canvas, Box box) {
    canvas_arrow(canvas, (Box){box.x + 4, box.y + 3, ARROW, 12}, false, text);
}

static void draw_sample(Canvas *canvas, Box box, const Sample *sample) {
    static void (*const boxes[])(Canvas * canvas, Box box) = {
        [SAMPLE_HATCH] = canvas_hatch,    [SAMPLE_CROSS] = canvas_cross,
        [SAMPLE_PALE] = legend_draw_pale, [SAMPLE_EMPTY] = legend_draw_empty,
        [SAMPLE_BELOW] = draw_below,      [SAMPLE_ABOVE] = draw_above,
    };
    if (sample->kind == SAMPLE_MARK)
        canvas_text(canvas, box, &mark_style, sample->mark);
    else
        boxes[sample->kind](canvas, box);
}

static double samples_width(Canvas *canvas, const Sample samples[]) {
    double width = 0;
    for (const Sample *sample = samples; sample->words != NULL; sample++)
        if (sample->is_shown)
            width += SAMPLE_SIDE + 6 + canvas_text_width(canvas, &words_style, sample->words) +
                     SAMPLE_GAP;
    return width;
}

/* To the right end, in the middle of the height; where they are wider than the right part, in the
 * line below the scale. */
void legend_samples(Canvas *canvas, Box box, const Sample samples[]) {
    double width = samples_width(canvas, samples);
    double left = box.x + box.width - width + SAMPLE_GAP;
    bool fits = left > box.x + SCALE_WIDTH + 60;
    double x = fits ? left : box.x, y = fits ? box.y + WORDS_HEIGHT : box.y + LEGEND_HEIGHT;
    for (const Sample *sample = samples; sample->words != NULL; sample++) {
        if (!sample->is_shown)
            continue;
        double words_width = canvas_text_width(canvas, &words_style, sample->words) + 2;
        draw_sample(canvas, (Box){x, y, SAMPLE_SIDE, SAMPLE_SIDE}, sample);
        x += SAMPLE_SIDE + 6;
        canvas_text(canvas, (Box){x, y, words_width, SAMPLE_SIDE}, &words_style, sample->words);
        x += words_width + SAMPLE_GAP;
    }
}
