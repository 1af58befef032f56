using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Evidence.Sources.Ewf;

/// <summary>Where a chunk is stored.</summary>
/// <param name="File">The number of the segment file, from 0.</param>
/// <param name="Offset">Its first byte in the file.</param>
/// <param name="Length">The bytes that it may take at most.</param>
/// <param name="IsCompressed">Whether it is a zlib stream.</param>
/// <param name="Defect">Why it cannot be relied on; null where it can.</param>
internal readonly record struct EwfPlace(int File, long Offset, long Length, bool IsCompressed, string? Defect);

/// <summary>The tables of a set. Entries are read when they are asked for, and only those of a few groups are kept: an image of terabytes has a hundred million.</summary>
internal sealed class EwfTables(IReadOnlyList<EwfFile> files, IReadOnlyList<EwfGroup> groups, int chunkLength, EwfFindings findings)
{
    /// <summary>The groups whose entries are kept.</summary>
    private const int MostLoaded = 4;

    private readonly Lock gate = new();
    private readonly LinkedList<Loaded> recent = [];

    /// <summary>The number of chunks that are named.</summary>
    internal long Chunks => groups.Count == 0 ? 0 : groups[^1].FirstChunk + groups[^1].Count;

    /// <summary>Where a chunk is.</summary>
    internal EwfPlace Find(long chunk)
    {
        Loaded loaded = Load(IndexOf(chunk));
        EwfGroup group = loaded.Group;
        int index = (int)(chunk - group.FirstChunk);
        if (loaded.Defect is not null)
            return new EwfPlace(group.File, group.Entries + (index * (long)sizeof(uint)), 0, false, loaded.Defect);
        (long start, bool compressed) = At(loaded, index);
        long end = index + 1 < group.Count ? At(loaded, index + 1).Start : group.DataEnd;
        string? defect = loaded.Differing?.Contains(index) == true ? "the two tables name different places for it, and both have right checksums"
            : start < EwfFormat.HeaderLength + EwfSection.DescriptorLength || end <= start || end > group.DataEnd ? "its table names a place that cannot be"
            : null;
        return new EwfPlace(group.File, start, end - start, compressed, defect);
    }

    private static (long Start, bool IsCompressed) At(Loaded loaded, int index)
    {
        uint entry = loaded.Entries[index];
        return index >= loaded.Overflow
            ? (loaded.Group.Base + entry, false)
            : (loaded.Group.Base + (entry & ~EwfFormat.Compressed), (entry & EwfFormat.Compressed) != 0);
    }

    private int IndexOf(long chunk)
    {
        int low = 0;
        for (int high = groups.Count - 1; low < high;)
        {
            int middle = (low + high + 1) / 2;
            if (groups[middle].FirstChunk <= chunk)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private Loaded Load(int number)
    {
        lock (gate)
        {
            for (LinkedListNode<Loaded>? node = recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Number != number)
                    continue;
                recent.Remove(node);
                recent.AddFirst(node);
                return node.Value;
            }

            var loaded = LoadGroup(number);
            recent.AddFirst(loaded);
            if (recent.Count > MostLoaded)
                recent.RemoveLast();
            return loaded;
        }
    }

    private Loaded LoadGroup(int number)
    {
        EwfGroup group = groups[number];
        EwfFile file = files[group.File];
        if (!group.IsHeaderRight)
            return Defective(number, "the header of its table is damaged");
        (uint[]? first, bool firstIsRight) = ReadEntries(group, group.Table);
        if (group.Mirror < 0)
        {
            return first is null || !firstIsRight
                ? Defective(number, "its table is damaged, and there is no second one")
                : Whole(number, first, differing: null);
        }

        (uint[]? second, bool secondIsRight) = ReadEntries(group, group.Mirror);
        if (!firstIsRight && !secondIsRight)
            return Defective(number, "both tables that name it are damaged");
        if (firstIsRight && secondIsRight && !first.AsSpan().SequenceEqual(second))
        {
            HashSet<int> differing = [.. Enumerable.Range(0, group.Count).Where(i => first![i] != second![i])];
            findings.Add("table", file.Name, group.Mirror, $"table2 differs from table in {differing.Count} of {group.Count} entries, and both have right checksums: those chunks, and the ones before them, are not read.");
            // A chunk ends where the next begins.
            differing.UnionWith(differing.Select(i => i - 1).ToArray());
            return Whole(number, first!, differing);
        }

        return Whole(number, firstIsRight ? first! : second!, differing: null);
    }

    /// <summary>The entries of a table, and whether they can be relied on.</summary>
    private (uint[]? Entries, bool IsRight) ReadEntries(EwfGroup group, long table)
    {
        EwfFile file = files[group.File];
        int length = group.Count * sizeof(uint);
        byte[] bytes;
        try
        {
            bytes = file.Read(table + EwfFormat.TableHeaderLength, length + (group.HasFooter ? EwfFormat.ChecksumLength : 0));
        }
        catch (SourceReadException e)
        {
            findings.Add("table", file.Name, table, $"The table cannot be read: {e.Message}");
            return (null, false);
        }

        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Tables are read on little-endian machines only.");
        uint[] entries = MemoryMarshal.Cast<byte, uint>(bytes.AsSpan(0, length)).ToArray();
        bool right = !group.HasFooter || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(length)) == Adler32.Compute(bytes.AsSpan(0, length));
        if (!right)
            findings.Add("checksum", file.Name, table + EwfFormat.TableHeaderLength, $"The checksum of the table's {group.Count} entries is wrong{(table == group.Mirror ? "; it is table2" : "")}.");
        return (entries, right);
    }

    private Loaded Defective(int number, string defect) => new(number, groups[number], [], int.MaxValue, null, defect);

    private Loaded Whole(int number, uint[] entries, HashSet<int>? differing)
    {
        EwfGroup group = groups[number];
        int overflow = int.MaxValue;
        // EnCase 6.7.1 let a table's offsets run past 31 bits: from there on the highest bit is one of the offset's, and the chunks are not compressed.
        long before = entries.Length > 0 ? entries[0] & ~EwfFormat.Compressed : 0;
        for (int i = 1; i < entries.Length; i++)
        {
            long next = entries[i] & ~EwfFormat.Compressed;
            if (next < before && entries[i] > before && before + EwfChunkDecoder.LongestStored(chunkLength) > int.MaxValue)
            {
                overflow = i;
                findings.Add("table", files[group.File].Name, group.Entries + (i * (long)sizeof(uint)), "From this entry on offsets are past 2 GiB, in 32 bits, as EnCase 6.7.1 wrote them: the chunks are taken for uncompressed ones.");
                break;
            }

            before = next;
        }

        return new Loaded(number, group, entries, overflow, differing, null);
    }

    /// <param name="Number">The number of the group.</param>
    /// <param name="Group">The group.</param>
    /// <param name="Entries">Its entries.</param>
    /// <param name="Overflow">The first entry whose offset has 32 bits.</param>
    /// <param name="Differing">The chunks that the two tables do not agree on.</param>
    /// <param name="Defect">Why none of them can be relied on.</param>
    private sealed record Loaded(int Number, EwfGroup Group, uint[] Entries, int Overflow, HashSet<int>? Differing, string? Defect);
}
