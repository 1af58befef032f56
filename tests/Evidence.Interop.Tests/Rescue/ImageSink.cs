using System.Runtime.InteropServices;
using Evidence.Rescue;
using Evidence.Sources;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>An image in memory, aligned as direct reads want it.</summary>
internal sealed unsafe class ImageSink(int length) : IRescueSink, IDisposable
{
    private readonly byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), 4096);
    private readonly bool[] rescued = new bool[length];

    /// <summary>The bytes that were rescued; zeros elsewhere.</summary>
    internal byte[] Image
    {
        get
        {
            var image = new byte[length];
            CopyTo(image);
            return image;
        }
    }

    /// <summary>Puts the bytes that were rescued where they belong, and leaves the others.</summary>
    internal void CopyTo(Span<byte> image)
    {
        for (int i = 0; i < length; i++)
            image[i] = rescued[i] ? memory[i] : image[i];
    }

    public Span<byte> Buffer(long offset, int length) => new(memory + offset, length);

    public void Rescued(long offset, int length) => rescued.AsSpan((int)offset, length).Fill(true);

    public void Failed(long offset, long length, RescueStatus status, SourceReadException? error)
    {
    }

    public void Dispose() => NativeMemory.AlignedFree(memory);
}
