using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Evidence.Sources.Ewf;

/// <summary>
/// The segment files of one E01, and what their sections say. Every length is bounded by the file that it is in before anything is allocated, and sections lead forward
/// only, so that a file costs time and memory by its own size. What cannot be understood without guessing is refused, with its place; what can is a finding.
/// </summary>
internal sealed class EwfSet : IDisposable
{
    /// <summary>No chunk is longer, in bytes: EnCase makes them of at most 32,768 sectors of 512 bytes.</summary>
    internal const int LongestChunk = 32 << 20;

    /// <summary>No table has more entries: EnCase makes them of at most 65,534; FTK's may name all chunks of a file.</summary>
    private const int MostEntries = 1 << 20;

    /// <summary>The most tables of a set.</summary>
    private const int MostGroups = 1 << 18;

    /// <summary>The most ranges that were not read, and bytes of remarks about them.</summary>
    private const int MostErrors = 1 << 20;
    private const int MostRemarks = 64 << 20;

    private readonly List<EwfFile> files = [];
    private readonly List<EwfGroup> groups = [];
    private readonly List<(EwfVolume Volume, bool IsRight, string File, long Offset)> volumes = [];
    private readonly List<(string Algorithm, string Value, string File, long Offset)> digests = [];
    private readonly List<(long First, long Count)> errors = [];
    private readonly List<string> remarks = [];
    private long remarksLength;
    private int headerRank;

    private EwfSet()
    {
    }

    internal IReadOnlyList<EwfFile> Files => files;

    internal IReadOnlyList<EwfGroup> Groups => groups;

    internal EwfFindings Findings { get; } = new();

    internal EwfVolume Volume { get; private set; } = null!;

    internal JsonObject Details { get; private set; } = [];

    /// <summary>The digests that are stored: of each algorithm one, where no two disagree.</summary>
    internal IReadOnlyList<(string Algorithm, string Value, string File, long Offset)> Digests => digests;

    /// <summary>Ranges of sectors that could not be read when the image was made.</summary>
    internal IReadOnlyList<(long First, long Count)> Errors => errors;

    /// <summary>The lines that this library adds.</summary>
    internal IReadOnlyList<string> Remarks => remarks;

    /// <summary>Opens a set by the path of any of its files.</summary>
    /// <exception cref="EvidenceException">A file is missing or damaged in a way that leaves no order of chunks, or is of another format.</exception>
    internal static EwfSet Open(string path)
    {
        EwfSegmentName name = EwfSegmentName.TryParse(path, out _) ?? throw new EvidenceException(
            ErrorCode.SourceUnsupported, $"{path} begins like a segment of an E01, but is not named like one, so that the others cannot be found. Rename it to NAME.E01, or name the first segment.");
        var set = new EwfSet();
        try
        {
            for (bool ended = false; !ended;)
            {
                int number = set.files.Count + 1;
                string segment = name.PathOf(Math.Min(number, name.Last));
                if (number > name.Last || !File.Exists(segment))
                {
                    throw new EvidenceException(
                        number == 1 ? ErrorCode.SourceNotFound : ErrorCode.SourceUnsupported,
                        $"The E01 {name.PathOf(1)} lacks its segment {segment}, and the one before it says that there is one. Put it back.");
                }

                set.files.Add(new EwfFile(segment));
                ended = set.ReadSegment(number);
                if (ended && number < name.Last && File.Exists(name.PathOf(number + 1)))
                    set.Findings.Add("file", Path.GetFileName(name.PathOf(number + 1)), 0, $"It is named like a segment of the set, which ends in {Path.GetFileName(segment)}: it was not read.");
            }

            set.Conclude();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => files.ForEach(file => file.Dispose());

    /// <summary>Reads the sections of the newest file; returns whether it is the last of the set.</summary>
    private bool ReadSegment(int number)
    {
        EwfFile file = files[^1];
        if (file.Length < EwfFormat.HeaderLength)
            throw Damaged(file, 0, "it is too short to be one");
        byte[] header = file.Read(0, EwfFormat.HeaderLength);
        if (!header.AsSpan(0, 8).SequenceEqual(EwfFormat.Signature))
            throw Damaged(file, 0, "it does not begin as one");
        int own = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(9));
        if (own != number)
            throw Damaged(file, 9, $"it says of itself that it is number {own}, and its name that it is number {number}: files were exchanged or renamed");
        if (header[8] != 1 || header[11] != 0 || header[12] != 0)
            Findings.Add("header", file.Name, 8, "The file's header has other fixed bytes than 01 and 0000.");

        long offset = EwfFormat.HeaderLength;
        EwfSection before = default;
        long beforeOffset = 0;
        while (true)
        {
            if (offset > file.Length - EwfSection.DescriptorLength)
                throw Damaged(file, offset, "it ends before its last section; it was cut short, or is still being written");
            EwfSection section = EwfSection.Decode(file.Read(offset, EwfSection.DescriptorLength), out bool right);
            if (!right)
                Findings.Add("checksum", file.Name, offset, "The checksum of the section's descriptor is wrong.");
            if (section.Type is "next" or "done")
            {
                // EnCase's last section points at itself; the first description of the format, and SMART, have it point behind itself.
                if ((section.Next != offset && section.Next != offset + EwfSection.DescriptorLength) || section.Size is not (0 or EwfSection.DescriptorLength))
                    Findings.Add("section", file.Name, offset, $"The section {section.Type} does not point at its own place, as the last one does.");
                if (offset + EwfSection.DescriptorLength < file.Length)
                    Findings.Add("section", file.Name, offset + EwfSection.DescriptorLength, $"{file.Length - offset - EwfSection.DescriptorLength} bytes follow the last section.");
                return section.Type == "done";
            }

            if (section.Next < offset + EwfSection.DescriptorLength || section.Next > file.Length)
                throw Damaged(file, offset, $"the section {Shown(section.Type)} leads to offset {section.Next}, which is not ahead of it in the file");
            if (section.Size != section.Next - offset)
                Findings.Add("section", file.Name, offset, $"The section {Shown(section.Type)} has a size of {section.Size} bytes, and the next one begins {section.Next - offset} bytes behind it.");
            Take(section, file, offset, before, beforeOffset);
            before = section;
            beforeOffset = offset;
            offset = section.Next;
        }
    }

    private void Take(EwfSection section, EwfFile file, long offset, EwfSection before, long beforeOffset)
    {
        long content = offset + EwfSection.DescriptorLength;
        long length = section.Next - content;
        switch (section.Type)
        {
            case "header2" or "header":
                TakeHeader(file, offset, content, length, section.Type == "header2");
                break;
            case "volume" or "disk" or "data":
                TakeVolume(file, offset, content, length);
                break;
            case "table":
                TakeTable(file, offset, content, length, section.Next, before);
                break;
            case "table2":
                TakeMirror(file, offset, content, length, before, beforeOffset);
                break;
            case "error2":
                TakeErrors(file, offset, content, length);
                break;
            case "digest" or "hash":
                TakeDigests(file, offset, content, length, section.Type == "digest");
                break;
            case "xhash":
                foreach ((string algorithm, string value) in EwfContents.XmlDigests(Bounded(file, offset, content, length, EwfContents.LongestHeader)))
                    AddDigest(algorithm, value, file, offset);
                break;
            case EwfRemarks.SectionType:
                TakeRemarks(file, offset, content, length);
                break;
            case "sectors" or "session" or "xheader":
                break;
            case "ltree" or "ltypes":
                throw new EvidenceException(ErrorCode.SourceUnsupported, $"{file.Path} holds files (L01), and no disk. What it holds cannot be imaged.");
            default:
                Findings.Add("section", file.Name, offset, $"The section {Shown(section.Type)} is not known, and was passed over.");
                break;
        }
    }

    private void TakeHeader(EwfFile file, long offset, long content, long length, bool isWide)
    {
        JsonObject? header = EwfContents.Header(Bounded(file, offset, content, length, EwfContents.LongestHeader), isWide);
        if (header is null)
            Findings.Add("header", file.Name, offset, "The case data cannot be read.");
        else if (headerRank < (isWide ? 2 : 1))
            (Details, headerRank) = (header, isWide ? 2 : 1);
    }

    private void TakeVolume(EwfFile file, long offset, long content, long length)
    {
        if (length is not (EwfVolume.Length or EwfVolume.ShortLength))
            throw Damaged(file, offset, $"the section that describes the image has {length} bytes instead of {EwfVolume.Length}");
        EwfVolume volume = EwfVolume.Decode(file.Read(content, (int)length), out bool right);
        if (!right)
            Findings.Add("checksum", file.Name, offset, "The checksum of the section that describes the image is wrong.");
        // There is one in each file; what they say alike is kept once.
        if (!volumes.Exists(v => v.IsRight == right && v.Volume == volume) && volumes.Count < 100)
            volumes.Add((volume, right, file.Name, offset));
    }

    private void TakeTable(EwfFile file, long offset, long content, long length, long next, EwfSection before)
    {
        (int count, long counted, bool right) = ReadTableHeader(file, offset, content, length);
        bool holdsChunks = before.Type is not "sectors";
        bool hasFooter = length >= EwfFormat.TableHeaderLength + (count * (long)sizeof(uint)) + EwfFormat.ChecksumLength;
        if (holdsChunks && count > 0 && hasFooter)
        {
            // As EnCase 1 and SMART have it. Whether a checksum stands between the entries and the chunks, only the first entry tells.
            long first = counted + (BinaryPrimitives.ReadUInt32LittleEndian(file.Read(content + EwfFormat.TableHeaderLength, sizeof(uint))) & ~EwfFormat.Compressed);
            hasFooter = first != content + EwfFormat.TableHeaderLength + (count * (long)sizeof(uint));
        }

        if (groups.Count == MostGroups)
            throw Damaged(file, offset, $"the set has more than {MostGroups} tables");
        if (!right)
            Findings.Add("checksum", file.Name, content, "The checksum of the table's header is wrong.");
        long chunk = groups.Count == 0 ? 0 : groups[^1].FirstChunk + groups[^1].Count;
        groups.Add(new EwfGroup(files.Count - 1, content, -1, chunk, count, counted, holdsChunks ? next : offset, hasFooter) { IsHeaderRight = right });
    }

    private void TakeMirror(EwfFile file, long offset, long content, long length, EwfSection before, long beforeOffset)
    {
        if (before.Type != "table")
        {
            Findings.Add("table", file.Name, offset, "Before this table2 there is no table: it is taken for one.");
            TakeTable(file, offset, content, length, offset, before with { Type = "sectors" });
            return;
        }

        (int count, long counted, bool right) = ReadTableHeader(file, offset, content, length);
        EwfGroup table = groups[^1];
        if (!right)
            Findings.Add("checksum", file.Name, content, "The checksum of the header of table2 is wrong.");
        if (right && !table.IsHeaderRight)
        {
            groups[^1] = table with { Count = count, Base = counted, Mirror = content, DataEnd = beforeOffset, IsHeaderRight = true };
            return;
        }

        if (right && (count != table.Count || counted != table.Base))
            throw Damaged(file, offset, $"table names {table.Count} chunks from {table.Base} on, and table2 {count} from {counted} on");
        groups[^1] = table with { Mirror = content };
    }

    private static (int Count, long Base, bool IsRight) ReadTableHeader(EwfFile file, long offset, long content, long length)
    {
        if (length < EwfFormat.TableHeaderLength)
            throw Damaged(file, offset, "a table is too short for its header");
        byte[] header = file.Read(content, EwfFormat.TableHeaderLength);
        bool right = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(20)) == Adler32.Compute(header.AsSpan(0, 20));
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(header);
        long counted = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(8));
        long room = (length - EwfFormat.TableHeaderLength) / sizeof(uint);
        if (!right && (count > room || counted < 0 || counted > file.Length))
        {
            // What comes behind must keep its place, and the entries end where the section does.
            return ((int)Math.Clamp(room - 1, 0, MostEntries), 0, false);
        }

        if (count > room || count > MostEntries || counted < 0 || counted > file.Length)
            throw Damaged(file, content, $"a table of {length} bytes says that it has {count} entries, from offset {counted} on");
        return ((int)count, counted, right);
    }

    private void TakeErrors(EwfFile file, long offset, long content, long length)
    {
        if (length < EwfFormat.ErrorHeaderLength)
            throw Damaged(file, offset, "the list of bad sectors is too short for its header");
        byte[] header = file.Read(content, EwfFormat.ErrorHeaderLength);
        long count = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (count > (length - EwfFormat.ErrorHeaderLength) / EwfFormat.ErrorEntryLength || count > MostErrors - errors.Count)
            throw Damaged(file, content, $"the list of bad sectors, of {length} bytes, says that it has {count} entries");
        byte[] entries = file.Read(content + EwfFormat.ErrorHeaderLength, (int)count * EwfFormat.ErrorEntryLength);
        if (!EwfContents.EndsInChecksum(header))
            Findings.Add("checksum", file.Name, content, "The checksum of the header of the list of bad sectors is wrong.");
        long footer = content + EwfFormat.ErrorHeaderLength + entries.Length;
        if (footer + EwfFormat.ChecksumLength > content + length || BinaryPrimitives.ReadUInt32LittleEndian(file.Read(footer, EwfFormat.ChecksumLength)) != Adler32.Compute(entries))
            Findings.Add("checksum", file.Name, content + EwfFormat.ErrorHeaderLength, "The checksum of the list of bad sectors is wrong: others may be bad than it says.");
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = entries.AsSpan(i * EwfFormat.ErrorEntryLength);
            errors.Add((BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadUInt32LittleEndian(entry[sizeof(uint)..])));
        }
    }

    private void TakeDigests(EwfFile file, long offset, long content, long length, bool isDigest)
    {
        int expected = isDigest ? EwfFormat.DigestLength : EwfFormat.HashLength;
        if (length < expected)
        {
            Findings.Add("digest", file.Name, offset, $"The section has {length} bytes instead of {expected}: the digest in it is not used.");
            return;
        }

        byte[] bytes = file.Read(content, expected);
        if (!EwfContents.EndsInChecksum(bytes))
            Findings.Add("checksum", file.Name, content, "The checksum of the stored digest is wrong: it may not be the one that was stored.");
        AddDigest("md5", EwfContents.Digest(bytes.AsSpan(0, 16)), file, offset);
        if (isDigest)
            AddDigest("sha1", EwfContents.Digest(bytes.AsSpan(16, 20)), file, offset);
    }

    private void AddDigest(string algorithm, string? value, EwfFile file, long offset)
    {
        if (value is null || digests.Exists(d => d.Algorithm == algorithm && d.Value == value))
            return;
        if (digests.Exists(d => d.Algorithm == algorithm))
            Findings.Add("digest", file.Name, offset, $"A second {algorithm} is stored that is not the first one.");
        if (digests.Count < 16)
            digests.Add((algorithm, value, file.Name, offset));
    }

    private void TakeRemarks(EwfFile file, long offset, long content, long length)
    {
        byte[] bytes = Bounded(file, offset, content, length, (int)Math.Min(MostRemarks - remarksLength, length));
        remarksLength += length;
        if (!EwfContents.EndsInChecksum(bytes))
        {
            Findings.Add("checksum", file.Name, content, "The checksum of the remarks is wrong: what they say of ranges that were not read is not used.");
            return;
        }

        string[] lines = Encoding.UTF8.GetString(bytes.AsSpan(..^EwfFormat.ChecksumLength)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0] != EwfRemarks.FirstLine || remarks.Count + lines.Length > MostErrors)
            Findings.Add("remarks", file.Name, content, "The remarks are of another version, or too many: they are not used.");
        else
            remarks.AddRange(lines[1..]);
    }

    /// <summary>A content that must not be long.</summary>
    private static byte[] Bounded(EwfFile file, long offset, long content, long length, int most) => length <= most
        ? file.Read(content, (int)length)
        : throw Damaged(file, offset, $"a section has {length} bytes, and no more than {most} make sense");

    /// <summary>Chooses the description of the image, and holds the tables against it.</summary>
    private void Conclude()
    {
        EwfFile first = files[0];
        int chosen = volumes.FindIndex(v => v.IsRight);
        if (chosen < 0)
            throw Damaged(first, 0, "no section with a right checksum says what the image is");
        Volume = volumes[chosen].Volume;
        foreach ((EwfVolume other, bool right, string file, long offset) in volumes)
        {
            if (right && (other.Chunks, other.Sectors, other.SectorsPerChunk, other.BytesPerSector, other.Set) != (Volume.Chunks, Volume.Sectors, Volume.SectorsPerChunk, Volume.BytesPerSector, Volume.Set))
                Findings.Add("volume", file, offset, "It describes another image than the first file, or names another set: the files may not belong together.");
        }

        if (Volume.BytesPerSector is < 1 or > 65_536 || Volume.SectorsPerChunk < 1 || Volume.BytesPerSector * Volume.SectorsPerChunk > LongestChunk)
            throw Damaged(first, volumes[chosen].Offset, $"chunks of {Volume.SectorsPerChunk} sectors of {Volume.BytesPerSector} bytes are none that an E01 has");
        long named = groups.Count == 0 ? 0 : groups[^1].FirstChunk + groups[^1].Count;
        long needed = (Volume.Sectors / Volume.SectorsPerChunk) + (Volume.Sectors % Volume.SectorsPerChunk == 0 ? 0 : 1);
        if (Volume.Sectors < 1 || needed > named)
            throw Damaged(first, volumes[chosen].Offset, $"the image has {Volume.Sectors} sectors, which are {needed} chunks, and the tables name {named}: something is missing");
        if (needed < named)
            Findings.Add("table", first.Name, volumes[chosen].Offset, $"The tables name {named} chunks, and the image has {needed}: the last ones are not read.");
        if (Volume.Chunks != needed)
            Findings.Add("volume", first.Name, volumes[chosen].Offset, $"It says that the image has {Volume.Chunks} chunks; its sectors are {needed}.");
    }

    private static EvidenceException Damaged(EwfFile file, long offset, string what) => new(
        ErrorCode.SourceUnsupported, $"{file.Path} cannot be read as a segment of an E01: at offset {offset}, {what}. Compare it with another copy.");

    private static string Shown(string type) => new([.. type.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '?')]);
}
