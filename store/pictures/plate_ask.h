/* plate_ask: what the database knows of a plate. Views and functions only: the reader's role is
 * enough. Faults as person_ask (store/person.h). */
#ifndef STORE_PICTURES_PLATE_ASK_H
#define STORE_PICTURES_PLATE_ASK_H

#include "store/pictures/plate.h"
#include "store/postgres.h"

/* A plate frames are stored of. */
typedef struct {
    char *source, *experiment, *plate; /* experiment: NULL if nobody told */
    char *first_at, *last_at;          /* when it was imaged: "2026-03-01 14:30:00", UTC */
    char *since, *until;               /* the same, as the database takes them */
    gint64 frames;
    GStrv channels; /* sorted; without any if the frames have none */
} PlateName;

/* The plate of that name imaged last; of any, of any source, where they are NULL. FAULT_USAGE, with
 * the newest that there are, if it is none of them; FAULT_BROKEN if none is stored at all. */
PlateName *plate_find(Postgres *postgres, const char *plate, const char *source, GError **error);
void plate_name_free(PlateName *name); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlateName, plate_name_free)

/* The channel that is meant: the one asked for, or the first; NULL only if frames have none.
 * FAULT_USAGE, naming those there are, for one that is none of them. Borrowed from name. */
bool plate_channel(const PlateName *name, const char *asked, const char **ret_channel,
                   GError **error);

/* A number a well. FAULT_USAGE, in the database's words, for a measure that is none. pipeline NULL:
 * the one that measured the plate last. */
Plate *plate_ask(Postgres *postgres, const PlateName *name, const char *channel,
                 const char *measure, const char *pipeline, GError **error);
/* One without any number: wells are WELL_SILENT, WELL_EMPTY or WELL_MISSING. */
Plate *plate_ask_wells(Postgres *postgres, const PlateName *name, const char *channel,
                       GError **error);

/* A measure with its unit, "focus (um)"; alone if it has none, or nobody told. g_free it. */
char *plate_ask_words(Postgres *postgres, const char *measure);

#endif
