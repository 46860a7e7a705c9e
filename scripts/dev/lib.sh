# Words to the user, locks and paths that every part of ./dev shares. Sourced, never run.

say() { printf '%s\n' "${BOLD}==>${PLAIN} $*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
# die MESSAGE [WHAT TO DO]: a user's mistake or a missing thing, never a bug of ours; hence exit code 2.
die() {
  printf '%s\n' "${RED}dev: $1${PLAIN}" >&2
  [ $# -lt 2 ] || printf '     %s\n' "$2" >&2
  exit 2
}

BOLD='' RED='' PLAIN=''
if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
  BOLD=$'\e[1m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

# The guests' roots. A command may need fewer of them (the demo does).
GUESTS=(guest guest-backports)
# Roots that only some commands need, mounted whenever they are there.
OPTIONAL_ROOTS=(vm vm-peer)

CACHE=${PVGPU_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pvgpu}
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
export PVGPU_CACHE=$CACHE

# with_lock FILE MODE WHAT COMMAND...: runs COMMAND holding FILE's lock; MODE is -s (shared) or -x (exclusive). WHAT tells
# the user what a wait is for. The lock's file descriptor stays open in COMMAND, so the lock lasts as long as any process of it.
with_lock() {
  local file=$1 mode=$2 what=$3 lock status=0
  shift 3
  exec {lock}>>"$file" || die "cannot write $file."
  flock -n "$mode" "$lock" || { note "waiting for another ./dev, which $what"; flock "$mode" "$lock"; }
  "$@" || status=$?
  exec {lock}>&-
  return "$status"
}

# free_megabytes FOLDER: what its file system has left.
free_megabytes() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# package_list NAME: the packages of packages-NAME.txt, in a line; the base root has none of its own.
package_list() {
  [ "$1" = base ] || sed 's/#.*//' "$CHECKOUT/scripts/dev/packages-$1.txt" | tr -s ' \n' '  '
}
