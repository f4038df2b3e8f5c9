#include "store/page/web.h"
#include <gio/gio.h>

/* Made by glib-compile-resources from web.gresource.xml. */
void page_resources_register_resource(void);
GResource *page_resources_get_resource(void);

#define ALWAYS_ASK "no-cache"
#define KEEP       "max-age=86400"

static const struct {
    const char *path, *type, *cache_control;
} files[] = {
    {"/index.html", "text/html; charset=utf-8", ALWAYS_ASK},
    {"/page.css", "text/css; charset=utf-8", ALWAYS_ASK},
    {"/page.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/words.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/choice.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/map.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/frames.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/flow.js", "text/javascript; charset=utf-8", ALWAYS_ASK},
    {"/icon.svg", "image/svg+xml", KEEP},
    {"/d3.min.js", "text/javascript; charset=utf-8", KEEP},
};

static gpointer register_once(gpointer none) {
    page_resources_register_resource();
    return page_resources_get_resource();
}

static GBytes *resource(const char *folder, const char *name) {
    static GOnce once = G_ONCE_INIT;
    GResource *resources = g_once(&once, register_once, NULL);
    g_autofree char *path = g_strconcat("/scopestream/", folder, name, NULL);
    return g_resource_lookup_data(resources, path, 0, NULL);
}

GBytes *web_file(const char *path, const char **ret_type, const char **ret_cache_control) {
    if (g_str_equal(path, "/"))
        path = "/index.html";
    for (guint i = 0; i < G_N_ELEMENTS(files); i++)
        if (g_str_equal(files[i].path, path)) {
            *ret_type = files[i].type;
            *ret_cache_control = files[i].cache_control;
            return resource("web", path);
        }
    return NULL;
}

/* The bytes lie in the program, and end with NUL. */
const char *web_sql(const char *name) {
    g_autofree char *file = g_strconcat("/", name, ".sql", NULL);
    g_autoptr(GBytes) bytes = resource("sql", file);
    g_assert(bytes != NULL);
    return g_bytes_get_data(bytes, NULL);
}
