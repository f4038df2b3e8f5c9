#include "features/measures/component_tree.h"
#include <string.h>

#define NONE G_MAXUINT32

#define RADIX_BITS 11
#define RADIX      (1 << RADIX_BITS)

/* A pixel to be sorted: its level's bits above, its place below. */
typedef guint64 Item;

gsize component_tree_bytes(gsize pixels) {
    /* Items are sorted from one array to the other; the tree moves in behind them. */
    return pixels * (2 * sizeof(Item) + 3 * sizeof(guint32) + 2 * sizeof(float));
}

/* --- the order --- */

/* The bits of floats that are not negative order as the floats do; inverted, the other way round.
 */
static void make_items(const float *image, gsize pixels, Item *items) {
    for (gsize place = 0; place < pixels; place++) {
        guint32 bits;
        memcpy(&bits, &image[place], sizeof bits);
        items[place] = (Item)~bits << 32 | place;
    }
}

static void sort_by_digit(const Item *from, Item *to, gsize pixels, int shift) {
    gsize starts[RADIX + 1] = {0};
    for (gsize i = 0; i < pixels; i++)
        starts[(from[i] >> shift & (RADIX - 1)) + 1]++;
    for (gsize digit = 1; digit < RADIX; digit++)
        starts[digit] += starts[digit - 1];
    for (gsize i = 0; i < pixels; i++)
        to[starts[from[i] >> shift & (RADIX - 1)]++] = from[i];
}

/* Three digits of eleven bits hold the level's 32. Returns the array in which they end. */
static Item *sort(Item *items, Item *others, gsize pixels) {
    sort_by_digit(items, others, pixels, 32);
    sort_by_digit(others, items, pixels, 32 + RADIX_BITS);
    sort_by_digit(items, others, pixels, 32 + 2 * RADIX_BITS);
    return others;
}

/* --- the tree --- */

/* Regions while they grow together; everything is told by position in the order. */
typedef struct {
    const ComponentTree *tree;
    guint32 *positions; /* of each place of the image; NONE: it is darker than all so far */
    guint32 *roots;     /* of each position: on the way to the darkest pixel of its region */
} Growth;

static guint32 root_of(guint32 *roots, guint32 position) {
    while (roots[position] != position) {
        roots[position] = roots[roots[position]];
        position = roots[position];
    }
    return position;
}

/* The pixel at position, darker than its neighbour at place, takes over the region of that. */
static void take_over(const Growth *growth, guint32 position, gsize place) {
    guint32 neighbour = growth->positions[place];
    if (neighbour == NONE)
        return;
    guint32 root = root_of(growth->roots, neighbour);
    if (root == position)
        return;
    growth->roots[root] = position;
    growth->tree->parents[root] = position;
    growth->tree->counts[position] += growth->tree->counts[root];
}

static void add_pixel(const Growth *growth, guint32 position, gsize width,
                      const guint8 *uncounted) {
    const ComponentTree *tree = growth->tree;
    gsize place = tree->places[position], x = place % width;
    growth->positions[place] = position;
    growth->roots[position] = position;
    tree->parents[position] = position;
    tree->counts[position] = uncounted == NULL || !uncounted[place];
    if (x > 0)
        take_over(growth, position, place - 1);
    if (x + 1 < width)
        take_over(growth, position, place + 1);
    if (place >= width)
        take_over(growth, position, place - width);
    if (place + width < tree->pixels)
        take_over(growth, position, place + width);
}

ComponentTree component_tree_build(const float *image, guint32 width, guint32 height,
                                   const guint8 *uncounted, void *scratch) {
    gsize pixels = (gsize)width * height;
    Item *items = scratch, *others = items + pixels;
    guint32 *behind = (guint32 *)(void *)(others + pixels);
    ComponentTree tree = {.pixels = pixels,
                          .places = behind,
                          .parents = behind + pixels,
                          .counts = behind + 2 * pixels,
                          .levels = (float *)(void *)(behind + 3 * pixels)};
    tree.reached = tree.levels + pixels;
    make_items(image, pixels, items);
    const Item *sorted = sort(items, others, pixels);
    for (gsize position = 0; position < pixels; position++) {
        tree.places[position] = (guint32)sorted[position];
        tree.levels[position] = image[tree.places[position]];
    }
    /* The items have done their work: their room is the growth's. */
    Growth growth = {.tree = &tree, .positions = scratch, .roots = (guint32 *)scratch + pixels};
    memset(growth.positions, 0xff, pixels * sizeof *growth.positions);
    for (gsize position = 0; position < pixels; position++)
        add_pixel(&growth, (guint32)position, width, uncounted);
    return tree;
}

/* --- reconstruction --- */

/* A region is filled as high as the marker reaches anywhere in it, and not above its own level;
 * what lies below the parent's level is the parent's. */
double component_tree_reconstructed_sum(const ComponentTree *tree, const float *marker) {
    float *reached = tree->reached;
    for (gsize i = 0; i < tree->pixels; i++)
        reached[i] = marker[tree->places[i]];
    double sum = 0;
    gsize last = tree->pixels - 1;
    for (gsize i = 0; i < last; i++) {
        guint32 parent = tree->parents[i];
        float filled = MIN(reached[i], tree->levels[i]);
        if (filled > tree->levels[parent])
            sum += ((double)filled - tree->levels[parent]) * tree->counts[i];
        reached[parent] = MAX(reached[parent], reached[i]);
    }
    return sum + (double)MIN(reached[last], tree->levels[last]) * tree->counts[last];
}
