# SPDX-License-Identifier: MIT
# Between installing and packing: compresses manual pages and adds what a Debian package has in /usr/share/doc.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/pagetrail)
set(source ${CMAKE_CURRENT_LIST_DIR}/../..)
file(GLOB pages ${root}/usr/share/man/man*/*)
file(MAKE_DIRECTORY ${doc})
configure_file(${source}/LICENSE ${doc}/copyright COPYONLY)
if(CPACK_OTHER_LICENCE)
  file(READ ${CPACK_OTHER_LICENCE} other)
  file(APPEND ${doc}/copyright "\n\nOf dygraphs, which pagetrail puts into HTML reports:\n\n${other}")
endif()
configure_file(${source}/CHANGELOG.md ${doc}/NEWS COPYONLY)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH's, where it is set
file(WRITE ${doc}/changelog "pagetrail (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * What changed is in NEWS.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
execute_process(COMMAND gzip -9n ${pages} ${doc}/NEWS ${doc}/changelog COMMAND_ERROR_IS_FATAL ANY)
