# sallyport_library(NAME SOURCES ... [PRIVATE_LINKS ...])        in gateway/, policies/ and lua/
# sallyport_library(NAME SOURCES ... LINKS ... [PRIVATE_LINKS ...])   in tests/
#
# One static library per folder, called sallyport_NAME. What a folder of the program links stands in the table of
# gateway/README.md (layers.cmake); a library of the tests names it itself, as LINKS. PRIVATE_LINKS are outside libraries
# that only this folder sees.
function(sallyport_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(sallyport_${name} STATIC ${arg_SOURCES})
  target_include_directories(sallyport_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  if(folder MATCHES "^tests/")
    foreach(link ${arg_LINKS})
      target_link_libraries(sallyport_${name} PUBLIC sallyport_${link})
    endforeach()
  elseif(arg_LINKS)
    message(FATAL_ERROR "${folder}: what it links is said by its row in gateway/README.md")
  else()
    sallyport_link_layers(sallyport_${name})
    sallyport_use_profile(sallyport_${name})
  endif()
  target_link_libraries(sallyport_${name} PRIVATE ${arg_PRIVATE_LINKS})
  sallyport_reuse_headers(sallyport_${name} sallyport_headers)
endfunction()

# sallyport_test(NAME SOURCES ... LINKS ...)
#
# One GoogleTest program per folder of tests/unit, registered with ctest as one test.
function(sallyport_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  foreach(link ${arg_LINKS})
    target_link_libraries(${name}_test PRIVATE sallyport_${link})
  endforeach()
  target_link_libraries(${name}_test PRIVATE ${arg_PRIVATE_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${name}_test PRIVATE -Wno-gnu-zero-variadic-macro-arguments)
  sallyport_reuse_headers(${name}_test sallyport_test_headers)
  add_test(NAME unit.${name} COMMAND ${name}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT ${SALLYPORT_TEST_TIMEOUT})
endfunction()
