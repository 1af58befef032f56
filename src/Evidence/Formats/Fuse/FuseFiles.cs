using System.Runtime.InteropServices;
using System.Text;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Formats.Fuse;

/// <summary>The files of a mounted image: <c>image.raw</c>, which is its bytes, and <c>manifest.json</c>, whose SHA-256 is its id.</summary>
internal sealed class FuseFiles(ImageReader reader)
{
    internal const string ImageName = "image.raw";
    internal const string ManifestName = "manifest.json";

    private const ulong Image = 2;
    private const ulong Manifest = 3;
    private const uint DirectoryMode = 0x4000 | 0b101_101_101;
    private const uint FileMode = 0x8000 | 0b100_100_100;
    private const int SectorSize = 512;

    private static readonly (string Name, ulong Node, uint Type)[] Entries =
    [
        (".", FuseProtocol.Root, FuseProtocol.DirectoryEntry), ("..", FuseProtocol.Root, FuseProtocol.DirectoryEntry),
        (ImageName, Image, FuseProtocol.FileEntry), (ManifestName, Manifest, FuseProtocol.FileEntry),
    ];

    private readonly byte[] manifest = reader.Image.Manifest.ToBytes();

    /// <summary>The files' times: when the imaging ended.</summary>
    private readonly Instant made = reader.Image.Manifest.Finished;

    /// <summary>The node of a name in the folder; null where there is none.</summary>
    internal static ulong? Find(ReadOnlySpan<byte> name)
    {
        foreach ((string entry, ulong node, uint type) in Entries)
        {
            if (type == FuseProtocol.FileEntry && name.SequenceEqual(Encoding.UTF8.GetBytes(entry)))
                return node;
        }

        return null;
    }

    internal static bool IsFile(ulong node) => node is Image or Manifest;

    internal static bool IsKnown(ulong node) => node is FuseProtocol.Root or Image or Manifest;

    internal long SizeOf(ulong node) => node switch
    {
        Image => reader.Size,
        Manifest => manifest.Length,
        _ => 0,
    };

    internal FuseAttributes AttributesOf(ulong node)
    {
        var seconds = (ulong)Math.Max(0, made.ToUnixTimeSeconds());
        long size = SizeOf(node);
        return new FuseAttributes
        {
            Inode = node,
            Size = (ulong)size,
            Blocks = (ulong)((size + SectorSize - 1) / SectorSize),
            AccessTime = seconds,
            ModifyTime = seconds,
            ChangeTime = seconds,
            Mode = IsFile(node) ? FileMode : DirectoryMode,
            Links = IsFile(node) ? 1u : 2u,
            User = Posix.GetEffectiveUserId(),
            Group = Posix.GetEffectiveGroupId(),
            BlockSize = 64 << 10,
        };
    }

    /// <returns>The number of bytes, fewer than asked for only at the end.</returns>
    /// <exception cref="EvidenceException">They are absent, or damaged in the vault.</exception>
    internal int Read(ulong node, long offset, Span<byte> destination)
    {
        if (node == Image)
            return reader.Read(offset, destination);
        int count = (int)Math.Clamp(manifest.Length - offset, 0, destination.Length);
        manifest.AsSpan((int)Math.Min(offset, manifest.Length), count).CopyTo(destination);
        return count;
    }

    /// <summary>Where the next data, or the next hole, begins at or behind an offset, as lseek(2) has it; null where there is none.</summary>
    internal long? Seek(ulong node, long offset, bool hole)
    {
        long size = SizeOf(node);
        if (offset >= size)
            return null;
        if (node == Image)
        {
            while (offset < size && reader.RunAt(offset) is var run && run.Kind is RunKind.Zero or RunKind.Hole != hole)
                offset = run.End;
            // At the end there always is a hole, and never data.
            return offset < size || hole ? offset : null;
        }

        return hole ? size : offset;
    }

    /// <summary>Writes entries of the folder, as many as there is room for.</summary>
    /// <returns>The number of bytes.</returns>
    internal static unsafe int List(ulong from, Span<byte> destination)
    {
        int written = 0;
        for (ulong next = from; next < (ulong)Entries.Length; next++)
        {
            (string name, ulong node, uint type) = Entries[next];
            int length = (sizeof(FuseDirectoryEntry) + Encoding.UTF8.GetByteCount(name) + 7) & ~7;
            if (written + length > destination.Length)
                break;
            Span<byte> entry = destination.Slice(written, length);
            entry.Clear();
            MemoryMarshal.Write(entry, new FuseDirectoryEntry { Inode = node, Next = next + 1, NameLength = (uint)Encoding.UTF8.GetByteCount(name), Type = type });
            Encoding.UTF8.GetBytes(name, entry[sizeof(FuseDirectoryEntry)..]);
            written += length;
        }

        return written;
    }
}
