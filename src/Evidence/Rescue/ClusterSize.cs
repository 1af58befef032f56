using System.Numerics;
using Evidence.Sources;

namespace Evidence.Rescue;

/// <summary>
/// How much one read of the copying passes asks for: as much as suits the source while it is healthy, little after an error, and more again
/// after a long stretch without one.
/// </summary>
internal sealed class ClusterSize(Source source)
{
    /// <summary>The size after an error, in bytes: as GNU ddrescue's.</summary>
    internal const int AfterError = 64 << 10;

    /// <summary>The largest size, in bytes: a multiple of it is never crossed.</summary>
    internal const int Largest = 4 << 20;

    /// <summary>
    /// How many clusters without an error double the size. A cluster that fails is later read by its sectors; so on a disk with scattered
    /// errors, growth costs at most one such read for every 256 KiB read well.
    /// </summary>
    private const int Stretch = 1024;

    private int current = Largest;
    private long good;

    /// <summary>The size of the next read, a power of two.</summary>
    internal int Current => Math.Min(current, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(source.PreferredReadSize, AfterError, Largest)));

    internal void Succeeded(int length)
    {
        good += length;
        if (current == Largest || good < (long)current * Stretch)
            return;
        current *= 2;
        good = 0;
    }

    internal void Failed()
    {
        current = AfterError;
        good = 0;
    }
}
