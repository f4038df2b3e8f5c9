#include "samples/microscope/written.h"

#include "samples/microscope/faults.h"
#include <errno.h>
#include <stdio.h>

struct Written {
    char *path;
    FILE *file;
};

static bool refuse(const Written *written, GError **error) {
    int why = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why), "cannot write the list %s: %s",
                written->path, g_strerror(why));
    return false;
}

Written *written_new(const char *path, GError **error) {
    g_autoptr(Written) written = g_new0(Written, 1);
    written->path = g_strdup(path);
    written->file = fopen(path, "we");
    if (written->file &&
        fputs("file,page,plate,well,site,channel,z,t,faults,closed_at\n", written->file) >= 0 &&
        fflush(written->file) == 0)
        return g_steal_pointer(&written);
    refuse(written, error);
    return NULL;
}

void written_free(Written *written) {
    if (!written)
        return;
    if (written->file)
        fclose(written->file);
    g_free(written->path);
    g_free(written);
}

static char *time_text(gint64 us) {
    if (us == 0)
        return g_strdup("");
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    g_autofree char *text = g_date_time_format(second, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06uZ", text, (guint)(us % G_USEC_PER_SEC));
}

bool written_add(Written *written, const Naming *naming, const char *plate, const char *file,
                 guint page, const Place *place, guint faults, gint64 closed_us, GError **error) {
    g_autofree char *well = well_text(place->well);
    g_autofree char *fault = faults_text(faults);
    g_autofree char *closed = time_text(closed_us);
    int length = fprintf(written->file, "%s,%u,%s,%s,%u,%u,%u,%u,%s,%s\n", file, page, plate, well,
                         place->site + naming->first_site, place->channel + naming->first_channel,
                         place->z + naming->first_z, place->t + naming->first_t, fault, closed);
    return (length > 0 && fflush(written->file) == 0) || refuse(written, error);
}
