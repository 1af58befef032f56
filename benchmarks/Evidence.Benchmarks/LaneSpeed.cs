using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Evidence.Hashing.Lanes;

namespace Evidence.Benchmarks;

/// <summary>How fast every kernel is at its best: the shortest of many short runs, since on a machine with other work each may be interrupted.</summary>
internal static unsafe class LaneSpeed
{
    private const int Runs = 200;

    /// <summary>Prints a line for each kernel: its function, its name, and bytes a second from the L2 cache and from memory.</summary>
    internal static void Print()
    {
        foreach (LaneKernel kernel in new[] { HashFunction.Md5, HashFunction.Sha1, HashFunction.Sha256 }.SelectMany(LaneKernel.All))
        {
            double cached = BytesPerSecond(kernel, 32 << 10, Runs);
            double memory = BytesPerSecond(kernel, 2 << 20, Runs / 4);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kernel.Function.Algorithm}\t{kernel}\t{cached:F0}\t{memory:F0}"));
        }
    }

    private static double BytesPerSecond(LaneKernel kernel, int length, int runs)
    {
        nuint size = (nuint)kernel.Lanes * (nuint)length;
        byte* content = (byte*)NativeMemory.AlignedAlloc(size, 4096);
        new Span<byte>(content, (int)size).Fill(7);
        try
        {
            LaneMessage[] messages = [.. Enumerable.Range(0, kernel.Lanes).Select(i => new LaneMessage(content + ((nuint)i * (nuint)length), length))];
            var digests = new byte[kernel.Lanes * kernel.Function.DigestSize];
            double least = double.MaxValue;
            for (int run = 0; run < runs; run++)
            {
                long started = Stopwatch.GetTimestamp();
                LaneHash.Compute(kernel, messages, digests);
                least = Math.Min(least, Stopwatch.GetElapsedTime(started).TotalSeconds);
            }

            return size / least;
        }
        finally
        {
            NativeMemory.AlignedFree(content);
        }
    }
}
