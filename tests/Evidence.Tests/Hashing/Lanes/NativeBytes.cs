using System.Runtime.InteropServices;
using Evidence.Hashing.Lanes;

namespace Evidence.Tests.Hashing.Lanes;

/// <summary>Bytes that stay where they are, and begin where they are told to.</summary>
internal sealed unsafe class NativeBytes : IDisposable
{
    private readonly byte* memory;

    /// <summary>Copies bytes to an address that is so far behind a multiple of 64.</summary>
    public NativeBytes(ReadOnlySpan<byte> content, int misalignment = 0)
    {
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)(content.Length + misalignment + 1), 64);
        Start = memory + misalignment;
        Length = content.Length;
        content.CopyTo(new Span<byte>(Start, Length));
    }

    public byte* Start { get; }

    public int Length { get; }

    public LaneMessage Message(int offset, int length) => new(Start + offset, length);

    public void Dispose() => NativeMemory.AlignedFree(memory);
}
