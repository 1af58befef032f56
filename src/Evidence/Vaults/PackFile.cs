using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Vaults;

/// <summary>A sealed pack, opened for reading. Bytes that are not what the format says raise <see cref="ErrorCode.ContentRefuted"/>.</summary>
internal sealed class PackFile : IDisposable
{
    private readonly SafeFileHandle handle;

    private PackFile(SafeFileHandle handle, string path)
    {
        this.handle = handle;
        FilePath = path;
        Length = RandomAccess.GetLength(handle);
    }

    internal string FilePath { get; }

    internal long Length { get; }

    internal static PackFile Open(string path)
    {
        if (VaultFiles.IsNoFile(path))
            throw new EvidenceException(ErrorCode.ContentRefuted, $"{path} is no regular file.");
        SafeFileHandle? opened = null;
        DurableFile.Translate(path, "open the pack", () =>
            opened = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return new PackFile(opened!, path);
    }

    /// <summary>Asks the system to forget what it cached of the file, so that the next reads come from the medium.</summary>
    internal void DropCache() =>
        // Advice only: where the system cannot follow it (tmpfs, say) the bytes are the same, from memory.
        _ = Posix.FileAdvise(handle, 0, 0, Posix.POSIX_FADV_DONTNEED);

    /// <summary>Reads header, footer and index, and holds them against each other and against the name.</summary>
    internal PackEntry[] ReadIndex(Sha256Digest name)
    {
        if (Length < PackFormat.HeaderSize + PackFormat.FooterSize)
            throw Refuted($"it has {Length} bytes: it was cut off");
        try
        {
            PackFormat.CheckHeader(ReadExactly(0, PackFormat.HeaderSize));
            byte[] footer = ReadExactly(Length - PackFormat.FooterSize, PackFormat.FooterSize);
            (long indexOffset, int count, Sha256Digest claimed) = PackFormat.DecodeFooter(footer, Length);
            byte[] index = ReadExactly(indexOffset, count * PackFormat.IndexEntrySize);
            Sha256Digest computed = Sha256Digest.Compute(index);
            if (computed != name)
                throw new FormatException($"its index hashes to {computed}, not to its name");
            if (claimed != name)
                throw new FormatException("its footer gives another name");
            return PackIndex.Decode(index, indexOffset);
        }
        catch (FormatException e)
        {
            throw Refuted(e.Message, e);
        }
    }

    /// <summary>Reads a record into a rented buffer of at least its length, header included.</summary>
    /// <returns>The record's header. The stored bytes follow it in the buffer.</returns>
    internal RecordHeader ReadRecord(long offset, int storedLength, Span<byte> buffer)
    {
        Span<byte> record = buffer[..(PackFormat.RecordHeaderSize + storedLength)];
        ReadExactly(offset, record);
        return Decode(record, offset, storedLength);
    }

    /// <summary>Reads a record's header.</summary>
    internal RecordHeader ReadHeader(long offset, int storedLength)
    {
        Span<byte> header = stackalloc byte[PackFormat.RecordHeaderSize];
        ReadExactly(offset, header);
        return Decode(header, offset, storedLength);
    }

    /// <summary>Reads the stored bytes of the record at an offset, as many as there is room for.</summary>
    internal void ReadStored(long offset, Span<byte> stored) => ReadExactly(offset + PackFormat.RecordHeaderSize, stored);

    /// <summary>Reads what can be read of a damaged pack: what the medium refuses, in blocks of 4 KiB, comes as zeros.</summary>
    /// <returns>The number of bytes; fewer than asked for only where the file ends.</returns>
    internal int ReadTolerant(long offset, Span<byte> destination)
    {
        const int Block = 4096;
        destination = destination[..(int)Math.Clamp(Length - offset, 0, destination.Length)];
        try
        {
            ReadExactly(offset, destination);
        }
        catch (EvidenceException)
        {
            for (int at = 0; at < destination.Length; at += Block)
            {
                Span<byte> block = destination.Slice(at, Math.Min(Block, destination.Length - at));
                try
                {
                    ReadExactly(offset + at, block);
                }
                catch (EvidenceException)
                {
                    block.Clear();
                }
            }
        }

        return destination.Length;
    }

    internal EvidenceException Refuted(string what, Exception? cause = null) =>
        new(ErrorCode.ContentRefuted, $"{FilePath} is damaged: {what}. Run 'evidence verify' to see what it touches, and 'evidence repair' to mend it.", cause);

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private RecordHeader Decode(ReadOnlySpan<byte> record, long offset, int storedLength)
    {
        try
        {
            RecordHeader header = RecordHeader.Decode(record);
            if (header.StoredLength != storedLength)
                throw new FormatException($"the record at offset {offset} has {header.StoredLength} stored bytes where {storedLength} were expected");
            return header;
        }
        catch (FormatException e)
        {
            throw Refuted($"at offset {offset} {e.Message}", e);
        }
    }

    private byte[] ReadExactly(long offset, int count)
    {
        var bytes = new byte[count];
        ReadExactly(offset, bytes);
        return bytes;
    }

    private void ReadExactly(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                int read = RandomAccess.Read(handle, destination, offset);
                if (read == 0)
                    throw Refuted($"it ends at {offset}, before what its index names: it was cut off");
                offset += read;
                destination = destination[read..];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot read {FilePath} at offset {offset}: {e.Message}", e);
        }
    }
}
