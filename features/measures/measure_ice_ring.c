/* ice_ring: crystalline ice in a cryo-EM frame. It looks at the pixels itself, since no sum tells
 * frequencies. */
#include "features/measure.h"
#include "features/measures/periodogram.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"ice_rel", "1",
     "mean power at 1/4.0 .. 1/3.57 A over mean power at 0.20 .. 0.24 1/A, of the periodogram that "
     "spectrum_profile is made from, whole bins; NULL if a pixel is larger than 1.7 A",
     "own, after CNIO_Relion_Tools' ice measure", "crystalline ice (well above 1)", NULL, "fft", 1,
     .needs_pixel_size = true},
    {NULL},
};

#define PIXEL_LIMIT_A 1.7

static void compute(const Scan *scan, double values[]) {
    double pixel_A = scan->plane->pixel_size_um * 1e4;
    Periodogram periodogram;
    if (!(pixel_A > 0 && pixel_A <= PIXEL_LIMIT_A * (1 + 1e-9)) ||
        !periodogram_make(scan, &periodogram))
        return;
    double ice = periodogram_band(&periodogram, pixel_A / 4.0, pixel_A / 3.57);
    double beside = periodogram_band(&periodogram, 0.20 * pixel_A, 0.24 * pixel_A);
    if (beside > 0)
        values[0] = ice / beside;
}

const Measure measure_ice_ring = {
    .name = "ice_ring", .numbers = numbers, .compute = compute, .least_side = PERIODOGRAM_LEAST};
