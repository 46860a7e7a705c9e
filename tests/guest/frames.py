"""What the program `present` draws (tests/guest/api/presenter.h), and the talk with it."""

import re

from harness import PROGRAMS, Program, guest_command

GRID, CELL_BASE = 8, 64


def expected(number, width, height):
    """Frame `number` as B8G8R8X8 rows, without the X byte's meaning: every cell tells the number and which cell it is."""
    rows = []
    for y in range(GRID):
        row = b""
        for x in range(GRID):
            pixel = bytes([CELL_BASE + y * GRID + x, number >> 8 & 0xFF, number & 0xFF, 0])
            row += pixel * (width * (x + 1) // GRID - width * x // GRID)
        rows.append(row * (height * (y + 1) // GRID - height * y // GRID))
    return b"".join(rows)


def number_of(pixels, width, height):
    """Which frame `pixels` are; None if they are no whole frame."""
    data = bytearray(pixels)
    data[3::4] = bytes(width * height)
    number = data[1] << 8 | data[2]
    return number if bytes(data) == expected(number, width, height) else None


class Presenting(Program):
    """A running `present`. A context manager."""

    def __init__(self, environment, system):
        super().__init__(guest_command(environment, [PROGRAMS / "present", system]))
        self._answered = 0

    def tell(self, command):
        """For a command whose answer is awaited later."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        """The answer to the next command, in the order of the commands."""
        self._answered += 1
        self.wait_for_lines(self._answered)
        return self.lines()[self._answered - 1]

    def ask(self, command):
        self.tell(command)
        return self.answer()

    def draw(self, window, count):
        """Draws `count` frames: the number of the last one, the swapchain's size, how often it did not fit."""
        return self.drawn(self.ask(f"draw {window} {count}"))

    @staticmethod
    def drawn(answer):
        number, width, height, out_of_date, suboptimal = map(
            int, re.fullmatch(r"drew (\d+), (\d+)x(\d+), out of date (\d+), suboptimal (\d+)", answer).groups())
        return number, (width, height), out_of_date + suboptimal

    def end(self):
        """Its input ends; fails the test unless it then ends well."""
        self.process.stdin.close()
        self.process.stdin = None
        status = self.wait()
        if status != 0:
            raise AssertionError(f"present ended with {status}; its output:\n{self.output()}")
