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

/* libvips and libpng warn of what does no harm (an odd colour profile); what does harm is an error
 * with fail_on set, and comes back as one. */
static void keep_silent(const char *domain, GLogLevelFlags level, const char *words,
                        gpointer data) {
}

bool vips_start(GError **error) {
    static bool started = false;
    if (started)
        return true;
    if (VIPS_INIT("scopestream") != 0) {
        g_autofree char *words = vips_words();
        return fault_set(error, FAULT_STOP, "libvips does not start: %s", words);
    }
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG,
                      keep_silent, NULL);
    make_ready();
    started = true;
    return true;
}

char *vips_words(void) {
    char *words = g_strdup(vips_error_buffer());
    vips_error_clear();
    g_strdelimit(words, "\n", ' ');
    return g_strstrip(words);
}
