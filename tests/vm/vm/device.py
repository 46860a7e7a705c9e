"""A `pvgpu device` on a socket of its own: the GPU of one or more virtual machines."""

from harness import Server


class Device(Server):
    """Used as a Server is."""
    SUBCOMMAND = "device"
    READY_WORKERS = None

    def processes(self):
        return [self.process.pid, *self.workers()]
