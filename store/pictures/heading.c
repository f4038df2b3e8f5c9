#include "store/pictures/heading.h"

void heading_draw(Canvas *canvas, double page_width, const char *title, const char *subtitle,
                  const char *remark) {
    static const Colour ink = {30, 30, 30}, faint = {110, 110, 110};
    const struct {
        const char *text;
        double top, height;
        TextStyle style;
    } lines[] = {
        {title, -8, 36, {26, true, TEXT_LEFT, ink}},
        {subtitle, 28, 24, {16, false, TEXT_LEFT, ink}},
        {remark, 52, 22, {13, false, TEXT_LEFT, faint}},
    };
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        canvas_text(canvas,
                    (Box){PAGE_MARGIN, PAGE_MARGIN + lines[i].top, page_width - 2 * PAGE_MARGIN,
                          lines[i].height},
                    &lines[i].style, lines[i].text);
}
