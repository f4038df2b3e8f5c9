#include "samples/microscope/naming.h"

#include "samples/microscope/dice.h"
#include <string.h>

/* MetaXpress gives each file of its database a GUID, so that no two names are ever the same. */
static char *guid_text(const NamingContext *context, const Place *place) {
    guint64 key = dice_key(context->seed, 0x6775696400000000u + place->plate);
    const guint numbers[] = {place->well.row, place->well.column, place->site,
                             place->channel,  place->z,           place->t};
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        key = dice_key(key, numbers[i]);
    guint64 high = dice_next(&key), low = dice_next(&key);
    return g_strdup_printf("%08X-%04X-4%03X-%04X-%012" G_GINT64_MODIFIER "X", (guint)(high >> 32),
                           (guint)(high >> 16) & 0xFFFF, (guint)high & 0xFFF,
                           (guint)(low >> 48 & 0x3FFF) | 0x8000, low & 0xFFFFFFFFFFFFu);
}

/* PLATE/DATE/NUMBER[/TimePoint_T][/ZStep_Z]/ : the folders of an exported plate. */
static char *imagexpress_folder(const NamingContext *context, const Place *place, bool has_z) {
    GString *folder = g_string_new(NULL);
    g_string_append_printf(folder, "%s/%s/%u", context->plate, context->date,
                           1001 + (guint)(dice_key(context->seed, place->plate) % 8000));
    if (context->ts > 1)
        g_string_append_printf(folder, "/TimePoint_%u", place->t + 1);
    if (has_z && context->zs > 1)
        g_string_append_printf(folder, "/ZStep_%u", place->z + 1);
    return g_string_free(folder, false);
}

static char *imagexpress_file(const NamingContext *context, const Place *place, bool has_z) {
    g_autofree char *folder = imagexpress_folder(context, place, has_z);
    g_autofree char *well = well_text(place->well);
    g_autofree char *guid = guid_text(context, place);
    return g_strdup_printf("%s/%s_%s_s%u_w%u%s.tif", folder, context->plate, well, place->site + 1,
                           place->channel + 1, guid);
}

static char *imagexpress_path(const NamingContext *context, const Place *place) {
    return imagexpress_file(context, place, true);
}

static char *imagexpress_stack_path(const NamingContext *context, const Place *place) {
    return imagexpress_file(context, place, false);
}

static char *phenix_path(const NamingContext *context, const Place *place) {
    return g_strdup_printf("%s__%sT09_00_00-Measurement 1/Images/"
                           "r%02uc%02uf%02up%02u-ch%usk%ufk1fl1.tiff",
                           context->plate, context->date, place->well.row + 1u,
                           place->well.column + 1u, place->site + 1, place->z + 1,
                           place->channel + 1, place->t + 1);
}

/* Each channel is an action of its own in the measurement's protocol. */
static char *yokogawa_path(const NamingContext *context, const Place *place) {
    g_autofree char *well = well_text(place->well);
    return g_strdup_printf("%s/%s_%s_T%04uF%03uL01A%02uZ%02uC%02u.tif", context->plate,
                           context->plate, well, place->t + 1, place->site + 1, place->channel + 1,
                           place->z + 1, place->channel + 1);
}

/* Times are told by the kinetic form of the name only. */
static char *cellomics_path(const NamingContext *context, const Place *place) {
    g_autofree char *well = well_text(place->well);
    if (context->ts > 1)
        return g_strdup_printf("%s/%si3t%03u%sf%02ud%u.TIF", context->plate, context->plate,
                               place->t, well, place->site, place->channel);
    return g_strdup_printf("%s/%s_%sf%02ud%u.TIF", context->plate, context->plate, well,
                           place->site, place->channel);
}

/* Micro-Manager knows positions, not wells: they are numbered along the way of the stage. */
static guint position(const NamingContext *context, const Place *place) {
    return naming_site(naming_find("micromanager"), context->sites, place);
}

static char *micromanager_path(const NamingContext *context, const Place *place) {
    guint number = position(context, place);
    return g_strdup_printf("%s/Pos%03u/img_channel%03u_position%03u_time%09u_z%03u.tif",
                           context->plate, number, place->channel, number, place->t, place->z);
}

static char *micromanager_stack_path(const NamingContext *context, const Place *place) {
    return g_strdup_printf("%s/%s_MMStack_Pos%u.ome.tif", context->plate, context->plate,
                           position(context, place));
}

const Naming namings[] = {
    {.key = "imagexpress",
     .sentence = "Molecular Devices ImageXpress: TimePoint_ and ZStep_ folders, GUIDs in names",
     .first = 1,
     .channels_max = 99,
     .zs_max = 999,
     .ts_max = 9999,
     .channel_form = "%u",
     .stack = STACK_Z,
     .path = imagexpress_path,
     .stack_path = imagexpress_stack_path},
    {.key = "phenix",
     .sentence = "Revvity Opera Phenix, Operetta: P1__DATE-Measurement 1/Images/r01c01f01p01-...",
     .first = 1,
     .channels_max = 99,
     .zs_max = 999,
     .ts_max = 9999,
     .channel_form = "%u",
     .stack = STACK_Z,
     .path = phenix_path,
     .stack_path = phenix_path},
    {.key = "yokogawa",
     .sentence = "Yokogawa CellVoyager: P1/P1_A01_T0001F001L01A01Z01C01.tif",
     .first = 1,
     .channels_max = 99,
     .zs_max = 99,
     .ts_max = 9999,
     .channel_form = "A%1$02uC%1$02u",
     .stack = STACK_Z,
     .path = yokogawa_path,
     .stack_path = yokogawa_path},
    {.key = "cellomics",
     .sentence = "Thermo Cellomics, CellInsight: P1/P1_A01f00d0.TIF; no z planes",
     .channels_max = 10,
     .zs_max = 1,
     .ts_max = 999,
     .channel_form = "%u",
     .stack = STACK_Z,
     .path = cellomics_path,
     .stack_path = cellomics_path},
    {.key = "micromanager",
     .sentence = "Micro-Manager: P1/Pos000/img_channel000_...tif, with --stack MMStack OME-TIFF",
     .channels_max = 999,
     .zs_max = 999,
     .ts_max = 999999,
     .numbers_positions = true,
     .channel_form = "%03u",
     .stack = STACK_SITE,
     .is_ome_stack = true,
     .path = micromanager_path,
     .stack_path = micromanager_stack_path},
    {NULL},
};

guint naming_site(const Naming *naming, guint sites, const Place *place) {
    guint before = naming->numbers_positions ? sites * place->well_index : 0;
    return naming->first + before + place->site;
}

char *naming_channel(const Naming *naming, const Place *place) {
    return g_strdup_printf(naming->channel_form, naming->first + place->channel);
}

const Naming *naming_find(const char *key) {
    for (const Naming *naming = namings; naming->key; naming++)
        if (strcmp(naming->key, key) == 0)
            return naming;
    return NULL;
}
