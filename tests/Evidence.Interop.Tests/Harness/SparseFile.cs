using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Evidence.Interop.Tests.Harness;

/// <summary>Files that are mostly holes.</summary>
internal static partial class SparseFile
{
    private const int SeekData = 3;
    private const int SeekHole = 4;

    /// <summary>Makes a file with random bytes in some ranges, and nothing elsewhere.</summary>
    internal static void Make(string path, long size, params (long Offset, int Length)[] ranges)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.SetLength(file, size);
        foreach ((long offset, int length) in ranges)
            RandomAccess.Write(file, RandomNumberGenerator.GetBytes(length), offset);
    }

    /// <summary>Where a file has data, as its file system tells.</summary>
    internal static IReadOnlyList<(long Offset, long Length)> DataOf(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        var ranges = new List<(long Offset, long Length)>();
        for (long end = 0; Seek(file, end, SeekData) is >= 0 and var start;)
        {
            end = Seek(file, start, SeekHole);
            ranges.Add((start, end - start));
        }

        return ranges;
    }

    /// <summary>Two files have one length, and the same bytes wherever either has any.</summary>
    internal static void Compare(string expected, string actual)
    {
        Assert.Equal(new FileInfo(expected).Length, new FileInfo(actual).Length);
        using SafeFileHandle one = File.OpenHandle(expected);
        using SafeFileHandle other = File.OpenHandle(actual);
        foreach ((long offset, long length) in DataOf(expected).Concat(DataOf(actual)))
            Assert.True(Read(one, offset, length).AsSpan().SequenceEqual(Read(other, offset, length)), $"{actual} differs between {offset} and {offset + length}");
    }

    internal static byte[] Read(string path, long offset, long length)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        return Read(file, offset, length);
    }

    private static byte[] Read(SafeFileHandle file, long offset, long length)
    {
        var bytes = new byte[length];
        Assert.Equal(length, RandomAccess.Read(file, bytes, offset));
        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);
}
