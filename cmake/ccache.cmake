# Compiles through ccache where it is installed. The precompiled headers and the time stamps in them need the two
# sloppiness flags; ./dev sets them in the environment.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
