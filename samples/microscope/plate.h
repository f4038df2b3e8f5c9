/* plate: which pictures a run takes, and in which order.
 *
 * The stage goes through the wells as a snake: the first row to the right, the next one back. A run
 * is a sequence of files; a file holds one picture, or with stacks several pages of one site. All
 * counts here begin at 0; how an instrument counts is its naming's matter. */
#ifndef MICROSCOPE_PLATE_H
#define MICROSCOPE_PLATE_H

#include <glib.h>
#include <stdbool.h>

#define PLATE_ROWS    32 /* of a 1536-well plate, the largest there is */
#define PLATE_COLUMNS 48

typedef struct {
    guint8 row, column;
} Well;

typedef struct {
    bool has[PLATE_ROWS][PLATE_COLUMNS];
} WellSet;

/* Where one picture is taken. */
typedef struct {
    guint64 plate; /* counts the plates of a run that loops */
    Well well;
    guint well_index; /* in the order of the stage */
    guint site, channel, z, t;
    guint again;     /* 0, or the how-manieth time the site is imaged again */
    gint32 focus_nm; /* added to where autofocus puts the objective */
} Place;

typedef enum {
    STACK_NONE, /* a file holds one picture */
    STACK_Z,    /* a file holds the planes of one channel at one time */
    STACK_SITE, /* a file holds everything of one site: channels fastest, then planes, then times */
} Stack;

typedef struct {
    GArray *wells; /* of Well, in the order of the stage; at least one */
    guint sites, channels, zs, ts;
    Stack stack;
} Plate;

/* Adds the wells of text to set: "A01", "A01-B06" (a rectangle), "all96", "all384", "all1536", or
 * several of these with commas. G_OPTION_ERROR that quotes the wrong part. */
bool wells_parse(const char *text, WellSet *set, GError **error);
/* The wells of set in the order of the stage. The caller unrefs the array. */
GArray *wells_snake(const WellSet *set);
/* "A01", "b3", "AF48". */
bool well_parse(const char *text, Well *ret_well);
/* "A01", "AF48". The caller g_frees. */
char *well_text(Well well);

guint plate_pages(const Plate *plate);        /* in one file */
guint64 plate_files(const Plate *plate);      /* in one plate */
guint64 plate_site_files(const Plate *plate); /* one after the other, of a site at one time */
/* The first file of the site of place, at its time and of its plate. */
guint64 plate_first_file(const Plate *plate, const Place *place);
/* Where well stands in the order of the stage. */
bool plate_find_well(const Plate *plate, Well well, guint *ret_index);
/* Where page `page` of file `file` is taken. Files beyond plate_files belong to the next plate. */
Place plate_place(const Plate *plate, guint64 file, guint page);

#endif
