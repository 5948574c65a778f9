# Two functions make every target of the project, so that warnings, sanitizers and test discovery
# are said once.

add_library(gorila_build_flags INTERFACE)
target_compile_options(gorila_build_flags INTERFACE -Wall -Wextra -Wpedantic)
if(GORILA_WARNINGS_AS_ERRORS)
  target_compile_options(gorila_build_flags INTERFACE -Werror)
endif()
# Nobody reads errno after a square root, and loops with one vectorise only without it: Adam over
# 132,566 parameters took 511 us with errno and 114 us without.
target_compile_options(gorila_build_flags INTERFACE -fno-math-errno)
# Nobody replaces a function of ours at run time, so the compiler may inline it though it is position
# independent.
target_compile_options(gorila_build_flags INTERFACE -fno-semantic-interposition)
target_include_directories(gorila_build_flags INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}/src")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(gorila_build_flags INTERFACE -Wthread-safety -Wthread-safety-beta)
endif()
if(GORILA_SANITIZER STREQUAL "address")
  target_compile_options(gorila_build_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(gorila_build_flags INTERFACE -fsanitize=address,undefined)
elseif(GORILA_SANITIZER STREQUAL "thread")
  # GCC warns that TSan does not model atomic_thread_fence; the standard library uses it.
  target_compile_options(gorila_build_flags INTERFACE
    -fsanitize=thread -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(gorila_build_flags INTERFACE -fsanitize=thread)
elseif(GORILA_SANITIZER)
  message(FATAL_ERROR "GORILA_SANITIZER is '${GORILA_SANITIZER}'; expected '', 'address' or 'thread'")
endif()

# gorila_library(<name> [MERGE] SOURCES a.cc ... [DEPENDS lib ...])  ->  target gorila_<name>
# MERGE: with GORILA_MERGE_SOURCES its sources are compiled 8 at a time, as if they were one file, so
# names in their unnamed namespaces must differ. Not for the libraries that compute (env, network, replay,
# learner): their code must not depend on how it was built.
function(gorila_library name)
  cmake_parse_arguments(arg "MERGE" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(gorila_${name} STATIC ${arg_SOURCES})
  if(arg_MERGE AND GORILA_MERGE_SOURCES)
    set_target_properties(gorila_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # To the compiler each .cc is now an included file, whose unnamed namespaces belong in no class.
    target_compile_options(gorila_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  target_link_libraries(gorila_${name} PUBLIC gorila_build_flags Threads::Threads ${arg_DEPENDS})
endfunction()

# gorila_test(<name> SOURCES a_test.cc ... [DEPENDS lib ...] [LABELS label ...] [READ_TREE a_test.cc ...])
#   ->  test program <name>_test, whose tests carry the CTest labels <name> and LABELS.
# Label `thread`: the tests start threads, so ThreadSanitizer runs them. Label `slow`: too slow for the
# quick selections; every other test gets the label `quick`. The targets tests_quick and tests_thread
# build just the programs with that label. Only the sources in READ_TREE see GORILA_SOURCE_DIR, so that a
# compiler cache can share the objects of all others between checkouts.
if(GORILA_BUILD_TESTS)
  add_custom_target(tests_quick)
  add_custom_target(tests_thread)
endif()

function(gorila_test name)
  if(NOT GORILA_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LABELS;READ_TREE" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE gorila_build_flags ${arg_DEPENDS}
    GTest::gtest GTest::gmock GTest::gtest_main)
  if(arg_READ_TREE)
    set_source_files_properties(${arg_READ_TREE} PROPERTIES
      COMPILE_DEFINITIONS "GORILA_SOURCE_DIR=\"${PROJECT_SOURCE_DIR}\"")
  endif()
  # Listing the tests takes longer than the usual 5 s under a sanitizer on a busy machine.
  gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300)
  gorila_label_tests(${name}_test ${name} ${arg_LABELS})
endfunction()

# Labels the discovered tests of `program`. gtest_discover_tests() cannot: it flattens a list of labels.
function(gorila_label_tests program)
  set(labels ${ARGN})
  if(NOT "slow" IN_LIST labels)
    list(APPEND labels quick)
  endif()
  foreach(label IN ITEMS quick thread)
    if(label IN_LIST labels)
      add_dependencies(tests_${label} ${program})
    endif()
  endforeach()
  set(script "${CMAKE_CURRENT_BINARY_DIR}/${program}_labels.cmake")
  file(WRITE "${script}"
    "foreach(test IN LISTS ${program}_TESTS)\n"
    "  set_tests_properties(\"\${test}\" PROPERTIES LABELS \"${labels}\")\n"
    "endforeach()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${script}")
endfunction()
