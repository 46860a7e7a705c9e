#!/bin/sh
# Links for macOS with LLVM's linker: takes what CMake gives a compiler that links, and turns it into the linker's own options.
# PVGPU_ZIG has the system's list of symbols and the C++ runtime, which is linked in.
set -eu

arguments=$#
while [ "$arguments" -gt 0 ]; do
  argument=$1
  shift
  arguments=$((arguments - 1))
  case $argument in
    -Wl,*)
      IFS=,
      set -f
      set -- "$@" ${argument#-Wl,}
      set +f
      unset IFS
      ;;
    # The compiler's.
    -O* | -g* | -f* | -D* | -W* | -std=* | -pthread) ;;
    -ldl | -lpthread | -lm) ;; # parts of libSystem
    *) set -- "$@" "$argument" ;;
  esac
done

linker=$(command -v ld64.lld || command -v ld64.lld-19)
exec "$linker" -arch arm64 -platform_version macos 13.0 13.0 -dead_strip "$@" \
  "$PVGPU_ZIG/runtime/libc++.a" "$PVGPU_ZIG/runtime/libc++abi.a" "$PVGPU_ZIG/runtime/libcompiler_rt.a" \
  "$PVGPU_ZIG/lib/libc/darwin/libSystem.13.tbd"
