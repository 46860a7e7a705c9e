"""vkcube, frame by frame. It turns by a fixed angle a frame, so its frame N is the same picture wherever it is drawn."""

import signal

from harness import Program, guest_command

SPACE, ESCAPE, NO_KEY = 0x41, 0x09, 0xFF
SAME = 0.0005  # The share of pixels that may differ; neighbouring frames differ in some 9 %.


class Cube:
    """A vkcube that runs freely. A context manager."""

    def __init__(self, display, environment, *options):
        self._display = display
        display.forget_windows()
        self.program = Program(guest_command({**environment, **display.environment},
                                             ["vkcube", "--wsi", "xcb", "--present_mode", 0, *options]))
        try:
            self._window = display.new_window()
        except BaseException:
            self.program.kill()
            raise

    def press(self, key):
        self._display.release_key(self._window, key)

    def quit(self):
        """Its exit status, of its own will."""
        self.press(ESCAPE)
        return self.program.wait()

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.program.__exit__(*arguments)


def frames(display, environment, count, *options):
    """The first `count` pictures that a cube draws, one by one, and what vkcube printed. `options` are vkcube's.

    A paused vkcube draws one frame for each event that it gets. It is paused as soon as its window exists, which is long before
    it is ready to draw, and kept from getting there until the pause is in its queue."""
    with Cube(display, environment, *options) as cube:
        cube.program.process.send_signal(signal.SIGSTOP)
        empty = display.picture()
        cube.press(SPACE)
        cube.program.process.send_signal(signal.SIGCONT)
        pictures = [_drawn(display, empty)]
        while len(pictures) < count:
            cube.press(NO_KEY)
            pictures.append(_drawn(display, pictures[-1]))
        status = cube.quit()
        assert status == 0, cube.program.output()
        return pictures, cube.program.output()


def pairs(one, other, most=3):
    """The pictures of two runs that are of the same frame. On a busy machine a cube may have drawn up to `most` frames before the pause
    reaches it; the runs are matched at the first picture of the one that began later."""
    for shift in range(most + 1):
        if one[shift].difference(other[0]) < SAME:
            return list(zip(one[shift:], other))
        if one[0].difference(other[shift]) < SAME:
            return list(zip(one, other[shift:]))
    return list(zip(one, other))


def _drawn(display, before):
    """The next picture with a cube in it: mapping the window shows its empty background first."""
    while True:
        before = display.changed_picture(before)
        if before.colors() > 1000:
            return before
