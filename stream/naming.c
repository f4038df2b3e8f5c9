#include "stream/naming.h"
#include <string.h>

static const Naming NAMINGS[] = {
#define NAMING(key, file, folder, example, sentence) {#key, file, folder, example, sentence},
#include "stream/namings.list"
#undef NAMING
    {0}};

/* What a well may be: 32 rows (A to AF) and 48 columns, the plate of 1536. */
enum { WELL_ROWS = 32, WELL_COLUMNS = 48 };

/* Names longer than any file system's are not searched. */
#define PATH_BYTES_MAX 4096

const Naming *naming_table(void) {
    return NAMINGS;
}

bool naming_exists(const char *key) {
    if (strcmp(key, NAMING_AUTO) == 0)
        return true;
    for (const Naming *naming = NAMINGS; naming->key != NULL; naming++)
        if (strcmp(key, naming->key) == 0)
            return true;
    return false;
}

/* --- expressions, compiled once --- */

/* A name that reads like a well: the letter and its digits stand alone. */
#define LOOKS_LIKE_WELL "(?<![A-Za-z0-9])(?<well>[A-P](?:0[1-9]|1[0-9]|2[0-4]))(?![A-Za-z0-9])"
#define LAST_FOLDER     "(?:^|/)(?<parent>[^/]+)/$"

typedef struct {
    GRegex *file, *folder; /* folder NULL: the row has none */
} Expressions;

/* Not freed: they serve until the program ends. */
static struct {
    Expressions rows[G_N_ELEMENTS(NAMINGS)];
    GRegex *well, *last_folder;
} compiled;

static GRegex *expression_new(const char *pattern) {
    g_autoptr(GError) error = NULL;
    GRegex *expression = g_regex_new(pattern, G_REGEX_OPTIMIZE | G_REGEX_DUPNAMES, 0, &error);
    if (expression == NULL)
        g_error("stream/namings.list: %s",
                error->message); /* a row that cannot be: a test finds it */
    return expression;
}

static void compile_once(void) {
    static gsize done;
    if (!g_once_init_enter(&done))
        return;
    for (guint i = 0; NAMINGS[i].key != NULL; i++) {
        const char *folder = NAMINGS[i].folder;
        compiled.rows[i].file = expression_new(NAMINGS[i].file);
        compiled.rows[i].folder = *folder != '\0' ? expression_new(folder) : NULL;
    }
    compiled.well = expression_new(LOOKS_LIKE_WELL);
    compiled.last_folder = expression_new(LAST_FOLDER);
    g_once_init_leave(&done, 1);
}

/* --- groups --- */

/* What the file's name and its folders tell; either may be NULL. */
typedef struct {
    GMatchInfo *folder, *file;
} Told;

/* The text of a group; the folder's wins. NULL if neither has it. Caller g_frees. */
static char *told_text(const Told *told, const char *group) {
    GMatchInfo *const matches[] = {told->folder, told->file};
    for (guint i = 0; i < G_N_ELEMENTS(matches); i++) {
        if (matches[i] == NULL)
            continue;
        g_autofree char *text = g_match_info_fetch_named(matches[i], group);
        if (text != NULL && *text != '\0')
            return g_steal_pointer(&text);
    }
    return NULL;
}

/* The last number in a group; FRAME_UNKNOWN if there is none, or it is too large. */
static gint32 told_number(const Told *told, const char *group) {
    g_autofree char *text = told_text(told, group);
    if (text == NULL)
        return FRAME_UNKNOWN;
    char *end = text + strlen(text);
    while (end > text && !g_ascii_isdigit(end[-1]))
        end--;
    char *begin = end;
    while (begin > text && g_ascii_isdigit(begin[-1]))
        begin--;
    *end = '\0';
    guint64 number;
    return g_ascii_string_to_unsigned(begin, 10, 0, G_MAXINT32, &number, NULL) ? (gint32)number
                                                                               : FRAME_UNKNOWN;
}

/* --- well --- */

/* Row by letters, A is 1 and AF is 32; 0 if they are none. Moves *text behind them. */
static gint32 row_by_letters(const char **text) {
    gint32 row = 0;
    for (; g_ascii_isalpha(**text) && row <= WELL_ROWS; (*text)++)
        row = row * 26 + g_ascii_toupper(**text) - 'A' + 1;
    return row;
}

/* "B03" for row 2 and column 3; NULL if no plate has it. Caller g_frees. */
static char *well_text(gint32 row, gint32 column) {
    if (row < 1 || row > WELL_ROWS || column < 1 || column > WELL_COLUMNS)
        return NULL;
    char second = (char)('A' + (row - 1) % 26);
    return row <= 26 ? g_strdup_printf("%c%02d", second, column)
                     : g_strdup_printf("A%c%02d", second, column);
}

/* "B3", "b03", "AF48" in the one form wells have; NULL if it is none. Caller g_frees. */
static char *well_normal(const char *text) {
    guint64 column;
    gint32 row = row_by_letters(&text);
    if (!g_ascii_string_to_unsigned(text, 10, 1, WELL_COLUMNS, &column, NULL))
        return NULL;
    return well_text(row, (gint32)column);
}

/* The well that is told, in whichever way. Returns false if one is told that is none. */
static bool told_well(const Told *told, char **ret_well) {
    g_autofree char *well = told_text(told, "well");
    g_autofree char *row = told_text(told, "row");
    gint32 row0 = told_number(told, "row0");
    *ret_well = NULL;
    if (well != NULL) {
        *ret_well = well_normal(well);
    } else if (row != NULL) {
        const char *letters = row;
        gint32 number = g_ascii_isdigit(*row) ? told_number(told, "row") : row_by_letters(&letters);
        *ret_well = well_text(number, told_number(told, "col"));
    } else if (row0 != FRAME_UNKNOWN) {
        *ret_well = well_text(row0 + 1, told_number(told, "col0") + 1);
    } else {
        return true;
    }
    return *ret_well != NULL;
}

/* --- place --- */

/* t in minutes, where days, hours and minutes are told; else t. */
static gint32 told_time(const Told *told) {
    gint32 days = told_number(told, "days");
    if (days == FRAME_UNKNOWN)
        return told_number(told, "t");
    return (days * 24 + told_number(told, "hours")) * 60 + told_number(told, "minutes");
}

/* The same camera channel in two actions is two channels. */
static char *told_channel(const Told *told) {
    char *channel = told_text(told, "channel");
    g_autofree char *action = told_text(told, "action");
    if (channel == NULL || action == NULL)
        return channel;
    g_autofree char *alone = channel;
    return g_strdup_printf("A%sC%s", action, alone);
}

static void place_by(const Told *told, const char *naming, const char *well, Frame *frame) {
    g_autofree char *experiment = told_text(told, "experiment");
    g_autofree char *plate = told_text(told, "plate");
    g_autofree char *parent = told_text(told, "parent");
    g_autofree char *channel = told_channel(told);
    frame_set_text(&frame->naming, naming);
    frame_set_text(&frame->experiment, experiment);
    frame_set_text(&frame->plate, plate != NULL ? plate : parent);
    frame_set_text(&frame->well, well);
    frame_set_text(&frame->channel, channel);
    frame->site = told_number(told, "site");
    frame->z = told_number(told, "z");
    frame->t = told_time(told);
}

/* Whether a row has this file; then it sets frame's place. */
static bool row_place(guint row, const char *name, const char *folders, Frame *frame) {
    g_autoptr(GMatchInfo) file = NULL;
    g_autoptr(GMatchInfo) folder = NULL;
    g_autofree char *well = NULL;
    const Expressions *expressions = &compiled.rows[row];
    if (!g_regex_match(expressions->file, name, 0, &file))
        return false;
    bool folder_tells =
        expressions->folder != NULL && g_regex_match(expressions->folder, folders, 0, &folder);
    Told told = {.file = file, .folder = folder_tells ? folder : NULL};
    if (!told_well(&told, &well))
        return false;
    place_by(&told, NAMINGS[row].key, well, frame);
    return true;
}

/* Without a row: one token that reads like a well, and only one. */
static void guess_place(const char *name, const char *folders, Frame *frame) {
    g_autoptr(GMatchInfo) token = NULL;
    g_autoptr(GMatchInfo) folder = NULL;
    if (!g_regex_match(compiled.well, name, 0, &token))
        return;
    g_autofree char *well = g_match_info_fetch_named(token, "well");
    if (g_match_info_next(token, NULL))
        return;
    frame_set_text(&frame->well, well);
    if (g_regex_match(compiled.last_folder, folders, 0, &folder)) {
        g_autofree char *plate = g_match_info_fetch_named(folder, "parent");
        frame_set_text(&frame->plate, plate);
    }
}

/* --- paths --- */

static bool is_plain(const char *text) {
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (; *text != '\0'; text++)
        if (g_ascii_iscntrl(*text))
            return false;
    return true;
}

/* The path as people read it; where that is no plain text, as it is encoded. Caller g_frees. */
static char *path_text(const char *encoded) {
    g_autofree char *raw = frame_path_decode(encoded);
    return raw != NULL && is_plain(raw) ? g_steal_pointer(&raw) : g_strdup(encoded);
}

/* "Plate7/TimePoint_1/": the name of the source's own folder and those of path below it, which ends
 * before name. Caller g_frees. */
static char *folders_text(const char *source_folder, const char *path, const char *name) {
    g_autofree char *base = g_path_get_basename(source_folder);
    bool named = strcmp(base, ".") != 0 && strcmp(base, "/") != 0 && is_plain(base);
    return g_strdup_printf("%s%s%.*s", named ? base : "", named ? "/" : "", (int)(name - path),
                           path);
}

void naming_place(const SourceSettings *source, Frame *frame) {
    compile_once();
    g_autofree char *path = path_text(frame->path);
    if (strlen(path) > PATH_BYTES_MAX)
        return;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    g_autofree char *folders = folders_text(source->folder, path, name);
    bool any = strcmp(source->naming, NAMING_AUTO) == 0;
    for (guint row = 0; NAMINGS[row].key != NULL; row++)
        if ((any || strcmp(source->naming, NAMINGS[row].key) == 0) &&
            row_place(row, name, folders, frame))
            return;
    guess_place(name, folders, frame);
}
