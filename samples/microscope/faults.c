#include "samples/microscope/faults.h"

#include "samples/microscope/dice.h"
#include <string.h>

#define ANY (-1)

/* What a kind's WHERE is. */
typedef enum { AT_PLACE, AT_FRAMES, EVERYWHERE } Extent;

typedef struct {
    const char *name;
    FaultKind kind;
    Extent extent;
    const char *sentence;
} Kind;

static const Kind kinds[] = {
    {"defocus", FAULT_DEFOCUS, AT_PLACE, "the objective stands far from the focal plane"},
    {"drift", FAULT_DRIFT, EVERYWHERE, "focus is lost little by little along the stage's way"},
    {"saturated", FAULT_SATURATED, AT_PLACE, "exposed far too long, pixels are clipped"},
    {"dim", FAULT_DIM, AT_PLACE, "the lamp gives an eighth of its light"},
    {"uneven", FAULT_UNEVEN, AT_PLACE, "the light falls off from left to right"},
    {"empty", FAULT_EMPTY, AT_PLACE, "no cells"},
    {"stuck", FAULT_STUCK, AT_FRAMES, "from frame FROM on, COUNT frames repeat the one before it"},
    {"slow", FAULT_SLOW, AT_PLACE, "the file is written in pieces with pauses between them"},
    {"preallocated", FAULT_PREALLOCATED, AT_PLACE, "the file has its full size before its content"},
    {"renamed", FAULT_RENAMED, AT_PLACE, "written under NAME.tmp, then renamed"},
    {"truncated", FAULT_TRUNCATED, AT_PLACE, "the file ends early and stays so"},
    {"missing", FAULT_MISSING, AT_PLACE, "the file is never written"},
};

/* One request. */
typedef struct {
    FaultKind kind;
    WellSet wells;
    gint channel, site;  /* or ANY */
    guint64 from, count; /* frames, for AT_FRAMES */
} Fault;

struct Faults {
    const Plate *plate;
    char *const *channels;
    GArray *faults; /* of Fault */
    GPtrArray *chosen;
};

static void wells_set_all(WellSet *wells) {
    memset(wells->has, true, sizeof wells->has);
}

static bool refuse(GError **error, const char *request, const char *expected) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--fault %s: expected %s", request,
                expected);
    return false;
}

static bool channel_parse(const Faults *faults, const char *name, gint *ret_channel) {
    for (gint i = 0; faults->channels[i]; i++)
        if (g_ascii_strcasecmp(faults->channels[i], name) == 0) {
            *ret_channel = i;
            return true;
        }
    return false;
}

/* FROM+COUNT */
static bool frames_parse(const char *request, const char *where, Fault *fault, GError **error) {
    g_auto(GStrv) numbers = g_strsplit(where, "+", 2);
    if (g_strv_length(numbers) == 2 &&
        g_ascii_string_to_unsigned(numbers[0], 10, 2, G_MAXUINT32, &fault->from, NULL) &&
        g_ascii_string_to_unsigned(numbers[1], 10, 1, G_MAXUINT32, &fault->count, NULL))
        return true;
    return refuse(error, request, "FROM+COUNT, frames counted from 1, FROM at least 2");
}

/* [CHANNEL@]WELLS[/SITE], or CHANNEL */
static bool place_parse(const Faults *faults, const char *request, const char *where, Fault *fault,
                        GError **error) {
    if (channel_parse(faults, where, &fault->channel)) {
        wells_set_all(&fault->wells);
        return true;
    }
    const char *at = strchr(where, '@');
    g_autofree char *channel = at ? g_strndup(where, (gsize)(at - where)) : NULL;
    if (channel && !channel_parse(faults, channel, &fault->channel))
        return refuse(error, request, "a channel of --channels before the @");
    g_auto(GStrv) parts = g_strsplit(at ? at + 1 : where, "/", 2);
    guint64 site;
    if (parts[0] && parts[1]) {
        if (!g_ascii_string_to_unsigned(parts[1], 10, 1, faults->plate->sites, &site, NULL))
            return refuse(error, request, "a site of the run after the /, counted from 1");
        fault->site = (gint)site - 1;
    }
    if (wells_parse(parts[0] ? parts[0] : "", &fault->wells, error))
        return true;
    g_prefix_error(error, "--fault %s: ", request);
    return false;
}

static const Kind *kind_find(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static bool fault_parse(const Faults *faults, const char *request, Fault *fault, GError **error) {
    g_auto(GStrv) parts = g_strsplit(request, ":", 2);
    const Kind *kind = parts[0] ? kind_find(parts[0]) : NULL;
    if (!kind)
        return refuse(error, request, "KIND:WHERE with a kind that --help lists");
    fault->kind = kind->kind;
    switch (kind->extent) {
    case EVERYWHERE:
        wells_set_all(&fault->wells);
        return parts[1] ? refuse(error, request, "nothing after the kind") : true;
    case AT_FRAMES: return frames_parse(request, parts[1] ? parts[1] : "", fault, error);
    default: break;
    }
    return place_parse(faults, request, parts[1] ? parts[1] : "", fault, error);
}

static bool faults_add(Faults *faults, const char *request, GError **error) {
    Fault fault = {.channel = ANY, .site = ANY};
    if (!fault_parse(faults, request, &fault, error))
        return false;
    g_array_append_val(faults->faults, fault);
    g_ptr_array_add(faults->chosen, g_strdup(request));
    return true;
}

/* --- auto, each --- */

/* How much of a well one choice spoils. */
typedef enum { IN_WELL, IN_CHANNEL, IN_SITE, IN_CHANNEL_AT_SITE_1, IN_FRAMES } Spread;

typedef struct {
    const char *kind;
    Spread spread;
} Choice;

/* From the second frame of a well on, so that what is repeated is that well's first one. */
static char *frames_draw(const Faults *faults, Well well, guint64 *dice) {
    const Plate *plate = faults->plate;
    Place place = {0};
    plate_find_well(plate, well, &place.well_index);
    gint32 frames = (gint32)(plate->sites * plate_site_files(plate) * plate_pages(plate));
    guint64 first = plate_first_file(plate, &place) * plate_pages(plate) + 1;
    gint32 count = dice_between(dice, MIN(3, MAX(frames - 1, 1)), MAX(frames - 1, 1));
    return g_strdup_printf("%" G_GUINT64_FORMAT "+%d", first + 1, count);
}

static char *where_draw(const Faults *faults, Spread spread, Well well, guint64 *dice) {
    g_autofree char *name = well_text(well);
    const gint32 channels = (gint32)g_strv_length((char **)faults->channels);
    const char *channel = faults->channels[dice_between(dice, 0, channels - 1)];
    switch (spread) {
    case IN_CHANNEL: return g_strdup_printf("%s@%s", channel, name);
    case IN_CHANNEL_AT_SITE_1: return g_strdup_printf("%s@%s/1", channel, name);
    case IN_SITE:
        return g_strdup_printf("%s/%d", name, dice_between(dice, 1, (gint32)faults->plate->sites));
    case IN_FRAMES: return frames_draw(faults, well, dice);
    default: return g_steal_pointer(&name);
    }
}

/* Spoils one of wells, which has one, and takes it out. */
static bool choice_add(Faults *faults, const Choice *choice, GArray *wells, guint64 *dice,
                       GError **error) {
    guint i = (guint)dice_between(dice, 0, (gint32)wells->len - 1);
    Well well = g_array_index(wells, Well, i);
    g_array_remove_index_fast(wells, i);
    g_autofree char *where = where_draw(faults, choice->spread, well, dice);
    g_autofree char *request = g_strconcat(choice->kind, ":", where, NULL);
    return faults_add(faults, request, error);
}

/* The first well stays good, so that a run begins as one expects. */
static GArray *wells_to_spoil(const Faults *faults) {
    GArray *wells = g_array_copy(faults->plate->wells);
    g_array_remove_index(wells, 0);
    return wells;
}

/* What a person can find again in a plate of any size: most wells stay good. */
static bool faults_add_auto(Faults *faults, guint64 seed, GError **error) {
    static const Choice plan[] = {{"defocus", IN_WELL},      {"empty", IN_WELL},
                                  {"saturated", IN_CHANNEL}, {"truncated", IN_CHANNEL_AT_SITE_1},
                                  {"slow", IN_WELL},         {"renamed", IN_WELL},
                                  {"defocus", IN_WELL},      {"dim", IN_WELL},
                                  {"defocus", IN_WELL},      {"preallocated", IN_WELL}};
    g_autoptr(GArray) wells = wells_to_spoil(faults);
    guint64 dice = dice_key(seed, 0x6661756C7473u);
    guint most = wells->len / 2;
    for (gsize i = 0; i < G_N_ELEMENTS(plan) && i < most; i++)
        if (!choice_add(faults, &plan[i], wells, &dice, error))
            return false;
    return true;
}

/* As many wells for each thing that goes wrong with frames: enough of each to count what is found,
 * and what is found without being there. Drift is the whole plate's and asked for beside it. */
static bool faults_add_each(Faults *faults, const char *request, guint64 seed, GError **error) {
    static const Choice plan[] = {{"defocus", IN_WELL},
                                  {"saturated", IN_CHANNEL},
                                  {"empty", IN_WELL},
                                  {"stuck", IN_FRAMES},
                                  {"missing", IN_SITE}};
    g_autoptr(GArray) wells = wells_to_spoil(faults);
    guint64 dice = dice_key(seed, 0x65616368u), number;
    guint64 most = wells->len / 2 / G_N_ELEMENTS(plan);
    if (!g_ascii_string_to_unsigned(request + strlen("each:"), 10, 1, G_MAXUINT, &number, NULL) ||
        number > most) {
        g_autofree char *expected = g_strdup_printf("each:N with N from 1 to %" G_GUINT64_FORMAT
                                                    ", so that half of the wells stay good",
                                                    most);
        return refuse(error, request, expected);
    }
    for (guint64 i = 0; i < number * G_N_ELEMENTS(plan); i++)
        if (!choice_add(faults, &plan[i % G_N_ELEMENTS(plan)], wells, &dice, error))
            return false;
    return true;
}

/* A request as people type it. */
static bool request_add(Faults *faults, const char *request, guint64 seed, GError **error) {
    if (strcmp(request, "auto") == 0)
        return faults_add_auto(faults, seed, error);
    if (g_str_has_prefix(request, "each:"))
        return faults_add_each(faults, request, seed, error);
    return faults_add(faults, request, error);
}

/* --- the module --- */

Faults *faults_new(char *const *requests, const Plate *plate, char *const *channels, guint64 seed,
                   GError **error) {
    g_autoptr(Faults) faults = g_new0(Faults, 1);
    *faults = (Faults){plate, channels, g_array_new(false, true, sizeof(Fault)),
                       g_ptr_array_new_with_free_func(g_free)};
    for (char *const *request = requests; request && *request; request++)
        if (!request_add(faults, *request, seed, error))
            return NULL;
    g_ptr_array_add(faults->chosen, NULL);
    return g_steal_pointer(&faults);
}

void faults_free(Faults *faults) {
    if (!faults)
        return;
    g_array_unref(faults->faults);
    g_ptr_array_unref(faults->chosen);
    g_free(faults);
}

char *const *faults_chosen(const Faults *faults) {
    return (char *const *)faults->chosen->pdata;
}

static bool fault_is_at(const Fault *fault, const Place *place) {
    return fault->wells.has[place->well.row][place->well.column] &&
           (fault->channel == ANY || fault->channel == (gint)place->channel) &&
           (fault->site == ANY || fault->site == (gint)place->site);
}

guint faults_at(const Faults *faults, const Place *place) {
    guint at = 0;
    for (guint i = 0; i < faults->faults->len; i++) {
        const Fault *fault = &g_array_index(faults->faults, Fault, i);
        if (fault_is_at(fault, place))
            at |= fault->kind;
    }
    return at;
}

guint faults_anywhere(const Faults *faults) {
    guint anywhere = 0;
    for (guint i = 0; i < faults->faults->len; i++)
        anywhere |= g_array_index(faults->faults, Fault, i).kind;
    return anywhere;
}

/* Two stuck runs may touch: the later one then repeats what the earlier one repeated. */
guint64 faults_shown_frame(const Faults *faults, guint64 frame) {
    for (guint i = 0; i < faults->faults->len; i++) {
        const Fault *fault = &g_array_index(faults->faults, Fault, i);
        if (fault->kind == FAULT_STUCK && frame >= fault->from &&
            frame - fault->from < fault->count)
            return faults_shown_frame(faults, fault->from - 1);
    }
    return frame;
}

char *faults_text(guint at) {
    GString *text = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (at & kinds[i].kind)
            g_string_append_printf(text, "%s%s", text->len ? "+" : "", kinds[i].name);
    return g_string_free(text, false);
}

char *faults_help(void) {
    static const char *const wheres[] = {
        [AT_PLACE] = ":WHERE", [AT_FRAMES] = ":FROM+COUNT", [EVERYWHERE] = ""};
    GString *help = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *form = g_strconcat(kinds[i].name, wheres[kinds[i].extent], NULL);
        g_string_append_printf(help, "  %-20s %s\n", form, kinds[i].sentence);
    }
    return g_string_free(help, false);
}
