# cmake --install, and the packages that cpack makes of the same files. The program needs nothing of
# them but the torch module: presets and the dashboard's page are compiled in. What other programs use
# is GorilaLibraryInstall.cmake's.
include(GNUInstallDirs)
set(GORILA_MODULE_FOLDER lib/gorila)  # relative to the prefix; torch_loader.cc looks there
set(share "${CMAKE_INSTALL_DATADIR}")

install(TARGETS gorila RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
if(TARGET gorila_torch)
  # Built on demand (only where the program is); RPATH stays what the linker found.
  install(TARGETS gorila_torch LIBRARY DESTINATION "${GORILA_MODULE_FOLDER}")
endif()
install(DIRECTORY configs data DESTINATION "${share}/gorila")
# The hosts of environments that are not ours; FindInstalledFile() looks there.
install(DIRECTORY python/worker/ DESTINATION "${share}/gorila" FILES_MATCHING PATTERN "*.py")
install(TARGETS gorila_plugin_worker RUNTIME DESTINATION libexec/gorila)
install(FILES README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(DIRECTORY docs examples DESTINATION "${CMAKE_INSTALL_DOCDIR}")

# Completions and man pages, written by the program when it is installed: never of another version.
install(CODE "
  set(program \"$<TARGET_FILE:gorila>\")
  set(folder \"${PROJECT_BINARY_DIR}/installed_text\")
  file(REMOVE_RECURSE \"\${folder}\")
  file(MAKE_DIRECTORY \"\${folder}\")
  execute_process(COMMAND \"\${program}\" manual \"\${folder}/man1\" COMMAND_ERROR_IS_FATAL ANY)
  foreach(shell IN ITEMS bash zsh fish)
    execute_process(COMMAND \"\${program}\" completions \${shell}
      OUTPUT_FILE \"\${folder}/\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")
set(text "${PROJECT_BINARY_DIR}/installed_text")
install(DIRECTORY "${text}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}")
install(FILES "${text}/bash" DESTINATION "${share}/bash-completion/completions" RENAME gorila)
install(FILES "${text}/zsh" DESTINATION "${share}/zsh/vendor-completions" RENAME _gorila)
install(FILES "${text}/fish" DESTINATION "${share}/fish/vendor_completions.d" RENAME gorila.fish)

include(GorilaLibraryInstall)

set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PACKAGE_NAME gorila)
set(CPACK_PACKAGE_VENDOR "The Gorila authors")
set(CPACK_PACKAGE_CONTACT "The Gorila authors <maintainers@users.noreply.r-seed-edee06a1.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Distributed deep reinforcement learning")
set(CPACK_PACKAGE_DESCRIPTION
  "Deep Q-learning with many actors and learners around a sharded parameter
 server, in one process, on one machine or on a cluster.")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# dpkg-shlibdeps names the packages of the libraries. By hand: a typeface for pictures, and
# fontconfig, which lists the fonts when it is installed, not at the program's first picture.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "fonts-dejavu-core, fontconfig")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, python3-numpy")
# Its scripts let the loader know of libgorila.so.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
