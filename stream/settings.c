#include "stream/settings.h"
#include "stream/address.h"
#include "stream/frame.h"
#include <math.h>
#include <string.h>

enum { PIPELINES_MOST = 16 }; /* each is an offer, and a measurement, of every frame */

/* Every setting is a row: where its value stands in its struct and how it is read. The same kind of
 * row describes struct Settings and struct SourceSettings. */

typedef enum { TEXT, SWITCH, COUNT, DURATION, SIZE } Type;

typedef struct {
    const char *section; /* NULL in a source's table */
    const char *key;
    Type type;
    gsize offset;
    const char *fallback;
    int programs;
    const char *sentence;
} Row;

static const Row setting_rows[] = {
#define SETTING(section, key, type, field, fallback, programs, sentence)                           \
    {#section, #key, type, offsetof(Settings, field), fallback, programs, sentence},
#include "stream/settings.list"
#undef SETTING
};

static const Row source_rows[] = {
#define SOURCE_SETTING(key, type, field, fallback, sentence)                                       \
    {NULL, #key, type, offsetof(SourceSettings, field), fallback, 0, sentence},
#include "stream/source.list"
#undef SOURCE_SETTING
};

static const Row pipeline_rows[] = {
#define PIPELINE_SETTING(key, type, field, fallback, sentence)                                     \
    {NULL, #key, type, offsetof(PipelineSettings, field), fallback, 0, sentence},
#include "stream/pipeline.list"
#undef PIPELINE_SETTING
};

static const Row webhook_rows[] = {
#define WEBHOOK_SETTING(key, type, field, fallback, sentence)                                      \
    {NULL, #key, type, offsetof(WebhookSettings, field), fallback, 0, sentence},
#include "stream/webhook.list"
#undef WEBHOOK_SETTING
};

/* Sections there may be several of, [<kind> NAME]. Each fills a struct that begins with its name,
 * in a list of pointers that ends with NULL. */
typedef struct {
    const char *kind; /* with the space behind it */
    const Row *rows;
    guint rows_count;
    gsize list_offset, struct_bytes;
    const char *sample; /* what the sample says before its keys */
} SectionKind;

typedef struct {
    char *name;
} Section;

enum { SOURCE_SECTION, PIPELINE_SECTION, WEBHOOK_SECTION };

static const SectionKind section_kinds[] = {
    [SOURCE_SECTION] = {"source ", source_rows, G_N_ELEMENTS(source_rows),
                        offsetof(Settings, sources), sizeof(SourceSettings),
                        "One section for each microscope's output, by the name it shall have in "
                        "the database.\n#[source microscope1]"},
    [PIPELINE_SECTION] = {"pipeline ", pipeline_rows, G_N_ELEMENTS(pipeline_rows),
                          offsetof(Settings, pipeline_sections), sizeof(PipelineSettings),
                          "What a pipeline measures; one without a section measures the standard "
                          "set.\n#[pipeline quality]"},
    [WEBHOOK_SECTION] = {"webhook ", webhook_rows, G_N_ELEMENTS(webhook_rows),
                         offsetof(Settings, webhooks), sizeof(WebhookSettings),
                         "Whom the store tells of alerts by an HTTP POST; one section each.\n"
                         "#[webhook lab-chat]"},
};

static const char *const type_forms[] = {
    [TEXT] = "text",
    [SWITCH] = "yes or no",
    [COUNT] = "a whole number, 0 or more",
    [DURATION] = "a time such as 250ms, 5s, 10min or 2h",
    [SIZE] = "a size such as 64kB, 8MiB or 4GB",
};

/* --- values --- */

typedef struct {
    const char *name;
    double factor;
} Unit;

/* A number with a unit behind it. A bare 0 needs none. */
static bool parse_with_unit(const char *text, const Unit units[], guint count, gint64 *ret_value) {
    char *end;
    double number = g_ascii_strtod(text, &end);
    if (end == text || !isfinite(number) || number < 0)
        return false;
    while (*end == ' ')
        end++;
    if (*end == '\0' && number == 0) {
        *ret_value = 0;
        return true;
    }
    for (guint unit = 0; unit < count; unit++) {
        if (strcmp(end, units[unit].name) != 0)
            continue;
        double value = number * units[unit].factor;
        if (value > 9e15) /* beyond it doubles skip integers */
            return false;
        *ret_value = (gint64)llround(value);
        return true;
    }
    return false;
}

bool settings_parse_duration(const char *text, gint64 *ret_ms) {
    static const Unit units[] = {
        {"ms", 1}, {"s", 1000}, {"min", 60e3}, {"h", 3600e3}, {"d", 86400e3}};
    return parse_with_unit(text, units, G_N_ELEMENTS(units), ret_ms);
}

bool settings_parse_size(const char *text, gint64 *ret_bytes) {
    static const Unit units[] = {
        {"B", 1},           {"kB", 1e3},           {"MB", 1e6},
        {"GB", 1e9},        {"TB", 1e12},          {"KiB", 1024.0},
        {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
    return parse_with_unit(text, units, G_N_ELEMENTS(units), ret_bytes);
}

static bool parse_switch(const char *text, bool *ret_on) {
    *ret_on = g_str_equal(text, "yes");
    return *ret_on || g_str_equal(text, "no");
}

static bool row_set(const Row *row, void *values, const char *text) {
    void *field = (char *)values + row->offset;
    switch (row->type) {
    case TEXT: {
        char **target = field;
        g_free(*target);
        *target = g_strdup(text);
        return true;
    }
    case SWITCH: return parse_switch(text, field);
    case COUNT: {
        guint64 count;
        if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &count, NULL))
            return false;
        *(gint64 *)field = (gint64)count;
        return true;
    }
    case DURATION: return settings_parse_duration(text, field);
    case SIZE: return settings_parse_size(text, field);
    }
    return false;
}

static void rows_set_fallbacks(const Row rows[], guint count, void *values) {
    for (guint row = 0; row < count; row++)
        if (!row_set(&rows[row], values, rows[row].fallback))
            g_error("%s: its own default '%s' is wrong", rows[row].key, rows[row].fallback);
}

static void rows_free_texts(const Row rows[], guint count, void *values) {
    for (guint row = 0; row < count; row++)
        if (rows[row].type == TEXT)
            g_free(*(char **)((char *)values + rows[row].offset));
}

static const Row *row_find(const Row rows[], guint count, const char *key) {
    for (guint row = 0; row < count; row++)
        if (g_str_equal(rows[row].key, key))
            return &rows[row];
    return NULL;
}

/* --- settings and their sections --- */

static Section ***section_list(const Settings *settings, const SectionKind *kind) {
    return (Section ***)(void *)((char *)settings + kind->list_offset);
}

Settings *settings_new(void) {
    Settings *settings = g_new0(Settings, 1);
    rows_set_fallbacks(setting_rows, G_N_ELEMENTS(setting_rows), settings);
    for (guint kind = 0; kind < G_N_ELEMENTS(section_kinds); kind++)
        *section_list(settings, &section_kinds[kind]) = g_new0(Section *, 1);
    return settings;
}

static void sections_free(Section **sections, const SectionKind *kind) {
    for (Section **section = sections; *section != NULL; section++) {
        rows_free_texts(kind->rows, kind->rows_count, *section);
        g_free((*section)->name);
        g_free(*section);
    }
    g_free(sections);
}

void settings_free(Settings *settings) {
    if (settings == NULL)
        return;
    for (guint kind = 0; kind < G_N_ELEMENTS(section_kinds); kind++)
        sections_free(*section_list(settings, &section_kinds[kind]), &section_kinds[kind]);
    rows_free_texts(setting_rows, G_N_ELEMENTS(setting_rows), settings);
    g_free(settings);
}

/* The section of that kind and name, made if there is none yet. NULL if it cannot be a name. */
static Section *section_named(Settings *settings, const SectionKind *kind, const char *name) {
    if (!frame_name_is_plain(name))
        return NULL;
    Section ***sections = section_list(settings, kind);
    guint count = 0;
    for (; (*sections)[count] != NULL; count++)
        if (g_str_equal((*sections)[count]->name, name))
            return (*sections)[count];

    Section *section = g_malloc0(kind->struct_bytes);
    section->name = g_strdup(name);
    rows_set_fallbacks(kind->rows, kind->rows_count, section);
    *sections = g_renew(Section *, *sections, count + 2);
    (*sections)[count] = section;
    (*sections)[count + 1] = NULL;
    return section;
}

const PipelineSettings *settings_pipeline(const Settings *settings, const char *name) {
    for (PipelineSettings **section = settings->pipeline_sections; *section != NULL; section++)
        if (g_str_equal((*section)->name, name))
            return *section;
    return NULL;
}

/* --- the key file --- */

static bool section_exists(const char *section) {
    for (guint row = 0; row < G_N_ELEMENTS(setting_rows); row++)
        if (g_str_equal(setting_rows[row].section, section))
            return true;
    return false;
}

static bool unknown_key(GError **error, const char *where, const char *key) {
    return fault_set(error, FAULT_USAGE,
                     "%s: unknown key '%s'; --sample-config lists the known ones", where, key);
}

static bool wrong_value(GError **error, const char *where, const Row *row, const char *value) {
    return fault_set(error, FAULT_USAGE, "%s: %s = %s: expected %s (%s)", where, row->key, value,
                     type_forms[row->type], row->sentence);
}

/* Some keys stand in the section of each program; else the one of that key, wherever. */
static const Row *setting_find(const char *section, const char *key) {
    for (guint row = 0; row < G_N_ELEMENTS(setting_rows); row++)
        if (g_str_equal(setting_rows[row].key, key) &&
            g_str_equal(setting_rows[row].section, section))
            return &setting_rows[row];
    return row_find(setting_rows, G_N_ELEMENTS(setting_rows), key);
}

static bool read_key(Settings *settings, const char *section, const char *key, const char *value,
                     const char *where, GError **error) {
    const Row *row = setting_find(section, key);
    if (row == NULL)
        return unknown_key(error, where, key);
    if (!g_str_equal(row->section, section))
        return fault_set(error, FAULT_USAGE, "%s: '%s' belongs into section [%s]", where, key,
                         row->section);
    return row_set(row, settings, value) || wrong_value(error, where, row, value);
}

static bool read_named_key(Section *section, const SectionKind *kind, const char *key,
                           const char *value, const char *where, GError **error) {
    const Row *row = row_find(kind->rows, kind->rows_count, key);
    if (row == NULL)
        return unknown_key(error, where, key);
    return row_set(row, section, value) || wrong_value(error, where, row, value);
}

static const SectionKind *section_kind(const char *section) {
    for (guint kind = 0; kind < G_N_ELEMENTS(section_kinds); kind++)
        if (g_str_has_prefix(section, section_kinds[kind].kind))
            return &section_kinds[kind];
    return NULL;
}

static bool read_section(Settings *settings, GKeyFile *file, const char *section, const char *name,
                         GError **error) {
    g_autofree char *where = g_strdup_printf("%s: [%s]", name, section);
    const SectionKind *kind = section_kind(section);
    Section *named = NULL;
    if (kind != NULL) {
        named = section_named(settings, kind, section + strlen(kind->kind));
        if (named == NULL)
            return fault_set(error, FAULT_USAGE,
                             "%s: a %sname is made of letters, digits, '_' and '-'", where,
                             kind->kind);
    } else if (!section_exists(section)) {
        return fault_set(error, FAULT_USAGE,
                         "%s: unknown section; --sample-config lists the known ones", where);
    }

    g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, error);
    if (keys == NULL)
        return false;
    for (char **key = keys; *key != NULL; key++) {
        g_autofree char *value = g_key_file_get_string(file, section, *key, NULL);
        if (value == NULL)
            return fault_set(error, FAULT_USAGE, "%s: %s: value is not UTF-8 text", where, *key);
        g_strchomp(value);
        if (!(named != NULL ? read_named_key(named, kind, *key, value, where, error)
                            : read_key(settings, section, *key, value, where, error)))
            return false;
    }
    return true;
}

bool settings_read_text(Settings *settings, const char *text, const char *name, GError **error) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) wrong = NULL;
    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &wrong))
        return fault_set(error, FAULT_USAGE, "%s: %s", name, wrong->message);
    g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
    for (char **section = sections; *section != NULL; section++)
        if (!read_section(settings, file, *section, name, error))
            return false;
    return true;
}

bool settings_read_file(Settings *settings, const char *file, GError **error) {
    g_autofree char *text = NULL;
    g_autoptr(GError) wrong = NULL;
    if (!g_file_get_contents(file, &text, NULL, &wrong))
        return fault_set(error, FAULT_USAGE, "settings file: %s", wrong->message);
    return settings_read_text(settings, text, file, error);
}

bool settings_read_environment(Settings *settings, GError **error) {
    const char *url = g_getenv("NATS_URL");
    return url == NULL || *url == '\0' || settings_set(settings, "nats", url, error);
}

/* --- options --- */

static bool set_first_source(Settings *settings, const char *value, GError **error) {
    g_auto(GStrv) halves = g_strsplit(value, "=", 2);
    SourceSettings *source =
        halves[0] != NULL && halves[1] != NULL
            ? (SourceSettings *)section_named(settings, &section_kinds[SOURCE_SECTION], halves[0])
            : NULL;
    if (source == NULL || *halves[1] == '\0')
        return fault_set(error, FAULT_USAGE,
                         "--source %s: expected NAME=FOLDER, the name made of letters, digits, "
                         "'_' and '-'",
                         value);
    g_free(source->folder);
    source->folder = g_strdup(halves[1]);
    return true;
}

bool settings_set(Settings *settings, const char *key, const char *value, GError **error) {
    if (g_str_equal(key, "source"))
        return set_first_source(settings, value, error);
    if (row_find(setting_rows, G_N_ELEMENTS(setting_rows), key) == NULL)
        return fault_set(error, FAULT_USAGE, "unknown setting '%s'", key);
    /* A key that several sections have is set in all: a program reads its own only. */
    for (guint index = 0; index < G_N_ELEMENTS(setting_rows); index++) {
        const Row *row = &setting_rows[index];
        g_autofree char *where = g_strdup_printf("--%s", key);
        if (g_str_equal(row->key, key) && !row_set(row, settings, value))
            return wrong_value(error, where, row, value);
    }
    return true;
}

static gboolean option_given(const char *option, const char *value, gpointer settings,
                             GError **error) {
    return settings_set(settings, option + strlen("--"), value, error);
}

static const char *option_argument(const Row *row) {
    static const char *const names[] = {
        [TEXT] = "TEXT", [SWITCH] = "yes|no", [COUNT] = "N", [DURATION] = "TIME", [SIZE] = "SIZE"};
    return names[row->type];
}

const GOptionEntry *settings_options(Program program) {
    static const GOptionEntry *made[STORE + 1]; /* kept: GOption borrows the sentences */
    if (made[program] != NULL)
        return made[program];
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    if (program == INGEST) {
        GOptionEntry source = {"source",
                               0,
                               0,
                               G_OPTION_ARG_CALLBACK,
                               option_given,
                               "a folder to watch and the name of its source; repeatable",
                               "NAME=FOLDER"};
        g_array_append_val(entries, source);
    }
    for (guint index = 0; index < G_N_ELEMENTS(setting_rows); index++) {
        const Row *row = &setting_rows[index];
        if ((row->programs & program) == 0)
            continue;
        char *sentence = *row->fallback == '\0'
                             ? g_strdup(row->sentence)
                             : g_strdup_printf("%s (%s)", row->sentence, row->fallback);
        GOptionEntry entry = {
            row->key, 0, 0, G_OPTION_ARG_CALLBACK, option_given, sentence, option_argument(row)};
        g_array_append_val(entries, entry);
    }
    made[program] = (const GOptionEntry *)(void *)g_array_free(entries, FALSE);
    return made[program];
}

static char **split_at_commas(const char *text) {
    char **names = g_strsplit(text, ",", -1);
    for (char **name = names; *name != NULL; name++)
        g_strstrip(*name);
    return names;
}

char **settings_pipeline_names(const Settings *settings) {
    return split_at_commas(settings->pipelines);
}

char **settings_webhook_kinds(const WebhookSettings *webhook) {
    return split_at_commas(webhook->kinds);
}

bool settings_url_is_http(const char *url) {
    static const char *const schemes[] = {"http://", "https://"};
    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_ascii_strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url[strlen(schemes[i])] != '\0';
    return false;
}

/* --- checks --- */

static bool check_replicas(const Settings *settings, GError **error) {
    gint64 replicas = settings->nats_replicas;
    return replicas == 1 || replicas == 3 || replicas == 5 ||
           fault_set(error, FAULT_USAGE,
                     "[nats] replicas = %" G_GINT64_FORMAT ": expected 1, 3 or 5", replicas);
}

/* A descriptor and its inline bytes share one message of a stream; beyond 8 MiB servers suffer. */
static bool check_inline(const Settings *settings, GError **error) {
    return settings->inline_limit_bytes <= 8 * 1024 * 1024 ||
           fault_set(error, FAULT_USAGE,
                     "[ingest] inline-limit: expected at most 8MiB; larger frames travel by the "
                     "other deliveries");
}

/* Numbers that mean nothing outside of these; the largest still fit where they are used. */
static bool check_limits(const Settings *settings, GError **error) {
    static const struct {
        const char *key;
        gint64 least, most;
    } limits[] = {
        {"settle", 1, G_MAXINT64},
        {"scan-interval", 1, G_MAXINT64},
        {"reconcile-interval", 1, G_MAXINT64},
        {"frames-limit", 1, G_MAXINT64},
        {"frames-limit-count", 1, G_MAXINT64},
        {"results-limit", 1, G_MAXINT64},
        {"jobs", 0, 1024},
        {"frame-time-limit", 1, G_MAXINT64},
        {"plug-in-time-limit", 1, G_MAXINT32},
        {"frame-limit", 1, G_MAXINT64},
        {"pixel-limit", 1, G_MAXINT32},
        {"fetch-window", 1, G_MAXINT32},
        {"thumbnail-side", 0, 1024},
        {"batch", 1, 10000},
        {"partitions-ahead", 0, 120},
    };
    for (guint index = 0; index < G_N_ELEMENTS(limits); index++) {
        const Row *row = row_find(setting_rows, G_N_ELEMENTS(setting_rows), limits[index].key);
        gint64 value = *(const gint64 *)((const char *)settings + row->offset);
        if (value < limits[index].least)
            return fault_set(error, FAULT_USAGE, "[%s] %s: expected more than 0 (%s)", row->section,
                             row->key, row->sentence);
        if (value > limits[index].most)
            return fault_set(error, FAULT_USAGE,
                             "[%s] %s: expected at most %" G_GINT64_FORMAT " (%s)", row->section,
                             row->key, limits[index].most, row->sentence);
    }
    return true;
}

/* Less does not hold the libraries, and the first of them to fail has its own words for it. */
static bool check_memory(const Settings *settings, GError **error) {
    return settings->memory_limit_bytes == 0 || settings->memory_limit_bytes >= 256 << 20 ||
           fault_set(error, FAULT_USAGE,
                     "[features] memory-limit: expected at least 256MiB, or 0 for none");
}

static bool check_sources(const Settings *settings, GError **error) {
    for (SourceSettings **source = settings->sources; *source != NULL; source++)
        if (*(*source)->folder == '\0')
            return fault_set(error, FAULT_USAGE,
                             "[source %s]: key 'folder' is missing: the folder to watch",
                             (*source)->name);
    return true;
}

/* The address is a secret where others are: it is not repeated. */
static bool check_webhook_address(const WebhookSettings *webhook, GError **error) {
    bool has_url = *webhook->url != '\0', has_file = *webhook->url_file != '\0';
    if (has_url == has_file)
        return fault_set(error, FAULT_USAGE, "[webhook %s]: expected one of url and url-file",
                         webhook->name);
    return has_file || settings_url_is_http(webhook->url) ||
           fault_set(error, FAULT_USAGE, "[webhook %s] url: expected http://... or https://...",
                     webhook->name);
}

static bool check_webhook_words(const WebhookSettings *webhook, GError **error) {
    static const char *const known_kinds[] = {"alert", "decision", NULL};
    static const char *const severities[] = {"info", "warning", "critical", NULL};
    g_auto(GStrv) kinds = settings_webhook_kinds(webhook);
    if (*kinds == NULL)
        return fault_set(error, FAULT_USAGE, "[webhook %s] kinds: expected alert, decision or both",
                         webhook->name);
    for (char **kind = kinds; *kind != NULL; kind++)
        if (!g_strv_contains(known_kinds, *kind))
            return fault_set(error, FAULT_USAGE,
                             "[webhook %s] kinds: '%s': expected alert or decision", webhook->name,
                             *kind);
    return g_strv_contains(severities, webhook->least_severity) ||
           fault_set(error, FAULT_USAGE,
                     "[webhook %s] least-severity = %s: expected info, warning or critical",
                     webhook->name, webhook->least_severity);
}

static bool check_webhooks(const Settings *settings, GError **error) {
    enum { TIMEOUT_MOST_MS = 30000 };
    for (WebhookSettings **each = settings->webhooks; *each != NULL; each++) {
        const WebhookSettings *webhook = *each;
        if (!check_webhook_address(webhook, error) || !check_webhook_words(webhook, error))
            return false;
        if (webhook->timeout_ms < 1 || webhook->timeout_ms > TIMEOUT_MOST_MS)
            return fault_set(error, FAULT_USAGE,
                             "[webhook %s] timeout: expected more than 0, at most 30s",
                             webhook->name);
    }
    return true;
}

static bool check_pipeline_name(const char *section, const char *key, const char *name,
                                GError **error) {
    return frame_name_is_plain(name) ||
           fault_set(error, FAULT_USAGE,
                     "[%s] %s = %s: expected a name of letters, digits, '_' and '-'", section, key,
                     name);
}

static bool check_pipelines(const Settings *settings, GError **error) {
    g_auto(GStrv) names = settings_pipeline_names(settings);
    guint count = g_strv_length(names);
    if (count == 0 || count > PIPELINES_MOST)
        return fault_set(error, FAULT_USAGE, "[ingest] pipelines: expected 1 to %d names, not %u",
                         PIPELINES_MOST, count);
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    for (char **name = names; *name != NULL; name++)
        if (!check_pipeline_name("ingest", "pipelines", *name, error))
            return false;
        else if (!g_hash_table_add(known, *name))
            return fault_set(error, FAULT_USAGE,
                             "[ingest] pipelines: '%s' stands there twice, expected each name once",
                             *name);
    return check_pipeline_name("features", "pipeline", settings->pipeline, error);
}

static bool check_metrics(const Settings *settings, GError **error) {
    for (guint index = 0; index < G_N_ELEMENTS(setting_rows); index++) {
        const Row *row = &setting_rows[index];
        if (!g_str_equal(row->key, "metrics-listen"))
            continue;
        const char *listen = *(char *const *)((const char *)settings + row->offset);
        g_autoptr(GError) wrong = NULL;
        if (*listen != '\0' && !address_check(listen, &wrong))
            return fault_set(error, FAULT_USAGE, "[%s] %s = %s", row->section, row->key,
                             wrong->message);
    }
    return true;
}

bool settings_check(const Settings *settings, GError **error) {
    return check_pipelines(settings, error) && check_replicas(settings, error) &&
           check_inline(settings, error) && check_limits(settings, error) &&
           check_memory(settings, error) && check_sources(settings, error) &&
           check_metrics(settings, error) && check_webhooks(settings, error);
}

/* --- the sample --- */

static void append_row(GString *sample, const Row *row) {
    g_string_append_printf(sample, "\n# %s\n#%s = %s\n", row->sentence, row->key, row->fallback);
}

char *settings_sample(void) {
    GString *sample = g_string_new("# Settings of scopestream. One file serves all its programs on "
                                   "a machine; each passes over\n# the sections of the others. "
                                   "Shown are the defaults.\n");
    const char *section = "";
    for (guint row = 0; row < G_N_ELEMENTS(setting_rows); row++) {
        if (!g_str_equal(setting_rows[row].section, section))
            g_string_append_printf(sample, "\n[%s]\n", setting_rows[row].section);
        section = setting_rows[row].section;
        append_row(sample, &setting_rows[row]);
    }
    for (guint kind = 0; kind < G_N_ELEMENTS(section_kinds); kind++) {
        g_string_append_printf(sample, "\n# %s\n", section_kinds[kind].sample);
        for (guint row = 0; row < section_kinds[kind].rows_count; row++)
            append_row(sample, &section_kinds[kind].rows[row]);
    }
    return g_string_free(sample, FALSE);
}
