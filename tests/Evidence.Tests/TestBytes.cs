using FsCheck;
using FsCheck.Fluent;

namespace Evidence.Tests;

/// <summary>Content as disks have it: noise, zeros, repeated bytes, text, and sectors that come again.</summary>
internal static class TestBytes
{
    /// <summary>Noise, the same for the same seed.</summary>
    public static byte[] Random(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Bytes that compress.</summary>
    public static byte[] Text(int length, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)"the quick brown fox\n"[random.Next(4) == 0 ? random.Next(20) : i % 20];
        return bytes;
    }

    /// <summary>A mix of everything, of a length that need not be a multiple of a sector.</summary>
    public static byte[] Disk(int length, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        for (int position = 0; position < length;)
        {
            // Mostly in sectors; at times a run begins or ends within one.
            int count = random.Next(6) == 0 ? random.Next(1, 3000) : 512 * random.Next(1, random.Next(2, 60));
            Span<byte> part = bytes.AsSpan(position, Math.Min(count, length - position));
            switch (random.Next(6))
            {
                case 0 or 1:
                    random.NextBytes(part);
                    break;
                case 2:
                    part.Clear();
                    break;
                case 3:
                    part.Fill((byte)random.Next(256));
                    break;
                case 4:
                    byte[] sector = Random(512, random.Next(4));
                    for (int i = 0; i < part.Length; i++)
                        part[i] = sector[i % 512];
                    break;
                default:
                    Text(part.Length, random.Next()).CopyTo(part);
                    break;
            }

            position += part.Length;
        }

        return bytes;
    }

    /// <summary>Disks of up to a length.</summary>
    public static Gen<byte[]> Disks(int longest) =>
        from length in Gen.OneOf(Gen.Choose(0, longest), Gen.Choose(0, longest / 512).Select(n => n * 512), Gen.Choose(0, 5000))
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Disk(length, seed);
}
