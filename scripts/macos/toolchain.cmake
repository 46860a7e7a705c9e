# Cross-compiles for Apple Silicon Macs, macOS 13 and later, with the Zig toolchain that ./dev fetches (scripts/dev/roots.sh): its
# clang, its libc++ (linked in), and the headers and symbol lists of macOS that come with it. PVGPU_ZIG is where it is.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_VERSION 22.0)  # of macOS 13
set(CMAKE_SYSTEM_PROCESSOR arm64)

set(zig $ENV{PVGPU_ZIG})
if(NOT EXISTS "${zig}/bin/clang++")
  message(FATAL_ERROR "the Zig toolchain is not in PVGPU_ZIG (${zig}); ./dev build macos fetches it")
endif()
set(CMAKE_C_COMPILER ${zig}/bin/clang)
set(CMAKE_CXX_COMPILER ${zig}/bin/clang++)
set(CMAKE_AR ${zig}/bin/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${zig}/bin/ranlib CACHE FILEPATH "")
set(CMAKE_INSTALL_NAME_TOOL /bin/false CACHE FILEPATH "Nothing is installed from here")
set(CMAKE_OSX_SYSROOT "" CACHE STRING "Zig has its own")
set(CMAKE_OSX_DEPLOYMENT_TARGET "" CACHE STRING "Part of the compiler's target")
set(CMAKE_BUILD_WITH_INSTALL_NAME_DIR ON)
set(CMAKE_INSTALL_NAME_DIR @rpath)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)  # so that what was built can be taken to a Mac
set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_LIST_DIR}/rules.cmake)  # how it links
set(CMAKE_INSTALL_LIBDIR lib)

# Of the build system, only programs, and libraries that are headers alone: packages/ finds these, by links in a folder that has
# nothing else in it.
set(PVGPU_HEADERS ${CMAKE_BINARY_DIR}/headers)
foreach(name fmt CLI nlohmann vulkan vk_video)
  if(EXISTS /usr/include/${name} AND NOT EXISTS ${PVGPU_HEADERS}/${name})
    file(MAKE_DIRECTORY ${PVGPU_HEADERS})
    file(CREATE_LINK /usr/include/${name} ${PVGPU_HEADERS}/${name} SYMBOLIC)
  endif()
endforeach()
set(PVGPU_VULKAN_INCLUDE ${PVGPU_HEADERS} CACHE PATH "")
set(CMAKE_PREFIX_PATH ${CMAKE_CURRENT_LIST_DIR}/packages)
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF)
