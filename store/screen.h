/* screen: standard output as a page for people: how wide it is, which colours it has, and how it is
 * written over without flicker. */
#ifndef STORE_SCREEN_H
#define STORE_SCREEN_H

#include <glib.h>
#include <stdbool.h>

typedef enum { COLOURS_NONE, COLOURS_256, COLOURS_TRUE } ScreenColours;

typedef struct {
    bool is_terminal;
    bool has_unicode; /* else plain ASCII: without colours too */
    ScreenColours colours;
    int columns; /* 80, or $COLUMNS, where it is no terminal */
    int lines;   /* 0: as many as there are to write */
} Screen;

/* As it is now: people change the size of their windows. */
Screen screen_look(void);

/* By what the environment says, each NULL if it says nothing: NO_COLOR counts first. Nothing but a
 * terminal gets colours. */
ScreenColours screen_colours(bool is_terminal, const char *no_color, const char *colorterm,
                             const char *term);

/* A name of somebody else's, of which a terminal shows the letters and does nothing else: no
 * control characters, nor such as turn the writing's direction. g_free it. */
char *screen_plain(const char *text);

/* How many columns text fills, escape sequences not counted. */
int screen_width(const char *text);
/* The first lines of text, each no wider than columns: what is too long is cut. lines 0: all of
 * them. g_free it. */
char *screen_clip(const char *text, int columns, int lines);

/* A page that is shown again and again: in a terminal over the last one, and what stood there
 * before comes back when it ends, with the last page below it. Elsewhere one page after the other.
 */
void screen_open(const Screen *screen);
/* What screen_show writes to a terminal: text, and below it how to end. g_free it. */
char *screen_frame(const Screen *screen, const char *text);
void screen_show(const Screen *screen, const char *text);
void screen_close(const Screen *screen, const char *last_text);

#endif
