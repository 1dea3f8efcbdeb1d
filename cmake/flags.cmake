# Flags of every target. Warnings are errors: what we let pass today is noise that hides tomorrow's.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
                    -Werror -fno-strict-aliasing)
add_compile_definitions(_GNU_SOURCE)
# The same everywhere, or a precompiled header of one target is none for another.
add_compile_options(-pthread)
add_link_options(-fuse-ld=lld-16)

# threats.md V6. _FORTIFY_SOURCE needs optimisation, so debug builds go without.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
  add_compile_options(-g1 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS -fstack-protector-strong
                      -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections)
else()
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

# Seconds that one test may take.
set(SALLYPORT_TEST_TIMEOUT 300)
if(SALLYPORT_SANITIZE)
  set(SALLYPORT_TEST_TIMEOUT 3000)
  add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
endif()
if(SALLYPORT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(SALLYPORT_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
