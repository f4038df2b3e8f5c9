/* colour_scale: numbers as colours. The colours are viridis, here as on the page and in Grafana: it
 * gets steadily brighter from low to high, so that people with colour blindness, and
 * black-and-white printers, show the same order. What is missing has no colour of the scale. */
#ifndef STORE_PICTURES_COLOUR_SCALE_H
#define STORE_PICTURES_COLOUR_SCALE_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint8 red, green, blue;
} Colour;

/* share 0: dark violet, 1: yellow; beyond, the end's. */
Colour colour_viridis(double share);
/* Whether text on it should be white. */
bool colour_is_dark(Colour colour);

#define SCALE_TICKS_MOST 12

/* Which numbers get the scale's ends. low == high if all are the same, NaN if there are none. */
typedef struct {
    double low, high;
    bool is_whole;             /* all numbers are, and are written so */
    bool has_below, has_above; /* there are numbers beyond: they get the end's colour */
    double ticks[SCALE_TICKS_MOST];
    guint tick_count;
} ColourScale;

/* From the least to the greatest of values, but a few that lie far from all others end up beyond:
 * one hot well shall not make all the others look alike. Infinite and NaN ones are passed over. */
ColourScale colour_scale_make(const double values[], gsize count);
/* From low to high, whatever the values are. */
ColourScale colour_scale_between(double low, double high, const double values[], gsize count);

/* 0 to 1; 0.5 where all are the same. */
double colour_scale_share(const ColourScale *scale, double value);
/* -1 for a value below the scale, 1 above it, else 0: beyond, the colour alone does not tell. */
int colour_scale_beyond(const ColourScale *scale, double value);
Colour colour_scale_colour(const ColourScale *scale, double value);

/* With as many digits as tell ticks, or values, of this scale apart. g_free them. */
char *colour_scale_tick_text(const ColourScale *scale, double tick);
char *colour_scale_value_text(const ColourScale *scale, double value);
/* The same with fewer digits: so many that this many steps of the scale can be told apart. */
char *colour_scale_coarse_text(const ColourScale *scale, double value, int steps);

/* The value at a share of them, 0 the least, 0.5 the median; NaN for none. Sorts them. */
double values_quantile(double values[], gsize count, double share);

#endif
