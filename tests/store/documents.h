/* documents: results as a worker would send them, for tests and benches. */
#ifndef TESTS_STORE_DOCUMENTS_H
#define TESTS_STORE_DOCUMENTS_H

#include "stream/frame.h"
#include <string.h>

/* The n-th frame of a plate, acquired n seconds into March 2026. frame_free it. */
static inline Frame *documents_frame(int n) {
    Frame *frame = frame_new();
    frame->source = g_strdup("scope");
    frame->path = g_strdup_printf("P1/A01_%d.tif", n);
    frame->size_bytes = 9331200;
    frame->mtime_ns = (G_GINT64_CONSTANT(1772323200) + n) * 1000000000; /* 2026-03-01 */
    frame->plate = g_strdup("P1");
    frame->well = g_strdup("A01");
    frame->channel = g_strdup("DAPI");
    frame->site = n;
    frame->width = frame->height = 2160;
    frame_identify(frame);
    frame->closed_us = frame->acquired_us;
    return frame;
}

/* As the pipeline of the result documents is told. */
#define DOCUMENTS_PIPELINE "{\"name\":\"quality\",\"definition\":\"0123456789abcdef\"}"

/* A result document for any frame; values: JSON. g_free it. */
static inline char *documents_result_of(const Frame *frame, const char *status,
                                        const char *values) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    json_builder_begin_object(builder);
    frame_to_json(frame, builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *frame_text = json_to_string(root, FALSE);
    return g_strdup_printf(
        "{\"kind\":\"result\",\"frame\":%s,\"pipeline\":" DOCUMENTS_PIPELINE ","
        "\"status\":\"%s\",%s\"values\":%s,\"delivery\":\"path\",\"attempt\":1,\"worker\":\"h/1\","
        "\"timing\":{\"offered_at\":\"2026-03-01T00:00:02Z\",\"taken_at\":\"2026-03-01T00:00:03Z\"}"
        "}",
        frame_text, status, g_str_equal(status, "ok") ? "" : "\"reason\":\"because\",", values);
}

static inline char *documents_result(int n, const char *status, const char *values) {
    g_autoptr(Frame) frame = documents_frame(n);
    return documents_result_of(frame, status, values);
}

/* text with each occurrence of one thing replaced by another. g_free it. */
static inline char *documents_replace(const char *text, const char *one, const char *other) {
    GString *copy = g_string_new(text);
    g_string_replace(copy, one, other, 0);
    return g_string_free(copy, FALSE);
}

#endif
