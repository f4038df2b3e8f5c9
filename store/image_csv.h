/* image_csv: measured frames as CellProfiler's Image.csv has them: a row an image set, which is all
 * channels of one place and time, and a column for each number and channel.
 *
 * Columns, in this order: ImageNumber, from 1; Metadata_Plate, _Well, _Site, _Z, _T, _Page,
 * _Experiment, _Source, _Pipeline, _PipelineVersion; FileName_, PathName_, Height_ and
 * Width_<channel>; then the numbers, each with its channels. Unknown text is empty, a number
 * without a value is nan, as CellProfiler writes it: who guesses a column's type by its fields
 * takes it for a number then. Fields are quoted where RFC 4180 wants it, lines end with \n.
 */
#ifndef STORE_IMAGE_CSV_H
#define STORE_IMAGE_CSV_H

#include "store/postgres.h"
#include "stream/settings.h"
#include <stdio.h>

typedef struct ImageCsv ImageCsv;

/* channels: rows of name and label, which stands in the columns' names. numbers: rows of name and
 * CellProfiler's name with {channel}. settings may know folders of sources: PathName is absolute
 * then, else below the source's folder. All are borrowed. */
ImageCsv *image_csv_new(FILE *file, const PostgresRows *channels, const PostgresRows *numbers,
                        const Settings *settings);
void image_csv_free(ImageCsv *csv); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageCsv, image_csv_free)

/* The columns a row has, for its SELECT list: from r, a row of scopestream.features; the numbers
 * follow. */
#define IMAGE_CSV_PLACE                                                                            \
    "plate, well, site, z, t, page, experiment, source, pipeline, pipeline_version, "              \
    "case when naming is null then path end as place_path"
#define IMAGE_CSV_FRAME                                                                            \
    "coalesce(nullif(channel, ''), 'Image') as channel_name, path, height, width"

void image_csv_header(ImageCsv *csv);
/* Takes over a frame's row: IMAGE_CSV_PLACE, IMAGE_CSV_FRAME, then every number. The frames of a
 * place come one after the other. */
void image_csv_add(ImageCsv *csv, PostgresRows *row);
/* Writes the last one. */
void image_csv_finish(ImageCsv *csv);

/* Image sets written so far. */
gint64 image_csv_count(const ImageCsv *csv);

#endif
