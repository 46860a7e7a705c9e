"""A machine's screen as `pvgpu device --display png:FOLDER` keeps it."""

from harness import Picture
from harness.guest import wait_until
from harness.picture import png_to_bgrx


class Screen:
    """The pictures in `folder`, which is FOLDER/vm-N. `newest` is the last one that was looked at."""

    def __init__(self, folder):
        self._folder = folder
        self.newest = None

    def pictures(self):
        """All that are kept, the oldest first."""
        return list(filter(None, map(_read, sorted(self._folder.glob("frame-*.png")))))

    def _look(self):
        found = next(filter(None, map(_read, sorted(self._folder.glob("frame-*.png"), reverse=True))), None)
        self.newest = found or self.newest
        return found

    def wait_for(self, condition, what, deadline=60):
        """The first picture for which `condition` holds."""
        def found():
            picture = self._look()
            return picture if picture and condition(picture) else None
        return wait_until(found, what, deadline, interval=0.2)


def _read(path):
    """None if it has gone: only the newest are kept."""
    try:
        return Picture.from_bgrx(*png_to_bgrx(path.read_bytes()))
    except FileNotFoundError:
        return None
