#include "store/screen.h"
#include "stream/program.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- what it can --- */

static bool is_said(const char *value) {
    return value != NULL && *value != '\0';
}

ScreenColours screen_colours(bool is_terminal, const char *no_color, const char *colorterm,
                             const char *term) {
    if (!is_terminal || is_said(no_color) || !is_said(term) || g_str_equal(term, "dumb"))
        return COLOURS_NONE;
    if (is_said(colorterm) &&
        (strstr(colorterm, "truecolor") != NULL || strstr(colorterm, "24bit") != NULL))
        return COLOURS_TRUE;
    if (g_str_has_suffix(term, "-direct"))
        return COLOURS_TRUE;
    return strstr(term, "256color") != NULL ? COLOURS_256 : COLOURS_NONE;
}

/* The first of these that says anything names the encoding. */
static bool locale_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);
        if (!is_said(value))
            continue;
        g_autofree char *lower = g_ascii_strdown(value, -1);
        return strstr(lower, "utf-8") != NULL || strstr(lower, "utf8") != NULL;
    }
    return false;
}

Screen screen_look(void) {
    enum { COLUMNS = 80, COLUMNS_LEAST = 20, COLUMNS_MOST = 1000 };
    Screen screen = {.is_terminal = isatty(STDOUT_FILENO) != 0, .columns = COLUMNS};
    screen.colours = screen_colours(screen.is_terminal, g_getenv("NO_COLOR"), g_getenv("COLORTERM"),
                                    g_getenv("TERM"));
    screen.has_unicode = screen.colours != COLOURS_NONE && locale_is_utf8();
    struct winsize size;
    guint64 told;
    const char *columns = g_getenv("COLUMNS");
    if (screen.is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        screen.columns = MAX(COLUMNS_LEAST, size.ws_col);
        screen.lines = size.ws_row;
    } else if (is_said(columns) &&
               g_ascii_string_to_unsigned(columns, 10, COLUMNS_LEAST, COLUMNS_MOST, &told, NULL)) {
        screen.columns = (int)told;
    }
    return screen;
}

/* --- text --- */

char *screen_plain(const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *plain = g_string_new(NULL);
    for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar letter = g_utf8_get_char(at);
        GUnicodeType type = g_unichar_type(letter);
        bool acts = type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
                    type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
        g_string_append_unichar(plain, acts ? ' ' : letter);
    }
    return g_string_free(plain, FALSE);
}

/* Behind an escape sequence at text; text itself where there is none. */
static const char *behind_escape(const char *text) {
    if (text[0] != '\033' || text[1] != '[')
        return text;
    const char *end = text + 2;
    while (*end != '\0' && !(*end >= '@' && *end <= '~'))
        end++;
    return *end != '\0' ? end + 1 : end;
}

static int letter_width(gunichar letter) {
    return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
}

int screen_width(const char *text) {
    int width = 0;
    while (*text != '\0') {
        const char *behind = behind_escape(text);
        if (behind == text) {
            width += letter_width(g_utf8_get_char(text));
            behind = g_utf8_next_char(text);
        }
        text = behind;
    }
    return width;
}

/* Escape sequences behind the cut stay: they end what others began. */
static void add_clipped(GString *clipped, const char *line, int columns) {
    int width = 0;
    while (*line != '\0') {
        const char *behind = behind_escape(line);
        bool is_escape = behind != line;
        if (!is_escape) {
            width += letter_width(g_utf8_get_char(line));
            behind = g_utf8_next_char(line);
        }
        if (is_escape || width <= columns)
            g_string_append_len(clipped, line, behind - line);
        line = behind;
    }
}

char *screen_clip(const char *text, int columns, int lines) {
    GString *clipped = g_string_new(NULL);
    g_auto(GStrv) all = g_strsplit(text, "\n", -1);
    int count = (int)g_strv_length(all);
    if (count > 0 && *all[count - 1] == '\0')
        count--; /* behind the last line's end */
    int shown = lines > 0 ? MIN(count, lines) : count;
    for (int i = 0; i < shown; i++) {
        add_clipped(clipped, all[i], columns);
        g_string_append_c(clipped, '\n');
    }
    return g_string_free(clipped, FALSE);
}

/* --- the page --- */

/* The other screen, and no cursor that jumps about. */
void screen_open(const Screen *screen) {
    if (screen->is_terminal)
        fputs("\033[?1049h\033[?25l\033[2J", stdout);
}

/* Text gives way to the line that says how to end. */
char *screen_frame(const Screen *screen, const char *text) {
    g_autofree char *clipped = screen_clip(text, screen->columns, MAX(1, screen->lines - 1));
    g_autofree char *page = g_strconcat(clipped, screen->lines > 1 ? "Ctrl-C ends" : "", NULL);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(page), "\n", -1);
    g_autofree char *wiped = g_strjoinv("\033[0m\033[K\r\n", lines);
    return g_strdup_printf("\033[?2026h\033[H%s\033[0m\033[K\033[J\033[?2026l", wiped);
}

/* Written over from the corner, each line wiped behind its end, all at once where the terminal
 * knows how (?2026): clearing it first would flicker. */
void screen_show(const Screen *screen, const char *text) {
    if (!screen->is_terminal) {
        printf("%s\n", text);
        fflush(stdout);
        return;
    }
    g_autofree char *frame = screen_frame(screen, text);
    fputs(frame, stdout);
    fflush(stdout);
}

void screen_close(const Screen *screen, const char *last_text) {
    if (!screen->is_terminal)
        return;
    fputs("\033[?25h\033[?1049l", stdout);
    if (last_text != NULL) {
        g_autofree char *clipped = screen_clip(last_text, screen->columns, 0);
        fputs(clipped, stdout);
    }
    fflush(stdout);
}
