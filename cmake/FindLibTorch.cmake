# Finds libtorch and makes the target LibTorch::torch. Its own CMake files are not used: they stop the
# configuration where something is missing that it was built with (gflags, the CUDA toolkit), and
# bring targets of the names that the project's other packages have.
#
# Below CMAKE_PREFIX_PATH it is found in pytorch.org's layout: include/ and lib/.
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h)
find_path(LibTorch_API_INCLUDE_DIR torch/version.h PATH_SUFFIXES torch/csrc/api/include)
foreach(library IN ITEMS torch torch_cpu c10)
  find_library(LibTorch_${library}_LIBRARY ${library})
endforeach()
# Only builds for CUDA have it; it must be loaded though nothing refers to it.
find_library(LibTorch_torch_cuda_LIBRARY torch_cuda)

if(LibTorch_API_INCLUDE_DIR)
  file(STRINGS "${LibTorch_API_INCLUDE_DIR}/torch/version.h" lines REGEX "VERSION_(MAJOR|MINOR) ")
  string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
  string(REPLACE ";" "." LibTorch_VERSION "${numbers}")
endif()

# A build with another std::string (pytorch.org's older "pre-cxx11 ABI") cannot be linked, and clang 14
# cannot read the headers of libtorch 1.13 as C++20.
if(LibTorch_INCLUDE_DIR AND LibTorch_c10_LIBRARY)
  include(CheckCXXSourceCompiles)
  include(CMakePushCheckState)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_INCLUDES "${LibTorch_INCLUDE_DIR}")
  set(CMAKE_REQUIRED_LIBRARIES "${LibTorch_torch_cpu_LIBRARY}" "${LibTorch_c10_LIBRARY}")
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_source_compiles(
    "#include <ATen/ATen.h>\nint main(int, char** v) { return c10::Device(std::string(*v)).index(); }"
    LibTorch_USABLE)
  cmake_pop_check_state()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_LIBRARY LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY
    LibTorch_INCLUDE_DIR LibTorch_API_INCLUDE_DIR LibTorch_USABLE
  VERSION_VAR LibTorch_VERSION)

if(LibTorch_FOUND AND NOT TARGET LibTorch::torch)
  add_library(LibTorch::torch INTERFACE IMPORTED)
  target_include_directories(LibTorch::torch SYSTEM INTERFACE
    "${LibTorch_API_INCLUDE_DIR}" "${LibTorch_INCLUDE_DIR}")
  set(libraries "${LibTorch_torch_cpu_LIBRARY}" "${LibTorch_c10_LIBRARY}")
  if(LibTorch_torch_cuda_LIBRARY)
    list(PREPEND libraries -Wl,--no-as-needed "${LibTorch_torch_cuda_LIBRARY}" -Wl,--as-needed)
  endif()
  target_link_libraries(LibTorch::torch INTERFACE ${libraries})
endif()
