#!/bin/busybox sh
# The first and only service of the tests' virtual machines: loads the GPU's driver and runs what the test asks for.
#
# It talks to the test over the virtio-serial port named "pvgpu", line by line:
#   run ID COMMAND     from the test: COMMAND, for sh, runs beside the others
#   kill ID            from the test: SIGKILL to all that COMMAND started
#   ready              to the test: now and after every reboot
#   out ID LINE        to the test: a line of what it prints
#   end ID STATUS      to the test: its exit status
# What it does itself it tells on the console too.
/bin/busybox mkdir -p /proc /sys /dev /run /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /usr/bin
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
export HOME=/root PATH=/usr/bin:/programs XDG_RUNTIME_DIR=/tmp VK_DRIVER_FILES=/usr/share/vulkan/icd.d/virtio_icd.json

tell() { echo "pvgpu-vm: $*" >/dev/console; }

tell "init at $(cut -d' ' -f1 /proc/uptime) s, Linux $(uname -r)"
for module in /modules/*; do
  insmod "$module" || tell "FAILED: insmod $module"
done

for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" != pvgpu ] || exec 3<>"/dev/${port##*/}"
done

# Programs are given an input that says nothing and does not end.
mkfifo /run/silence
exec 4<>/run/silence

# task ID COMMAND
task() {
  tell "$1 begins: $2"
  {
    setsid sh -c "echo \$\$ >/run/$1.pid; $2" <&4 2>&1 3>&- 4>&-
    echo $? >"/run/$1.status"
  } | awk -v id="$1" '{ print "out " id " " $0; fflush() }' >&3
  tell "$1 ends with $(cat "/run/$1.status")"
  echo "end $1 $(cat "/run/$1.status")" >&3
}

tell "ready at $(cut -d' ' -f1 /proc/uptime) s"
echo ready >&3
while read -r what id command <&3; do
  case $what in
    run) task "$id" "$command" & ;;
    kill) kill -KILL -"$(cat "/run/$id.pid")" ;;
  esac
done
tell "FAILED: the test hung up"
poweroff -f
