using System.Buffers.Binary;
using System.Text;
using Evidence.Sources.Ewf;

namespace Evidence.Formats.Ewf;

/// <summary>
/// Lays chunks out in segment files as EnCase 6 does: groups of <c>sectors</c>, <c>table</c> and <c>table2</c>, files that end in <c>next</c>, a last one that ends in
/// <c>done</c>. What it holds in memory is one group's table and the ranges in it that were not read.
/// </summary>
internal sealed class EwfSetWriter : IDisposable
{
    private const int BufferLength = 1 << 20;

    /// <summary>Offsets in a table have 31 bits.</summary>
    private const long LargestGroup = int.MaxValue;

    private readonly OutputSet set;
    private readonly EwfSegmentName name;
    private readonly byte[] volume;
    private readonly long segmentSize;
    private readonly long tailLength;
    private readonly byte[] buffer = new byte[BufferLength];
    private readonly List<uint> entries = [];
    private readonly List<string> remarks = [];
    private readonly List<string> files = [];
    private EwfSegmentFile file;
    private long closedBytes;
    private long sectorsStart;
    private long remarksLength;

    /// <summary>Begins a set.</summary>
    /// <param name="set">Where the files go.</param>
    /// <param name="name">What they are called.</param>
    /// <param name="headers">The case data.</param>
    /// <param name="volume">What the image is.</param>
    /// <param name="segmentSize">No file is larger, in bytes.</param>
    /// <param name="tailLength">The bytes that the sections behind the last group take.</param>
    internal EwfSetWriter(OutputSet set, EwfSegmentName name, EwfHeaders headers, EwfVolume volume, long segmentSize, long tailLength)
    {
        this.set = set;
        this.name = name;
        this.volume = volume.Encode();
        this.segmentSize = segmentSize;
        this.tailLength = tailLength + (2 * EwfSection.DescriptorLength) + EwfVolume.Length;
        file = Open();
        byte[] header2 = headers.EncodeHeader2();
        file.WriteSection("header2", header2);
        file.WriteSection("header2", header2);
        file.WriteSection("header", headers.EncodeHeader());
        file.WriteSection("volume", this.volume);
    }

    /// <summary>The paths of the files, in order.</summary>
    internal IReadOnlyList<string> Files => files;

    /// <summary>The bytes that were written.</summary>
    internal long Bytes => closedBytes + file.Position;


    /// <summary>Adds a chunk.</summary>
    /// <param name="stored">What is stored of it.</param>
    /// <param name="isCompressed">Whether that is a zlib stream.</param>
    /// <param name="absences">Lines about what of it was not read; they go into the group that the chunk is in.</param>
    internal void Add(ReadOnlySpan<byte> stored, bool isCompressed, IReadOnlyList<string> absences)
    {
        long added = 0;
        foreach (string line in absences)
            added += Encoding.UTF8.GetByteCount(line);
        if (entries.Count == EwfFormat.EntriesPerTable || (entries.Count > 0 && file.Position - sectorsStart + stored.Length > LargestGroup))
            CloseGroup();
        if (!Fits(stored.Length, added))
        {
            CloseGroup();
            NextFile();
            if (!Fits(stored.Length, added))
                throw new EvidenceException(ErrorCode.Usage, $"Segments of {segmentSize} bytes are too small for this image: the ranges of one chunk that were not read take {added} bytes. Choose larger ones.");
        }

        if (entries.Count == 0)
        {
            sectorsStart = file.Position;
            file.Reserve();
        }

        entries.Add((uint)(file.Position - sectorsStart) | (isCompressed ? EwfFormat.Compressed : 0));
        file.Write(stored);
        remarks.AddRange(absences);
        remarksLength += added;
    }

    /// <summary>Ends the set.</summary>
    /// <param name="errors">The entries of the error2 section: ranges of sectors.</param>
    /// <param name="md5">The MD5 over all sectors.</param>
    /// <param name="sha1">The SHA-1 over all sectors.</param>
    /// <param name="facts">Lines about the whole.</param>
    internal void Finish(IReadOnlyList<(uint First, uint Count)> errors, byte[] md5, byte[] sha1, IReadOnlyList<string> facts)
    {
        CloseGroup();
        if (files.Count == 1)
            file.WriteSection("data", volume);
        if (errors.Count > 0)
            file.WriteSection("error2", EncodeErrors(errors));
        file.WriteSection(EwfRemarks.SectionType, EwfRemarks.Encode(facts));
        file.WriteSection("digest", WithChecksum([.. md5, .. sha1, .. new byte[40]]));
        file.WriteSection("hash", WithChecksum([.. md5, .. new byte[16]]));
        file.WriteLast("done");
        file.Close();
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool Fits(int stored, long added)
    {
        long start = entries.Count == 0 ? EwfSection.DescriptorLength : 0;
        long ranges = remarksLength + added;
        long behind = (2 * EwfFormat.TableSectionLength(entries.Count + 1)) + (ranges > 0 ? EwfRemarks.Overhead + ranges : 0) + tailLength;
        return file.Position + start + stored + behind <= segmentSize;
    }

    private void CloseGroup()
    {
        if (entries.Count == 0)
            return;
        file.Complete("sectors", sectorsStart);
        var table = new byte[EwfFormat.TableSectionLength(entries.Count) - EwfSection.DescriptorLength];
        BinaryPrimitives.WriteInt32LittleEndian(table, entries.Count);
        BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan(8), sectorsStart);
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(20), Adler32.Compute(table.AsSpan(0, 20)));
        Span<byte> list = table.AsSpan(EwfFormat.TableHeaderLength);
        for (int i = 0; i < entries.Count; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(list[(i * sizeof(uint))..], entries[i]);
        BinaryPrimitives.WriteUInt32LittleEndian(list[^EwfFormat.ChecksumLength..], Adler32.Compute(list[..^EwfFormat.ChecksumLength]));
        file.WriteSection("table", table);
        file.WriteSection("table2", table);
        if (remarks.Count > 0)
            file.WriteSection(EwfRemarks.SectionType, EwfRemarks.Encode(remarks));
        entries.Clear();
        remarks.Clear();
        remarksLength = 0;
    }

    private void NextFile()
    {
        if (files.Count == name.Last)
            throw new EvidenceException(ErrorCode.Usage, $"There are names for {name.Last} segment files and no more: choose larger ones than {segmentSize} bytes.");
        file.WriteLast("next");
        file.Close();
        closedBytes += file.Position;
        file = Open();
        file.WriteSection("data", volume);
    }

    private EwfSegmentFile Open()
    {
        string path = name.PathOf(files.Count + 1);
        files.Add(path);
        return new EwfSegmentFile(set.Add(path, out string temporary), temporary, files.Count, buffer);
    }

    private static byte[] EncodeErrors(IReadOnlyList<(uint First, uint Count)> errors)
    {
        var content = new byte[EwfFormat.ErrorSectionLength(errors.Count) - EwfSection.DescriptorLength];
        BinaryPrimitives.WriteInt32LittleEndian(content, errors.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(EwfFormat.ErrorHeaderLength - EwfFormat.ChecksumLength), Adler32.Compute(content.AsSpan(0, EwfFormat.ErrorHeaderLength - EwfFormat.ChecksumLength)));
        Span<byte> list = content.AsSpan(EwfFormat.ErrorHeaderLength);
        for (int i = 0; i < errors.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(list[(i * EwfFormat.ErrorEntryLength)..], errors[i].First);
            BinaryPrimitives.WriteUInt32LittleEndian(list[((i * EwfFormat.ErrorEntryLength) + sizeof(uint))..], errors[i].Count);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(list[^EwfFormat.ChecksumLength..], Adler32.Compute(list[..^EwfFormat.ChecksumLength]));
        return content;
    }

    private static byte[] WithChecksum(byte[] content)
    {
        var whole = new byte[content.Length + EwfFormat.ChecksumLength];
        content.CopyTo(whole, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(content.Length), Adler32.Compute(content));
        return whole;
    }
}
