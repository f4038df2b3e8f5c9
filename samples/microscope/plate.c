#include "samples/microscope/plate.h"

#include <string.h>

typedef struct {
    const char *name;
    guint rows, columns;
} Format;

static const Format formats[] = {{"all96", 8, 12}, {"all384", 16, 24}, {"all1536", 32, 48}};

static void wells_add(WellSet *set, Well from, Well to) {
    for (guint row = from.row; row <= to.row; row++)
        for (guint column = from.column; column <= to.column; column++)
            set->has[row][column] = true;
}

static bool wells_add_format(WellSet *set, const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (g_ascii_strcasecmp(name, formats[i].name) == 0) {
            wells_add(set, (Well){0, 0}, (Well){formats[i].rows - 1, formats[i].columns - 1});
            return true;
        }
    return false;
}

/* Letters A to Z, then AA to AF; and the column as people count it. */
bool well_parse(const char *text, Well *ret_well) {
    guint letters = 0, row = 0;
    while (g_ascii_isalpha(text[letters]) && letters < 2)
        row = row * 26 + (guint)(g_ascii_toupper(text[letters++]) - 'A' + 1);
    guint64 column;
    if (row == 0 || row > PLATE_ROWS ||
        !g_ascii_string_to_unsigned(text + letters, 10, 1, PLATE_COLUMNS, &column, NULL))
        return false;
    *ret_well = (Well){(guint8)(row - 1), (guint8)(column - 1)};
    return true;
}

static bool wells_add_range(WellSet *set, const char *text) {
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    Well from, to;
    if (!ends[0] || !well_parse(ends[0], &from) || !well_parse(ends[1] ? ends[1] : ends[0], &to))
        return false;
    if (from.row > to.row || from.column > to.column)
        return false;
    wells_add(set, from, to);
    return true;
}

static bool wells_refuse(const char *part, GError **error) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "\"%s\" is no well: expected A01, a rectangle A01-B06, all96, all384 or all1536",
                part);
    return false;
}

bool wells_parse(const char *text, WellSet *set, GError **error) {
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    if (!parts[0])
        return wells_refuse(text, error);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        if (!wells_add_format(set, *part) && !wells_add_range(set, *part))
            return wells_refuse(*part, error);
    }
    return true;
}

GArray *wells_snake(const WellSet *set) {
    GArray *wells = g_array_new(false, false, sizeof(Well));
    bool back = false;
    for (guint row = 0; row < PLATE_ROWS; row++) {
        guint before = wells->len;
        for (guint i = 0; i < PLATE_COLUMNS; i++) {
            Well well = {(guint8)row, (guint8)(back ? PLATE_COLUMNS - 1 - i : i)};
            if (set->has[well.row][well.column])
                g_array_append_val(wells, well);
        }
        if (wells->len > before)
            back = !back;
    }
    return wells;
}

char *well_text(Well well) {
    if (well.row < 26)
        return g_strdup_printf("%c%02u", 'A' + well.row, well.column + 1u);
    return g_strdup_printf("A%c%02u", 'A' + well.row - 26, well.column + 1u);
}

guint plate_pages(const Plate *plate) {
    switch (plate->stack) {
    case STACK_Z: return plate->zs;
    case STACK_SITE: return plate->channels * plate->zs * plate->ts;
    default: return 1;
    }
}

guint64 plate_files(const Plate *plate) {
    guint64 frames = (guint64)plate->wells->len * plate->sites * plate->channels * plate->zs;
    return frames * plate->ts / plate_pages(plate);
}

guint64 plate_site_files(const Plate *plate) {
    switch (plate->stack) {
    case STACK_Z: return plate->channels;
    case STACK_SITE: return 1;
    default: return (guint64)plate->channels * plate->zs;
    }
}

guint64 plate_first_file(const Plate *plate, const Place *place) {
    guint64 times = plate->stack == STACK_SITE ? place->plate : place->plate * plate->ts + place->t;
    guint64 sites = (times * plate->wells->len + place->well_index) * plate->sites + place->site;
    return sites * plate_site_files(plate);
}

bool plate_find_well(const Plate *plate, Well well, guint *ret_index) {
    for (guint i = 0; i < plate->wells->len; i++) {
        Well each = g_array_index(plate->wells, Well, i);
        if (each.row == well.row && each.column == well.column) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* Takes the fastest digit off *number, whose digit runs below `base`. */
static guint digit_take(guint64 *number, guint64 base) {
    guint digit = (guint)(*number % base);
    *number /= base;
    return digit;
}

/* The stage visits the whole plate at each time, so t is the slowest digit; but the file of a whole
 * site must be finished before the stage moves on. */
Place plate_place(const Plate *plate, guint64 file, guint page) {
    Place place = {0};
    guint64 rest = file, within = page;
    if (plate->stack == STACK_SITE) {
        place.channel = digit_take(&within, plate->channels);
        place.z = digit_take(&within, plate->zs);
        place.t = digit_take(&within, plate->ts);
    } else {
        place.channel = digit_take(&rest, plate->channels);
        place.z = digit_take(plate->stack == STACK_Z ? &within : &rest, plate->zs);
    }
    place.site = digit_take(&rest, plate->sites);
    place.well_index = digit_take(&rest, plate->wells->len);
    place.well = g_array_index(plate->wells, Well, place.well_index);
    if (plate->stack != STACK_SITE)
        place.t = digit_take(&rest, plate->ts);
    place.plate = rest;
    return place;
}
