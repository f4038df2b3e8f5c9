#include "store/thumbnails.h"
#include "stream/program.h"

bool thumbnails_drop_old(Postgres *postgres, gint64 keep_ms, GError **error) {
    if (keep_ms <= 0)
        return true;
    g_autofree char *keep = g_strdup_printf("%" G_GINT64_FORMAT, keep_ms);
    const char *parameters[] = {keep};
    g_autoptr(PostgresRows) dropped = postgres_ask(
        postgres,
        "select scopestream_data.drop_thumbnails(now() - $1::float8 * interval '1 millisecond')",
        parameters, G_N_ELEMENTS(parameters), error);
    if (dropped == NULL)
        return false;
    int months = (int)postgres_count(dropped, 0, 0);
    if (months > 0)
        log_info("dropped the thumbnails of %d month%s: older than keep-thumbnails", months,
                 months > 1 ? "s" : "");
    return true;
}
