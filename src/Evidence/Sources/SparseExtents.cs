using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>Where a file has data and where it has holes, as its file system tells through <c>SEEK_DATA</c> and <c>SEEK_HOLE</c>.</summary>
internal static class SparseExtents
{
    internal static IEnumerable<SourceExtent> Of(SafeFileHandle file, string name, long length)
    {
        long offset = 0;
        while (offset < length)
        {
            long data = Seek(file, name, offset, Posix.SEEK_DATA, length);
            if (data > offset)
                yield return new SourceExtent(offset, data - offset, SourceExtentKind.Hole);
            if (data == length)
                yield break;
            long hole = Seek(file, name, data, Posix.SEEK_HOLE, length);
            // A file that is written to meanwhile may have a hole where there was data.
            if (hole > data)
                yield return new SourceExtent(data, hole - data, SourceExtentKind.Data);
            offset = hole;
        }
    }

    private static long Seek(SafeFileHandle file, string name, long offset, int whence, long length)
    {
        long found = Posix.Seek(file, offset, whence);
        if (found >= 0)
            return Math.Min(found, length);
        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            // No data, and no hole either, from here to the end of the file.
            Posix.ENXIO => length,
            // A file system that keeps no holes: all of it is data.
            Posix.EINVAL or Posix.EOPNOTSUPP => whence == Posix.SEEK_DATA ? offset : length,
            _ => throw new SourceReadException(name, offset, length - offset, error),
        };
    }
}
