# Precompiled headers: parsing the standard library, and GoogleTest above it, was half of the time of a build.
#
# They hold only what comes from outside and what nearly every file includes anyway, so that a change of ours recompiles
# no more than before. Every file still names what it uses: the build with -DSALLYPORT_PRECOMPILED=OFF has none of them.
option(SALLYPORT_PRECOMPILED "precompile the headers that come from outside" ON)

set(sallyport_standard_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <coroutine> <cstdint> <exception> <functional> <map> <memory> <mutex>
  <optional> <set> <span> <string> <string_view> <tuple> <utility> <variant> <vector>)

# A library that compiles one empty file with the headers given; sallyport_reuse_headers() lends them to others.
function(sallyport_precompile name)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE Threads::Threads)
  # Without the time stamp in it the file is the same after each compilation, and ccache finds what was compiled with it.
  target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp" -Wno-gnu-zero-variadic-macro-arguments)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

function(sallyport_reuse_headers target from)
  if(SALLYPORT_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${from})
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
