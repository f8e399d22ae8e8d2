/* SPDX-License-Identifier: MIT
 * What is put into every HTML report, made by embed.cmake when the program is built: the style
 * sheet and the scripts, each with what a Content-Security-Policy calls it. Sizes in bytes. */
#ifndef PT_ANALYZE_REPORT_HTML_ASSETS_H
#define PT_ANALYZE_REPORT_HTML_ASSETS_H

#include <stddef.h>

struct pt_asset {
    const unsigned char *data;
    size_t size;      /* 0: built without it */
    const char *hash; /* "sha256-..." */
};
extern const struct pt_asset pt_asset_style, pt_asset_script;
/* The library that draws charts, and its licence. */
extern const struct pt_asset pt_asset_charts, pt_asset_charts_licence;

#endif
