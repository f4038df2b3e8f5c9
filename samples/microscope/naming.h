/* naming: the folders and file names of five instruments, as they really write them. */
#ifndef MICROSCOPE_NAMING_H
#define MICROSCOPE_NAMING_H

#include "samples/microscope/plate.h"

/* What a name is made of besides the place. */
typedef struct {
    const char *plate;   /* name */
    const char *date;    /* YYYY-MM-DD */
    guint64 seed;        /* of the identifiers some instruments put into names */
    guint sites, zs, ts; /* how many there are: some make folders only for several */
} NamingContext;

/* An instrument: one row of the table. */
typedef struct {
    const char *key;
    const char *sentence;
    guint first;                        /* the number of the first site, channel, plane and time */
    guint channels_max, zs_max, ts_max; /* what its names have digits for */
    bool numbers_positions;             /* sites are counted through the plate, not in each well */
    const char *channel_form;           /* printf: a channel's number as its names write it */
    Stack stack;                        /* what a multi-page file of it holds */
    bool is_ome_stack; /* whether its multi-page file says in OME-XML what its pages are */
    /* The path of the file that holds place, below the output folder. The caller g_frees. */
    char *(*path)(const NamingContext *context, const Place *place);
    char *(*stack_path)(const NamingContext *context, const Place *place); /* for stacks */
} Naming;

/* The row of that key; NULL if there is none. */
const Naming *naming_find(const char *key);
/* The site of place as the instrument numbers it, with that many sites in a well. */
guint naming_site(const Naming *naming, guint sites, const Place *place);
/* The channel of place as the instrument writes it. The caller g_frees. */
char *naming_channel(const Naming *naming, const Place *place);
/* All rows, ends with a row without key. */
extern const Naming namings[];

#endif
