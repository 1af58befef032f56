using System.Buffers.Binary;
using Evidence.Hashing;

namespace Evidence.Segments;

/// <summary>One page of an image's map: the runs of up to 64 MiB, and their tree hash (<c>docs/format/map.md</c>).</summary>
public sealed class MapPage
{
    internal const int HeaderSize = 16;
    internal const int RunSize = 44;
    private const int Sector = SegmentParameters.SectorSize;

    private static ReadOnlySpan<byte> Magic => "EVPAGE1\n"u8;

    private MapPage(int length, IReadOnlyList<MapRun> runs, Sha256Digest root)
    {
        Length = length;
        Runs = runs;
        Root = root;
    }

    /// <summary>The bytes of the image that the page covers, 1 to <see cref="SegmentParameters.PageSize"/>.</summary>
    public int Length { get; }

    /// <summary>The runs in order; their offsets are within the page.</summary>
    public IReadOnlyList<MapRun> Runs { get; }

    /// <summary>The tree hash of the runs.</summary>
    public Sha256Digest Root { get; }

    /// <summary>The index of the run that an offset lies in.</summary>
    /// <param name="offset">An offset within the page, below its length.</param>
    internal int IndexOf(long offset)
    {
        int first = 0;
        for (int end = Runs.Count - 1; first < end;)
        {
            int middle = first + ((end - first) / 2);
            if (Runs[middle].End > offset)
                end = middle;
            else
                first = middle + 1;
        }

        return first;
    }

    /// <summary>Encodes runs that lie end to end from offset 0.</summary>
    internal static byte[] Encode(ReadOnlySpan<MapRun> runs)
    {
        var bytes = new byte[HeaderSize + (runs.Length * RunSize)];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), checked((int)runs[^1].End));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), runs.Length);
        Span<byte> rest = bytes.AsSpan(HeaderSize);
        foreach (MapRun run in runs)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, checked((int)run.Offset));
            BinaryPrimitives.WriteInt32LittleEndian(rest[4..], checked((int)run.Length));
            rest[8] = (byte)run.Kind;
            rest[9] = run.Value;
            if (run.Kind == RunKind.Data)
                run.Segment.CopyTo(rest[12..]);
            rest = rest[RunSize..];
        }

        return bytes;
    }

    /// <summary>Reads a page.</summary>
    /// <exception cref="FormatException">The bytes are not a page in its one valid form; the message says where.</exception>
    public static MapPage Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize || !bytes[..8].SequenceEqual(Magic))
            throw new FormatException("A map page does not begin with its magic number.");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        if (length is 0 or > SegmentParameters.PageSize)
            throw new FormatException($"A map page claims to cover {length} bytes.");
        if (bytes.Length != HeaderSize + ((long)count * RunSize))
            throw new FormatException($"A map page of {bytes.Length} bytes claims {count} runs.");

        var runs = new MapRun[count];
        long position = 0;
        for (int i = 0; i < runs.Length; i++)
        {
            ReadOnlySpan<byte> record = bytes.Slice(HeaderSize + (i * RunSize), RunSize);
            MapRun run = DecodeRun(record, i);
            if (run.Offset != position || run.Length == 0)
                throw new FormatException($"Run {i} of a map page covers {run.Offset}+{run.Length} where {position} comes next.");
            if (run.Kind >= RunKind.Hole && run.End % Sector != 0 && run.End != length)
                throw new FormatException($"Run {i} of a map page, kind {record[8]}, ends at {run.End}: within a sector.");
            if (run.Kind != RunKind.Data && i > 0 && runs[i - 1].Kind == run.Kind && runs[i - 1].Value == run.Value)
                throw new FormatException($"Runs {i - 1} and {i} of a map page are of one kind and value: they would be one.");
            position = run.End;
            runs[i] = run;
        }

        return position == length
            ? new MapPage((int)length, runs, MerkleTree.Root(MerkleTree.LeafHashes(bytes[HeaderSize..], RunSize)))
            : throw new FormatException($"The runs of a map page cover {position} of {length} bytes.");
    }

    /// <summary>Whether a run may stand on disk: only data has an id, only a fill has a value, absent runs start at sectors.</summary>
    private static MapRun DecodeRun(ReadOnlySpan<byte> record, int index)
    {
        var kind = (RunKind)record[8];
        byte value = record[9];
        ReadOnlySpan<byte> id = record[12..];
        bool valid = kind is >= RunKind.Data and <= RunKind.Unread &&
            BinaryPrimitives.ReadUInt16LittleEndian(record[10..]) == 0 &&
            (value != 0) == (kind == RunKind.Fill) &&
            id.ContainsAnyExcept((byte)0) == (kind == RunKind.Data);
        uint offset = BinaryPrimitives.ReadUInt32LittleEndian(record);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
        if (!valid || (kind >= RunKind.Hole && offset % Sector != 0))
            throw new FormatException($"Run {index} of a map page, kind {record[8]}, is not in a valid form.");
        return new MapRun(offset, length, kind, value, new Sha256Digest(id));
    }
}
