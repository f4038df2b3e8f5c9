#include "features/measures/label.h"
#include <string.h>

/* Union-find over runs, the unbroken stretches of a row: the first pass gives each run a label and
 * joins those that touch, the second adds each label's places to its root's. */

typedef struct {
    guint32 start, end; /* columns; end is behind the last */
    guint32 label;
} Run;

typedef struct {
    guint32 parent; /* a label of the same region; never larger than its own */
    LabelRegion region;
} Label;

typedef struct {
    guint32 count;
    Label *labels;
} Labels;

/* A row holds a run in every second place at most. */
static gsize runs_at_most(guint32 width) {
    return ((gsize)width + 1) / 2;
}

/* A run that gets a new label begins neither beside, below nor diagonally below the beginning of
 * another such run: four places for each, one row and column beyond the mask counted in. */
static gsize labels_at_most(guint32 width, guint32 height) {
    return runs_at_most(width) * (((gsize)height + 1) / 2);
}

gsize label_room_bytes(guint32 width, guint32 height) {
    return 2 * runs_at_most(width) * sizeof(Run) + labels_at_most(width, height) * sizeof(Label);
}

static guint32 find_root(Label *labels, guint32 label) {
    while (labels[label].parent != label) {
        guint32 grandparent = labels[labels[label].parent].parent;
        labels[label].parent = grandparent; /* the next way is half as long */
        label = grandparent;
    }
    return label;
}

/* The smaller root stays, so that a region keeps its first place's label. */
static guint32 join(Label *labels, guint32 one, guint32 other) {
    one = find_root(labels, one);
    other = find_root(labels, other);
    labels[MAX(one, other)].parent = MIN(one, other);
    return MIN(one, other);
}

static guint32 new_label(Labels *labels) {
    labels->labels[labels->count] = (Label){.parent = labels->count};
    return labels->count++;
}

/* Runs of a row, without labels. Most of a mask is empty, and memchr is the fastest way across. */
static guint32 find_runs(const guint8 *row, guint32 width, Run *runs) {
    const guint8 *end = row + width, *at = row;
    guint32 count = 0;
    while ((at = memchr(at, 1, (gsize)(end - at))) != NULL) {
        const guint8 *after = memchr(at, 0, (gsize)(end - at));
        after = after != NULL ? after : end;
        runs[count++] = (Run){(guint32)(at - row), (guint32)(after - row), 0};
        at = after;
    }
    return count;
}

/* The label of a run: that of the runs above it, which it joins, or a new one. *above is the first
 * run of the row above that may touch it. */
static guint32 label_of(const Run *run, const Run **above, const Run *above_end, Labels *labels) {
    while (*above < above_end && (*above)->end < run->start)
        (*above)++;
    bool found = false;
    guint32 label = 0;
    for (const Run *touching = *above; touching < above_end && touching->start <= run->end;
         touching++) {
        label = found ? join(labels->labels, label, touching->label) : touching->label;
        found = true;
    }
    return found ? label : new_label(labels);
}

static void label_row(Run *runs, guint32 count, const Run *above, guint32 above_count,
                      guint32 width, bool outer_row, Labels *labels) {
    const Run *above_end = above + above_count;
    for (Run *run = runs; run < runs + count; run++) {
        run->label = label_of(run, &above, above_end, labels);
        LabelRegion *region = &labels->labels[run->label].region;
        region->area += run->end - run->start;
        region->at_border |= outer_row || run->start == 0 || run->end == width;
    }
}

/* Every label's places to its root's, and the roots to the front, over the labels: a region is
 * smaller than a label, and what is overwritten has been read. */
static guint32 gather(Labels *labels, LabelRegion *regions) {
    for (guint32 i = 0; i < labels->count; i++) {
        guint32 root = find_root(labels->labels, i);
        if (root == i)
            continue;
        labels->labels[root].region.area += labels->labels[i].region.area;
        labels->labels[root].region.at_border |= labels->labels[i].region.at_border;
    }
    guint32 count = 0;
    for (guint32 i = 0; i < labels->count; i++) {
        Label label = labels->labels[i];
        if (label.parent == i)
            regions[count++] = label.region;
    }
    return count;
}

guint32 label_regions(const guint8 *mask, guint32 width, guint32 height, void *room,
                      LabelRegion **ret_regions) {
    Run *runs = room, *above = runs + runs_at_most(width);
    Labels labels = {.labels = (Label *)(above + runs_at_most(width))};
    guint32 above_count = 0;
    for (guint32 y = 0; y < height; y++) {
        guint32 count = find_runs(mask + (gsize)y * width, width, runs);
        label_row(runs, count, above, above_count, width, y == 0 || y + 1 == height, &labels);
        Run *used = above;
        above = runs;
        runs = used;
        above_count = count;
    }
    *ret_regions = (LabelRegion *)labels.labels;
    return gather(&labels, *ret_regions);
}
