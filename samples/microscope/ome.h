/* ome: what Micro-Manager writes into the first page of a stack, so that a reader knows what the
 * pages are. */
#ifndef MICROSCOPE_OME_H
#define MICROSCOPE_OME_H

#include "samples/microscope/options.h"

/* OME-XML (schema 2016-06) for the stack of one site, in ASCII. name: of the image. The caller
 * g_frees. */
char *ome_text(const Options *options, const char *name);

#endif
