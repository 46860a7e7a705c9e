# Makes the Debian 13 roots that everything runs in, once, under the cache folder:
#   build             compiler, libraries, the host's Vulkan driver (lavapipe) and its validation layer;
#   guest             stock Mesa with its Venus driver and programs that draw, as a guest has its own system;
#   guest-backports   the same with the newest Mesa that Debian has for it, and the programs that people run;
#   vm                QEMU, kernels, and what guests on ARM are made of (vm_files.sh): only for what runs virtual machines;
#   vm-peer           QEMU with the GPU that it has itself: only for bench/vm_peer.py.
# A root is made as NAME.partial and renamed when complete, so a root that exists is whole. Its stamp tells the package list
# it was made from. Downloaded packages are kept, so an interrupted set-up goes on where it stopped. Sourced, never run.

RELEASE=trixie
DAWN=webgpu-0.6.2   # npm's package with Dawn's bindings for Node.js, and the digest of its archive.
DAWN_SHA512=dcbe067e6a892ef6142045899e011063ed87422525005920f3e3fc3430e3dd7c798471c814efebf095beca77ea063ee41cde266e7c0eef8b81fa5ad1b4b869e1
ROOT_FORMAT=1   # Counted up when roots made by older versions of this file must be made again.

root_stamp() {
  local more=''
  [ "$1" != vm ] || more=" $(vm_stamp)"
  printf '%s %s %s %s%s' "$ROOT_FORMAT" "$RELEASE" "$1" "$(package_list "$1")" "$more" | sha256sum | cut -d' ' -f1
}
root_is_current() { [ "$(cat "$CACHE/$1/.pvgpu-root" 2>/dev/null)" = "$(root_stamp "$1")" ]; }

# system_can_build: this is Debian 13 and has every package of the build root, so that no build root is needed.
system_can_build() {
  local id='' version=''
  id=$(. /etc/os-release 2>/dev/null && echo "${ID:-}")
  version=$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-}")
  [ "$id $version" = "debian 13" ] || return 1
  local package
  for package in $(package_list build); do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || return 1
  done
}

needed_roots() { system_can_build || echo build; printf '%s\n' "${GUESTS[@]}"; }

# ensure_roots: makes the roots that are missing or older than their package lists.
ensure_roots() {
  [ "$(id -u)" = 0 ] || die "root is needed, to make and enter the Debian 13 roots." "Run: sudo ./dev ${COMMAND:-setup}"
  check_namespaces
  mkdir -p "$CACHE" 2>/dev/null || die "cannot write to $CACHE." "Set PVGPU_CACHE to a folder on a disk with 5 GB free."
  local root missing=''
  for root in $(needed_roots); do root_is_current "$root" || missing=1; done
  [ -z "$missing" ] || with_lock "$CACHE/setup.lock" -x "sets up the roots" make_missing_roots
}

make_missing_roots() {
  local root
  for root in $(needed_roots); do
    root_is_current "$root" && continue
    check_space
    have_bootstrapper
    root_is_current base || make_root base
    make_root "$root"
  done
}

make_root() {
  local root=$1
  case $root in
    base) say "Debian 13, the minimal system (about half a minute; once)" ;;
    vm) say "Debian 13, the root for virtual machines (some minutes and 450 MB to download; once, in $CACHE)" ;;
    *) say "Debian 13, the $root root (a minute or two and up to 250 MB to download; once, in $CACHE)" ;;
  esac
  rm -rf --one-file-system "$CACHE/$root.partial"
  mkdir -p "$CACHE/debs/partial" "$CACHE/logs"
  write_package_configuration
  in_namespace "fill_root_$([ "$root" = base ] && echo base || echo packages)" "$root" || exit
  root_stamp "$root" >"$CACHE/$root.partial/.pvgpu-root"
  # What is not there yet is used by nobody, so that nobody needs to be waited for.
  local alone=(with_lock "$CACHE/use.lock" -x "uses the roots")
  [ -e "$CACHE/$root" ] || alone=()
  "${alone[@]}" replace_root "$root"
}

replace_root() {
  rm -rf --one-file-system "$CACHE/$1.old"
  [ ! -e "$CACHE/$1" ] || mv "$CACHE/$1" "$CACHE/$1.old"
  mv "$CACHE/$1.partial" "$CACHE/$1"
  rm -rf --one-file-system "$CACHE/$1.old"
}

check_space() {
  local free
  free=$(free_megabytes "$CACHE")
  [ "$free" -ge 4000 ] || die "$CACHE has ${free} MB free; the roots need 4,000." "Free some, or set PVGPU_CACHE to a folder on another disk."
}

# The one thing that may be installed on the host itself.
have_bootstrapper() {
  ! command -v mmdebstrap >/dev/null && ! command -v debootstrap >/dev/null || return 0
  command -v apt-get >/dev/null ||
    die "mmdebstrap or debootstrap is needed to make a Debian root." "Install one of them with this system's package manager."
  say "installing mmdebstrap on this system"
  local install='apt-get install -y --no-install-recommends mmdebstrap'
  { DEBIAN_FRONTEND=noninteractive $install || { apt-get update && DEBIAN_FRONTEND=noninteractive $install; }; } \
    >"$CACHE/mmdebstrap.log" 2>&1 </dev/null ||
    { tail -n 5 "$CACHE/mmdebstrap.log" >&2; die "apt-get could not install mmdebstrap." "Install mmdebstrap or debootstrap, then run this again."; }
}

# host_mirror: the Debian mirror that this host is configured with; nothing on another system.
host_mirror() {
  [ -z "${PVGPU_DEBIAN_MIRROR:-}" ] || { echo "$PVGPU_DEBIAN_MIRROR"; return; }
  local id codename
  id=$(. /etc/os-release 2>/dev/null && echo "${ID:-}")
  codename=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
  [ "$id" = debian ] || return 0
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -v codename="$codename" '($1 == codename || $1 == "stable") && $2 == "main" { print $3; exit }'
}

# What the host says about reaching its mirror holds inside the roots too. Left out: documentation, translations, and nearly all
# of piglit's 2 GB, which are generated tests and pictures for texture formats.
write_package_configuration() {
  apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::Proxy |Check-Valid-Until |Check-Date |Retries )' >"$CACHE/apt.conf"
  printf '%s\n' 'Acquire::Languages "none";' 'APT::Install-Recommends "false";' 'APT::Sandbox::User "root";' >>"$CACHE/apt.conf"
  printf 'path-exclude=/usr/share/%s/*\n' doc info man locale lintian help gtk-doc >"$CACHE/dpkg.cfg"
  printf 'path-exclude=/usr/lib/*/piglit/%s/*\n' generated_tests 'tests/spec/*_texture_compression_astc' >>"$CACHE/dpkg.cfg"
  printf 'force-unsafe-io\n' >>"$CACHE/dpkg.cfg"
}

# fill_root_base, in a namespace of its own: Debian's minimal system.
fill_root_base() {
  local root=$CACHE/base.partial mirror log=$CACHE/logs/base.log
  mirror=$(host_mirror)
  if command -v mmdebstrap >/dev/null; then
    mmdebstrap --mode=root --variant=minbase --include=ca-certificates --aptopt="$CACHE/apt.conf" --dpkgopt="$CACHE/dpkg.cfg" \
      "$RELEASE" "$root" ${mirror:+"deb $mirror $RELEASE main"}
  else
    debootstrap --variant=minbase --include=ca-certificates --cache-dir="$CACHE/debs" "$RELEASE" "$root" $mirror &&
      cp "$CACHE/apt.conf" "$root/etc/apt/apt.conf.d/99pvgpu" && cp "$CACHE/dpkg.cfg" "$root/etc/dpkg/dpkg.cfg.d/99pvgpu"
  fi >"$log" 2>&1 </dev/null || package_failure "$log"
}

# fill_root_packages NAME, in a namespace of its own: a copy of the base with the packages of packages-NAME.txt.
fill_root_packages() {
  local root=$CACHE/$1.partial log=$CACHE/logs/$1.log
  cp -a "$CACHE/base" "$root"
  rm -f "$root/.pvgpu-root" "$root/etc/resolv.conf"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
  [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp "$CACHE/dpkg.cfg" "$root/etc/dpkg/dpkg.cfg.d/99pvgpu"
  mount_system "$root"
  mount --bind "$CACHE/debs" "$root/var/cache/apt/archives"
  : >"$log"
  case $1 in
    *-backports) add_backports "$root" && prefer_backports "$root" '*' 500 ;;
    vm*)
      # Whatever QEMU depends on comes from the release, but for its firmware.
      add_backports "$root" && prefer_backports "$root" 'src:qemu:any src:seabios:any' 990
      in_root "$root" dpkg --add-architecture arm64
      ;;
  esac
  in_root "$root" apt-get update >>"$log" 2>&1 || package_failure "$log"
  # Descriptor 3 carries apt's own account of how far it is.
  in_root "$root" apt-get install -y --no-install-recommends -o APT::Status-Fd=3 $(package_list "$1") 3>&1 >>"$log" 2>&1 |
    show_progress
  [ "${PIPESTATUS[0]}" = 0 ] || package_failure "$log"
  case $1 in
    *-backports) unpack_dawn "$root" ;;
    vm) add_vm_files "$root" "$log" ;;
  esac
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/debconf/*-old "$root/var/cache/apt/"*.bin
  mkdir -p "$root/var/cache/ccache"
}

# add_backports ROOT: the release's backports, from the mirror that the release comes from.
add_backports() {
  sed -nE "s/^(deb .*) $RELEASE main/\\1 $RELEASE-backports main/p" "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/backports.list"
}

# prefer_backports ROOT PACKAGES PRIORITY: 500 takes the newer one wherever both have a package, 990 that of the backports.
prefer_backports() {
  printf 'Package: %s\nPin: release n=%s\nPin-Priority: %s\n' "$2" "$RELEASE-backports" "$3" >"$1/etc/apt/preferences.d/backports"
}

# unpack_dawn ROOT: Dawn, if add_dawn has fetched it; what is for other systems is left out.
unpack_dawn() {
  [ -e "$CACHE/debs/$DAWN.tgz" ] || return 0
  mkdir -p "$1/opt/dawn/node_modules/webgpu"
  tar -xzf "$CACHE/debs/$DAWN.tgz" -C "$1/opt/dawn/node_modules/webgpu" --strip-components=1 --wildcards \
    package/index.js package/package.json package/LICENSE.md 'package/dist/linux-*'
}

# add_dawn, in a namespace of its own: Dawn, which Debian has not.
add_dawn() {
  npm_pack "$DAWN" "${DAWN%-*}@${DAWN##*-}" "$DAWN_SHA512"
  unpack_dawn "$CACHE/guest-backports"
}

# npm_pack NAME PACKAGE SHA512, in a namespace of its own: npm's package as $CACHE/debs/NAME.tgz, fetched with the npm that
# Debian's Node.js, in the guest-backports root, fetches for itself.
npm_pack() {
  local root=$CACHE/guest-backports log=$CACHE/logs/$1.log
  mount_system "$root"
  mount --bind "$CACHE/debs" "$root/mnt"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
  [ -e "$CACHE/debs/$1.tgz" ] ||
    in_root "$root" sh -c 'cd /tmp && HOME=/tmp COREPACK_ENABLE_DOWNLOAD_PROMPT=0 corepack npm@10 pack "$2" && mv "$1.tgz" /mnt/' \
      - "$1" "$2" >"$log" 2>&1 ||
    { tail -n 5 "$log" | sed 's/^/    /' >&2; die "npm's package $2 could not be downloaded (log: $log)." "Check the network and run this again."; }
  echo "$3  $CACHE/debs/$1.tgz" | sha512sum --quiet -c - ||
    { rm -f "$CACHE/debs/$1.tgz"; die "npm's package $2 is not the one that this was written for; it was removed."; }
}

package_failure() {
  tail -n 15 "$1" | sed 's/^/    /' >&2
  die "Debian packages could not be downloaded or installed (log: $1)." \
    "Check the network and the disk and run this again: it goes on with what it has. PVGPU_DEBIAN_MIRROR=URL picks another mirror."
}

# show_progress: turns apt's status lines into one line that is rewritten on a terminal, and a line for each tenth elsewhere.
show_progress() {
  local kind package percent text step last=''
  while IFS=: read -r kind package percent text; do
    case $kind in dlstatus) text="downloading" ;; pmstatus) text="installing" ;; *) continue ;; esac
    percent=${percent%%[.,]*}
    if [ -t 2 ]; then
      printf '\r    %s: %s %%  ' "$text" "$percent" >&2
    else
      step="$text $((percent / 20 * 20))"
      [ "$step" = "$last" ] || note "${text}: $((percent / 20 * 20)) %"
      last=$step
    fi
  done
  [ ! -t 2 ] || printf '\r%*s\r' 40 '' >&2
}
