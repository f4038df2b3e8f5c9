/* shots: the frames whose thumbnails are shown, one a place, and their thumbnails. */
#ifndef STORE_PICTURES_SHOTS_H
#define STORE_PICTURES_SHOTS_H

#include "store/pictures/picture.h"
#include "store/pictures/plate_ask.h"

#define SHOTS_UNKNOWN G_MININT /* a site, plane or time nobody told, or asked for */

typedef struct {
    char *well, *channel; /* channel: NULL if nobody told */
    int site, z, t;
    gint64 acquired_us; /* since 1970 */
    bool is_ok;         /* it was measured; else status says what became of it */
    char *status;
    bool is_kept;     /* a thumbnail of it is stored */
    double low, high; /* intensity its thumbnail shows black and white, NaN if nobody told */
    double aspect;    /* its height by its width, NaN if nobody told */
    char *frame_id, *acquired_at;
} Shot;

/* Which of a place's frames; SHOTS_UNKNOWN where it is left to shots_choose. */
typedef struct {
    bool all_sites, all_times;
    const char *well; /* NULL: all */
    int site, z, t;
    /* What there is to choose from, for words: how many, and the first and last time. */
    int sites, planes, times, first_t, last_t;
} ShotChoice;

/* Fills in what was left open: the first site and the middle one of the planes that are there.
 * Times stay open: the newest of each well. FAULT_USAGE if there is no such site, plane or time. */
bool shots_choose(ShotChoice *choice, Postgres *postgres, const PlateName *name,
                  const char *channel, GError **error);
/* "site 1 of 4, plane 3 of 5, newest time point"; g_free it. */
char *shots_choice_text(const ShotChoice *choice);

/* Of Shot, by well, site and time; those of one channel. */
GPtrArray *shots_ask(Postgres *postgres, const PlateName *name, const char *channel,
                     const ShotChoice *choice, GError **error);

/* Reads thumbnails, one after the other. picture is NULL, and words say why, for one that is no
 * picture. Fails when the program is asked to stop. */
typedef void (*ShotEach)(const Shot *shot, const Picture *picture, const char *words,
                         void *context);
bool shots_each(Postgres *postgres, const GPtrArray *shots, ShotEach each, void *context,
                GError **error);

/* One range that suits most of them: intensities to be shown black and white; NaN if none has any.
 * A few wells that are much brighter shall not darken all the others. */
void shots_range(const GPtrArray *shots, double *ret_low, double *ret_high);
/* What most thumbnails have as height by width, within reason; 1 if nobody told. */
double shots_aspect(const GPtrArray *shots);
/* The grey to show each pixel value of a thumbnail of that range in. */
void shot_shades(const Shot *shot, double low, double high, guint8 ret_shades[256]);

#endif
