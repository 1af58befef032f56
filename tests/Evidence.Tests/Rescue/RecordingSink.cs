using System.Runtime.InteropServices;
using Evidence.Rescue;
using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Rescue;

/// <summary>Keeps what a rescuer gives, and checks that it keeps to what it promises its sink.</summary>
internal sealed class RecordingSink(RescueMap map) : IRescueSink
{
    private const int Block = 4 << 20;

    private readonly byte[] image = new byte[map.Length];
    private readonly byte[] buffer = GC.AllocateArray<byte>(Block + 4096, pinned: true);
    private (long Offset, int Length, int Used)? read;

    /// <summary>What was rescued; zeros elsewhere.</summary>
    internal ReadOnlySpan<byte> Image => image;

    /// <summary>What was told, in order.</summary>
    internal List<RescueRange> Told { get; } = [];

    /// <summary>The errors told, one for each range that failed with one.</summary>
    internal List<SourceReadException> Errors { get; } = [];

    /// <summary>Called with every range that is told.</summary>
    internal Action<RescueRange>? OnTold { get; init; }

    public unsafe Span<byte> Buffer(long offset, int length)
    {
        Assert.True(length > 0 && offset >= 0 && offset + length <= map.Length);
        Assert.Equal(offset / Block, (offset + length - 1) / Block);
        read = (offset, length, 0);
        int start = (int)(4096 - ((nint)Unsafe() % 4096));
        return buffer.AsSpan(start, length);

        nint Unsafe() => (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
    }

    public void Rescued(long offset, int length)
    {
        Assert.NotNull(read);
        Assert.Equal(read.Value.Offset, offset);
        Assert.InRange(length, 1, read.Value.Length);
        Buffer(offset, length)[..length].CopyTo(image.AsSpan((int)offset));
        for (long at = offset; at < offset + length; at = map.RangeAt(at).End)
            Assert.NotEqual(RescueStatus.Finished, map.RangeAt(at).Status);
        Tell(new RescueRange(offset, length, RescueStatus.Finished));
    }

    public void Failed(long offset, long length, RescueStatus status, SourceReadException? error)
    {
        Assert.True(length > 0 && offset % 512 == 0 && (length % 512 == 0 || offset + length == map.Length), $"{offset}+{length}");
        RescueRange now = map.RangeAt(offset);
        Assert.True(now.Status == status && now.End >= offset + length);
        Assert.Equal(status == RescueStatus.NonScraped, error is null);
        if (error is not null)
            Errors.Add(error);
        Tell(new RescueRange(offset, length, status));
    }

    private void Tell(RescueRange range)
    {
        Told.Add(range);
        OnTold?.Invoke(range);
    }
}
