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

    def part(self, x, y, width, height):
        """What it shows from there on."""
        rows = (self.rgb[3 * (line * self.width + x):][:3 * width] for line in range(y, y + height))
        return Picture(width, height, b"".join(rows))

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


def png_to_bgrx(data):
    """Width, height and B8G8R8X8 pixels of a PNG with 8-bit RGB or RGBA (ISO/IEC 15948, chapters 7 to 9)."""
    width, height, depth, color, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    assert depth == 8 and color in (2, 6) and not interlaced, (depth, color, interlaced)
    packed, position = b"", 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            packed += data[position + 8:position + 8 + length]
        position += length + 12
    lines, size = zlib.decompress(packed), 3 if color == 2 else 4
    above, rows = bytes(width * size), []
    for start in range(0, len(lines), 1 + width * size):
        above = _unfiltered(lines[start], lines[start + 1:start + 1 + width * size], above, size)
        rows.append(above)
    pixels, result = b"".join(rows), bytearray(width * height * 4)
    for channel in range(3):
        result[2 - channel::4] = pixels[channel::size]
    return width, height, bytes(result)


def _unfiltered(kind, line, above, size):
    if kind == 0:
        return line
    out = bytearray(line)
    for i, value in enumerate(line):
        left, up, corner = (out[i - size], above[i], above[i - size]) if i >= size else (0, above[i], 0)
        if kind == 4:
            estimate = left + up - corner
            guess = min((left, up, corner), key=lambda neighbour: abs(estimate - neighbour))
        else:
            guess = (0, left, up, (left + up) // 2)[kind]
        out[i] = value + guess & 0xFF
    return bytes(out)
