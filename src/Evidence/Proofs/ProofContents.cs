using System.Buffers.Text;
using System.Runtime.InteropServices;
using Evidence.Platform;

namespace Evidence.Proofs;

/// <summary>The content of segments in a proof's file, read from it one by one: a proof of any range takes the memory of one segment.</summary>
internal sealed class ProofContents(Stream file, IReadOnlyList<ProofContents.Place> places)
{
    /// <summary>No content.</summary>
    internal static ProofContents None { get; } = new(Stream.Null, []);

    /// <summary>How many there are.</summary>
    internal int Count => places.Count;

    /// <summary>Reads one of them.</summary>
    /// <exception cref="FormatException">It is no base64 in its one spelling, or the file has become shorter.</exception>
    internal byte[] Read(int index)
    {
        Place place = places[index];
        var text = new byte[place.Length];
        file.Position = place.Offset;
        if (ReadFrom(file, text) < text.Length)
            throw new FormatException("The file became shorter while it was read.");
        var content = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        // Written again and compared: the framework's decoder passes over white space and unused bits.
        var again = new byte[text.Length];
        return Base64.DecodeFromUtf8(text, content, out _, out int length) == System.Buffers.OperationStatus.Done &&
            Base64.EncodeToUtf8(content.AsSpan(0, length), again, out _, out int written) == System.Buffers.OperationStatus.Done && written == text.Length && text.AsSpan().SequenceEqual(again)
                ? content[..length]
                : throw new FormatException($"The content of segment {index} is not base64 with padding.");
    }

    /// <summary>Reads from a proof's file until a buffer is full, or the file is at its end.</summary>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="EvidenceException">The file cannot be read.</exception>
    internal static int ReadFrom(Stream file, Span<byte> buffer)
    {
        try
        {
            return file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        }
        catch (IOException e)
        {
            throw DurableFile.Failure(e, (file as FileStream)?.Name ?? "the proof", "read");
        }
    }

    /// <summary>Where in the file the base64 of one of them is.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Place(long Offset, int Length);
}
