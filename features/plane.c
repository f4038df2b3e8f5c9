#include "features/plane.h"

Plane *plane_new(PlaneType type, guint32 width, guint32 height, const void *pixels,
                 GBytes *keeper) {
    Plane *plane = g_new0(Plane, 1);
    *plane = (Plane){.type = type,
                     .width = width,
                     .height = height,
                     .pixels = pixels,
                     .keeper = keeper,
                     .scale = 1};
    return plane;
}

void plane_free(Plane *plane) {
    if (plane == NULL)
        return;
    g_clear_pointer(&plane->keeper, g_bytes_unref);
    g_free(plane);
}

gsize plane_type_bytes(PlaneType type) {
    static const gsize bytes[] = {
        [PLANE_U8] = 1, [PLANE_U16] = 2, [PLANE_F32] = 4, [PLANE_F64] = 8};
    return bytes[type];
}
