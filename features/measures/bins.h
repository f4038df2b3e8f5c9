/* bins: equal bins over a range, as numpy's histogram places values in them. */
#ifndef FEATURES_BINS_H
#define FEATURES_BINS_H

#include <glib.h>

typedef struct {
    double start; /* of the first bin */
    double width; /* of each, above 0 */
    gsize count;
} Bins;

/* The bin of a value from start to the last bin's end. Bin k holds what is from start + k width on
 * and below the next one's start; the last holds its end, too. */
static inline gsize bins_place(const Bins *bins, double value) {
    double place = (value - bins->start) / bins->width;
    gsize last = bins->count - 1, bin = place < (double)last ? (gsize)MAX(place, 0) : last;
    /* the quotient is rounded: the edges decide */
    if (bin > 0 && value < bins->start + (double)bin * bins->width)
        bin--;
    else if (bin < last && value >= bins->start + (double)(bin + 1) * bins->width)
        bin++;
    return bin;
}

static inline double bins_middle(const Bins *bins, gsize bin) {
    return bins->start + ((double)bin + 0.5) * bins->width;
}

#endif
