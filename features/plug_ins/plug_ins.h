/* plug_ins: measures in shared objects, from the folder that [features] plug-ins names. What a
 * plug-in is and what it is promised stands in scopestream_measure.h.
 *
 * A plug-in is stranger's code. Each is loaded and run in a process of its own (plug_in_host.h),
 * and whatever it does there costs the frame this plug-in's numbers and nothing else. One that ends
 * its process, does not return in time or writes where it may not is started again with the next
 * frame; after the third time in a row it is switched off for as long as this program runs. */
#ifndef FEATURES_PLUG_INS_H
#define FEATURES_PLUG_INS_H

#include "features/measure.h"
#include "stream/settings.h"

typedef struct PlugIns PlugIns;

/* Loads and describes every <name>.so of the folder, in the order of their names; none if the
 * setting is empty. Those that cannot be used are left out and told as news. FAULT_USAGE, naming
 * key and folder, if the folder cannot be read. */
PlugIns *plug_ins_open(const Settings *settings, GError **error);
void plug_ins_free(PlugIns *plug_ins); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlugIns, plug_ins_free)

/* Those that can be used. What is lent lives as long as plug_ins; of a Measure only name and
 * numbers are set. */
guint plug_ins_count(const PlugIns *plug_ins);
const Measure *plug_ins_at(const PlugIns *plug_ins, guint index);
/* Whether a file of that name lies there that cannot be used. */
bool plug_ins_is_broken(const PlugIns *plug_ins, const char *name);

/* Ends the process of one that is not needed; computing starts it again. */
void plug_ins_rest(PlugIns *plug_ins, guint index);

/* Shows all of them a plane, for plug_ins_compute. From now on they have half of [features]
 * frame-time-limit together, so that they alone never make a frame take too long. */
void plug_ins_show(PlugIns *plug_ins, const Plane *plane);
/* Fills values as MeasureCompute does. Returns NULL, or why some or all of them stay NaN, a plain
 * sentence that lives as long as plug_ins. */
const char *plug_ins_compute(PlugIns *plug_ins, guint index, double *values);

/* What has changed since it was last asked: a line each that names file and reason, once when
 * something begins to be wrong and once when it is right again. NULL: nothing. g_strfreev. */
char **plug_ins_take_news(PlugIns *plug_ins);

#endif
