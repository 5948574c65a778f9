# For other programs: libgorila.so and its header, the header of environments of their own, CMake's files
# for both, and the Python package. No target of ours but these two is exported, so that neither our
# warnings nor our static libraries reach users.
include(CMakePackageConfigHelpers)
set(headers "${PROJECT_SOURCE_DIR}/src/gorila")
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/gorila")

# <gorila_env.h> alone.
add_library(gorila_env_api INTERFACE)
add_library(gorila::env_api ALIAS gorila_env_api)
set_target_properties(gorila_env_api PROPERTIES EXPORT_NAME env_api)
target_include_directories(gorila_env_api INTERFACE
  "$<BUILD_INTERFACE:${headers}/env/plugin>" $<INSTALL_INTERFACE:include>)

install(TARGETS gorila_shared gorila_env_api EXPORT gorila
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${headers}/library/gorila.h" "${headers}/env/plugin/gorila_env.h" DESTINATION include)
install(EXPORT gorila NAMESPACE gorila:: FILE gorila-targets.cmake DESTINATION "${package}")
set(config "${PROJECT_BINARY_DIR}/gorila-config.cmake")
file(WRITE "${config}" "include(\"\${CMAKE_CURRENT_LIST_DIR}/gorila-targets.cmake\")\n")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/gorila-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${config}" "${PROJECT_BINARY_DIR}/gorila-config-version.cmake"
  DESTINATION "${package}")

# Where Debian's Python finds it below /usr; elsewhere PYTHONPATH names the folder.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/python/gorila" DESTINATION lib/python3/dist-packages
  FILES_MATCHING PATTERN "*.py" PATTERN __pycache__ EXCLUDE)
