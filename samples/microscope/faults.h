/* faults: what goes wrong on request, and where.
 *
 * A request is KIND:WHERE. WHERE is [CHANNEL@]WELLS[/SITE] for what happens at a place, FROM+COUNT
 * for what happens to a run of frames, and nothing for what happens to a whole plate. A channel is
 * named as in --channels, and may stand alone; sites count from 1. Stage, light and camera can
 * go wrong, which shows in the pixels; and the way a file is written, which shows on disk. */
#ifndef MICROSCOPE_FAULTS_H
#define MICROSCOPE_FAULTS_H

#include "samples/microscope/plate.h"

/* A bit for each row of the table in faults.c. */
typedef enum {
    FAULT_DEFOCUS = 1 << 0,
    FAULT_DRIFT = 1 << 1,
    FAULT_SATURATED = 1 << 2,
    FAULT_DIM = 1 << 3,
    FAULT_UNEVEN = 1 << 4,
    FAULT_EMPTY = 1 << 5,
    FAULT_STUCK = 1 << 6,
    FAULT_SLOW = 1 << 7,
    FAULT_PREALLOCATED = 1 << 8,
    FAULT_RENAMED = 1 << 9,
    FAULT_TRUNCATED = 1 << 10,
    FAULT_MISSING = 1 << 11,
} FaultKind;

#define FAULTS_IN_PIXELS                                                                           \
    (FAULT_DEFOCUS | FAULT_DRIFT | FAULT_SATURATED | FAULT_DIM | FAULT_UNEVEN | FAULT_EMPTY |      \
     FAULT_STUCK)

typedef struct Faults Faults;

/* requests: as given, or NULL. "auto" and "each:N" stand for a choice made from seed, told by
 * faults_chosen.
 * plate and channels (names, ends with NULL) must outlive the result. G_OPTION_ERROR that quotes
 * the wrong request. */
Faults *faults_new(char *const *requests, const Plate *plate, char *const *channels, guint64 seed,
                   GError **error);
void faults_free(Faults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Faults, faults_free)

/* All requests with auto and each spelled out, each as it could be typed; belongs to faults. */
char *const *faults_chosen(const Faults *faults);
/* The kinds (bits of FaultKind, without FAULT_STUCK) that are asked for at place. */
guint faults_at(const Faults *faults, const Place *place);
/* The kinds asked for anywhere. */
guint faults_anywhere(const Faults *faults);
/* The frame whose picture the camera gives for this one: itself unless the camera is stuck. Frames
 * count from 1. */
guint64 faults_shown_frame(const Faults *faults, guint64 frame);

/* "defocus+slow"; "" for none. The caller g_frees. */
char *faults_text(guint kinds);
/* The kinds, one line each, for --help. The caller g_frees. */
char *faults_help(void);

#endif
