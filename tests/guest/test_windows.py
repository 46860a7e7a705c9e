"""Swapchains of every window system: the presenting side sees whole frames, in their order, and the last one stays.

Natively too: what does not hold there is not the guest's to keep. `present` draws, see frames.py."""

import unittest

from frames import Presenting, expected, number_of
from harness import NATIVE, Display, GuestCase, Server, WaylandDisplay, Weston
from harness.guest import wait_until
from harness.settings import GUEST
from harness.weston import HEIGHT, WIDTH

SIZE = (300, 200)
MODES = ["fifo", "mailbox", "immediate"]


class Seen:
    """What an X11 window shows, looked at again and again."""

    def __init__(self, display, size):
        self._display, self._size = display, size
        self.numbers = []

    def look(self):
        """The number of the frame that is shown; fails the test on a picture that is no whole frame, or an older one."""
        pixels = self._display.pixels(*self._size)
        number = number_of(pixels, *self._size)
        if number is None and any(pixels):  # Empty until the first frame comes.
            raise AssertionError(f"a torn picture after frame {self.numbers[-1:]}")
        if self.numbers and (number or 0) < self.numbers[-1]:
            raise AssertionError(f"frame {number} is shown after {self.numbers[-1]}")
        if number and number not in self.numbers[-1:]:
            self.numbers.append(number)
        return number

    def wait_for(self, number):
        wait_until(lambda: self.look() == number, lambda: f"frame {number} is shown; seen: {self.numbers}", interval=0)


class Windows(GuestCase):
    def test_unwhole_pictures_are_told_apart(self):
        # The yardstick of the other tests.
        first, second = expected(1, *SIZE), expected(2, *SIZE)
        self.assertEqual([number_of(pixels, *SIZE) for pixels in (first, second, expected(0x1234, *SIZE))], [1, 2, 0x1234])
        row = SIZE[0] * 4
        for torn in (first[:row * 150] + second[row * 150:], first[:-4] + second[-4:], first[row:] + first[:row], first[4:] + first[:4]):
            self.assertIsNone(number_of(torn, *SIZE))

    def on_both(self, server, check):
        for name, environment in (("native", NATIVE), ("guest", server.venus())):
            with self.subTest(name):
                check(environment)

    def test_x11(self):
        def check(environment):
            for mode in MODES:
                for images, in_flight in ((2, 1), (3, 2), (4, 3)):
                    with self.subTest(mode, images=images, in_flight=in_flight):
                        self.draw_in_x11(display, environment, f"{mode} {images} {in_flight}")
        with Display() as display, Server(self.folder) as server:
            self.on_both(server, check)

    def draw_in_x11(self, display, environment, options):
        with Presenting({**environment, **display.environment}, "xcb") as program:
            self.assertIn("opened", program.ask(f"open {SIZE[0]} {SIZE[1]} {options}"))
            seen = Seen(display, SIZE)
            for number in range(1, 11):  # One by one: each is seen.
                self.assertEqual(program.draw(0, 1), (number, SIZE, 0))
                seen.wait_for(number)
            program.tell("draw 0 60")  # As fast as they come.
            seen.wait_for(70)
            self.assertEqual(program.drawn(program.answer()), (70, SIZE, 0))
            program.end()

    def test_x11_sizes_and_surfaces(self):
        def check(environment):
            with Presenting({**environment, **display.environment}, "xcb") as program:
                program.ask("open 300 200 fifo 3 2")
                number, misfits = 0, 0
                for size in ((420, 310), (101, 67), (1, 1), (300, 200)):
                    with self.subTest(size=size):
                        program.draw(0, 5)
                        program.ask(f"resize 0 {size[0]} {size[1]}")
                        number, extent, now = program.draw(0, 10)
                        self.assertEqual(extent, size)
                        self.assertGreater(now, misfits, "the program was not told that the swapchain does not fit")
                        misfits = now
                        Seen(display, size).wait_for(number)
                program.ask("surface 0")
                number, _, _ = program.draw(0, 10)
                Seen(display, SIZE).wait_for(number)
                program.ask("hide 0")  # Presenting to a window that is not on the screen goes nowhere and harms nothing.
                program.draw(0, 10)
                program.ask("show 0")
                number, _, _ = program.draw(0, 10)
                Seen(display, SIZE).wait_for(number)
                program.ask("release 0")
                number, _, _ = program.draw(0, 5)
                Seen(display, SIZE).wait_for(number)
                program.ask("close 0")
                program.end()
        with Display() as display, Server(self.folder) as server:
            self.on_both(server, check)

    def test_wayland(self):
        def check(environment):
            for mode in MODES:
                for images, in_flight in ((2, 1), (3, 2), (4, 3)):
                    with self.subTest(mode, images=images, in_flight=in_flight), WaylandDisplay(self.folder) as display, \
                            Presenting({**environment, **display.environment}, "wayland") as program:
                        self.assertIn("opened", program.ask(f"open {SIZE[0]} {SIZE[1]} {mode} {images} {in_flight}"))
                        self.assertEqual(program.draw(0, 70)[0], 70)
                        self.assert_shown(display, 0, 70)
                        program.end()
        with Server(self.folder) as server:
            self.on_both(server, check)

    def assert_shown(self, display, window, last, size=SIZE, all_from=1):
        """`window` was handed every frame from `all_from` to `last`, whole and in order, and none that came back changed."""
        wait_until(lambda: display.faults or any(number == last for number in self.numbers(display, window, size)[-1:]),
                   lambda: f"frame {last} is shown; seen: {self.numbers(display, window, size)}")
        self.assertEqual(display.faults, [])
        self.assertEqual([number for number in self.numbers(display, window, size) if number is None or number >= all_from],
                         list(range(all_from, last + 1)))

    def numbers(self, display, window, size):
        return [number_of(frame.pixels, frame.width, frame.height)
                for frame in display.frames_of(window) if (frame.width, frame.height) == size]

    def test_wayland_sizes_and_surfaces(self):
        def check(environment):
            with WaylandDisplay(self.folder) as display, Presenting({**environment, **display.environment}, "wayland") as program:
                program.ask("open 300 200 fifo 3 2")
                program.draw(0, 10)
                self.assert_shown(display, 0, 10)
                display.give_size(0, 420, 310)
                program.ask("surface 0")  # Wayland leaves it to the program when to follow.
                self.assertEqual(program.draw(0, 10)[:2], (20, (420, 310)))
                self.assert_shown(display, 0, 20, (420, 310), all_from=11)
                program.ask("release 0")
                program.draw(0, 5)
                if program.ask("shown 0") == "shown done":
                    self.assertEqual(self.numbers(display, 0, (420, 310))[-1], 25)
                self.assert_shown(display, 0, 25, (420, 310), all_from=11)
                program.end()
        with Server(self.folder) as server:
            self.on_both(server, check)

    def test_present_fences(self):
        """VK_EXT_swapchain_maintenance1, where the guest's driver offers it. Mesa 26's presents in a thread of its own, which uses
        the queue for a present's fence while the application does: a race in the guest, which loses an application's semaphores."""
        def check(environment):
            with WaylandDisplay(self.folder) as wayland:
                for system, variables in (("xcb", display.environment), ("wayland", wayland.environment), ("headless", {})):
                    variables = {**environment, **variables, "VN_PERF": "no_async_present"}
                    with self.subTest(system), Presenting(variables, system) as program:
                        if program.ask("open 300 200 mailbox 3 2 fences") != "not offered":
                            self.assertEqual(program.draw(0, 50)[:2], (50, SIZE))
                            program.ask("resize 0 420 310")
                            number, size, _ = program.draw(0, 20)
                            if system == "xcb":
                                Seen(display, size).wait_for(number)
                            offered.append(system)
                        program.end()
        offered = []
        with Display() as display, Server(self.folder) as server:
            self.on_both(server, check)
        # Natively; in the guest from Mesa 25.1 on.
        self.assertEqual(sorted(offered), sorted(["xcb", "wayland", "headless"] * (1 if GUEST == "guest" else 2)))

    def test_two_windows(self):
        def check(environment):
            with WaylandDisplay(self.folder) as display, Presenting({**environment, **display.environment}, "wayland") as program:
                program.ask("open 300 200 fifo 3 2")
                program.ask("open 64 48 mailbox 4 3")
                for _ in range(5):
                    program.draw(0, 3)
                    program.draw(1, 4)
                program.ask("close 0")
                program.draw(1, 5)
                self.assert_shown(display, 0, 15)
                self.assert_shown(display, 1, 25, (64, 48))
                program.end()
        with Server(self.folder) as server:
            self.on_both(server, check)

    def test_headless_surfaces(self):
        """Nobody shows them; that is all that can be asked of them: frames go on and on."""
        def check(environment):
            with Presenting(environment, "headless") as program:
                for window, mode in enumerate(["fifo", "mailbox"]):  # IMMEDIATE is not offered.
                    self.assertIn("opened", program.ask(f"open 300 200 {mode} {window + 2} {window + 2}"))
                    self.assertEqual(program.draw(window, 50), (50, SIZE, 0))
                    program.ask(f"resize {window} 64 48")
                    program.ask(f"surface {window}")
                    self.assertEqual(program.draw(window, 50), (100, (64, 48), 0))
                    program.ask(f"shown {window}")
                program.end()
        with Server(self.folder) as server:
            self.on_both(server, check)

    def test_without_software_presentation(self):
        """Where MESA_VK_WSI_DEBUG=sw is missing, and no dma-buf can reach the window system, the guest's driver says no: it
        does not hang, and shows nothing wrong. What needs no window system goes on."""
        refusals = {"xcb": "cannot present to this surface", "wayland": r"PresentModesKHR: VkResult -1000000000"}  # SURFACE_LOST
        with Display() as display, WaylandDisplay(self.folder) as wayland, Server(self.folder) as server:
            for system, environment in (("xcb", display.environment), ("wayland", wayland.environment)):
                with self.subTest(system), Presenting({**server.venus(), **environment, "MESA_VK_WSI_DEBUG": ""}, system) as program:
                    program.tell("open 300 200 fifo 3 2")
                    self.assertEqual(program.wait(), 1, program.output())
                    self.assertRegex(program.output(), refusals[system])
            self.assertEqual((wayland.frames, wayland.faults), ([], []))

    def test_validation(self):
        with Display() as display, WaylandDisplay(self.folder) as wayland, Server(self.folder, validation=True) as server:
            for system, environment in (("xcb", display.environment), ("wayland", wayland.environment), ("headless", {})):
                for mode in ("fifo", "mailbox"):
                    with self.subTest(system, mode=mode), Presenting({**server.venus(), **environment}, system) as program:
                        self.assertIn("opened", program.ask(f"open 300 200 {mode} 3 2"))
                        program.draw(0, 20)
                        program.ask("resize 0 100 80")
                        program.draw(0, 10)
                        program.ask("surface 0")
                        program.ask("release 0")
                        self.assertEqual(program.draw(0, 10)[:2], (40, (100, 80)))
                        program.end()


class WestonAndXwayland(GuestCase):
    """A real compositor; one frame after the other, since it takes a while to look at it."""

    def check(self, kind):
        with Server(self.folder) as server:
            for name, environment in (("native", NATIVE), ("guest", server.venus())):
                for mode in ("fifo", "mailbox"):
                    # A Weston each: version 14 does not survive programs of both kinds, one after the other.
                    with self.subTest(name, mode=mode), Weston(self.folder) as weston:
                        display = weston.environment if kind == "wayland" else weston.x11_environment
                        with Presenting({**environment, **display}, kind) as program:
                            self.draw(weston, program, mode)

    def draw(self, weston, program, mode):
        self.assertIn("opened", program.ask(f"open {WIDTH} {HEIGHT} {mode} 3 2"))
        for _ in range(2):
            number, size, _ = program.draw(0, 20)
            self.assertEqual(size, (WIDTH, HEIGHT))
            wait_until(lambda: number_of(weston.pixels(), WIDTH, HEIGHT) == number, f"frame {number} is shown")
        program.end()

    def test_wayland(self):
        self.check("wayland")

    def test_xwayland(self):
        self.check("xcb")


if __name__ == "__main__":
    unittest.main()
