/* sheet: a plate on a page, its wells in their places, as numbers in colours or as pictures; one
 * panel a channel, one below the other. */
#ifndef STORE_PICTURES_SHEET_H
#define STORE_PICTURES_SHEET_H

#include "store/pictures/canvas.h"
#include "store/pictures/plate.h"

typedef struct Sheet Sheet;

typedef struct {
    guint rows, columns;
    guint panels;
    guint cell;    /* width of a well in pixels; 0: what suits the plate */
    guint tiles;   /* pictures in a well */
    double aspect; /* height of a picture by its width */
    const char *title, *subtitle, *remark;
} SheetForm;

/* FAULT_USAGE if it would be too large. */
Sheet *sheet_new(const SheetForm *form, GError **error);
void sheet_free(Sheet *sheet); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sheet, sheet_free)

/* Draws a panel of numbers. label: the channel; words: what the numbers are, with their unit. */
void sheet_draw_values(Sheet *sheet, guint panel, const char *label, const Plate *plate,
                       const ColourScale *scale, const char *words);

/* Draws a panel for pictures, with no picture in it yet. */
void sheet_draw_wells(Sheet *sheet, guint panel, const char *label, const Plate *plate);
/* One of the pictures of a well, from 0; NULL: a cross, for one that is broken. */
void sheet_draw_tile(Sheet *sheet, guint panel, guint row, guint column, guint tile,
                     const Picture *picture, const guint8 shades[256]);
/* The same, for a frame whose picture was not kept. */
void sheet_draw_pale(Sheet *sheet, guint panel, guint row, guint column, guint tile);

/* Below a panel of pictures. greys NULL: there is no range they share. has_crosses, has_pale:
 * whether there are such. */
void sheet_draw_legend(Sheet *sheet, guint panel, const Plate *plate, const ColourScale *greys,
                       const char *words, bool has_crosses, bool has_pale);

/* As canvas_write. */
bool sheet_write(Sheet *sheet, const char *path, GError **error);

/* Where a well, or a picture in it, stands: for tests. */
Box sheet_tile_box(const Sheet *sheet, guint panel, guint row, guint column, guint tile);

#endif
