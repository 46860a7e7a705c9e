# Enters the roots. Everything that mounts or changes root runs in mount and process namespaces of its own, so that when it
# ends, however it ends, its mounts and its processes are gone with it. Sourced, never run.

check_namespaces() {
  command -v unshare >/dev/null || die "unshare is missing." "Install util-linux."
  local reason
  reason=$(unshare --mount --pid --fork --propagation private mount -t proc proc /proc 2>&1) ||
    die "this system does not let us make namespaces: ${reason:-unshare failed}." \
      "In a container, start it with --privileged (or with CAP_SYS_ADMIN and mounts allowed)."
}

# in_namespace FUNCTION ARGUMENTS...: calls this script's FUNCTION as the first process of new namespaces.
in_namespace() {
  local child status=0
  # A background process of a script would inherit an ignored SIGINT and pass it on to everything it starts.
  env --default-signal=INT,QUIT unshare --mount --pid --fork --kill-child --propagation private \
    bash "$CHECKOUT/dev" __inside "$@" </dev/null &
  child=$!
  trap 'stop_namespace $child 130' INT
  trap 'stop_namespace $child 143' TERM HUP
  wait "$child" || status=$?
  trap - INT TERM HUP
  return "$status"
}

# The same, with the terminal as it is: for an interactive shell.
in_namespace_interactive() {
  unshare --mount --pid --fork --kill-child --propagation private bash "$CHECKOUT/dev" __inside "$@"
}

# stop_namespace UNSHARE_PID STATUS: asks the namespace's first process to end, which ends the others (see inside).
stop_namespace() {
  trap '' INT TERM HUP
  local init=''
  read -r init _ <"/proc/$1/task/$1/children" 2>/dev/null || true
  if [ -n "$init" ]; then kill -TERM "$init" 2>/dev/null; else kill -KILL "$1" 2>/dev/null; fi
  wait "$1" 2>/dev/null
  exit "$2"
}

# inside FUNCTION ARGUMENTS...: what the first process of the namespaces does.
inside() {
  mount -t proc proc /proc || die "cannot mount /proc in a process namespace." "In a container, start it with --privileged."
  if [ "$1" = shell_in_build_root ]; then
    "$@"
    return
  fi
  trap end_namespace TERM INT HUP
  "$@" &
  wait $!
}

# A namespace's first process ends the others: first politely, so that compilers remove half-written files.
end_namespace() {
  trap '' TERM INT HUP
  kill -TERM -1 2>/dev/null
  local tries=0
  while kill -0 -1 2>/dev/null && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  exit 143   # Whatever is left dies with the namespace.
}

# mount_system ROOT: the kernel's file systems and an empty /tmp, as a running system has them.
mount_system() {
  mount -t proc proc "$1/proc" &&
    mount --rbind /sys "$1/sys" &&
    mount --rbind /dev "$1/dev" &&
    mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm" &&
    mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
}

# in_root ROOT COMMAND...: with a clean environment; ROOT / is the system itself.
in_root() {
  local root=$1 name keep=()
  shift
  for name in $(compgen -e); do
    case $name in
      PVGPU | PVGPU_* | CTEST_* | NINJA_STATUS | CMAKE_BUILD_PARALLEL_LEVEL | CI | TERM | http_proxy | https_proxy | no_proxy)
        keep+=("$name=${!name}") ;;
    esac
  done
  env -i --default-signal=INT,QUIT PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive CCACHE_DIR="${CCACHE_INSIDE:-/var/cache/ccache}" \
    CCACHE_BASEDIR="$CHECKOUT" CCACHE_NOHASHDIR=1 "${keep[@]}" \
    chroot "$root" "$@"
}

# mount_roots: sets BUILD (the root in which to build and test) and PVGPU_GUESTS (the folder of the guests' roots, as seen from
# there). All of them share /tmp, so that a server's socket in it is reachable from each.
mount_roots() {
  local guest root
  if system_can_build; then
    BUILD=/
    CCACHE_INSIDE=$CACHE/ccache
    PVGPU_GUESTS=$CACHE
  else
    BUILD=$CACHE/build
    PVGPU_GUESTS=/guests
    mount_system "$BUILD"
    mkdir -p "$BUILD$CHECKOUT"
    mount --bind "$CHECKOUT" "$BUILD$CHECKOUT"
    mount --bind "$CACHE/ccache" "$BUILD/var/cache/ccache"
  fi
  export PVGPU_GUESTS
  mount_zig
  for guest in "${GUESTS[@]}" "${OPTIONAL_ROOTS[@]}"; do
    root_is_current "$guest" || continue
    root=${BUILD%/}$PVGPU_GUESTS/$guest
    if [ "$BUILD" != / ]; then
      mkdir -p "$root"
      mount --bind "$CACHE/$guest" "$root"
    fi
    mount_system "$root"
    mount --bind "$BUILD/tmp" "$root/tmp"
    mkdir -p "$root$CHECKOUT"
    mount --bind "$CHECKOUT" "$root$CHECKOUT"
    # The vm root is no guest: its compiler writes into build/.
    [ "$guest" = vm ] || mount -o remount,bind,ro "$root$CHECKOUT"
  done
}

# mount_zig: sets PVGPU_ZIG to where the build root sees the toolchain for macOS, if it has been fetched.
mount_zig() {
  [ -d "$CACHE/zig" ] || return 0
  export PVGPU_ZIG=$CACHE/zig
  [ "$BUILD" != / ] || return 0
  PVGPU_ZIG=/opt/zig
  mkdir -p "$BUILD$PVGPU_ZIG"
  mount --bind "$CACHE/zig" "$BUILD$PVGPU_ZIG"
}

# The two functions that the commands of ./dev call, through in_namespace.
run_in_build_root() {
  mount_roots || die "cannot mount what the roots need." "In a container, start it with --privileged."
  in_root "$BUILD" /bin/bash -c 'cd "$1" && shift && exec "$@"' - "$CHECKOUT" "$@"
}
shell_in_build_root() {
  mount_roots || die "cannot mount what the roots need." "In a container, start it with --privileged."
  in_root "$BUILD" /bin/bash -c 'cd "$1" && exec bash -i' - "$CHECKOUT"
}
