/* result: what a worker tells of a frame, and of what it can measure, as the documents of
 * docs/wire.md. */
#ifndef FEATURES_RESULT_H
#define FEATURES_RESULT_H

#include "features/pipeline.h"
#include "features/thumbnail.h"
#include "stream/descriptor.h"

typedef enum {
    RESULT_OK,
    RESULT_BROKEN,   /* the bytes are no readable image */
    RESULT_VANISHED, /* the file was gone or changed before it was measured */
    RESULT_POISON,   /* it ended worker processes */
} ResultStatus;

/* "ok", "broken", "vanished", "poison". Static. */
const char *result_status_text(ResultStatus status);

/* All pointers are borrowed. */
typedef struct {
    const Descriptor *descriptor; /* gives frame, attempt and offered_at */
    const Pipeline *pipeline;
    ResultStatus status;
    const char *reason;             /* when the status is not ok */
    const Measurement *measurement; /* by the pipeline; NULL: none was made */
    const Thumbnail *thumbnail;     /* or NULL */
    const char *delivery;           /* the way the bytes came; NULL: they did not */
    const char *worker;             /* "<host>/<pid>" */
    gint64 taken_us, received_us, decoded_us, measured_us; /* since 1970; 0: never reached */
} Result;

/* The result document, JSON on one line, ending with NUL; ret_length without it, may be NULL.
 * g_free it. */
char *result_to_json(const Result *result, gsize *ret_length);
/* What Nats-Msg-Id says of it. g_free it. */
char *result_message_id(const Result *result);

/* Adds the members "values" and "nulls" of docs/wire.md to the object builder stands in; for NULL
 * an empty object of values. */
void result_values_to_json(const Pipeline *pipeline, const Measurement *measurement,
                           JsonBuilder *builder);

/* The event that tells of a message that is no descriptor, for reason. g_free it. */
char *result_unreadable(const char *source, const char *reason, gsize *ret_length);

/* A catalogue document of a pipeline: of the numbers its measures give those from column first on,
 * at most count of them. g_free it. */
char *result_catalogue(const Pipeline *pipeline, guint first, guint count, gsize *ret_length);

#endif
