"""XXH128 (XXH3, 128 bits, seed 0) in plain Python, for the checksums in pack.md; for inputs of 17 bytes and more, as all are there.

After https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. It manages some 40 MB/s; `xxhsum -H2` gives the same.
"""
import struct

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364ea"
    "c5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3, P64_4, P64_5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def word(data, at):
    return int.from_bytes(data[at : at + 8], "little")


def fold(a, b):
    return a * b & M64 ^ a * b >> 64


def avalanche(value):
    value = (value ^ value >> 37) * 0x165667919E3779F9 & M64
    return value ^ value >> 32


def xxh128(data):
    size, low, high = len(data), len(data) * P64_1 & M64, 0

    def mix(one, other, secret):
        nonlocal low, high
        first, second, third, fourth = word(data, one), word(data, one + 8), word(data, other), word(data, other + 8)
        low = low + fold(first ^ word(SECRET, secret), second ^ word(SECRET, secret + 8)) & M64 ^ third + fourth & M64
        high = high + fold(third ^ word(SECRET, secret + 16), fourth ^ word(SECRET, secret + 24)) & M64 ^ first + second & M64

    if size > 240:
        low, high = xxh128_long(data)
    else:
        if size <= 128:
            for i in range((size - 1) // 32, -1, -1):
                mix(16 * i, size - 16 * i - 16, 32 * i)
        else:
            for i in range(size // 32):
                mix(32 * i, 32 * i + 16, 32 * i if i < 4 else 32 * i - 125)
                if i == 3:
                    low, high = avalanche(low), avalanche(high)
            mix(size - 16, size - 32, 103)
        low, high = avalanche(low + high & M64), -avalanche(low * P64_1 + high * P64_4 + size * P64_2 & M64) & M64
    return high.to_bytes(8, "big") + low.to_bytes(8, "big")


def xxh128_long(data):
    lanes, size = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1], len(data)
    keys = [[word(SECRET, 8 * (stripe + lane)) for stripe in range(16)] for lane in range(8)]

    def accumulate(at, stripes, keys):
        words = struct.unpack_from(f"<{8 * stripes}Q", data, at)
        sums = [sum(words[lane::8]) for lane in range(8)]
        for lane in range(8):
            mixed = [value ^ key for value, key in zip(words[lane::8], keys[lane])]
            lanes[lane] = lanes[lane] + sums[lane ^ 1] + sum([(value & M32) * (value >> 32) for value in mixed]) & M64

    blocks = (size - 1) // 1024
    for block in range(blocks):
        accumulate(1024 * block, 16, keys)
        for lane in range(8):
            lanes[lane] = (lanes[lane] ^ lanes[lane] >> 47 ^ word(SECRET, 128 + 8 * lane)) * P32_1 & M64
    accumulate(1024 * blocks, (size - 1 - 1024 * blocks) // 64, keys)
    accumulate(size - 64, 1, [[word(SECRET, 121 + 8 * lane)] for lane in range(8)])

    def merge(secret, start):
        pairs = [fold(lanes[i] ^ word(SECRET, secret + 8 * i), lanes[i + 1] ^ word(SECRET, secret + 8 * i + 8)) for i in range(0, 8, 2)]
        return avalanche(start + sum(pairs) & M64)

    return merge(11, size * P64_1 & M64), merge(117, ~(size * P64_2) & M64)
