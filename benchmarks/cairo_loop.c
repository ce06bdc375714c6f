/* The style `google` by libcairo: what tests/helpers/cairo_reference.py does, over records, on one surface. */

#include <cairo.h>
#include <stdint.h>

#define HEAD 17 /* bytes of a record before its strokes */

static int number(const uint8_t *at) { return at[0] | at[1] << 8; }

/* Draw `count` records, one after the other, as images of (size, size). Returns cairo's status, 0 for success. */
int draw(const uint8_t *record, long count, int size, uint8_t *images)
{
    const double width = 16, padding = 16, field = 256 + 2 * padding + width, offset = (2 * padding + width) / 2;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, size, size);
    const uint32_t *pixels = (const uint32_t *)cairo_image_surface_get_data(surface);
    const int row = cairo_image_surface_get_stride(surface) / 4;
    cairo_t *context = cairo_create(surface);
    cairo_set_antialias(context, CAIRO_ANTIALIAS_BEST);
    cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(context, width);
    cairo_scale(context, size / field, size / field);
    cairo_translate(context, offset, offset);

    for (; count > 0; count--, images += size * size) {
        const int strokes = number(record + HEAD - 2);
        const uint8_t *stroke = record + HEAD;
        int right = 0, bottom = 0;
        for (int s = 0; s < strokes; s++) {
            const int n = number(stroke);
            const uint8_t *x = stroke + 2, *y = x + n;
            for (int i = 0; i < n; i++) {
                if (x[i] > right) right = x[i];
                if (y[i] > bottom) bottom = y[i];
            }
            stroke = y + n;
        }
        const double left = (256 - right) / 2.0, top = (256 - bottom) / 2.0;
        cairo_set_source_rgb(context, 0, 0, 0);
        cairo_paint(context);
        cairo_set_source_rgb(context, 1, 1, 1);
        stroke = record + HEAD;
        for (int s = 0; s < strokes; s++) {
            const int n = number(stroke);
            const uint8_t *x = stroke + 2, *y = x + n;
            if (n > 0) {
                cairo_move_to(context, x[0] + left, y[0] + top);
                for (int i = 0; i < n; i++)
                    cairo_line_to(context, x[i] + left, y[i] + top);
                cairo_stroke(context);
            }
            stroke = y + n;
        }
        record = stroke;
        cairo_surface_flush(surface);
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++)
                images[y * size + x] = pixels[y * row + x] & 255;
    }
    const int status = cairo_status(context);
    cairo_destroy(context);
    cairo_surface_destroy(surface);
    return status;
}
