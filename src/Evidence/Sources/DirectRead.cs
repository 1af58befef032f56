using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>
/// One direct read (open(2), O_DIRECT), whose offset, length and memory must be aligned: where the caller's are, straight into the caller's
/// memory, and otherwise by way of memory that is.
/// </summary>
internal static unsafe class DirectRead
{
    private const int MemoryAlignment = 4096;
    private const int LargestBounce = 1 << 20;

    /// <summary>Reads as much as one call gives, of a descriptor that was set to O_DIRECT.</summary>
    /// <param name="file">The descriptor.</param>
    /// <param name="alignment">What offset, length and memory must be multiples of.</param>
    /// <param name="offset">Where to read.</param>
    /// <param name="buffer">Where the bytes go; not empty.</param>
    /// <returns>The number of bytes; negative on failure, and <see cref="Marshal.GetLastPInvokeError"/> then tells why.</returns>
    internal static nint Read(SafeFileHandle file, int alignment, long offset, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            int whole = buffer.Length / alignment * alignment;
            return whole > 0 && offset % alignment == 0 && (nuint)start % (nuint)alignment == 0
                ? Posix.PRead(file, start, (nuint)whole, offset)
                : Bounced(file, alignment, offset, buffer);
        }
    }

    private static nint Bounced(SafeFileHandle file, int alignment, long offset, Span<byte> buffer)
    {
        int before = (int)(offset % alignment);
        long asked = ((long)before + buffer.Length + alignment - 1) / alignment * alignment;
        int size = (int)Math.Min(asked, Math.Max(alignment, LargestBounce / alignment * alignment));
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, MemoryAlignment);
        try
        {
            nint count = Posix.PRead(file, memory, (nuint)size, offset - before);
            if (count < 0)
                return count;
            int given = (int)Math.Clamp(count - before, 0, buffer.Length);
            new Span<byte>(memory + before, given).CopyTo(buffer);
            return given;
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }
}
