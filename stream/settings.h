/* settings: one table for all programs (settings.list), read from a key file, the environment and
 * options, each overruling the one before.
 *
 * Field names carry the unit, keys in the file carry it in the value: `settle = 500ms` is
 * settings->settle_ms. */
#ifndef STREAM_SETTINGS_H
#define STREAM_SETTINGS_H

#include "stream/fault.h"
#include <glib.h>

typedef enum {
    INGEST = 1 << 0,
    FEATURES = 1 << 1,
    STORE = 1 << 2,
} Program;

#define SETTING_TYPE_TEXT     char *
#define SETTING_TYPE_SWITCH   bool
#define SETTING_TYPE_COUNT    gint64
#define SETTING_TYPE_DURATION gint64
#define SETTING_TYPE_SIZE     gint64

/* A microscope's output: a folder, by its configured name ([A-Za-z0-9_-]+). Texts are never NULL.
 */
typedef struct {
    char *name;
#define SOURCE_SETTING(key, type, field, fallback, sentence) SETTING_TYPE_##type field;
#include "stream/source.list"
#undef SOURCE_SETTING
} SourceSettings;

/* A pipeline by its name, which is like a source's. Texts are never NULL. */
typedef struct {
    char *name;
#define PIPELINE_SETTING(key, type, field, fallback, sentence) SETTING_TYPE_##type field;
#include "stream/pipeline.list"
#undef PIPELINE_SETTING
} PipelineSettings;

/* A receiver of alerts, by a name of ours. Texts are never NULL. */
typedef struct {
    char *name;
#define WEBHOOK_SETTING(key, type, field, fallback, sentence) SETTING_TYPE_##type field;
#include "stream/webhook.list"
#undef WEBHOOK_SETTING
} WebhookSettings;

/* Texts are never NULL; "" is unset. */
typedef struct {
#define SETTING(section, key, type, field, fallback, programs, sentence) SETTING_TYPE_##type field;
#include "stream/settings.list"
#undef SETTING
    SourceSettings **sources; /* ends with NULL; in the order of the file, then of the options */
    PipelineSettings **pipeline_sections; /* ends with NULL; in the order of the file */
    WebhookSettings **webhooks;           /* the same */
} Settings;

/* The values of settings.list as they stand there: what a program has without file and options. */
Settings *settings_new(void);
void settings_free(Settings *settings); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

/* Overrules settings by a key file. FAULT_USAGE, one line naming file, section, key and what was
 * expected, if a section or key is unknown, a value is malformed or out of range. */
bool settings_read_file(Settings *settings, const char *file, GError **error);
/* Overrules settings by text in the key file's form; name stands for the file in errors. */
bool settings_read_text(Settings *settings, const char *text, const char *name, GError **error);
/* Overrules settings by the environment: NATS_URL. */
bool settings_read_environment(Settings *settings, GError **error);
/* Overrules one setting, as --key value does. FAULT_USAGE as above. */
bool settings_set(Settings *settings, const char *key, const char *value, GError **error);
/* Checks values that are well-formed and still cannot be right: numbers out of their range, a name
 * that fits no subject, a source without its folder. FAULT_USAGE, naming section and key. */
bool settings_check(const Settings *settings, GError **error);

/* The section of that pipeline; NULL if there is none. */
const PipelineSettings *settings_pipeline(const Settings *settings, const char *name);

/* The pipelines ingest offers frames to, in the order they stand in. g_strfreev. */
char **settings_pipeline_names(const Settings *settings);

/* What a receiver is told of, in the order it stands in. g_strfreev. */
char **settings_webhook_kinds(const WebhookSettings *webhook);
/* Whether it begins as an address for HTTP does: no other scheme is ever spoken. */
bool settings_url_is_http(const char *url);

/* Options of a program, for GOption: entries whose callbacks call settings_set on the Settings
 * given as the group's user data. Static; ends with an empty entry. */
const GOptionEntry *settings_options(Program program);

/* A key file with every setting at its default, explained by its sentence. Caller g_frees. */
char *settings_sample(void);

/* "1.5s", "250ms", "10min", "2h" to milliseconds; "64kB", "8MiB" to bytes. false if malformed. */
bool settings_parse_duration(const char *text, gint64 *ret_ms);
bool settings_parse_size(const char *text, gint64 *ret_bytes);

#endif
