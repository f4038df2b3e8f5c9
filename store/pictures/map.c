#include "store/pictures/map.h"
#include <math.h>
#include <string.h>

enum {
    ROW_NAMES = 3,
    LINES_BESIDE = 10, /* title, column numbers, legend, words, how to end */
    CELL_MOST = 8,
};

static const Colour missing = {88, 88, 88}, silent = {170, 170, 170};

typedef struct {
    const MapForm *form;
    const Screen *screen;
    int cell;       /* columns of the terminal a well fills; 0: it does not fit */
    int steps;      /* of the scale that numbers in the wells tell apart; 0: no numbers */
    bool is_halved; /* two rows a line */
    GString *text;
} Map;

/* --- colours --- */

/* The nearest of the 6 x 6 x 6 colours that 256 have. */
static int cube_colour(Colour colour) {
    static const int levels[] = {0, 95, 135, 175, 215, 255};
    const guint8 parts[] = {colour.red, colour.green, colour.blue};
    int index = 0;
    for (guint part = 0; part < G_N_ELEMENTS(parts); part++) {
        int best = 0;
        for (int level = 1; level < (int)G_N_ELEMENTS(levels); level++)
            if (ABS(levels[level] - parts[part]) < ABS(levels[best] - parts[part]))
                best = level;
        index = index * 6 + best;
    }
    return 16 + index;
}

/* kind: 38 for letters, 48 for what is behind them. */
static void add_colour(Map *map, int kind, Colour colour) {
    if (map->screen->colours == COLOURS_TRUE)
        g_string_append_printf(map->text, "\033[%d;2;%d;%d;%dm", kind, colour.red, colour.green,
                               colour.blue);
    else if (map->screen->colours == COLOURS_256)
        g_string_append_printf(map->text, "\033[%d;5;%dm", kind, cube_colour(colour));
}

static void add_end(Map *map) {
    if (map->screen->colours != COLOURS_NONE)
        g_string_append(map->text, "\033[0m");
}

static Colour well_colour(const Map *map, const Well *well) {
    switch (well->state) {
    case WELL_VALUE: return colour_scale_colour(map->form->scale, well->value);
    case WELL_SILENT: return silent;
    default: return missing;
    }
}

/* --- wells --- */

/* 0 to 9, where there are no colours. */
static char digit_of(double share) {
    return (char)('0' + (int)fmin(9, share * 10));
}

static void add_repeated(GString *text, const char *letter, int times) {
    for (int i = 0; i < times; i++)
        g_string_append(text, letter);
}

/* In the middle of the cell. */
static void add_in_cell(Map *map, const char *letters) {
    int space = map->cell - screen_width(letters), left = (space + 1) / 2;
    g_string_append_printf(map->text, "%*s%s%*s", left, "", letters, space - left, "");
}

/* Behind a number, or in its place: on the well, as at the scale's ends. */
static const char *beyond_mark(const Map *map, double value) {
    static const char *const marks[] = {"<", "", ">"};
    return marks[1 + colour_scale_beyond(map->form->scale, value)];
}

/* With its mark; g_free it. */
static char *number_of(const Map *map, double value, int steps) {
    g_autofree char *number = colour_scale_coarse_text(map->form->scale, value, steps);
    return g_strconcat(number, beyond_mark(map, value), NULL);
}

static void add_value(Map *map, const Well *well) {
    double share = colour_scale_share(map->form->scale, well->value);
    Colour colour = well_colour(map, well);
    char digit[] = {digit_of(share), '\0'};
    bool has_colours = map->screen->colours != COLOURS_NONE;
    g_autofree char *number = map->steps > 0 ? number_of(map, well->value, map->steps) : NULL;
    const char *mark = beyond_mark(map, well->value);
    const char *letters = number != NULL ? number : *mark != '\0' || has_colours ? mark : digit;
    add_colour(map, 48, colour);
    if (*letters != '\0')
        add_colour(map, 38,
                   colour_is_dark(colour) ? (Colour){255, 255, 255} : (Colour){16, 16, 16});
    add_in_cell(map, screen_width(letters) <= map->cell ? letters : "");
    add_end(map);
}

static void add_well(Map *map, const Well *well) {
    bool has_unicode = map->screen->has_unicode;
    if (well->state == WELL_VALUE) {
        add_value(map, well);
    } else if (well->state == WELL_SILENT) {
        add_in_cell(map, has_unicode ? "\u00d7" : "x");
    } else if (well->state == WELL_MISSING && has_unicode && map->screen->colours != COLOURS_NONE) {
        add_colour(map, 38, missing);
        add_repeated(map->text, "\u2591", map->cell);
        add_end(map);
    } else {
        add_in_cell(map, well->state == WELL_EMPTY ? "" : ".");
    }
}

/* The upper well as letters' colour of a half block, the lower one behind it. */
static void add_two_wells(Map *map, guint row, guint column) {
    const Plate *plate = map->form->plate;
    bool has_lower = row + 1 < plate->rows;
    add_colour(map, 38, well_colour(map, plate_well(plate, row, column)));
    if (has_lower)
        add_colour(map, 48, well_colour(map, plate_well(plate, row + 1, column)));
    add_repeated(map->text, "\u2580", map->cell);
    add_end(map);
}

static void add_row(Map *map, guint row) {
    g_autofree char *name = row_name(row);
    g_string_append_printf(map->text, "%*s ", ROW_NAMES - 1, name);
    for (guint column = 0; column < map->form->plate->columns; column++)
        if (map->is_halved)
            add_two_wells(map, row, column);
        else
            add_well(map, plate_well(map->form->plate, row, column));
    g_string_append_c(map->text, '\n');
}

/* Every number where there is room, else each fifth. */
static void add_column_names(Map *map) {
    g_string_append_printf(map->text, "%*s", ROW_NAMES, "");
    int at = 0;
    for (guint column = 0; column < map->form->plate->columns; column++) {
        bool is_wanted = map->cell >= 3 || column == 0 || (column + 1) % 5 == 0;
        g_autofree char *name = g_strdup_printf("%u", column + 1);
        int middle = MAX(0, (map->cell - (int)strlen(name) + 1) / 2);
        int start = (int)column * map->cell + middle;
        if (!is_wanted || start < at)
            continue;
        g_string_append_printf(map->text, "%*s%s", start - at, "", name);
        at = start + (int)strlen(name);
    }
    g_string_append_c(map->text, '\n');
}

/* Columns the widest number needs, with that many steps told apart. */
static int number_width(const Map *map, int steps) {
    const Plate *plate = map->form->plate;
    int widest = 0;
    for (guint i = 0; i < plate->rows * plate->columns; i++) {
        if (plate->wells[i].state != WELL_VALUE)
            continue;
        g_autofree char *text = number_of(map, plate->wells[i].value, steps);
        widest = MAX(widest, screen_width(text));
    }
    return widest;
}

/* A blank is kept between numbers. */
static void choose_cell(Map *map) {
    static const int steps[] = {100, 10};
    const Plate *plate = map->form->plate;
    map->cell = MIN(CELL_MOST, (map->screen->columns - ROW_NAMES) / (int)plate->columns);
    int lines = map->screen->lines;
    int beside =
        LINES_BESIDE + (map->form->wells != NULL ? (int)g_strv_length(map->form->wells) : 0);
    map->is_halved = lines > 0 && (int)plate->rows + beside > lines &&
                     map->screen->colours != COLOURS_NONE && map->screen->has_unicode;
    for (guint i = 0; i < G_N_ELEMENTS(steps) && map->steps == 0 && !map->is_halved; i++)
        if (number_width(map, steps[i]) < map->cell)
            map->steps = steps[i];
    if (map->steps == 0)
        map->cell = MIN(map->cell, 4); /* plain blocks as wide as they are high, or little more */
}

/* --- the legend --- */

/* Labels below the bar, as far as they have room. */
static void add_ticks(Map *map, int width) {
    int at = -1; /* behind the last label */
    for (guint i = 0; i < map->form->scale->tick_count; i++) {
        double tick = map->form->scale->ticks[i];
        g_autofree char *label = colour_scale_tick_text(map->form->scale, tick);
        int place = (int)rint(colour_scale_share(map->form->scale, tick) * (width - 1));
        int start = MAX(0, place - (int)strlen(label) / 2);
        if (start <= at)
            continue;
        g_string_append_printf(map->text, "%*s%s", start - MAX(0, at), "", label);
        at = start + (int)strlen(label);
    }
    g_string_append_c(map->text, '\n');
}

static void add_scale(Map *map) {
    int width = MIN(48, map->screen->columns - ROW_NAMES - 4);
    const ColourScale *scale = map->form->scale;
    g_string_append_printf(map->text, "%*s", ROW_NAMES - 1, "");
    g_string_append_c(map->text, scale->has_below ? '<' : ' ');
    for (int i = 0; i < width; i++) {
        double share = (i + 0.5) / width;
        add_colour(map, 48, colour_viridis(share));
        g_string_append_c(map->text, map->screen->colours == COLOURS_NONE ? digit_of(share) : ' ');
    }
    add_end(map);
    g_string_append(map->text, scale->has_above ? ">\n" : "\n");
    g_string_append_printf(map->text, "%*s", ROW_NAMES, "");
    add_ticks(map, width);
}

/* "3 wells without a frame (.), 2 with frames but no number (x)" */
static void add_others(Map *map) {
    const Plate *plate = map->form->plate;
    guint gone = plate_count(plate, WELL_MISSING), quiet = plate_count(plate, WELL_SILENT);
    bool has_unicode = map->screen->has_unicode;
    bool has_shade = has_unicode && map->screen->colours != COLOURS_NONE;
    const char *gone_mark = map->is_halved ? "dark grey" : has_shade ? "\u2591" : ".";
    const char *quiet_mark = map->is_halved ? "light grey" : has_unicode ? "\u00d7" : "x";
    if (gone > 0)
        g_string_append_printf(map->text, "%u well%s without a frame (%s)", gone,
                               gone == 1 ? "" : "s", gone_mark);
    if (quiet > 0)
        g_string_append_printf(map->text, "%s%u with frames but no number (%s)",
                               gone > 0 ? ", " : "", quiet, quiet_mark);
    if (plate->outside > 0)
        g_string_append_printf(map->text, "%s%u that no plate has", gone + quiet > 0 ? ", " : "",
                               plate->outside);
    if (gone + quiet + plate->outside > 0)
        g_string_append_c(map->text, '\n');
}

/* "2 wells below the scale (<), 1 above it (>)" */
static void add_beyond(Map *map) {
    const Plate *plate = map->form->plate;
    guint below = plate_count_beyond(plate, map->form->scale, -1);
    guint above = plate_count_beyond(plate, map->form->scale, 1);
    if (below > 0)
        g_string_append_printf(map->text, "%u well%s below the scale (<)", below,
                               below == 1 ? "" : "s");
    if (above > 0)
        g_string_append_printf(map->text, "%s%u%s above %s (>)", below > 0 ? ", " : "", above,
                               below > 0    ? ""
                               : above == 1 ? " well"
                                            : " wells",
                               below > 0 ? "it" : "the scale");
    if (below + above > 0)
        g_string_append_c(map->text, '\n');
}

/* --- wells in words --- */

typedef struct {
    double value;
    guint place; /* row by row */
} Ranked;

static int compare_ranked(const void *one, const void *other) {
    const Ranked *a = one, *b = other;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static Ranked *rank_wells(const Plate *plate, guint *ret_count) {
    Ranked *ranked = g_new(Ranked, (gsize)plate->rows * plate->columns);
    *ret_count = 0;
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        if (plate->wells[i].state == WELL_VALUE)
            ranked[(*ret_count)++] = (Ranked){plate->wells[i].value, i};
    qsort(ranked, *ret_count, sizeof *ranked, compare_ranked);
    return ranked;
}

/* As many as the line holds. */
static void add_extreme(Map *map, const char *name, const Ranked *ranked, guint count,
                        bool from_the_top) {
    enum { MOST = 8 };
    GString *text = map->text;
    guint columns = map->form->plate->columns;
    int width = 9;
    g_string_append_printf(text, "%-9s", name);
    for (guint i = 0; i < MIN(count, MOST); i++) {
        const Ranked *one = &ranked[from_the_top ? count - 1 - i : i];
        g_autofree char *well = well_name(one->place / columns, one->place % columns);
        g_autofree char *value = colour_scale_value_text(map->form->scale, one->value);
        g_autofree char *both =
            g_strdup_printf("%s %s%s  ", well, value, beyond_mark(map, one->value));
        width += (int)strlen(both);
        if (width - 2 > map->screen->columns)
            break;
        g_string_append(text, both);
    }
    g_string_append_c(text, '\n');
}

static void add_extremes(Map *map) {
    guint count;
    g_autofree Ranked *ranked = rank_wells(map->form->plate, &count);
    if (count == 0)
        return;
    add_extreme(map, "lowest", ranked, count, false);
    add_extreme(map, "highest", ranked, count, true);
}

/* One somebody asked for. */
static void add_asked(Map *map, const char *name) {
    guint row, column;
    const Plate *plate = map->form->plate;
    bool has_place = well_read(name, &row, &column) && row < plate->rows && column < plate->columns;
    if (!has_place) {
        g_string_append_printf(map->text, "%-9snot on this plate\n", name);
        return;
    }
    const Well *well = plate_well(plate, row, column);
    g_autofree char *plain = well_name(row, column);
    g_autofree char *value = well->state == WELL_VALUE
                                 ? colour_scale_value_text(map->form->scale, well->value)
                                 : g_strdup("no number");
    g_string_append_printf(map->text, "%-9s%s, of %" G_GINT64_FORMAT " frame%s", plain, value,
                           well->frames, well->frames == 1 ? "" : "s");
    if (well->failed > 0)
        g_string_append_printf(map->text, ", %" G_GINT64_FORMAT " failed", well->failed);
    g_string_append_c(map->text, '\n');
}

char *map_text(const MapForm *form, const Screen *screen) {
    Map map = {.form = form, .screen = screen, .text = g_string_new(NULL)};
    choose_cell(&map);
    g_string_append_printf(map.text, "%s\n", form->title);
    if (map.cell > 0) {
        add_column_names(&map);
        for (guint row = 0; row < form->plate->rows; row += map.is_halved ? 2 : 1)
            add_row(&map, row);
    } else {
        g_string_append_printf(map.text, "(the map needs %u columns, there are %d)\n",
                               form->plate->columns + ROW_NAMES, screen->columns);
    }
    g_string_append_printf(map.text, "%*s%s\n", ROW_NAMES, "", form->words);
    if (form->scale->tick_count > 0)
        add_scale(&map);
    add_others(&map);
    add_beyond(&map);
    add_extremes(&map);
    for (char **well = form->wells; well != NULL && *well != NULL; well++)
        add_asked(&map, *well);
    char *clipped = screen_clip(map.text->str, screen->columns, 0);
    g_string_free(map.text, TRUE);
    return clipped;
}
