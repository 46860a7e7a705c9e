"""Makes the initramfs of a guest: busybox, the GPU's kernel modules, Mesa's Venus driver, vulkaninfo, vkcube, our test programs and
the libraries that these need. Made from files as they are, without running any, so for any architecture. Kept in build/ and made
again when a file that it came from changes."""

import fcntl
import hashlib
import json
import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess

from .settings import IMAGES, TESTS

_INIT = TESTS / "init.sh"
_DRIVER_MANIFEST = "usr/share/vulkan/icd.d/virtio_icd.json"
_BINARIES = ("usr/bin/vulkaninfo", "usr/bin/vkcube")
_MODULE = "virtio-gpu"


def image_of(guest):
    """The paths of the guest's kernel and initramfs, made if need be. They lie in build/, which every root sees."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    kernel, image = IMAGES / f"{guest.name}.vmlinuz", IMAGES / f"{guest.name}.cpio"
    with open(IMAGES / f"{guest.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = image.with_suffix(".json")
        recipe = hashlib.sha256(repr(guest).encode() + pathlib.Path(__file__).read_bytes()).hexdigest()
        if not _is_current(record, recipe):
            record.unlink(missing_ok=True)
            builder = _Builder(guest)
            image.write_bytes(builder.archive())
            shutil.copyfile(guest.kernel / "vmlinuz", kernel)
            sources = [*builder.sources, guest.kernel / "vmlinuz"]
            record.write_text(json.dumps({"recipe": recipe, "sources": {str(path): _state(path) for path in sources}}))
    return kernel, image


def _state(path):
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns]


def _is_current(record, recipe):
    try:
        made_of = json.loads(record.read_text())
        return made_of["recipe"] == recipe and all(_state(path) == state for path, state in made_of["sources"].items())
    except (OSError, ValueError):
        return False


class _Builder:
    def __init__(self, guest):
        self._guest = guest
        self._entries = {}  # path in the guest -> (mode, content)
        self._libraries = f"usr/lib/{guest.triplet}"
        self.sources = []

    def archive(self):
        """The whole initramfs, in the kernel's cpio format, not compressed: unpacking costs an emulated processor more than reading."""
        for link in ("bin", "sbin", "lib", "lib64"):
            self._entries[link] = (stat.S_IFLNK | 0o777, f"usr/{link if link.startswith('lib') else 'bin'}".encode())
        self._add(_INIT, "init", 0o755)
        self._add(self._guest.busybox, "usr/bin/busybox")
        self._add_modules()
        self._add_system(_DRIVER_MANIFEST)
        driver = json.loads(self._in_root(_DRIVER_MANIFEST).read_text())["ICD"]["library_path"]
        self._add_system(f"{self._libraries}/{pathlib.Path(driver).name}")
        for path in (*_BINARIES, *self._guest.files):
            self._add_system(path)
        for program in self._guest.programs:
            self._add_binary(program, f"programs/{program.name}")
        return _cpio(self._entries)

    def _in_root(self, path):
        """The file itself: links within the guest's system lead to files of it, wherever that lies."""
        root, found = self._guest.root, self._guest.root / path
        while found.is_symlink():
            target = pathlib.Path(os.readlink(found))
            found = root / target.relative_to("/") if target.is_absolute() else found.parent / target
        if not found.is_file():
            raise AssertionError(f"there is no /{path} in {root}, which the guest {self._guest.name} is made of")
        return found

    def _add(self, source, path, mode=None):
        self.sources.append(source)
        self._put(path, mode or source.stat().st_mode, source.read_bytes())

    def _put(self, path, mode, content):
        for parent in pathlib.PurePath(path).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))
        self._entries[path] = (stat.S_IFREG | stat.S_IMODE(mode), content)

    def _add_system(self, path):
        """A file of the guest's system, at the same place, with the libraries that it needs."""
        if path in self._entries:
            return
        source = self._in_root(path)
        if source.read_bytes()[:4] == b"\x7fELF":
            self._add_binary(source, path)
        else:
            self._add(source, path)

    def _add_binary(self, source, path):
        if not source.exists():
            raise AssertionError(f"no {source}: build it (./dev test vm does)")
        self._add(source, path)
        said = subprocess.run(["readelf", "--wide", "--dynamic", "--program-headers", str(source)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        for loader in re.findall(r"program interpreter: /(.+?)\]", said):
            # /lib64 is a link in the guest, as in its system.
            self._add_system(re.sub("^lib", "usr/lib", loader))
        folders = [folder.strip("/") for paths in re.findall(r"\((?:RUN|R)PATH\) .*\[(.+?)\]", said) for folder in paths.split(":")]
        for name in re.findall(r"\(NEEDED\) .*\[(.+?)\]", said):
            if any(path.endswith(f"/{name}") for path in self._entries):
                continue  # A program's modules find what the program has loaded.
            folder = next((folder for folder in folders if (self._guest.root / folder / name).exists()), self._libraries)
            self._add_system(f"{folder}/{name}")

    def _add_modules(self):
        """The GPU's driver and what it depends on, unpacked, numbered in an order in which they can be loaded."""
        order = []

        def visit(name):
            source = self._guest.kernel / "modules" / f"{name}.ko.xz"
            if not source.exists():
                raise AssertionError(f"the module {name} is not among those kept of {self._guest.kernel.name} (scripts/dev/vm_files.sh)")
            if any(name == done for done, _ in order):
                return
            content = lzma.decompress(source.read_bytes())
            self.sources.append(source)
            for needed in re.search(rb"\0depends=([^\0]*)\0", content).group(1).decode().split(","):
                if needed:
                    visit(needed)
            order.append((name, content))

        visit(_MODULE)
        for number, (name, content) in enumerate(order):
            self._put(f"modules/{number}-{name}.ko", 0o644, content)


def _cpio(entries):
    """The "newc" format of Linux's Documentation/driver-api/early-userspace/buffer-format.rst."""
    parts = []

    def pad():
        parts.append(b"\0" * (-sum(map(len, parts[-2:])) % 4))

    for number, (path, (mode, content)) in enumerate([*sorted(entries.items()), ("TRAILER!!!", (0, b""))], 1):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        parts.append(b"070701" + b"".join(b"%08X" % field for field in fields))
        parts.append(name)
        pad()
        parts.append(content)
        parts.append(b"\0" * (-len(content) % 4))
    return b"".join(parts)
