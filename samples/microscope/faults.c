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

/* --- auto --- */

/* Takes a well out of `wells`, which has one. */
static char *well_draw(GArray *wells, guint64 *dice) {
    guint i = (guint)dice_between(dice, 0, (gint32)wells->len - 1);
    char *well = well_text(g_array_index(wells, Well, i));
    g_array_remove_index_fast(wells, i);
    return well;
}

/* What a person can find again in a plate of any size: most wells stay good. The first well stays
 * good too, so that a run begins as one expects. */
static bool faults_add_auto(Faults *faults, guint64 seed, GError **error) {
    static const struct {
        const char *kind;
        bool in_one_channel, in_one_site;
    } plan[] = {{"defocus"}, {"empty"},       {"saturated", true}, {"truncated", true, true},
                {"slow"},    {"renamed"},     {"defocus"},         {"dim"},
                {"defocus"}, {"preallocated"}};
    g_autoptr(GArray) wells = g_array_copy(faults->plate->wells);
    g_array_remove_index(wells, 0);
    guint64 dice = dice_key(seed, 0x6661756C7473u);
    gint32 channels = (gint32)g_strv_length((char **)faults->channels);
    guint most = wells->len / 2;
    for (gsize i = 0; i < G_N_ELEMENTS(plan) && i < most; i++) {
        g_autofree char *well = well_draw(wells, &dice);
        const char *channel = faults->channels[dice_between(&dice, 0, channels - 1)];
        g_autofree char *request = g_strconcat(
            plan[i].kind, ":", plan[i].in_one_channel ? channel : "",
            plan[i].in_one_channel ? "@" : "", well, plan[i].in_one_site ? "/1" : "", NULL);
        if (!faults_add(faults, request, error))
            return false;
    }
    return true;
}

/* --- the module --- */

Faults *faults_new(char *const *requests, const Plate *plate, char *const *channels, guint64 seed,
                   GError **error) {
    g_autoptr(Faults) faults = g_new0(Faults, 1);
    *faults = (Faults){plate, channels, g_array_new(false, true, sizeof(Fault)),
                       g_ptr_array_new_with_free_func(g_free)};
    for (char *const *request = requests; request && *request; request++) {
        bool is_auto = strcmp(*request, "auto") == 0;
        if (!(is_auto ? faults_add_auto(faults, seed, error) : faults_add(faults, *request, error)))
            return NULL;
    }
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
