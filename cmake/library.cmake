# sallyport_library(NAME SOURCES ... LINKS ... [PRIVATE_LINKS ...])
#
# One static library per folder, called sallyport_NAME. LINKS are the folders it may include (tests/layers_test.py holds
# the same table against the #include lines); PRIVATE_LINKS are outside libraries that only this folder sees.
function(sallyport_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(sallyport_${name} STATIC ${arg_SOURCES})
  target_include_directories(sallyport_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  foreach(link ${arg_LINKS})
    target_link_libraries(sallyport_${name} PUBLIC sallyport_${link})
  endforeach()
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
