using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Vaults;

/// <summary>Writes one pack into staging, then seals it: index, footer, fsync, and its name. Used by one thread at a time.</summary>
internal sealed class PackWriter : IDisposable
{
    private const int BufferSize = 1 << 20;

    private readonly VaultLayout layout;
    private readonly string temporary;
    private readonly SafeFileHandle handle;
    private readonly List<PackEntry> entries = [];
    private readonly byte[] buffer = new byte[BufferSize];
    private int buffered;
    private long written;
    private bool published;

    internal PackWriter(VaultLayout layout, string temporary)
    {
        this.layout = layout;
        this.temporary = temporary;
        SafeFileHandle? opened = null;
        DurableFile.Translate(temporary, "create the pack", () => opened = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write));
        handle = opened!;
        Write(PackFormat.EncodeHeader());
    }

    /// <summary>The pack's length so far, in bytes.</summary>
    internal long Length => written + buffered;

    internal void Append(RecordHeader header, ReadOnlySpan<byte> stored)
    {
        entries.Add(new PackEntry(header, Length));
        Span<byte> bytes = stackalloc byte[PackFormat.RecordHeaderSize];
        header.Encode(bytes);
        Write(bytes);
        Write(stored);
    }

    /// <summary>Makes the pack durable under its name.</summary>
    internal (Sha256Digest Name, PackEntry[] Entries) Seal()
    {
        long indexOffset = Length;
        byte[] index = PackIndex.Encode(entries);
        Sha256Digest name = Sha256Digest.Compute(index);
        while (Path.Exists(layout.Pack(name)) && !IsSound(name))
        {
            // Content that is stored anew because its pack is damaged would make the same pack, and be taken for it: one record more gives it another name.
            byte[] own = RandomNumberGenerator.GetBytes(Sha256Digest.Size);
            Append(RecordHeader.For(Sha256Digest.Compute(own), Codec.Stored, own, own.Length), own);
            indexOffset = Length;
            index = PackIndex.Encode(entries);
            name = Sha256Digest.Compute(index);
        }

        Write(index);
        Write(PackFormat.EncodeFooter(indexOffset, entries.Count, name));
        Flush();
        DurableFile.Translate(temporary, "protect the pack", () =>
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        });
        DurableFile.Sync(handle, temporary);
        string path = layout.Pack(name);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        // A pack of that name that is there already was found to be as good: either serves.
        _ = DurableFile.TryPublish(temporary, path);
        // The pack's folder may be another writer's, made and not flushed yet.
        DurableFile.SyncDirectory(layout.Packs);
        published = true;
        return (name, [.. entries]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        handle.Dispose();
        if (!published)
            File.Delete(temporary);
    }

    /// <summary>Whether a pack that is there already can be read, and each of its records is the one that its checksum is of.</summary>
    private bool IsSound(Sha256Digest name)
    {
        byte[] record = [];
        try
        {
            using PackFile pack = PackFile.Open(layout.Pack(name));
            pack.DropCache();
            foreach (PackEntry entry in pack.ReadIndex(name).OrderBy(e => e.Offset))
            {
                int length = PackFormat.RecordHeaderSize + entry.Header.StoredLength;
                if (record.Length < length)
                    record = new byte[length];
                if (pack.ReadRecord(entry.Offset, entry.Header.StoredLength, record) != entry.Header ||
                    entry.Header.ComputeChecksum(record.AsSpan(PackFormat.RecordHeaderSize, entry.Header.StoredLength)) != entry.Header.Checksum)
                {
                    return false;
                }
            }

            return true;
        }
        catch (EvidenceException)
        {
            // Damaged, or not to be read: either way nothing to count on.
            return false;
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BufferSize - buffered)
            Flush();
        if (bytes.Length > BufferSize)
        {
            WriteThrough(bytes);
            return;
        }

        bytes.CopyTo(buffer.AsSpan(buffered));
        buffered += bytes.Length;
    }

    private void Flush()
    {
        WriteThrough(buffer.AsSpan(0, buffered));
        buffered = 0;
    }

    private void WriteThrough(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle, bytes, written);
        }
        catch (IOException e)
        {
            throw DurableFile.Failure(e, temporary, "write");
        }

        written += bytes.Length;
    }
}
