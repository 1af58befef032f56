using System.Buffers;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;

namespace Evidence.Vaults;

/// <summary>
/// Contents that are to be held against their ids, gathered in one place: their digests are made together, in the lanes of the processor's vectors. Its
/// memory is bounded: 4 MiB, or one record where that is larger.
/// </summary>
internal sealed class ContentBatch : IDisposable
{
    private const int Capacity = 4 << 20;

    private readonly List<(int Start, int Length)> contents = [];
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(Capacity);
    private int used;

    /// <summary>Whether there is room for so many bytes more. An empty batch has room for any number.</summary>
    internal bool HasRoom(int length) => used == 0 || buffer.Length - used >= length;

    /// <summary>Takes room for bytes, which stay there until <see cref="Clear"/>.</summary>
    /// <param name="length">Their number; see <see cref="HasRoom"/>.</param>
    internal Span<byte> Take(int length)
    {
        if (used == 0 && buffer.Length < length)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(length);
        }

        Span<byte> taken = buffer.AsSpan(used, length);
        used += length;
        return taken;
    }

    /// <summary>Says that a part of what was taken is a content.</summary>
    /// <param name="content">The part.</param>
    /// <returns>The content's number, from 0.</returns>
    internal int Add(ReadOnlySpan<byte> content)
    {
        if (!buffer.AsSpan(0, used).Overlaps(content, out int start))
            throw new ArgumentException("The content does not lie in this batch.", nameof(content));
        contents.Add((start, content.Length));
        return contents.Count - 1;
    }

    /// <summary>The digests of the contents.</summary>
    internal unsafe Sha256Digest[] Digests()
    {
        var digests = new Sha256Digest[contents.Count];
        var messages = new LaneMessage[contents.Count];
        fixed (byte* start = buffer)
        {
            for (int i = 0; i < messages.Length; i++)
                messages[i] = new LaneMessage(start + contents[i].Start, contents[i].Length);
            Sha256Digest.Compute(messages, digests);
        }

        return digests;
    }

    /// <summary>Forgets what was taken.</summary>
    internal void Clear()
    {
        contents.Clear();
        used = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
