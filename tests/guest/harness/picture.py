"""Pictures as RGB bytes: written as PNG, compared."""

import struct
import zlib


class Picture:
    def __init__(self, width, height, rgb):
        assert len(rgb) == width * height * 3, (width, height, len(rgb))
        self.width, self.height, self.rgb = width, height, bytes(rgb)

    @classmethod
    def from_bgrx(cls, width, height, data):
        """From the 32-bit little-endian pixels that X servers and Vulkan's B8G8R8A8 hold."""
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = data[2::4], data[1::4], data[0::4]
        return cls(width, height, rgb)

    def write_png(self, path):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        stride = self.width * 3
        rows = b"".join(b"\0" + self.rgb[y * stride:(y + 1) * stride] for y in range(self.height))
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0))
                       + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))

    def colors(self):
        """How many different colours it has."""
        return len(set(zip(self.rgb[0::3], self.rgb[1::3], self.rgb[2::3])))

    def most_common_share(self):
        """The share of the picture that its most frequent colour covers: 1.0 is an empty picture."""
        counts = {}
        for pixel in zip(self.rgb[0::3], self.rgb[1::3], self.rgb[2::3]):
            counts[pixel] = counts.get(pixel, 0) + 1
        return max(counts.values()) / (self.width * self.height)

    def difference(self, other, tolerance=2):
        """The share of pixels where some channel differs by more than `tolerance`."""
        if (self.width, self.height) != (other.width, other.height):
            return 1.0
        far = [abs(a - b) > tolerance for a, b in zip(self.rgb, other.rgb)]
        return sum(map(any, zip(far[0::3], far[1::3], far[2::3]))) / (self.width * self.height)
