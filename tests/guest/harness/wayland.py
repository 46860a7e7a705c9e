"""A Wayland compositor without a screen: keeps what each window shows, as it was when the program handed it over.

As much of the protocol as programs with wl_shm buffers and xdg_toplevels need. Requests and events are numbered as in wayland.xml,
xdg-shell.xml and tearing-control-v1.xml (without which Mesa offers no IMMEDIATE)."""

import dataclasses
import mmap
import os
import socket
import struct
import threading

# Of the globals: interface, version. Their names are their positions, from 1.
_GLOBALS = [("wl_compositor", 4), ("wl_shm", 1), ("xdg_wm_base", 1), ("wp_tearing_control_manager_v1", 1)]
_XRGB8888, _ARGB8888 = 1, 0
# Requests that change nothing which is looked at here: interface -> opcodes.
_IGNORED = {
    "wl_surface": {2, 4, 5, 7, 8, 9},  # damage, regions, transform, scale
    "wl_region": {1, 2},
    "xdg_wm_base": {3},  # pong
    "xdg_surface": {3, 4},  # set_window_geometry, ack_configure
    "xdg_toplevel": {1, 2, 3, 7, 8},  # parent, title, app_id, sizes
    "wp_tearing_control_v1": {0},  # set_presentation_hint
}
_DESTRUCTORS = {
    "wl_surface": 0, "wl_region": 0, "wl_buffer": 0, "wl_shm_pool": 1, "xdg_wm_base": 0, "xdg_surface": 0, "xdg_toplevel": 0,
    "wp_tearing_control_manager_v1": 0, "wp_tearing_control_v1": 1,
}


@dataclasses.dataclass
class Frame:
    """What a window was given to show: pixels as B8G8R8X8, rows without gaps."""
    window: int
    width: int
    height: int
    pixels: bytes


@dataclasses.dataclass
class _Pool:
    memory: mmap.mmap


@dataclasses.dataclass
class _Buffer:
    pool: _Pool
    offset: int
    width: int
    height: int
    stride: int

    def pixels(self):
        row = self.width * 4
        memory = self.pool.memory
        return b"".join(memory[start:start + row]
                        for start in range(self.offset, self.offset + self.stride * self.height, self.stride))


@dataclasses.dataclass
class _Surface:
    window: int = -1  # of the xdg_toplevel
    attached: int = 0
    shown: int = 0  # the buffer that is on the screen
    frame: Frame = None
    callbacks: list = dataclasses.field(default_factory=list)
    xdg_surface: int = 0
    toplevel: int = 0
    configured: bool = False


class WaylandDisplay:
    """A context manager. `environment` is what programs need to find it. Windows are numbered from 0, in the order of their making.

    A buffer stays on the screen until the window's next one comes; then its bytes must still be those that were handed over,
    and only then the program may have it back. `frames` holds all that was shown, oldest first; `faults` what went wrong."""

    def __init__(self, folder):
        self._path = os.path.join(folder, "wayland")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._path)
        self._listener.listen()
        self._changed = threading.Condition()
        self.frames, self.faults = [], []
        self._connections, self._windows = [], 0
        self.environment = {"WAYLAND_DISPLAY": self._path, "MESA_VK_WSI_DEBUG": "sw"}
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def frames_of(self, window):
        with self._changed:
            return [frame for frame in self.frames if frame.window == window]

    def give_size(self, window, width, height):
        """Tells the program which size the window has from now on."""
        with self._changed:
            connections = list(self._connections)
        if not any(connection.configure(window, width, height) for connection in connections):
            raise AssertionError(f"there is no window {window}")

    def forget(self):
        with self._changed:
            self.frames, self.faults = [], []

    def _serve(self):
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            connection = _Connection(stream, self)
            with self._changed:
                self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        try:
            connection.serve()
        except Exception as error:  # Told to the test, which would wait for its picture otherwise.
            self.fault(f"{type(error).__name__}: {error}")
            connection.close()

    def new_window(self):
        with self._changed:
            self._windows += 1
            return self._windows - 1

    def show(self, frame):
        with self._changed:
            self.frames.append(frame)

    def fault(self, text):
        with self._changed:
            self.faults.append(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.unlink(self._path)
        for connection in self._connections:
            connection.close()
        self._thread.join(10)


class _Connection:
    def __init__(self, stream, display):
        self._stream, self._display = stream, display
        self._objects = {1: ("wl_display", None)}
        self._descriptors = []
        self._lock = threading.Lock()
        self._serial = 0

    def close(self):
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def serve(self):
        data = b""
        while True:
            try:
                piece, descriptors, _, _ = socket.recv_fds(self._stream, 65536, 16)
            except OSError:
                piece = b""
            if not piece:
                break
            self._descriptors += descriptors
            data += piece
            while len(data) >= 8:
                number, word = struct.unpack_from("<II", data)
                if len(data) < word >> 16:
                    break
                with self._lock:
                    self._request(number, word & 0xFFFF, data[8:word >> 16])
                data = data[word >> 16:]
        self._stream.close()

    def _request(self, number, opcode, body):
        if number not in self._objects:
            return self._display.fault(f"request {opcode} to object {number}, which does not exist")
        interface, thing = self._objects[number]
        if _DESTRUCTORS.get(interface) == opcode:
            self._destroy(number)
        elif opcode not in _IGNORED.get(interface, ()):
            handler = getattr(self, f"_{interface}", None)
            if not handler or handler(number, thing, opcode, body) is NotImplemented:
                self._display.fault(f"request {opcode} of {interface} is not known here")

    def _send(self, number, opcode, body=b""):
        try:
            self._stream.sendall(struct.pack("<II", number, (8 + len(body)) << 16 | opcode) + body)
        except OSError:
            pass  # The program has gone; the reading side will notice.

    def _destroy(self, number):
        del self._objects[number]
        self._send(1, 1, struct.pack("<I", number))  # delete_id

    def _next_serial(self):
        self._serial += 1
        return self._serial

    def _wl_display(self, _, __, opcode, body):
        new, = struct.unpack("<I", body)
        if opcode == 0:  # sync
            self._send(new, 0, struct.pack("<I", self._next_serial()))
            self._send(1, 1, struct.pack("<I", new))
            return
        self._objects[new] = ("wl_registry", None)
        for name, (interface, version) in enumerate(_GLOBALS, 1):
            self._send(new, 0, struct.pack("<I", name) + _string(interface) + struct.pack("<I", version))

    def _wl_registry(self, _, __, opcode, body):
        name, length = struct.unpack_from("<II", body)
        _, new = struct.unpack_from("<II", body, 8 + (length + 3) // 4 * 4)
        interface = _GLOBALS[name - 1][0]
        self._objects[new] = (interface, None)
        if interface == "wl_shm":
            for format in (_ARGB8888, _XRGB8888):
                self._send(new, 0, struct.pack("<I", format))

    def _wl_compositor(self, _, __, opcode, body):
        new, = struct.unpack("<I", body)
        self._objects[new] = ("wl_surface", _Surface()) if opcode == 0 else ("wl_region", None)

    def _wl_shm(self, _, __, opcode, body):
        if opcode != 0:
            return NotImplemented
        new, size = struct.unpack("<II", body)
        descriptor = self._descriptors.pop(0)
        self._objects[new] = ("wl_shm_pool", _Pool(mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ)))
        os.close(descriptor)

    def _wl_shm_pool(self, _, pool, opcode, body):
        if opcode != 0:
            return NotImplemented
        new, offset, width, height, stride, _ = struct.unpack("<IIIIII", body)
        self._objects[new] = ("wl_buffer", _Buffer(pool, offset, width, height, stride))

    def _wl_surface(self, _, surface, opcode, body):
        if opcode == 1:
            surface.attached, = struct.unpack_from("<I", body)
        elif opcode == 3:  # frame
            callback, = struct.unpack("<I", body)
            surface.callbacks.append(callback)
        elif opcode == 6:
            self._commit(surface)
        else:
            return NotImplemented

    def _commit(self, surface):
        if surface.toplevel and not surface.configured:
            surface.configured = True
            self._configure(surface, 0, 0)
        if surface.attached:
            self._take_back(surface)
            _, buffer = self._objects[surface.attached]
            surface.shown = surface.attached
            surface.frame = Frame(surface.window, buffer.width, buffer.height, buffer.pixels())
            surface.attached = 0
            self._display.show(surface.frame)
        for callback in surface.callbacks:
            self._send(callback, 0, struct.pack("<I", 0))
            self._send(1, 1, struct.pack("<I", callback))
        surface.callbacks = []

    def _take_back(self, surface):
        """The buffer that was on the screen goes back to the program, if the program has it still."""
        interface, buffer = self._objects.get(surface.shown, (None, None))
        if interface != "wl_buffer" or surface.shown == surface.attached:
            return
        if buffer.pixels() != surface.frame.pixels:
            self._display.fault(f"window {surface.window}: a picture changed while it was on the screen")
        self._send(surface.shown, 0)

    def _wp_tearing_control_manager_v1(self, _, __, opcode, body):
        if opcode != 1:
            return NotImplemented
        self._objects[struct.unpack_from("<I", body)[0]] = ("wp_tearing_control_v1", None)

    def _xdg_wm_base(self, _, __, opcode, body):
        if opcode != 2:
            return NotImplemented
        new, surface = struct.unpack("<II", body)
        self._objects[new] = ("xdg_surface", self._objects[surface][1])
        self._objects[surface][1].xdg_surface = new

    def _xdg_surface(self, _, surface, opcode, body):
        if opcode != 1:
            return NotImplemented
        surface.toplevel, = struct.unpack("<I", body)
        surface.window = self._display.new_window()
        self._objects[surface.toplevel] = ("xdg_toplevel", surface)

    def _configure(self, surface, width, height):
        self._send(surface.toplevel, 0, struct.pack("<iiI", width, height, 0))
        self._send(surface.xdg_surface, 0, struct.pack("<I", self._next_serial()))

    def configure(self, window, width, height):
        with self._lock:
            for interface, surface in self._objects.values():
                if interface == "xdg_toplevel" and surface.window == window:
                    self._configure(surface, width, height)
                    return True
        return False


def _string(text):
    data = text.encode() + b"\0"
    return struct.pack("<I", len(data)) + data + b"\0" * (-len(data) % 4)
