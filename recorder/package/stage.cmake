# SPDX-License-Identifier: MIT
# Between installing and packing: compresses manual pages and adds what a Debian package has in /usr/share/doc.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/pagetrail)
set(source ${CMAKE_CURRENT_LIST_DIR}/../..)
file(GLOB pages ${root}/usr/share/man/man*/*)
file(MAKE_DIRECTORY ${doc})
configure_file(${source}/LICENSE ${doc}/copyright COPYONLY)
configure_file(${source}/CHANGELOG.md ${doc}/changelog COPYONLY)
execute_process(COMMAND gzip -9n ${pages} ${doc}/changelog COMMAND_ERROR_IS_FATAL ANY)
