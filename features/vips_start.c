#include "features/vips_start.h"
#include <string.h>
#include <vips/vips.h>

/* One frame at a time: a second thread inside would only fight with the other workers. The
 * operation cache would keep every frame it has seen alive. ImageMagick and every other loader that
 * is not meant for strangers' files stays shut, then all loaders but the two that are wanted. */
static void make_ready(void) {
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    vips_operation_block_set("VipsForeignLoadTiff", FALSE);
    vips_operation_block_set("VipsForeignLoadPng", FALSE);
}

/* libvips and libpng warn of what does no harm (an odd colour profile), and of what does just
 * before they fail: their words are kept for the fault, none are printed. */
#define WARNINGS_LENGTH 200

static GString *warnings;

static void keep_warning(const char *domain, GLogLevelFlags level, const char *words,
                         gpointer data) {
    if (level & G_LOG_LEVEL_WARNING && warnings->len < WARNINGS_LENGTH)
        g_string_append_printf(warnings, "%s%s", warnings->len > 0 ? ", " : "", words);
}

bool vips_start(GError **error) {
    static bool started = false;
    if (started)
        return true;
    if (VIPS_INIT("scopestream") != 0) {
        g_autofree char *words = vips_words();
        return fault_set(error, FAULT_STOP, "libvips does not start: %s", words);
    }
    warnings = g_string_new(NULL);
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG,
                      keep_warning, NULL);
    make_ready();
    started = true;
    return true;
}

void vips_forget_words(void) {
    vips_error_clear();
    if (warnings != NULL)
        g_string_truncate(warnings, 0);
}

char *vips_words(void) {
    g_autofree char *error = g_strstrip(g_strdup(vips_error_buffer()));
    const char *warned = warnings != NULL ? warnings->str : "";
    char *words = g_strconcat(error, *error != '\0' && *warned != '\0' ? ": " : "", warned, NULL);
    vips_forget_words();
    return g_strdelimit(words, "\n", ' ');
}
