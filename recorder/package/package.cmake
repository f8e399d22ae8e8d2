# SPDX-License-Identifier: MIT
# What is installed beside the programs, the static recorder, and the Debian package (cpack -G DEB).

install(FILES recorder/pagetraild.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES recorder/pagetraild.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES analyze/pagetrail.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES recorder/pagetraild.service DESTINATION lib/systemd/system)
install(FILES recorder/pagetraild.sysusers DESTINATION lib/sysusers.d RENAME pagetrail.conf)
install(FILES recorder/pagetraild.tmpfiles DESTINATION lib/tmpfiles.d RENAME pagetrail.conf)
install(FILES recorder/pagetraild.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pagetraild)
install(FILES analyze/pagetrail.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pagetrail)
# To /etc, where it is looked for, unless this is somebody's own folder; never over what somebody wrote there.
install(CODE "
  if(\"\${CMAKE_INSTALL_PREFIX}\" MATCHES \"^/usr\" AND NOT EXISTS \"\$ENV{DESTDIR}/etc/pagetrail/pagetraild.conf\")
    file(INSTALL DESTINATION /etc/pagetrail TYPE FILE FILES \"${CMAKE_SOURCE_DIR}/recorder/pagetraild.conf\")
  endif()")

# For hosts with older libraries, or none: needs the static libraries of libc, SQLite and zstd to build.
add_executable(pagetraild-static EXCLUDE_FROM_ALL recorder/main.c)
add_dependencies(pagetraild-static pt_recorder pt_schema)
target_link_options(pagetraild-static PRIVATE -static)
target_link_libraries(pagetraild-static PRIVATE pt_flags $<TARGET_FILE:pt_recorder> $<TARGET_FILE:pt_schema>
  ${SQLITE_STATIC_LDFLAGS} ${ZSTD_STATIC_LDFLAGS})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pagetrail)
set(CPACK_PACKAGE_CONTACT "Pagetrail maintainers <maintainers@pagetrail.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "flight recorder for Linux memory")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "pagetraild records what the kernel tells of memory, of every process and
cgroup, exactly and in a few hundred bytes a snapshot. pagetrail reads the
recording later, on any machine: who grew and in which mapping, where every
megabyte went, and what any file of /proc said at any instant.")
set(CPACK_SET_DESTDIR ON) # for what goes to /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/recorder/package/stage.cmake)
set(CPACK_OTHER_LICENCE ${PT_HTML_LICENCE})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54), adduser")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, sqlite3")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/recorder/package/conffiles ${CMAKE_SOURCE_DIR}/recorder/package/postinst
  ${CMAKE_SOURCE_DIR}/recorder/package/prerm ${CMAKE_SOURCE_DIR}/recorder/package/postrm)
include(CPack)
