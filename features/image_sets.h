/* image_sets: measured frames as CellProfiler's Image.csv has them: one row an image set, which is
 * all channels of one place and time, and a column for each number and channel.
 *
 * Columns, in this order: ImageNumber; Metadata_Plate, _Well, _Site, _Z, _T, _Page, _Experiment,
 * empty where not known; FileName_, PathName_, Height_ and Width_<channel>; then every number of
 * the pipeline that has a name in CellProfiler, each with its channels in alphabetical order. In a
 * channel's name all but letters, digits and '_' becomes '_', as CellProfiler wants it; a frame
 * whose channel is not known is of channel Image. `scopestream-store export --cellprofiler` gives
 * the same columns from the database. */
#ifndef FEATURES_IMAGE_SETS_H
#define FEATURES_IMAGE_SETS_H

#include "features/pipeline.h"
#include "stream/frame.h"

typedef struct ImageSets ImageSets;

/* pipeline is borrowed. */
ImageSets *image_sets_new(const Pipeline *pipeline);
void image_sets_free(ImageSets *sets); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageSets, image_sets_free)

/* Adds a frame, whose place, page, width and height count, under the name of its file. Frames of
 * one folder and place share a set as long as their channels differ; of an unknown place (naming
 * NULL) each has its own. */
void image_sets_add(ImageSets *sets, const char *file, const Frame *frame,
                    const Measurement *measurement);

/* Prints them to stdout, numbered from 1 in the order they came. */
void image_sets_print(const ImageSets *sets);

#endif
