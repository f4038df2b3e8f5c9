#include "samples/microscope/orders.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096 /* longer ones are cut: none is an order */
#define FOCUS_MAX_UM   1000

/* --- what a line says --- */

static const struct {
    const char *name;
    bool has_place, has_focus;
} kinds[] = {
    [ORDER_IMAGE] = {"image", true, true}, [ORDER_IMAGE_AGAIN] = {"image_again", true, true},
    [ORDER_SKIP] = {"skip", true, false},  [ORDER_CONTINUE] = {"continue", true, false},
    [ORDER_STOP] = {"stop", false, false},
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...) {
    va_list words;
    va_start(words, format);
    g_autofree char *text = g_strdup_vprintf(format, words);
    va_end(words);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return false;
}

static bool kind_parse(const char *word, OrderKind *ret_kind, GError **error) {
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, word) == 0) {
            *ret_kind = (OrderKind)i;
            return true;
        }
    return refuse(error, "expected image, image_again, skip, continue or stop");
}

static bool focus_parse(const char *text, Order *order, GError **error) {
    char *end = NULL;
    double um = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0' || !(fabs(um) <= FOCUS_MAX_UM))
        return refuse(error, "focus=%s: expected micrometres from -%d to %d", text, FOCUS_MAX_UM,
                      FOCUS_MAX_UM);
    order->focus_nm = (gint32)lround(um * 1000);
    return true;
}

/* Takes the focus off the end of words, if it is there. */
static bool focus_take(char **words, Order *order, GError **error) {
    const guint count = g_strv_length(words);
    if (count < 2 || !strchr(words[count - 1], '='))
        return true;
    g_autofree char *word = g_steal_pointer(&words[count - 1]);
    if (!g_str_has_prefix(word, "focus=") || !kinds[order->kind].has_focus)
        return refuse(error, "%s takes no %s", kinds[order->kind].name, word);
    return focus_parse(word + strlen("focus="), order, error);
}

/* Takes the plate off the end of line: its name may have spaces. */
static bool plate_take(char *line, const OrderStage *stage, GError **error) {
    char *plate = strstr(line, " plate=");
    if (!plate)
        return true;
    *plate = '\0';
    return strcmp(g_strchomp(plate + strlen(" plate=")), stage->plate_name) == 0 ||
           refuse(error, "the plate on the stage is %s", stage->plate_name);
}

/* Sites that are counted through the plate tell their well. */
static bool site_parse(const char *text, const OrderStage *stage, bool has_well, Order *order,
                       GError **error) {
    const Plate *plate = stage->plate;
    const guint first = stage->naming->first;
    guint sites = plate->sites;
    if (stage->naming->numbers_positions)
        sites *= plate->wells->len;
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 10, first, first + sites - 1, &number, NULL))
        return refuse(error, "\"%s\" is no site of this run: expected %u to %u", text, first,
                      first + sites - 1);
    guint from_zero = (guint)number - first, well_index = from_zero / plate->sites;
    order->site = from_zero % plate->sites;
    if (!stage->naming->numbers_positions)
        return true;
    if (has_well && order->well_index != well_index)
        return refuse(error, "position %s is in another well", text);
    order->well_index = well_index;
    return true;
}

static bool place_parse(char **words, const OrderStage *stage, Order *order, GError **error) {
    const guint count = g_strv_length(words);
    const bool has_well = count > 1 && strcmp(words[1], "-") != 0;
    if (count < 2 || count > 3 || (count == 2 && !has_well))
        return refuse(error, "expected %s WELL [SITE]", kinds[order->kind].name);
    if (!has_well && !stage->naming->numbers_positions)
        return refuse(error, "a well is wanted: sites of this instrument are counted in each well");
    order->well_index = order->site = ALL;
    if (has_well && count == 2 && strcmp(words[1], "all") == 0)
        return true;
    Well well;
    if (has_well &&
        (!well_parse(words[1], &well) || !plate_find_well(stage->plate, well, &order->well_index)))
        return refuse(error, "\"%s\" is no well of this run", words[1]);
    return count == 2 || site_parse(words[2], stage, has_well, order, error);
}

/* Empty words: several spaces are as good as one. */
static char **words_of(const char *line) {
    g_auto(GStrv) parts = g_strsplit_set(line, " \t\r", -1);
    GPtrArray *words = g_ptr_array_new();
    for (char **part = parts; *part; part++)
        if (**part)
            g_ptr_array_add(words, g_strdup(*part));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, false);
}

bool order_parse(const char *line, const OrderStage *stage, Order *order, GError **error) {
    *order = (Order){0};
    g_autofree char *text = g_strdup(line);
    if (!plate_take(text, stage, error))
        return false;
    g_auto(GStrv) words = words_of(text);
    if (!kind_parse(words[0] ? words[0] : "", &order->kind, error) ||
        !focus_take(words, order, error))
        return false;
    if (kinds[order->kind].has_place)
        return place_parse(words, stage, order, error);
    return !words[1] || refuse(error, "expected nothing after %s", words[0]);
}

/* --- where lines come from --- */

struct Orders {
    int fd;
    GString *unread; /* what came and was not handed out yet */
    bool is_at_end;
};

Orders *orders_new(int fd) {
    Orders *orders = g_new0(Orders, 1);
    orders->fd = fd;
    orders->unread = g_string_new(NULL);
    return orders;
}

void orders_free(Orders *orders) {
    if (!orders)
        return;
    g_string_free(orders->unread, true);
    g_free(orders);
}

/* What may stand there ends without a newline: the last line, and one too long. */
static char *line_take(Orders *orders) {
    GString *unread = orders->unread;
    const char *newline = memchr(unread->str, '\n', unread->len);
    gsize length = newline ? (gsize)(newline - unread->str) : unread->len;
    if (!newline && !(orders->is_at_end && length > 0) && length <= LINE_MAX_BYTES)
        return NULL;
    char *line = g_strndup(unread->str, MIN(length, LINE_MAX_BYTES));
    g_string_erase(unread, 0, (gssize)(length + (newline ? 1 : 0)));
    return line;
}

/* Takes in what is there; waits for something at most so long. */
static void more_read(Orders *orders, gint64 wait_ms) {
    char bytes[LINE_MAX_BYTES];
    struct pollfd ready = {.fd = orders->fd, .events = POLLIN};
    if (poll(&ready, 1, (int)MIN(wait_ms, G_MAXINT)) <= 0)
        return;
    gssize count = read(orders->fd, bytes, sizeof bytes);
    if (count > 0)
        g_string_append_len(orders->unread, bytes, count);
    else if (count == 0 || (errno != EINTR && errno != EAGAIN))
        orders->is_at_end = true;
}

char *orders_next(Orders *orders, gint64 wait_ms) {
    char *line = line_take(orders);
    if (!line && !orders->is_at_end) {
        more_read(orders, wait_ms);
        line = line_take(orders);
    }
    return line;
}

bool orders_ended(const Orders *orders) {
    return orders->is_at_end && orders->unread->len == 0;
}
