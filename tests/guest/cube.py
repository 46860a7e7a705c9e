"""vkcube, drawn natively and in a guest. It turns by a fixed angle a frame, so frame N is the same picture wherever it is
drawn; Display keeps the last one on view."""

from harness import NATIVE, run_guest

FRAMES = 37  # A pose that shows three faces of the cube.


def cube_command(frames=FRAMES):
    return ["vkcube", "--c", frames, "--wsi", "xcb", "--present_mode", 0]


def draw_cube(display, environment, frames=FRAMES, deadline=60):
    """The picture after `frames` frames, and what vkcube printed."""
    display.wipe()
    output = run_guest({**environment, **display.environment}, cube_command(frames), deadline)
    return display.picture(), output


def draw_native_cube(display, frames=FRAMES):
    return draw_cube(display, NATIVE, frames)[0]
