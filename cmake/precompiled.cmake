# Precompiled headers: parsing the standard library, and GoogleTest above it, was half of the time of a build.
#
# They hold only what comes from outside and what nearly every file includes anyway, so that a change of ours recompiles
# no more than before. Every file still names what it uses: the build with -DSALLYPORT_PRECOMPILED=OFF has none of them.
option(SALLYPORT_PRECOMPILED "precompile the headers that come from outside" ON)

set(sallyport_standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <coroutine> <cstdint> <exception> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <tuple> <utility> <variant> <vector>)

string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)

# A library that compiles one empty file with the headers given; sallyport_reuse_headers() lends them to others.
function(sallyport_precompile name)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE Threads::Threads)
  # Without the time stamp in it the file is the same after each compilation, and ccache finds what was compiled with it.
  target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp" -Wno-gnu-zero-variadic-macro-arguments)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  sallyport_name_content(${name} ${ARGN})
endfunction()

# A precompiled header holds the path of its folder, so to ccache no two checkouts have the same one. ./dev has ccache go
# by this checksum instead (CCACHE_PCH_EXTSUM): of what the headers and the compiler's macros come to.
function(sallyport_name_content name)
  list(TRANSFORM ARGN PREPEND "#include " OUTPUT_VARIABLE lines)
  list(JOIN lines "\n" text)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.headers.cpp)
  file(WRITE ${source} "${text}\n")
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${build_type}}")
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(definitions COMPILE_DEFINITIONS)
  list(TRANSFORM definitions PREPEND -D)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 ${flags} ${options} ${definitions} -E -dD -P ${source}
                  OUTPUT_VARIABLE content RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed)
    string(SHA256 sum "${content}")
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum "${sum}\n")
  endif()
endfunction()

function(sallyport_reuse_headers target from)
  if(SALLYPORT_PRECOMPILED)
    # By its path from the build's folder, where the compiler is started, and not with target_precompile_headers(): what
    # that writes names this checkout in a form that ccache does not see through.
    set(header CMakeFiles/${from}.dir/cmake_pch.hxx.pch)
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -include-pch -Xclang ${header}" -Winvalid-pch)
    get_target_property(sources ${target} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/${header})
  endif()
endfunction()

if(SALLYPORT_PRECOMPILED)
  sallyport_precompile(sallyport_headers ${sallyport_standard_headers})
  sallyport_precompile(sallyport_test_headers ${sallyport_standard_headers} <gtest/gtest.h> <gmock/gmock.h>)
  target_link_libraries(sallyport_test_headers PRIVATE GTest::gtest GTest::gmock)
  # For programs, as the tests are; the compiler takes no precompiled header made for a library there.
  set_target_properties(sallyport_test_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(sallyport_test_headers PRIVATE -fPIE)
endif()
