/* spectrum: how the power is spread over spatial frequencies and directions. It looks at the pixels
 * itself, since no sum tells frequencies. */
#include "features/measure.h"
#include "features/measures/periodogram.h"
#include "features/measures/spectrum.h"
#include <math.h>

#define PERIODOGRAM                                                                                \
    "Welch's periodogram: periodic Hann window along both axes, each tile's mean taken off, "      \
    "tiles of s x s px, s the largest even number without a prime factor above 5 that is at "      \
    "most 384 and the frame's lesser side, in the middle of an axis, or of each of its halves if " \
    "it has 2 s px"

static const MeasureNumber numbers[] = {
    {"psd_slope_mean", "1",
     "least-squares slope of ln(mean power) on ln(mean frequency) of 24 rings of a quarter octave, "
     "ring k = 0 .. 23 from rint(256 * 2^((k - 24) / 4)) / 512 cycles/px up to where k + 1 begins, "
     "without the 1/512 that begin below 3 cycles per tile and without rings below 1e-12 of the "
     "mean power of all frequencies but 0; " PERIODOGRAM,
     "own; Field 1987, Welch 1967", "blur (steeper than about -2), nothing but noise (about 0)",
     NULL, "fft", 1},
    {"psd_aniso", "1",
     "how many times more power one direction has than the one at right angles to it, the larger "
     "of (0, 90) and (45, 135) degrees: sectors of 45 degrees, 3 cycles per tile to 1/4 cycles/px, "
     "each power over the mean power of its bin in spectrum_profile, without bins below 1e-12 of "
     "the mean power of all frequencies but 0; 1: none; " PERIODOGRAM,
     "own; Welch 1967", "motion blur, drift, vibration, astigmatism", NULL, "fft", 2},
    {"spectrum_profile", "1",
     "element i: log10 of mean power at i/512 .. (i + 1)/512 cycles/px over mean power of all "
     "frequencies but 0, at least -12; where a tile has no frequency there, as the next "
     "element; " PERIODOGRAM,
     "own; Welch 1967",
     "the spectrum's shape: rings, peaks, where blur begins and noise takes over", NULL, "fft", 1,
     MEASURE_ARRAY, PERIODOGRAM_BINS},
    {NULL},
};

#define LEAST_CYCLES    3     /* per tile: below, the window mixes in too much of frequency 0 */
#define LEAST_POWER     1e-12 /* of the mean: below, 32-bit floats know nothing */
#define BANDS           24
#define BANDS_AN_OCTAVE 4

/* The first bin of each band, and the end of the last: quarters of octaves as near as bins lie. */
static guint32 band_start(guint32 band) {
    return (guint32)rint(PERIODOGRAM_BINS * exp2(((double)band - BANDS) / BANDS_AN_OCTAVE));
}

static double slope(const Periodogram *periodogram) {
    double frequency[BANDS] = {0}, power[BANDS] = {0};
    for (guint32 band = 0; band < BANDS; band++) {
        PeriodogramBin sum = {0};
        for (guint32 i = band_start(band); i < band_start(band + 1); i++) {
            const PeriodogramBin *bin = &periodogram->bins[i];
            if (i * periodogram->side < LEAST_CYCLES * PERIODOGRAM_BINS_TO_1)
                continue;
            sum.n += bin->n;
            sum.power += bin->power;
            sum.frequency += bin->frequency;
        }
        if (sum.n > 0 && sum.power / sum.n > LEAST_POWER * periodogram->mean) {
            frequency[band] = sum.frequency / sum.n;
            power[band] = sum.power / sum.n;
        }
    }
    return spectrum_slope(frequency, power, BANDS);
}

/* --- directions --- */

typedef struct {
    double n, power;
} Sector;

/* 0: along x, 1: both grow, 2: along y, 3: one grows while the other falls. */
static guint sector_of(double across, double down) {
    const double edge = 1 + G_SQRT2; /* tan 67.5 degrees */
    if (across > edge * fabs(down))
        return 0;
    if (fabs(down) > edge * across)
        return 2;
    return down > 0 ? 1 : 3;
}

/* Of column 0 one half only: of the other columns, too, only one of each two mirrored frequencies
 * is there. */
static void add_to_sectors(const Periodogram *periodogram, guint32 across, Sector sectors[4]) {
    gint32 half = (gint32)periodogram->side / 2, quarter = half / 2;
    for (gint32 down = across == 0 ? 1 : -quarter; down <= quarter; down++) {
        double radius = sqrt((double)across * across + (double)down * down);
        if (radius < LEAST_CYCLES || radius > periodogram->side / 4.)
            continue;
        const PeriodogramBin *bin = &periodogram->bins[periodogram_bin(periodogram, radius)];
        gsize place = (gsize)(down < 0 ? down + 2 * half : down);
        Sector *sector = &sectors[sector_of(across, down)];
        if (bin->power > LEAST_POWER * periodogram->mean * bin->n) {
            sector->n++;
            sector->power += (double)periodogram->power[(gsize)across * periodogram->side + place] *
                             bin->n / bin->power;
        }
    }
}

static double excess(const Sector *one, const Sector *other) {
    double ratio = one->power / one->n / (other->power / other->n);
    return ratio < 1 ? 1 / ratio : ratio;
}

static double anisotropy(const Periodogram *periodogram) {
    Sector sectors[4] = {{0}};
    for (guint32 across = 0; across <= periodogram->side / 4; across++)
        add_to_sectors(periodogram, across, sectors);
    return fmax(excess(&sectors[0], &sectors[2]), excess(&sectors[1], &sectors[3]));
}

/* --- all of it --- */

static void profile(const Periodogram *periodogram, double elements[]) {
    for (gint i = PERIODOGRAM_BINS - 1; i >= 0; i--) {
        const PeriodogramBin *bin = &periodogram->bins[i];
        elements[i] = bin->n > 0 ? log10(MAX(bin->power / bin->n / periodogram->mean, LEAST_POWER))
                                 : elements[i + 1]; /* the last has always one, along the axes */
    }
}

static void compute(const Scan *scan, double values[]) {
    Periodogram periodogram;
    if (!periodogram_make(scan, &periodogram))
        return;
    values[0] = slope(&periodogram);
    values[1] = anisotropy(&periodogram);
    profile(&periodogram, values + 2);
}

const Measure measure_spectrum = {
    .name = "spectrum", .numbers = numbers, .compute = compute, .least_side = PERIODOGRAM_LEAST};
