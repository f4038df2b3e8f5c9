#include "samples/microscope/ome.h"

/* Order XYCZT: the channel of page N changes fastest, as the pages are taken. */
char *ome_text(const Options *options, const char *name) {
    const Plate *plate = &options->plate;
    char size[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(size, sizeof size, "%.6g", options->pixel_size_um);
    g_autofree char *image = g_markup_printf_escaped(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">"
        "<Image ID=\"Image:0\" Name=\"%s\"><Pixels ID=\"Pixels:0\" DimensionOrder=\"XYCZT\" "
        "Type=\"uint%d\" SizeX=\"%u\" SizeY=\"%u\" SizeC=\"%u\" SizeZ=\"%u\" SizeT=\"%u\" "
        "PhysicalSizeX=\"%s\" PhysicalSizeY=\"%s\">",
        name, options->bits, options->width, options->height, plate->channels, plate->zs, plate->ts,
        size, size);
    GString *text = g_string_new(image);
    for (guint i = 0; i < plate->channels; i++) {
        g_autofree char *channel =
            g_markup_printf_escaped("<Channel ID=\"Channel:0:%u\" Name=\"%s\" "
                                    "SamplesPerPixel=\"1\"/>",
                                    i, options->channels[i]);
        g_string_append(text, channel);
    }
    g_string_append_printf(text, "<TiffData IFD=\"0\" PlaneCount=\"%u\"/></Pixels></Image></OME>",
                           plate_pages(plate));
    return g_string_free(text, false);
}
