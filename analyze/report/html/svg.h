/* SPDX-License-Identifier: MIT
 * Small pictures as inline SVG, readable without scripts: they are as wide as their place, their
 * colours come from the style sheet, their captions stand beside them as text. */
#ifndef PT_ANALYZE_REPORT_HTML_SVG_H
#define PT_ANALYZE_REPORT_HTML_SVG_H

#include "analyze/report/html/put.h"

enum pt_svg_size {
    PT_SVG_INLINE, /* in a cell of a table */
    PT_SVG_FIGURE
};

/* Numbers at equal distances, holes where null, from the least to the greatest. Nothing when there
 * are fewer than two. */
void pt_svg_shape(const struct pt_html *h, const json_t *values, enum pt_svg_size size);
/* The layers of {seconds, layers} upon each other, the last at the bottom, and the marks of the
 * axis. A layer is of class layer-NAME. */
void pt_svg_stack(const struct pt_html *h, const json_t *memory, const json_t *marks);
/* One line, between the least and the most around each point. */
void pt_svg_line(const struct pt_html *h, const json_t *seconds, const json_t *line,
                 const json_t *marks);

#endif
