# Read once CMake has set what it knows of macOS.

# Left out because CMake asks this system for its version of macOS.
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG -Wl,-rpath,)

# LLVM's linker rather than Zig's own, which exports all that is linked into a library.
foreach(language C CXX)
  set(CMAKE_${language}_LINK_EXECUTABLE
    "${CMAKE_CURRENT_LIST_DIR}/link.sh <FLAGS> <LINK_FLAGS> -Wl,-no_exported_symbols <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
  set(CMAKE_${language}_CREATE_SHARED_LIBRARY
    "${CMAKE_CURRENT_LIST_DIR}/link.sh -dylib <LINK_FLAGS> -o <TARGET> <SONAME_FLAG> <TARGET_INSTALLNAME_DIR><TARGET_SONAME> <OBJECTS> <LINK_LIBRARIES>")
endforeach()
