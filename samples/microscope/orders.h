/* orders: what the microscope is told while it images, one command a line.
 *
 *     image WELL [SITE] [focus=UM] [plate=NAME]         image now, before its turn
 *     image_again WELL [SITE] [focus=UM] [plate=NAME]   image once more; what never was, now
 *     skip WELL [SITE] [plate=NAME]                     leave out what is still to come there
 *     continue WELL [SITE] [plate=NAME]                 take a skip back
 *     stop                                              end the run after the file in hand
 *
 * Without SITE all sites of the well are meant, and with `all` as WELL those of the plate. SITE is
 * written as the instrument's names write it; WELL is - where only the site is known: with
 * Micro-Manager, whose sites are positions counted through the plate. focus is added to where
 * autofocus puts the objective, micrometres. With plate, which comes last, an order for a plate
 * that has left the stage is refused. */
#ifndef MICROSCOPE_ORDERS_H
#define MICROSCOPE_ORDERS_H

#include "samples/microscope/naming.h"

typedef enum { ORDER_IMAGE, ORDER_IMAGE_AGAIN, ORDER_SKIP, ORDER_CONTINUE, ORDER_STOP } OrderKind;

#define ALL G_MAXUINT /* sites of a well; wells */

typedef struct {
    OrderKind kind;
    guint well_index; /* in the order of the stage; or ALL, then of all sites */
    guint site;       /* in its well, from 0; or ALL */
    gint32 focus_nm;
} Order;

/* Whom orders are for. */
typedef struct {
    const Plate *plate;
    const Naming *naming;
    const char *plate_name; /* on the stage */
} OrderStage;

/* Understands one line. G_OPTION_ERROR: one line that says what was expected. */
bool order_parse(const char *line, const OrderStage *stage, Order *order, GError **error);

/* --- where orders come from --- */

typedef struct Orders Orders;

/* Reads from fd, which stays the caller's. */
Orders *orders_new(int fd);
void orders_free(Orders *orders); /* accepts NULL */
/* The next line without its end, waiting for one at most so long; NULL if there is none. The caller
 * g_frees. */
char *orders_next(Orders *orders, gint64 wait_ms);
/* Whether no more will come. */
bool orders_ended(const Orders *orders);

#endif
