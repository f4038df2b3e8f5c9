#include "store/pictures/order.h"
#include <math.h>

/* Plate, well, channel, measure: what there is of them. */
char *order_title(const Order *order) {
    const char *one = order->channel_count == 1 ? order->channels[0] : NULL;
    g_autofree char *channel = one != NULL ? g_strconcat("channel ", one, NULL) : NULL;
    const char *parts[] = {order->name->plate, order->choice.well, channel, order->measure};
    GString *title = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++)
        if (parts[i] != NULL)
            g_string_append_printf(title, "%s%s", title->len > 0 ? "  \u00b7  " : "", parts[i]);
    return g_string_free(title, FALSE);
}

char *order_remark(const Order *order) {
    const PlateName *name = order->name;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *drawn = g_date_time_format(now, "%Y-%m-%d %H:%M");
    const char *experiment = name->experiment;
    return g_strdup_printf(
        "%s%s%s, imaged %.16s to %.16s UTC, %" G_GINT64_FORMAT " frames; drawn %s UTC",
        name->source, experiment != NULL ? ", experiment " : "",
        experiment != NULL ? experiment : "", name->first_at, name->last_at, name->frames, drawn);
}

/* Shots whose range lies outside show that the scale goes on. */
static ColourScale greys_between(double low, double high, const GPtrArray *shots) {
    g_autofree double *ends = g_new(double, 2 * shots->len + 1);
    for (guint i = 0; i < shots->len; i++) {
        const Shot *shot = g_ptr_array_index(shots, i);
        ends[2 * i] = shot->low;
        ends[2 * i + 1] = shot->high;
    }
    return colour_scale_between(low, high, ends, 2 * shots->len);
}

bool order_greys(const Order *order, const GPtrArray *shots, ColourScale *ret_greys) {
    double low = order->low, high = order->high;
    if (order->range == RANGE_PLATE)
        shots_range(shots, &low, &high);
    if (order->range == RANGE_EACH || !(high > low))
        return false;
    *ret_greys = greys_between(low, high, shots);
    return true;
}

const char *order_grey_words(const Order *order, const ColourScale *greys) {
    if (order->range == RANGE_EACH)
        return "each picture in a range of its own: do not compare their brightness";
    return greys != NULL ? "intensity: one range for all pictures of a channel"
                         : "as they were stored: nobody told their ranges";
}

void order_shades(const Shot *shot, const ColourScale *greys, guint8 ret_shades[256]) {
    shot_shades(shot, greys != NULL ? greys->low : NAN, greys != NULL ? greys->high : NAN,
                ret_shades);
}
