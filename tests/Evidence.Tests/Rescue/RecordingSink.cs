using System.Runtime.CompilerServices;
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
    private (long Offset, int Length)? read;

    /// <summary>What was rescued; zeros elsewhere.</summary>
    internal ReadOnlySpan<byte> Image => image;

    /// <summary>What was told, in order.</summary>
    internal List<RescueRange> Told { get; } = [];

    /// <summary>The errors told, one for each range that failed with one.</summary>
    internal List<SourceReadException> Errors { get; } = [];

    /// <summary>Called with every range that is told.</summary>
    internal Action<RescueRange>? OnTold { get; set; }

    /// <summary>The same sink for the map of a run that goes on.</summary>
    internal RecordingSink With(RescueMap resumed)
    {
        var sink = new RecordingSink(resumed);
        image.CopyTo(sink.image.AsSpan());
        sink.Told.AddRange(Told);
        sink.Errors.AddRange(Errors);
        return sink;
    }

    public Span<byte> Buffer(long offset, int length)
    {
        Assert.True(length > 0 && offset >= 0 && offset + length <= map.Length);
        Assert.Equal(offset / Block, (offset + length - 1) / Block);
        // Asked for once: what was asked for before has ended, well or not.
        read = (offset, length);
        Span<byte> memory = Memory(length);
        memory.Fill(0xEE);
        return memory;
    }

    public void Rescued(long offset, int length)
    {
        Assert.NotNull(read);
        Assert.Equal(read.Value.Offset, offset);
        Assert.InRange(length, 1, read.Value.Length);
        Memory(length).CopyTo(image.AsSpan((int)offset));
        read = null;
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

    private unsafe Span<byte> Memory(int length)
    {
        nint start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
        return buffer.AsSpan((int)(-start & 4095), length);
    }

    private void Tell(RescueRange range)
    {
        Told.Add(range);
        OnTold?.Invoke(range);
    }
}
