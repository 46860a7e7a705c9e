# Built of Debian's source package, beside what it tests.
set(INSTALL_GTEST OFF)

add_subdirectory(/usr/src/googletest ${CMAKE_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
