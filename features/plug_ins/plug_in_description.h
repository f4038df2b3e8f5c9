/* plug_in_description: what a plug-in says of itself, looked over: it is a stranger's word. */
#ifndef FEATURES_PLUG_IN_DESCRIPTION_H
#define FEATURES_PLUG_IN_DESCRIPTION_H

#include "features/measure.h"
#include "stream/fault.h"

/* The numbers that body, the JSON of PLUG_IN_DESCRIBED, describes; ends with an empty row;
 * plug_in_numbers_free. FAULT_BROKEN, saying what is wrong, if it is no description, if the name in
 * it is not `name`, if a text is missing or too long, or if a number's name cannot be a column:
 * misspelt, there twice, that of a built-in number, or of a column that tells of the frame. */
MeasureNumber *plug_in_description_read(GBytes *body, const char *name, GError **error);
void plug_in_numbers_free(MeasureNumber *numbers); /* accepts NULL */

/* Whether name can be a plug-in's: formed like a column's name, and no built-in measure's. */
bool plug_in_name_is_free(const char *name);

#endif
