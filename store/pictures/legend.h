/* legend: what stands below wells, or a strip, so that nobody must ask what the colours mean. */
#ifndef STORE_PICTURES_LEGEND_H
#define STORE_PICTURES_LEGEND_H

#include "store/pictures/canvas.h"

#define LEGEND_HEIGHT 64.0

typedef enum {
    SAMPLE_HATCH,
    SAMPLE_CROSS,
    SAMPLE_PALE,
    SAMPLE_EMPTY,
    SAMPLE_BELOW,
    SAMPLE_ABOVE,
    SAMPLE_MARK
} SampleKind;

/* A small box, or a letter, and what it stands for. */
typedef struct {
    SampleKind kind;
    const char *mark; /* of SAMPLE_MARK */
    const char *words;
    bool is_shown;
} Sample;

/* The scale with its ticks and the words above it, at the left; is_grey: shades of pictures. */
void legend_scale(Canvas *canvas, Box box, const ColourScale *scale, bool is_grey,
                  const char *words);
/* Words alone in the scale's place. */
void legend_words(Canvas *canvas, Box box, const char *words);
/* At the right, ending with an empty row; those shown alone. */
void legend_samples(Canvas *canvas, Box box, const Sample samples[]);

/* As the samples look. */
void legend_draw_pale(Canvas *canvas, Box box);
void legend_draw_empty(Canvas *canvas, Box box);

#endif
