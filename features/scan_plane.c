#include "features/processor.h"
#include "features/scan_private.h"
#include <math.h>
#include <string.h>

/* --- memory --- */

void *scan_take(Scan *scan, gsize count, gsize size_bytes) {
    void *taken = NULL;
    if (count <= G_MAXSSIZE / size_bytes)
        taken = scratch_take(scan->private->memory, count * size_bytes);
    if (taken == NULL)
        scan->private->failed = true;
    return taken;
}

void *scan_take_zeroed(Scan *scan, gsize count, gsize size_bytes) {
    void *taken = scan_take(scan, count, size_bytes);
    return taken != NULL ? memset(taken, 0, count * size_bytes) : NULL;
}

void *scan_scratch(const Scan *scan, gsize size_bytes) {
    return scratch_take(scan->private->scratch, size_bytes);
}

bool scan_scratch_reset(const Scan *scan) {
    return scratch_reset(scan->private->scratch);
}

/* --- medians of tiles --- */

#define MEDIAN_STEP 4

/* Pixels left to right - 1, every fourth of them, of row y, as keys that order as the pixels do.
 * Returns how many: those that are not finite are left out. */
#define GATHER(name, Type, key, is_finite)                                                         \
    static gsize gather_##name(const Plane *plane, guint32 left, guint32 right, guint32 y,         \
                               guint64 *ret_keys) {                                                \
        const Type *row = (const Type *)plane->pixels + (gsize)y * plane->width;                   \
        gsize count = 0;                                                                           \
        for (guint32 x = left; x < right; x += MEDIAN_STEP) {                                      \
            ret_keys[count] = key(row[x]);                                                         \
            count += is_finite(row[x]) != 0;                                                       \
        }                                                                                          \
        return count;                                                                              \
    }
#define ITSELF(value) (value)
#define ALWAYS(value) 1
GATHER(bytes, guint8, ITSELF, ALWAYS)
GATHER(words, guint16, ITSELF, ALWAYS)
GATHER(floats, float, levels_key_of_float, isfinite)
GATHER(doubles, double, levels_key_of_double, isfinite)

static double value_of_key(PlaneType type, guint64 key) {
    if (type == PLANE_F32)
        return levels_float_of_key((guint32)key);
    return type == PLANE_F64 ? levels_double_of_key(key) : (double)key;
}

FOR_EACH_PROCESSOR
static guint64 count_up_to(const guint64 *keys, gsize count, guint64 limit) {
    guint64 found = 0;
    for (gsize i = 0; i < count; i++)
        found += keys[i] <= limit;
    return found;
}

typedef struct {
    guint64 least, largest;
} KeyRange;

FOR_EACH_PROCESSOR
static KeyRange range_of(const guint64 *keys, gsize count) {
    guint64 least = G_MAXUINT64, largest = 0;
    for (gsize i = 0; i < count; i++) {
        least = keys[i] < least ? keys[i] : least;
        largest = keys[i] > largest ? keys[i] : largest;
    }
    return (KeyRange){least, largest};
}

/* The key at rank when all are in order. Counting all keys once for each bit of their range is
 * faster than moving them about, for they are few and compared many at once. */
static guint64 key_at_rank(const guint64 *keys, gsize count, gsize rank) {
    KeyRange range = range_of(keys, count);
    while (range.least < range.largest) {
        guint64 middle = range.least + (range.largest - range.least) / 2;
        if (count_up_to(keys, count, middle) > rank)
            range.largest = middle;
        else
            range.least = middle + 1;
    }
    return range.least;
}

FOR_EACH_PROCESSOR
static guint64 least_above(const guint64 *keys, gsize count, guint64 limit) {
    guint64 least = G_MAXUINT64;
    for (gsize i = 0; i < count; i++) {
        guint64 key = keys[i] > limit ? keys[i] : G_MAXUINT64;
        least = key < least ? key : least;
    }
    return least;
}

/* As numpy's: the mean of the middle two. */
static double median_of_keys(PlaneType type, const guint64 *keys, gsize count) {
    if (count == 0)
        return NAN;
    guint64 low = key_at_rank(keys, count, (count - 1) / 2), high = low;
    if (count_up_to(keys, count, low) <= count / 2)
        high = least_above(keys, count, low);
    if (high == low)
        return value_of_key(type, low);
    return value_of_key(type, low) / 2 + value_of_key(type, high) / 2;
}

static guint32 next_step(guint32 place) {
    return (place + MEDIAN_STEP - 1) / MEDIAN_STEP * MEDIAN_STEP;
}

static void gather_row(const Scan *scan, guint32 y) {
    static gsize (*const gather[])(const Plane *, guint32, guint32, guint32,
                                   guint64 *) = {[PLANE_U8] = gather_bytes,
                                                 [PLANE_U16] = gather_words,
                                                 [PLANE_F32] = gather_floats,
                                                 [PLANE_F64] = gather_doubles};
    const Plane *plane = scan->plane;
    TileKeys *tiles = &scan->private->samples;
    for (guint32 i = 0; i < SCAN_TILES_A_SIDE; i++) {
        guint32 left = scan_tile_start(i, SCAN_TILES_A_SIDE, plane->width);
        guint32 right = scan_tile_start(i + 1, SCAN_TILES_A_SIDE, plane->width);
        guint64 *end = tiles->keys + i * tiles->room + tiles->counts[i];
        tiles->counts[i] += gather[plane->type](plane, next_step(left), right, y, end);
    }
}

static void fill_row_of_medians(const Scan *scan, guint32 row) {
    TileKeys *tiles = &scan->private->samples;
    for (guint32 i = 0; i < SCAN_TILES_A_SIDE; i++)
        scan->tiles->median[row * SCAN_TILES_A_SIDE + i] =
            median_of_keys(scan->plane->type, tiles->keys + i * tiles->room, tiles->counts[i]);
    memset(tiles->counts, 0, sizeof tiles->counts);
}

void scan_sample_row(const Scan *scan, guint32 y) {
    if (scan->tiles == NULL)
        return;
    guint32 height = scan->plane->height, row = scan_tile_of(y, SCAN_TILES_A_SIDE, height);
    if (y % MEDIAN_STEP == 0)
        gather_row(scan, y);
    if (y + 1 == scan_tile_start(row + 1, SCAN_TILES_A_SIDE, height))
        fill_row_of_medians(scan, row);
}

static void prepare_medians(Scan *scan) {
    const guint32 largest_step = SCAN_TILES_A_SIDE * MEDIAN_STEP,
                  tiles_a_grid = SCAN_TILES_A_SIDE * SCAN_TILES_A_SIDE;
    const Plane *plane = scan->plane;
    TileKeys *tiles = &scan->private->samples;
    *tiles = (TileKeys){.room = ((gsize)plane->width / largest_step + 2) *
                                ((gsize)plane->height / largest_step + 2)};
    tiles->keys = scan_take(scan, SCAN_TILES_A_SIDE * tiles->room, sizeof *tiles->keys);
    for (guint32 i = 0; !scan->private->failed && i < tiles_a_grid; i++)
        scan->tiles->median[i] = NAN; /* also where no row lies in it */
}

/* --- grids --- */

bool scan_tiles_end(const Scan *scan, guint32 y) {
    const struct ScanPrivate *private = scan->private;
    guint32 height = scan->plane->height;
    if (y == height)
        return true;
    for (guint i = 0; i < private->grids_count; i++)
        if (scan_tile_of(y, private->grids[i].rows, height) !=
            scan_tile_of(y - 1, private->grids[i].rows, height))
            return true;
    return false;
}

static guint32 tiles_of(guint32 side, guint32 scale) {
    return scale == 0 ? SCAN_TILES_A_SIDE : (side - 1) / scale + 1;
}

static void prepare_grid(Scan *scan, ScanGrid *grid) {
    grid->columns = tiles_of(scan->plane->width, grid->scale);
    grid->rows = tiles_of(scan->plane->height, grid->scale);
    gsize tiles = (gsize)grid->columns * grid->rows;
    grid->tiles = scan_take(scan, tiles, sizeof *grid->tiles);
    grid->laplacian_variance = grid->median = NULL;
    if (grid->scale != 0)
        return;
    grid->laplacian_variance = scan_take(scan, tiles, sizeof *grid->laplacian_variance);
    grid->median = scan_take(scan, tiles, sizeof *grid->median);
}

static bool prepare(Scan *scan) {
    struct ScanPrivate *private = scan->private;
    for (guint i = 0; i < private->grids_count; i++)
        prepare_grid(scan, &private->grids[i]);
    if (private->needs & SCAN_TILES) {
        scan->tiles = &private->grids[0];
        prepare_medians(scan);
    }
    if (private->needs & SCAN_LINES) {
        scan->row_means = scan_take(scan, scan->plane->height, sizeof *scan->row_means);
        scan->column_means = scan_take(scan, scan->plane->width, sizeof *scan->column_means);
    }
    return !private->failed;
}

const ScanGrid *scan_grid(const Scan *scan, guint32 scale) {
    for (guint i = 0; i < scan->private->grids_count; i++)
        if (scan->private->grids[i].scale == scale)
            return &scan->private->grids[i];
    return NULL;
}

/* --- looking --- */

static void add_scale(GArray *scales, guint32 scale) {
    for (guint i = 0; i < scales->len; i++)
        if (g_array_index(scales, guint32, i) == scale)
            return;
    g_array_append_val(scales, scale);
}

Scan *scan_new(const ScanPlan *plan) {
    Scan *scan = g_new0(Scan, 1);
    struct ScanPrivate *private = scan->private = g_new0(struct ScanPrivate, 1);
    private->needs = plan->needs;
    private->memory = scratch_new();
    private->scratch = scratch_new();

    g_autoptr(GArray) scales = g_array_new(FALSE, FALSE, sizeof(guint32));
    if (plan->needs & SCAN_TILES)
        add_scale(scales, 0);
    for (const guint32 *scale = plan->grid_scales; scale != NULL && *scale != 0; scale++)
        add_scale(scales, *scale);
    private->grids_count = scales->len;
    private->grids = g_new0(ScanGrid, scales->len);
    for (guint i = 0; i < scales->len; i++)
    private->grids[i].scale = g_array_index(scales, guint32, i);
    return scan;
}

static bool look(Scan *scan) {
    const Plane *plane = scan->plane;
    bool whole = plane_is_integer(plane);
    return prepare(scan) && (whole ? scan_look_whole(scan) : scan_look_reals(scan));
}

bool scan_look(Scan *scan, const Plane *plane, GError **error) {
    *scan = (Scan){.plane = plane, .private = scan->private};
    scan->levels = &scan->private->levels;
    *scan->levels = (Levels){0};
    scan->private->failed = false;
    scratch_reset(scan->private->memory);
    if (!look(scan))
        return fault_set(error, FAULT_BROKEN,
                         "memory does not suffice to scan %" G_GUINT64_FORMAT " pixels",
                         plane_pixels(plane));

    scan->median = NAN;
    scan->moments = (LevelsMoments){NAN, NAN, NAN, NAN};
    if (scan->n > 0) {
        scan->median = levels_quantile(scan->levels, 0.5);
        scan->moments = levels_moments(scan->levels);
    }
    return true;
}

Scan *scan_plane(const Plane *plane, GError **error) {
    g_autoptr(Scan) scan = scan_new(&(ScanPlan){.needs = SCAN_ALL});
    return scan_look(scan, plane, error) ? g_steal_pointer(&scan) : NULL;
}

void scan_free(Scan *scan) {
    if (scan == NULL)
        return;
    scratch_free(scan->private->memory);
    scratch_free(scan->private->scratch);
    g_free(scan->private->grids);
    g_free(scan->private);
    g_free(scan);
}

/* --- what measures ask --- */

double scan_quantile(const Scan *scan, double q) {
    return scan->n > 0 ? levels_quantile(scan->levels, q) / scan->plane->scale : NAN;
}

double scan_noise_sigma(const Scan *scan) {
    return sqrt(G_PI_2) / 6 * scan->around.noise / scan->around.n / scan->plane->scale;
}
