#include "samples/microscope/cells.h"

#include "samples/microscope/dice.h"
#include <stdbool.h>
#include <string.h>

#define TILE     256  /* side of the texture, pixels; a power of two */
#define SUBPIXEL 16   /* positions and lengths count sixteenths of a pixel */
#define UNIT     1024 /* 1.0 in shapes and levels */
#define SPACING  104  /* of the loose grid cells stand on, pixels */

struct Texture {
    guint8 tile[TILE][TILE];
};

/* --- texture: value noise over several octaves, without a seam at the tile's edge --- */

static gint32 lattice(guint64 key, guint x, guint y, guint period) {
    return (gint32)(dice_key(key, (guint64)(y % period) << 32 | x % period) & 0xFF);
}

/* Noise of one octave: bilinear between lattice points `step` pixels apart. */
static gint32 octave(guint64 key, guint x, guint y, guint step) {
    guint period = TILE / step;
    gint32 fx = (gint32)(x % step), fy = (gint32)(y % step), size = (gint32)step;
    gint32 top = lattice(key, x / step, y / step, period) * (size - fx) +
                 lattice(key, x / step + 1, y / step, period) * fx;
    gint32 bottom = lattice(key, x / step, y / step + 1, period) * (size - fx) +
                    lattice(key, x / step + 1, y / step + 1, period) * fx;
    return (top * (size - fy) + bottom * fy) / (size * size);
}

Texture *texture_new(void) {
    Texture *texture = g_new(Texture, 1);
    for (guint y = 0; y < TILE; y++)
        for (guint x = 0; x < TILE; x++) {
            gint32 sum = 0;
            for (guint step = 32, weight = 8; step >= 4; step /= 2, weight /= 2)
                sum += octave(step, x, y, step) * (gint32)weight;
            texture->tile[y][x] = (guint8)(sum / 15);
        }
    return texture;
}

void texture_free(Texture *texture) {
    g_free(texture);
}

static gint32 texture_at(const Texture *texture, guint64 key, gint x, gint y) {
    return texture
        ->tile[(guint)(y + (gint)(key >> 8 & 0xFF)) % TILE][(guint)(x + (gint)(key & 0xFF)) % TILE];
}

/* --- ellipses --- */

/* cosine and sine of 0, 22.5, ... 157.5 degrees, times 16384 */
static const gint32 directions[8][2] = {{16384, 0},      {15137, 6270}, {11585, 11585},
                                        {6270, 15137},   {0, 16384},    {-6270, 15137},
                                        {-11585, 11585}, {-15137, 6270}};

typedef struct {
    gint32 x, y;          /* centre, sixteenths of a pixel */
    gint32 length, width; /* half axes, sixteenths of a pixel */
    guint direction;      /* row of directions */
    gint32 wobble;        /* how much texture moves the outline, of UNIT */
    guint64 key;          /* of its texture */
} Ellipse;

/* How an ellipse's light runs over it. distance: from the centre, squared, UNIT on the outline.
 * grain: of the fine structure there, 0 to 255. Returns the level, UNIT for full. */
typedef gint32 (*Profile)(gint32 distance, gint32 grain);

/* 1 up to `from`, 0 beyond `to`, smooth between. */
static gint32 fall(gint32 distance, gint32 from, gint32 to) {
    if (distance <= from)
        return UNIT;
    if (distance >= to)
        return 0;
    gint32 rest = (to - distance) * UNIT / (to - from);
    return (gint32)((gint64)rest * rest * (3 * UNIT - 2 * rest) / (UNIT * UNIT));
}

static gint32 nucleus_profile(gint32 distance, gint32 grain) {
    gint32 dome = UNIT - distance / 5;
    return fall(distance, 760, 1200) * dome / UNIT * (CLAMP(grain, 60, 200) * 8 - 100) / UNIT;
}

/* Thins out from the nucleus to the edge. */
static gint32 cytoplasm_profile(gint32 distance, gint32 grain) {
    gint32 thickness = MAX(UNIT - distance * 3 / 4, 0);
    return fall(distance, 850, 1150) * thickness / UNIT * CLAMP(grain * 10 - 480, 200, 1500) / UNIT;
}

static gint32 membrane_profile(gint32 distance, gint32 grain) {
    gint32 rim = fall(ABS(distance - 960), 60, 230) * (200 + grain * 5) / UNIT;
    return rim + fall(distance, 900, 1100) * (60 + grain) / UNIT;
}

static gint32 speck_profile(gint32 distance, gint32 grain) {
    return fall(distance, 200, 1200);
}

/* The part of an ellipse's square that lies in the plane, pixels; high ends excluded. */
typedef struct {
    gint left, right, top, bottom;
} Box;

static Box ellipse_box(const Ellipse *ellipse, const Plane *plane) {
    gint reach = MAX(ellipse->length, ellipse->width) * 5 / 4 / SUBPIXEL + 2;
    gint x = ellipse->x / SUBPIXEL, y = ellipse->y / SUBPIXEL;
    return (Box){
        CLAMP(x - reach, 0, (gint)plane->width), CLAMP(x + reach + 1, 0, (gint)plane->width),
        CLAMP(y - reach, 0, (gint)plane->height), CLAMP(y + reach + 1, 0, (gint)plane->height)};
}

/* brightness: electrons where the profile is UNIT; below 0 takes light away. */
static void ellipse_paint(Plane *plane, const Ellipse *ellipse, Profile profile, gint32 brightness,
                          const Texture *texture) {
    const gint32 cosine = directions[ellipse->direction][0];
    const gint32 sine = directions[ellipse->direction][1];
    const gint32 per_length = UNIT * UNIT / ellipse->length,
                 per_width = UNIT * UNIT / ellipse->width;
    const Box box = ellipse_box(ellipse, plane);
    for (gint y = box.top; y < box.bottom; y++) {
        guint32 *row = plane->light + (gsize)y * plane->width;
        for (gint x = box.left; x < box.right; x++) {
            gint32 dx = x * SUBPIXEL - ellipse->x, dy = y * SUBPIXEL - ellipse->y;
            gint32 u = (gint32)((gint64)((dx * cosine + dy * sine) / 16384) * per_length / UNIT);
            gint32 v = (gint32)((gint64)((dy * cosine - dx * sine) / 16384) * per_width / UNIT);
            gint32 distance = (u * u + v * v) / UNIT;
            if (distance > 2 * UNIT)
                continue;
            gint px = x - ellipse->x / SUBPIXEL, py = y - ellipse->y / SUBPIXEL;
            gint32 cloud = texture_at(texture, ellipse->key, px, py);
            gint32 grain = texture_at(texture, ellipse->key >> 16, px * 4, py * 4);
            distance = distance * (UNIT + (cloud - 128) * ellipse->wobble / 128) / UNIT;
            gint32 light = profile(distance, grain) * brightness / (UNIT >> LIGHT_BITS);
            row[x] = (guint32)MAX((gint32)row[x] + light, 0);
        }
    }
}

/* --- cells --- */

typedef struct {
    Ellipse nucleus, body;
    gint32 brightness; /* electrons */
    guint64 key;
} Cell;

/* A dividing cell is small, round and bright. */
static void cell_divide(Cell *cell) {
    cell->nucleus.length = cell->nucleus.length * 2 / 3;
    cell->nucleus.width = cell->nucleus.length * 9 / 10;
    cell->body.length = cell->body.width = cell->nucleus.length * 2;
    cell->brightness = cell->brightness * 8 / 5;
}

/* The cell at grid point (x, y), pixels, as it stands at time t: each wanders its own way. */
static Cell cell_grow(guint64 key, gint x, gint y, guint t) {
    guint64 dice = key;
    Cell cell = {.key = dice_key(key, 1), .brightness = dice_between(&dice, 3000, 6500)};
    Ellipse *nucleus = &cell.nucleus, *body = &cell.body;
    const gint32 jitter = SPACING * SUBPIXEL / 3, step = 3 * SUBPIXEL, shift = 8 * SUBPIXEL;
    nucleus->x = x * SUBPIXEL + dice_between(&dice, -jitter, jitter) +
                 dice_between(&dice, -step, step) * (gint32)t;
    nucleus->y = y * SUBPIXEL + dice_between(&dice, -jitter, jitter) +
                 dice_between(&dice, -step, step) * (gint32)t;
    nucleus->length = dice_between(&dice, 13 * SUBPIXEL, 20 * SUBPIXEL);
    nucleus->width = nucleus->length * dice_between(&dice, 60, 95) / 100;
    nucleus->direction = (guint)dice_between(&dice, 0, 7);
    nucleus->wobble = 150;
    nucleus->key = cell.key;
    *body = *nucleus;
    body->x += dice_between(&dice, -shift, shift);
    body->y += dice_between(&dice, -shift, shift);
    body->length = nucleus->length * dice_between(&dice, 200, 330) / 100;
    body->width = body->length * dice_between(&dice, 45, 90) / 100;
    body->wobble = 700;
    body->key = dice_key(key, 2);
    if (dice_between(&dice, 0, 24) == 0)
        cell_divide(&cell);
    return cell;
}

static void cell_paint_nuclei(Plane *plane, const Cell *cell, const Texture *texture) {
    ellipse_paint(plane, &cell->nucleus, nucleus_profile, cell->brightness, texture);
}

static void cell_paint_cytoplasm(Plane *plane, const Cell *cell, const Texture *texture) {
    ellipse_paint(plane, &cell->body, cytoplasm_profile, cell->brightness / 2, texture);
    ellipse_paint(plane, &cell->nucleus, nucleus_profile, -cell->brightness / 5, texture);
}

/* Short rods strewn about the nucleus, over a faint cell. */
static void cell_paint_mitochondria(Plane *plane, const Cell *cell, const Texture *texture) {
    ellipse_paint(plane, &cell->body, cytoplasm_profile, cell->brightness / 8, texture);
    guint64 dice = cell->key;
    gint32 reach = cell->body.width * 4 / 5;
    for (gint rods = dice_between(&dice, 40, 90); rods > 0; rods--) {
        gint32 dx = dice_between(&dice, -reach, reach), dy = dice_between(&dice, -reach, reach);
        if (dx * dx / reach + dy * dy / reach > reach)
            continue;
        Ellipse rod = {
            cell->body.x + dx, cell->body.y + dy, dice_between(&dice, 2 * SUBPIXEL, 5 * SUBPIXEL),
            dice_between(&dice, SUBPIXEL, 3 * SUBPIXEL / 2), (guint)dice_between(&dice, 0, 7)};
        ellipse_paint(plane, &rod, speck_profile, cell->brightness / 2, texture);
    }
}

static void cell_paint_membrane(Plane *plane, const Cell *cell, const Texture *texture) {
    ellipse_paint(plane, &cell->body, membrane_profile, cell->brightness / 2, texture);
}

typedef struct {
    const char *words; /* parts of channel names, with | */
    void (*paint)(Plane *plane, const Cell *cell, const Texture *texture);
} StainRow;

static const StainRow stains[] = {
    [STAIN_NUCLEI] = {"DAPI|HOECHST|405|BLUE|NUC", cell_paint_nuclei},
    [STAIN_CYTOPLASM] = {"GFP|FITC|488|GREEN|ER", cell_paint_cytoplasm},
    [STAIN_MITOCHONDRIA] = {"TRITC|RFP|CHERRY|CY3|561|MITO", cell_paint_mitochondria},
    [STAIN_MEMBRANE] = {"CY5|647|640|RED|AGP|ACTIN", cell_paint_membrane},
};

Stain stain_find(const char *channel, guint number) {
    g_autofree char *name = g_ascii_strup(channel, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(stains); i++) {
        g_auto(GStrv) words = g_strsplit(stains[i].words, "|", -1);
        for (char **word = words; *word; word++)
            if (strstr(name, *word))
                return (Stain)i;
    }
    return (Stain)(number % G_N_ELEMENTS(stains));
}

/* One grid point beyond the edges too, so that cells are cut by them as in any picture. The middle
 * always has a cell, so that no picture of a good well is empty. */
void cells_paint(Plane *plane, guint64 key, guint t, Stain stain, const Texture *texture) {
    guint64 dice = key;
    const guint64 crowd = (guint64)dice_between(&dice, 55, 90); /* of 100 grid points have a cell */
    const gint rows = (gint)plane->height / SPACING + 1, columns = (gint)plane->width / SPACING + 1;
    for (gint row = -1; row <= rows; row++)
        for (gint column = -1; column <= columns; column++) {
            guint64 own = dice_key(key, (guint64)(guint32)row << 32 | (guint32)column);
            bool is_middle = row == rows / 2 && column == columns / 2;
            if (own % 100 >= crowd && !is_middle)
                continue;
            gint x = column * SPACING + (gint)plane->width % SPACING / 2;
            gint y = row * SPACING + (gint)plane->height % SPACING / 2;
            Cell cell = cell_grow(own, x, y, t);
            stains[stain].paint(plane, &cell, texture);
        }
}

void debris_paint(Plane *plane, guint64 key, const Texture *texture) {
    guint64 dice = dice_key(key, 3);
    guint specks = 2 + plane->width * plane->height / 400000;
    for (guint i = 0; i < specks; i++) {
        Ellipse speck = {dice_between(&dice, 0, (gint32)plane->width * SUBPIXEL),
                         dice_between(&dice, 0, (gint32)plane->height * SUBPIXEL),
                         dice_between(&dice, SUBPIXEL, 4 * SUBPIXEL),
                         dice_between(&dice, SUBPIXEL, 2 * SUBPIXEL),
                         (guint)dice_between(&dice, 0, 7)};
        ellipse_paint(plane, &speck, speck_profile, dice_between(&dice, 60, 300), texture);
    }
}
