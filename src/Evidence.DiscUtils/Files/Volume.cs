using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>What a file system may lie in: a whole disk, a partition, a logical volume that is put together of several pieces.</summary>
/// <param name="image">The image.</param>
/// <param name="content">The volume, which DiscUtils reads from the image.</param>
internal sealed class Volume(ImageStream image, Stream content)
{
    private const int SmallestPiece = 512;

    /// <summary>Where it begins in the image.</summary>
    internal long Start { get; } = PlaceOf(image, content, 0);

    /// <summary>The image.</summary>
    internal ImageStream Image => image;

    /// <summary>The volume.</summary>
    internal Stream Content => content;

    /// <summary>Reads a part of the volume.</summary>
    /// <exception cref="EndOfStreamException">It ends before.</exception>
    internal void Read(long offset, Span<byte> part)
    {
        content.Position = offset;
        content.ReadExactly(part);
    }

    /// <summary>Where a range of the volume lies in the image: what reading its ends touches there. Where that is not one piece, halves of it are.</summary>
    /// <param name="fileOffset">Where the range is in a file.</param>
    /// <param name="offset">Where it is in the volume.</param>
    /// <param name="length">Its length, at least 1.</param>
    internal IEnumerable<FileRun> Map(long fileOffset, long offset, long length)
    {
        var pending = new Stack<(long Offset, long Length)>([(offset, length)]);
        while (pending.TryPop(out (long Offset, long Length) piece))
        {
            long first = PlaceOf(image, content, piece.Offset);
            if (PlaceOf(image, content, piece.Offset + piece.Length - 1) - first == piece.Length - 1)
            {
                yield return new FileRun(fileOffset + piece.Offset - offset, first, piece.Length);
                continue;
            }

            long half = piece.Length / 2 / SmallestPiece * SmallestPiece;
            if (half == 0)
                throw new IOException($"The volume is in pieces of less than {SmallestPiece} bytes at {piece.Offset}");
            pending.Push((piece.Offset + half, piece.Length - half));
            pending.Push((piece.Offset, half));
        }
    }

    private static long PlaceOf(ImageStream image, Stream content, long offset)
    {
        Span<byte> one = stackalloc byte[1];
        content.Position = offset;
        image.Trace();
        return content.Read(one) == 1 && image.Reads is [var only] && only.Length == 1
            ? only.Offset
            : throw new IOException($"Byte {offset} of the volume is not one of the image");
    }
}
