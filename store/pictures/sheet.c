#include "store/pictures/sheet.h"
#include "store/pictures/heading.h"
#include "store/pictures/legend.h"
#include <math.h>

enum {
    LABEL = 28,     /* a panel's, where there are several */
    ROW_NAMES = 34, /* left of the wells */
    COLUMN_NAMES = 24,
    PANEL_GAP = 34,
};

static const Colour ink = {30, 30, 30}, white = {255, 255, 255};

struct Sheet {
    SheetForm form;           /* without its texts */
    double cell, cell_height; /* of a well, with the gap to the next */
    Canvas *canvas;
};

/* --- places --- */

static guint tiles_across(const SheetForm *form) {
    return (guint)ceil(sqrt(form->tiles));
}

static guint tiles_down(const SheetForm *form) {
    return (form->tiles + tiles_across(form) - 1) / tiles_across(form);
}

static double cell_height_suiting(const SheetForm *form, double cell) {
    return rint(cell * form->aspect * tiles_down(form) / tiles_across(form));
}

static double cell_suiting(const SheetForm *form) {
    enum { WELLS_WIDTH = 1900, LEAST = 40, MOST = 280, TILE_LEAST = 64 };
    double cell = CLAMP(floor((double)WELLS_WIDTH / form->columns), LEAST, MOST);
    return form->cell > 0    ? form->cell
           : form->tiles > 1 ? MAX(cell, (double)TILE_LEAST * tiles_across(form))
                             : cell;
}

static double panel_label_height(const SheetForm *form) {
    return form->panels > 1 ? LABEL : 0;
}

static double panel_height(const SheetForm *form, double cell_height) {
    return panel_label_height(form) + COLUMN_NAMES + form->rows * cell_height + 14 + LEGEND_HEIGHT +
           26;
}

static double panel_top(const Sheet *sheet, guint panel) {
    return PAGE_MARGIN + HEADING_HEIGHT +
           panel * (panel_height(&sheet->form, sheet->cell_height) + PANEL_GAP);
}

static double wells_top(const Sheet *sheet, guint panel) {
    return panel_top(sheet, panel) + panel_label_height(&sheet->form) + COLUMN_NAMES;
}

static double sheet_width(const SheetForm *form, double cell) {
    return MAX(PAGE_WIDTH_LEAST, 2 * PAGE_MARGIN + ROW_NAMES + form->columns * cell);
}

/* Whole pixels, with a gap to the next well. */
static Box well_box(const Sheet *sheet, guint panel, guint row, guint column) {
    double gap = MAX(1, floor(sheet->cell / 40));
    return (Box){PAGE_MARGIN + ROW_NAMES + column * sheet->cell,
                 wells_top(sheet, panel) + row * sheet->cell_height, sheet->cell - gap,
                 sheet->cell_height - gap};
}

Box sheet_tile_box(const Sheet *sheet, guint panel, guint row, guint column, guint tile) {
    Box well = well_box(sheet, panel, row, column);
    guint across = tiles_across(&sheet->form), down = tiles_down(&sheet->form);
    double width = well.width / across, height = well.height / down;
    double left = floor(tile % across * width), right = floor((tile % across + 1) * width);
    double top = floor(tile / across * height), bottom = floor((tile / across + 1) * height);
    double gap = sheet->form.tiles > 1 ? 1 : 0;
    return (Box){well.x + left, well.y + top, right - left - gap, bottom - top - gap};
}

/* --- the page --- */

Sheet *sheet_new(const SheetForm *form, GError **error) {
    double cell = cell_suiting(form), cell_height = cell_height_suiting(form, cell);
    double height = 2 * PAGE_MARGIN + HEADING_HEIGHT - 12 +
                    form->panels * (panel_height(form, cell_height) + PANEL_GAP) - PANEL_GAP;
    Canvas *canvas = canvas_new(sheet_width(form, cell), height, error);
    if (canvas == NULL)
        return NULL;
    Sheet *sheet = g_new0(Sheet, 1);
    sheet->form = *form;
    sheet->form.title = sheet->form.subtitle = sheet->form.remark = NULL;
    sheet->cell = cell;
    sheet->cell_height = cell_height;
    sheet->canvas = canvas;
    heading_draw(sheet->canvas, sheet_width(form, cell), form->title, form->subtitle, form->remark);
    return sheet;
}

void sheet_free(Sheet *sheet) {
    if (sheet == NULL)
        return;
    canvas_free(sheet->canvas);
    g_free(sheet);
}

/* The channel where there are several, the rows' letters and the columns' numbers. */
static void draw_names(Sheet *sheet, guint panel, const char *label) {
    static const TextStyle label_style = {18, true, TEXT_LEFT, ink};
    TextStyle style = {CLAMP(sheet->cell * 0.3, 10, 15), false, TEXT_MIDDLE, ink};
    double width = sheet_width(&sheet->form, sheet->cell) - 2 * PAGE_MARGIN;
    if (sheet->form.panels > 1)
        canvas_text(sheet->canvas, (Box){PAGE_MARGIN, panel_top(sheet, panel), width, LABEL - 4},
                    &label_style, label);
    for (guint row = 0; row < sheet->form.rows; row++) {
        Box well = well_box(sheet, panel, row, 0);
        g_autofree char *name = row_name(row);
        canvas_text(sheet->canvas, (Box){PAGE_MARGIN, well.y, ROW_NAMES - 4, well.height}, &style,
                    name);
    }
    for (guint column = 0; column < sheet->form.columns; column++) {
        Box well = well_box(sheet, panel, 0, column);
        g_autofree char *name = g_strdup_printf("%u", column + 1);
        canvas_text(sheet->canvas, (Box){well.x, well.y - COLUMN_NAMES, well.width, COLUMN_NAMES},
                    &style, name);
    }
}

static Box legend_box(const Sheet *sheet, guint panel) {
    double top = wells_top(sheet, panel) + sheet->form.rows * sheet->cell_height + 14;
    double width = sheet_width(&sheet->form, sheet->cell) - 2 * PAGE_MARGIN - ROW_NAMES;
    return (Box){PAGE_MARGIN + ROW_NAMES, top, width, LEGEND_HEIGHT};
}

/* --- numbers --- */

static void draw_state(Sheet *sheet, Box box, WellState state) {
    if (state == WELL_EMPTY)
        legend_draw_empty(sheet->canvas, box);
    else if (state == WELL_SILENT)
        canvas_cross(sheet->canvas, box);
    else
        canvas_hatch(sheet->canvas, box);
}

/* The largest letters in which every value fits its well; 0 if none can be read. */
static double value_text_size(Sheet *sheet, const Plate *plate, const ColourScale *scale) {
    static const double sizes[] = {20, 17, 15, 13, 11.5, 10, 9, 8};
    double widest = 0;
    TextStyle style = {sizes[0], false, TEXT_MIDDLE, ink};
    for (guint i = 0; i < plate->rows * plate->columns; i++) {
        if (plate->wells[i].state != WELL_VALUE)
            continue;
        g_autofree char *text = colour_scale_value_text(scale, plate->wells[i].value);
        widest = fmax(widest, canvas_text_width(sheet->canvas, &style, text));
    }
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (widest * sizes[i] / sizes[0] < sheet->cell * 0.9 && sizes[i] < sheet->cell * 0.4)
            return sizes[i];
    return 0;
}

/* In a corner: what control it is, and whether frames of it have no numbers. */
static void draw_marks(Sheet *sheet, Box box, const Well *well, Colour colour) {
    double size = CLAMP(sheet->cell * 0.22, 9, 16), inset = MAX(1, sheet->cell * 0.04);
    TextStyle style = {size, true, TEXT_LEFT, colour};
    char mark[] = {well->mark, '\0'};
    Box line = {box.x + inset, box.y + box.height - size - inset, box.width - 2 * inset, size};
    if (well->mark != '\0')
        canvas_text(sheet->canvas, line, &style, well->mark == '-' ? "\u2212" : mark);
    style.place = TEXT_RIGHT;
    line.y = box.y + inset;
    if (well->failed > 0 && well->state == WELL_VALUE)
        canvas_text(sheet->canvas, line, &style, "\u00d7");
}

/* In the lower right corner, an arrow head as at the scale's end: its colour is that of wells on
 * the scale too. */
static void draw_beyond(Sheet *sheet, Box box, int side, Colour colour) {
    double size = CLAMP(floor(sheet->cell * 0.22), 6, 24), inset = MAX(1, sheet->cell * 0.04);
    Box arrow = {box.x + box.width - size - inset, box.y + box.height - size - inset, size, size};
    if (side != 0)
        canvas_arrow(sheet->canvas, arrow, side < 0, colour);
}

static void draw_value(Sheet *sheet, Box box, const Well *well, const ColourScale *scale,
                       double text_size) {
    Colour colour = colour_scale_colour(scale, well->value);
    TextStyle style = {text_size, false, TEXT_MIDDLE, colour_is_dark(colour) ? white : ink};
    canvas_fill(sheet->canvas, box, colour);
    if (text_size > 0) {
        g_autofree char *text = colour_scale_value_text(scale, well->value);
        canvas_text(sheet->canvas, box, &style, text);
    }
    draw_marks(sheet, box, well, style.colour);
    draw_beyond(sheet, box, colour_scale_beyond(scale, well->value), style.colour);
}

static bool any_mark(const Plate *plate, char mark) {
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        if (plate->wells[i].mark == mark && plate->wells[i].state == WELL_VALUE)
            return true;
    return false;
}

static bool any_failed(const Plate *plate) {
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        if (plate->wells[i].failed > 0 && plate->wells[i].state == WELL_VALUE)
            return true;
    return false;
}

static void draw_value_samples(Sheet *sheet, guint panel, const Plate *plate,
                               const ColourScale *scale) {
    const Sample samples[] = {
        {SAMPLE_BELOW, NULL, "below the scale", plate_count_beyond(plate, scale, -1) > 0},
        {SAMPLE_ABOVE, NULL, "above the scale", plate_count_beyond(plate, scale, 1) > 0},
        {SAMPLE_MARK, "+", "positive", any_mark(plate, '+')},
        {SAMPLE_MARK, "\u2212", "negative", any_mark(plate, '-')},
        {SAMPLE_MARK, "r", "reference", any_mark(plate, 'r')},
        {SAMPLE_MARK, "b", "blank", any_mark(plate, 'b')},
        {SAMPLE_MARK, "\u00d7", "some frames failed", any_failed(plate)},
        {SAMPLE_CROSS, NULL, "frames, but no number", plate_count(plate, WELL_SILENT) > 0},
        {SAMPLE_EMPTY, NULL, "empty by the layout", plate_count(plate, WELL_EMPTY) > 0},
        {SAMPLE_HATCH, NULL, "no frame", plate_count(plate, WELL_MISSING) > 0},
        {0},
    };
    legend_samples(sheet->canvas, legend_box(sheet, panel), samples);
}

void sheet_draw_values(Sheet *sheet, guint panel, const char *label, const Plate *plate,
                       const ColourScale *scale, const char *words) {
    double text_size = value_text_size(sheet, plate, scale);
    draw_names(sheet, panel, label);
    for (guint row = 0; row < plate->rows; row++)
        for (guint column = 0; column < plate->columns; column++) {
            const Well *well = plate_well(plate, row, column);
            Box box = well_box(sheet, panel, row, column);
            if (well->state == WELL_VALUE)
                draw_value(sheet, box, well, scale, text_size);
            else
                draw_state(sheet, box, well->state);
        }
    legend_scale(sheet->canvas, legend_box(sheet, panel), scale, false, words);
    draw_value_samples(sheet, panel, plate, scale);
}

/* --- pictures --- */

void sheet_draw_wells(Sheet *sheet, guint panel, const char *label, const Plate *plate) {
    draw_names(sheet, panel, label);
    for (guint row = 0; row < plate->rows; row++)
        for (guint column = 0; column < plate->columns; column++) {
            bool is_empty = plate_well(plate, row, column)->state == WELL_EMPTY;
            draw_state(sheet, well_box(sheet, panel, row, column),
                       is_empty ? WELL_EMPTY : WELL_MISSING);
        }
}

void sheet_draw_legend(Sheet *sheet, guint panel, const Plate *plate, const ColourScale *greys,
                       const char *words, bool has_crosses, bool has_pale) {
    const Sample samples[] = {
        {SAMPLE_CROSS, NULL, "broken", has_crosses},
        {SAMPLE_PALE, NULL, "picture not kept", has_pale},
        {SAMPLE_EMPTY, NULL, "empty by the layout", plate_count(plate, WELL_EMPTY) > 0},
        {SAMPLE_HATCH, NULL, "no frame", true},
        {0},
    };
    if (greys != NULL)
        legend_scale(sheet->canvas, legend_box(sheet, panel), greys, true, words);
    else
        legend_words(sheet->canvas, legend_box(sheet, panel), words);
    legend_samples(sheet->canvas, legend_box(sheet, panel), samples);
}

void sheet_draw_tile(Sheet *sheet, guint panel, guint row, guint column, guint tile,
                     const Picture *picture, const guint8 shades[256]) {
    canvas_tile(sheet->canvas, sheet_tile_box(sheet, panel, row, column, tile), picture, shades);
}

void sheet_draw_pale(Sheet *sheet, guint panel, guint row, guint column, guint tile) {
    legend_draw_pale(sheet->canvas, sheet_tile_box(sheet, panel, row, column, tile));
}

bool sheet_write(Sheet *sheet, const char *path, GError **error) {
    return canvas_write(sheet->canvas, path, error);
}
