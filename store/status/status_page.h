/* status_page: status --watch as a page one leaves open: bars of where frames are, how fast they
 * were stored in the last minutes, open alerts, the plates under way. */
#ifndef STORE_STATUS_PAGE_H
#define STORE_STATUS_PAGE_H

#include "store/screen.h"
#include "store/status/figures.h"

#define STATUS_RATES       60 /* that are kept */
#define STATUS_RATE_EACH_S 5

typedef struct {
    char *severity, *at, *title;
    bool is_acknowledged;
} StatusAlert;

typedef struct {
    char *name;
    gint64 frames, failed, channels;
    double ago_s; /* since its newest frame was imaged */
} StatusPlate;

typedef struct {
    gint64 rates_until_s;       /* since 1970, of the database's clock; 0: nothing known yet */
    double rates[STATUS_RATES]; /* frames per second, the newest last; NaN: not known */
    gint64 alerts_open;         /* or FIGURE_UNKNOWN */
    GPtrArray *alerts;          /* of StatusAlert: the worst */
    GPtrArray *plates;          /* of StatusPlate: the newest */
} StatusPage;

StatusPage *status_page_new(void);
void status_page_free(StatusPage *page); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StatusPage, status_page_free)

/* Asks the database what has become new since the last time. What it cannot tell now is unknown. */
void status_page_ask(StatusPage *page, Postgres *postgres);
/* A rate of the time that ends at until_s, in order; what lies between is not known. */
void status_page_add_rate(StatusPage *page, gint64 until_s, double rate);

/* Lines ending with \n, none wider than the screen. g_free it. */
char *status_page_text(const StatusPage *page, const Figures *figures, const Screen *screen);

#endif
