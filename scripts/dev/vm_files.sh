# The files of guests that run in virtual machines, in the vm root: /guests/ARCHITECTURE-RELEASE is a kernel (`vmlinuz`, its
# `version`, and in `modules` those that could matter to a GPU), /guests/arm64 is a system of that architecture. What guests on
# x86-64 run comes from the guests' own roots. Sourced, never run.

VM_KERNELS=(amd64/$RELEASE amd64/$RELEASE-backports arm64/$RELEASE)
# Modules that go into a guest's initramfs, and what these may depend on: of a kernel's 100 MB, all that is kept.
VM_MODULES=('drivers/gpu/drm/drm*.ko.xz' 'drivers/gpu/drm/clients/drm_client_lib.ko.xz' 'drivers/gpu/drm/virtio/*.ko.xz' 'drivers/virtio/*.ko.xz')
# What packages for ARM depend on and no Venus guest loads: 35 MB to download.
VM_LEFT_OUT='^(libllvm|libz3|perl|debconf)'

# vm_stamp: what the vm root's files are made of besides its packages.
vm_stamp() { printf '%s ' "${VM_KERNELS[@]}" "${VM_MODULES[@]}" "$VM_LEFT_OUT" "$(package_list vm-arm64)"; }

# add_vm_files ROOT LOG, in a namespace of its own, where ROOT can reach its package archive.
add_vm_files() {
  local root=$1 log=$2 kernel
  for kernel in "${VM_KERNELS[@]}"; do
    note "kernel ${kernel#*/}, ${kernel%%/*}"
    add_vm_kernel "$root" "${kernel%%/*}" "${kernel#*/}" >>"$log" 2>&1 || package_failure "$log"
  done
  note "files of guests on ARM"
  add_vm_system "$root" arm64 >>"$log" 2>&1 || package_failure "$log"
}

# in_archive ROOT COMMAND...: runs it in a folder of ROOT that is emptied first, for packages that are not kept.
in_archive() {
  local root=$1
  shift
  rm -rf "$root/var/tmp/archive"
  mkdir -p "$root/var/tmp/archive"
  in_root "$root" sh -c 'cd /var/tmp/archive && exec "$@"' - "$@"
}

# add_vm_kernel ROOT ARCHITECTURE RELEASE
add_vm_kernel() {
  local root=$1 architecture=$2 release=$3 target=$1/guests/$2-$3 package version
  # The newest kernel of the release. Since 7.0, its parts are packages of their own.
  version=$(in_root "$root" apt-cache madison "linux-image-$architecture:$architecture" |
    awk -F' *[|] *' -v release="$release/main" '$3 ~ " " release " " { print $2; exit }')
  version=$(in_root "$root" apt-cache show "linux-image-$architecture:$architecture=$version" |
    sed -nE 's/^Depends:.*linux-image-([^ ,]+).*/\1/p')
  [ -n "$version" ] || { echo "there is no kernel of $release for $architecture"; return 1; }
  local names=("linux-image-$version:$architecture")
  for package in linux-binary linux-modules; do
    ! in_root "$root" apt-cache show "$package-$version:$architecture" >/dev/null 2>&1 || names+=("$package-$version:$architecture")
  done
  in_archive "$root" apt-get download -q "${names[@]}" || return
  mkdir -p "$target/unpacked" "$target/modules"
  for package in "$root"/var/tmp/archive/*.deb; do
    in_root "$root" dpkg-deb --fsys-tarfile "${package#"$root"}" |
      tar -x -C "$target/unpacked" --strip-components=1 --wildcards --no-wildcards-match-slash --no-anchored 'vmlinuz*' "${VM_MODULES[@]}" ||
      [ $? = 2 ] || return   # 2: this package has not all of them.
    rm "$package"
  done
  find "$target/unpacked" -name '*.ko.xz' -exec mv -t "$target/modules" {} + &&
    find "$target/unpacked" -name 'vmlinuz*' -type f -exec mv {} "$target/vmlinuz" \; &&
    rm -r "$target/unpacked" && echo "$version" >"$target/version" && [ -s "$target/vmlinuz" ] && [ -s "$target/modules/virtio-gpu.ko.xz" ]
}

# add_vm_system ROOT ARCHITECTURE: packages-vm-ARCHITECTURE.txt and what they depend on, unpacked.
add_vm_system() {
  local root=$1 architecture=$2 target=$1/guests/$2 package names
  # As apt would fill an empty system of that architecture.
  local apt=(apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o Dir::State::status=/dev/null)
  names=$(in_root "$root" "${apt[@]}" install --print-uris -q $(package_list "vm-$architecture") |
    awk '{ split($2, part, "_"); print part[1] }' | grep -vE "$VM_LEFT_OUT")
  [ -n "$names" ] || return 1
  in_archive "$root" "${apt[@]}" download $names || return
  mkdir -p "$target"
  for package in "$root"/var/tmp/archive/*.deb; do
    in_root "$root" dpkg-deb --fsys-tarfile "${package#"$root"}" |
      tar -x -C "$target" --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' || return
  done
  rm -rf "$root/var/tmp/archive"
}
