#include "samples/microscope/written.h"

#include "samples/microscope/faults.h"
#include <errno.h>
#include <stdio.h>

struct Written {
    char *path;
    FILE *file;
    const Naming *naming;
    guint sites;
};

static bool refuse(const Written *written, GError **error) {
    int why = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why), "cannot write the list %s: %s",
                written->path, g_strerror(why));
    return false;
}

Written *written_new(const char *path, const Naming *naming, guint sites, GError **error) {
    g_autoptr(Written) written = g_new0(Written, 1);
    written->path = g_strdup(path);
    written->naming = naming;
    written->sites = sites;
    written->file = fopen(path, "we");
    if (written->file &&
        fputs("file,page,plate,well,site,channel,z,t,faults,closed_at,off_focus_um\n",
              written->file) >= 0 &&
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

bool written_add(Written *written, const WrittenFrame *frame, GError **error) {
    const Naming *naming = written->naming;
    const Place *place = &frame->place;
    g_autofree char *well = well_text(place->well);
    g_autofree char *channel = naming_channel(naming, place);
    g_autofree char *faults = faults_text(frame->faults);
    g_autofree char *closed = time_text(frame->closed_us);
    g_autofree char *off_focus =
        frame->closed_us ? g_strdup_printf("%.1f", frame->off_focus_nm / 1000.0) : g_strdup("");
    int length =
        fprintf(written->file, "%s,%u,%s,%s,%u,%s,%u,%u,%s,%s,%s\n", frame->file, frame->page,
                frame->plate, well, naming_site(naming, written->sites, place), channel,
                naming->first + place->z, naming->first + place->t, faults, closed, off_focus);
    return (length > 0 && fflush(written->file) == 0) || refuse(written, error);
}
