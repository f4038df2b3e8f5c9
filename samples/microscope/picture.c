#include "samples/microscope/picture.h"

#include "samples/microscope/cells.h"
#include "samples/microscope/dice.h"
#include "samples/microscope/faults.h"
#include "samples/microscope/optics.h"

#define FULL_WELL  16000 /* electrons a pixel can hold: the camera's white */
#define BACKGROUND 260   /* electrons of stray light and autofluorescence */
#define READ_NOISE 3     /* electrons */
#define ONE        65536 /* 1.0 of exposure and gain */
#define DRIFT_NM   10000 /* focus lost from the first well to the last */
#define DEPTH_NM   1000  /* of field: so near to the focal plane nothing is lost */
#define UNEVEN     40000 /* of LAMP_FULL, lost at the right edge when the light is uneven */

typedef struct {
    gsize index;
    guint excess; /* of FULL_WELL */
} HotPixel;

struct Scope {
    ScopeSetup setup;
    Texture *texture;
    Plane plane;
    Blur *blur;
    gint32 *across, *down; /* losses of the lamp's light along x and y */
    guint16 *pixels;
    guint16 noise[FULL_WELL + 1]; /* standard deviation at that many electrons, times 256 */
    GArray *hot;                  /* of HotPixel */
};

/* Shot noise grows with the root of the light, read noise is always there. */
static void noise_fill(guint16 noise[FULL_WELL + 1]) {
    guint32 root = 0; /* of variance * 65536 */
    for (guint64 electrons = 0; electrons <= FULL_WELL; electrons++) {
        guint64 variance = (electrons + READ_NOISE * READ_NOISE) * 65536;
        while ((guint64)(root + 1) * (root + 1) <= variance)
            root++;
        noise[electrons] = (guint16)MIN(root, G_MAXUINT16);
    }
}

/* The same pixels are hot in every picture of a camera: about one in 50,000. */
static GArray *hot_pixels(const ScopeSetup *setup) {
    GArray *hot = g_array_new(false, false, sizeof(HotPixel));
    guint64 dice = dice_key(setup->seed, 0x686F74u);
    guint64 pixels = (guint64)setup->width * setup->height;
    for (guint64 left = pixels / 50000 + 1; left > 0; left--) {
        HotPixel pixel = {dice_next(&dice) % pixels, (guint)dice_between(&dice, 200, 1500)};
        g_array_append_val(hot, pixel);
    }
    return hot;
}

Scope *scope_new(const ScopeSetup *setup) {
    Scope *scope = g_new0(Scope, 1);
    gsize pixels = (gsize)setup->width * setup->height;
    scope->setup = *setup;
    scope->texture = texture_new();
    scope->plane = (Plane){setup->width, setup->height, g_new(guint32, pixels)};
    scope->blur = blur_new(setup->width, setup->height);
    scope->across = g_new(gint32, setup->width);
    scope->down = g_new(gint32, setup->height);
    scope->pixels = g_new(guint16, pixels);
    scope->hot = hot_pixels(setup);
    noise_fill(scope->noise);
    return scope;
}

void scope_free(Scope *scope) {
    if (!scope)
        return;
    texture_free(scope->texture);
    g_free(scope->plane.light);
    blur_free(scope->blur);
    g_free(scope->across);
    g_free(scope->down);
    g_free(scope->pixels);
    g_array_unref(scope->hot);
    g_free(scope);
}

/* --- what the picture shows --- */

static guint64 site_key(const Scope *scope, const Place *place) {
    guint64 key = dice_key(scope->setup.seed, place->plate);
    key = dice_key(key, (guint64)place->well.row << 8 | place->well.column);
    return dice_key(key, place->site);
}

static void scene_paint(Scope *scope, const Place *place, guint faults) {
    gsize pixels = (gsize)scope->plane.width * scope->plane.height;
    for (gsize i = 0; i < pixels; i++)
        scope->plane.light[i] = BACKGROUND << LIGHT_BITS;
    guint64 key = site_key(scope, place);
    debris_paint(&scope->plane, key, scope->texture);
    if (faults & FAULT_EMPTY)
        return;
    Stain stain = stain_find(scope->setup.channels[place->channel], place->channel);
    cells_paint(&scope->plane, key, place->t, stain, scope->texture);
}

/* The stage sinks or rises all along its way: which of them is the instrument's. */
static gint32 drift_nm(const Scope *scope, const Place *place) {
    gint32 lost = (gint32)((gint64)DRIFT_NM * place->well_index / scope->setup.wells);
    return dice_key(scope->setup.seed, 0x6472696674u) & 1 ? lost : -lost;
}

gint32 scope_off_focus_nm(const Scope *scope, const Place *place, guint faults) {
    guint64 dice = dice_key(site_key(scope, place), 0x6465666F637573u);
    gint32 off = (2 * (gint32)place->z - (gint32)(scope->setup.zs - 1)) * PLANE_NM / 2;
    gint32 defocus = dice_between(&dice, 9000, 12000);
    if (faults & FAULT_DEFOCUS)
        off += dice_between(&dice, 0, 1) ? defocus : -defocus;
    if (faults & FAULT_DRIFT)
        off += drift_nm(scope, place);
    return off + place->focus_nm;
}

/* As radii of the blur's three passes together, pixels: beyond the depth of field the cone of light
 * widens by two a micrometre. Even the sharpest picture has a little: the lens resolves no single
 * pixel. */
static guint blur_amount(const Scope *scope, const Place *place, guint faults) {
    guint64 dice = dice_key(site_key(scope, place), 0x666F637573u);
    gint64 off = scope_off_focus_nm(scope, place, faults), beyond = MAX(ABS(off) - DEPTH_NM, 0);
    return 1 + (guint)dice_between(&dice, 0, 1) + (guint)(beyond * 2 / 1000);
}

/* --- the camera --- */

typedef struct {
    guint64 dice;         /* of the noise */
    gint32 offset, white; /* counts */
    gint64 gain;          /* counts per electron, times ONE */
    guint exposure;       /* times ONE */
} Camera;

static Camera camera_ready(const Scope *scope, const Place *place, guint faults) {
    guint64 key = dice_key(site_key(scope, place), (guint64)place->channel << 32 | place->z);
    gint32 white = (1 << scope->setup.camera_bits) - 1;
    guint exposure = ONE;
    if (faults & FAULT_DIM)
        exposure /= 8;
    if (faults & FAULT_SATURATED)
        exposure *= 12;
    guint64 dice = dice_key(key, place->t);
    if (place->again > 0) /* other electrons, of the same cells */
        dice = dice_key(dice, place->again);
    return (Camera){dice, white / 40, white, (gint64)white * ONE / FULL_WELL, exposure};
}

#define BELL_DEVIATION 37837 /* of bell(): 65536 * sqrt(4 / 12) */

/* The sum of four even dice is close enough to the bell curve of many electrons. */
static inline gint64 bell(guint64 *dice) {
    guint64 bits = dice_next(dice);
    return (gint64)((bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) +
                    (bits >> 48)) -
           2 * 0xFFFF;
}

/* One row of light becomes counts. */
static void row_read(const Scope *scope, Camera *camera, guint y) {
    const gint64 per_deviation = ((gint64)1 << (32 + LIGHT_BITS)) / (256 * (gint64)BELL_DEVIATION);
    const guint width = scope->plane.width;
    const guint32 *light = scope->plane.light + (gsize)y * width;
    guint16 *pixels = scope->pixels + (gsize)y * width;
    for (guint x = 0; x < width; x++) {
        guint64 share = (guint64)(LAMP_FULL - scope->across[x] - scope->down[y]);
        guint64 lit = ((guint64)light[x] * camera->exposure >> 16) * share >> 16;
        gint64 deviation = scope->noise[MIN(lit >> LIGHT_BITS, FULL_WELL)];
        gint64 charge = (gint64)lit + (bell(&camera->dice) * deviation * per_deviation >> 32);
        gint64 counts = camera->offset + (charge * camera->gain >> (16 + LIGHT_BITS));
        pixels[x] = (guint16)CLAMP(counts, 0, camera->white);
    }
}

static void hot_pixels_add(const Scope *scope, const Camera *camera) {
    for (guint i = 0; i < scope->hot->len; i++) {
        const HotPixel *hot = &g_array_index(scope->hot, HotPixel, i);
        gint64 counts = scope->pixels[hot->index] + (hot->excess * camera->gain >> 16);
        scope->pixels[hot->index] = (guint16)MIN(counts, camera->white);
    }
}

const guint16 *scope_shoot(Scope *scope, const Place *place, guint faults) {
    scene_paint(scope, place, faults);
    blur_plane(scope->blur, &scope->plane, blur_amount(scope, place, faults));
    lamp_losses(scope->across, scope->plane.width, faults & FAULT_UNEVEN ? UNEVEN : 0);
    lamp_losses(scope->down, scope->plane.height, 0);
    Camera camera = camera_ready(scope, place, faults);
    for (guint y = 0; y < scope->plane.height; y++)
        row_read(scope, &camera, y);
    hot_pixels_add(scope, &camera);
    return scope->pixels;
}
