"""Direct3D 12 through vkd3d: what its demos draw is, pixel for pixel, what they draw natively."""

import contextlib
import unittest

from harness import LIBRARY_PROGRAMS, NATIVE, Display, GuestCase, Program, Server, guest_command, layer_with_log, messages, with_layers
from harness.guest import wait_until

ESCAPE, LEFT, UP = 9, 113, 111
SIZE = 300  # Of a demo's window, in pixels each way.


class Demo:
    """A demo on a display of its own. A context manager."""

    def __init__(self, environment, program):
        with contextlib.ExitStack() as stack:
            self._display = stack.enter_context(Display())
            self._display.forget_windows()
            self.program = stack.enter_context(Program(guest_command({**environment, **self._display.environment}, [program])))
            self._window = self._display.new_window()
            self._stack = stack.pop_all()

    def picture(self):
        return self._display.picture(0, 0, SIZE, SIZE)

    def press(self, key):
        self._display.press_key(self._window, key)

    def quit(self):
        """Its exit status, of its own will."""
        self.press(ESCAPE)
        return self.program.wait()

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self._stack.__exit__(*arguments)


class Direct3D(GuestCase):
    def test_triangle(self):
        self.compare("vkd3d-triangle", {}, [])

    def test_gears(self):
        # They turn by the clock, so theirs stands still; the keys move the eye.
        self.compare("vkd3d-gears", {"LD_PRELOAD": str(LIBRARY_PROGRAMS / "still_clock.so")}, [LEFT, UP])

    def compare(self, program, environment, keys):
        log = self.folder / "native.log"
        with Demo(with_layers(layer_with_log(log), NATIVE, environment), program) as native:
            first = wait_until(lambda: self.drawn(native), "a picture")
            shown = [first]
            for key in keys:
                native.press(key)
                shown.append(wait_until(lambda: self.drawn(native, shown[-1]), "another picture"))
            self.assertEqual(native.quit(), 0, native.program.output())
        known = messages(log.read_text()) if log.exists() else ()
        with Server(self.folder, validation=True, known=known) as server, Demo({**server.venus(), **environment}, program) as guest:
            for number, (key, expected) in enumerate(zip([None, *keys], shown)):
                if key:
                    guest.press(key)
                expected.write_png(self.keep(f"native{number}.png"))
                wait_until(lambda: guest.picture().rgb == expected.rgb, lambda: self.unlike(guest.picture(), expected, number))
            self.assertEqual(guest.quit(), 0, guest.program.output())

    def drawn(self, demo, before=None):
        """A picture with a drawing in it that is not `before` and not half of one: it is seen twice."""
        picture = demo.picture()
        new = picture.colors() > 100 and (not before or picture.rgb != before.rgb)
        return picture if new and demo.picture().rgb == picture.rgb else None

    def unlike(self, picture, expected, number):
        picture.write_png(self.keep(f"guest{number}.png"))
        return f"picture {number} as natively; {picture.difference(expected, 0):.1%} differ, see {self.keep('')}"


if __name__ == "__main__":
    unittest.main()
