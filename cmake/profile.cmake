# Release builds are laid out by a profile: which branches are taken, what is called from where, what is hardly ever run. It
# is worth some tenth of the CPU time of a mail. `./dev profile` makes it anew, from the loads of `./dev bench`.
#
# The profile goes by functions. One that has changed since is compiled as if there were none, so an old profile costs a
# little speed and nothing else: make a new one before a release, or when a bench shows it.
set(sallyport_profile cmake/release.profdata)
option(SALLYPORT_MAKE_PROFILE "build the program that counts what it does, into ${CMAKE_BINARY_DIR}/counts" OFF)

set(sallyport_profile_options)
if(SALLYPORT_MAKE_PROFILE)
  set(sallyport_profile_options -fprofile-generate=${CMAKE_BINARY_DIR}/counts)
  add_link_options(-fprofile-generate=${CMAKE_BINARY_DIR}/counts)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang"
       AND EXISTS ${PROJECT_SOURCE_DIR}/${sallyport_profile})
  # By its path from the build's folder, where the compiler is started: so ccache knows it again in any checkout.
  file(RELATIVE_PATH path ${CMAKE_BINARY_DIR} ${PROJECT_SOURCE_DIR}/${sallyport_profile})
  set(sallyport_profile_options -fprofile-use=${path} -Wno-profile-instr-unprofiled -Wno-profile-instr-out-of-date
      -Wno-backend-plugin)
endif()

# For what is part of the program.
function(sallyport_use_profile target)
  if(NOT sallyport_profile_options)
    return()
  endif()
  target_compile_options(${target} PRIVATE ${sallyport_profile_options})
  if(NOT SALLYPORT_MAKE_PROFILE)
    get_target_property(sources ${target} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${PROJECT_SOURCE_DIR}/${sallyport_profile})
  endif()
endfunction()
