"""A `pvgpu device` on a socket of its own: the GPU of one or more virtual machines."""

from harness import Server


class Device(Server):
    """Used as a Server is. Leaving it with an error adds its log to what is told of the error."""
    SUBCOMMAND = "device"

    def __exit__(self, kind, error, trace):
        if error is not None:
            error.add_note("pvgpu's log ends:\n" + "\n".join(self.log().splitlines()[-40:]))
        super().__exit__(kind, error, trace)
