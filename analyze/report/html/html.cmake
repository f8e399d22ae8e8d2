# SPDX-License-Identifier: MIT
# What HTML reports carry with them: page.css, page.js and dygraphs, which draws their charts, embedded in the program by
# embed.cmake. Sets PT_HTML_ASSETS, a source of the analyzer, and PT_HTML_LICENCE, of what is in it that is not ours.
option(PT_CHARTS "put dygraphs into HTML reports: charts to zoom and pan, beside the pictures they have without it" ON)
set(PT_HTML_DIR ${CMAKE_CURRENT_LIST_DIR})
set(PT_HTML_ASSETS ${CMAKE_BINARY_DIR}/html_assets.c)

set(PT_HTML_CHARTS)
set(PT_HTML_LICENCE)
if(PT_CHARTS)
  find_file(PT_DYGRAPHS dygraph.min.js PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH)
  find_file(PT_DYGRAPHS_LICENCE copyright PATHS /usr/share/doc/libjs-dygraphs NO_DEFAULT_PATH)
  if(NOT PT_DYGRAPHS OR NOT PT_DYGRAPHS_LICENCE)
    message(FATAL_ERROR "dygraphs is not here: install libjs-dygraphs (Debian, Ubuntu), or give "
      "-DPT_DYGRAPHS=.../dygraph.min.js -DPT_DYGRAPHS_LICENCE=.../LICENSE.txt, or build without charts in HTML reports: "
      "-DPT_CHARTS=OFF")
  endif()
  set(PT_HTML_CHARTS ${PT_DYGRAPHS})
  set(PT_HTML_LICENCE ${PT_DYGRAPHS_LICENCE})
endif()

set(files ${PT_HTML_DIR}/page.css ${PT_HTML_DIR}/page.js ${PT_HTML_CHARTS} ${PT_HTML_LICENCE})
add_custom_command(OUTPUT ${PT_HTML_ASSETS}
  COMMAND ${CMAKE_COMMAND} -DOUTPUT=${PT_HTML_ASSETS} -DSTYLE=${PT_HTML_DIR}/page.css -DSCRIPT=${PT_HTML_DIR}/page.js
    -DCHARTS=${PT_HTML_CHARTS} -DCHARTS_LICENCE=${PT_HTML_LICENCE} -P ${PT_HTML_DIR}/embed.cmake
  DEPENDS ${files} ${PT_HTML_DIR}/embed.cmake
  COMMENT "embedding what HTML reports carry"
  VERBATIM)
