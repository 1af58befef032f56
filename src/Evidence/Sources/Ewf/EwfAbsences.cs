namespace Evidence.Sources.Ewf;

/// <summary>What an E01 says was not read: by its bad sectors, and by the remarks of this library, which know kinds, reasons, holes and the exact size.</summary>
internal sealed class EwfAbsences
{
    private const string BadSector = "a bad sector by the E01";

    private readonly List<SourceAbsence> absent = [];
    private readonly List<SourceExtent> holes = [];

    /// <summary>The exact size in bytes; null where the remarks do not tell.</summary>
    internal long? Size { get; private set; }

    /// <summary>The SHA-256 of that many bytes; null where the remarks do not tell.</summary>
    internal string? Sha256 { get; private set; }

    /// <summary>What was not read, in order, without overlap.</summary>
    internal IReadOnlyList<SourceAbsence> Absent => absent;

    /// <summary>What the source of the E01 said to be holes, in order, without overlap.</summary>
    internal IReadOnlyList<SourceExtent> Holes => holes;

    internal static EwfAbsences Of(EwfSet set)
    {
        var absences = new EwfAbsences();
        long media = set.Volume.Sectors * set.Volume.BytesPerSector;
        foreach (string line in set.Remarks)
        {
            if (!absences.TryTake(line, media, set.Volume.BytesPerSector))
            {
                set.Findings.Add("remarks", set.Files[0].Name, 0, $"A remark cannot be understood, and was passed over: {EwfRemarks.Clean(line)}");
            }
        }

        absences.AddBadSectors(set, media);
        return absences;
    }

    private bool TryTake(string line, long media, long bytesPerSector)
    {
        (string word, string[] rest) = EwfContents.Line(line);
        switch (word)
        {
            case "image":
                return true;
            case "size" when rest.Length == 1 && EwfContents.TryParse(rest[0], out long size) && size <= media && size > media - bytesPerSector:
                Size = size;
                return true;
            case "sha256" when rest is [{ Length: 64 } value] && value.All(char.IsAsciiHexDigitLower):
                Sha256 = value;
                return true;
            case "hole" or "unreadable" or "unread" when rest.Length >= 2 && EwfContents.TryParse(rest[0], out long offset) && EwfContents.TryParse(rest[1], out long length) &&
                length > 0 && offset <= media - length:
                return Add(word, offset, length, rest.Length > 2 ? EwfRemarks.Clean(rest[2]) : "not told");
            default:
                return false;
        }
    }

    private bool Add(string word, long offset, long length, string reason)
    {
        if (word == "hole")
        {
            bool follows = holes.Count == 0 || holes[^1].End <= offset;
            if (follows && holes.Count > 0 && holes[^1].End == offset)
                holes[^1] = holes[^1] with { Length = holes[^1].Length + length };
            else if (follows)
                holes.Add(new SourceExtent(offset, length, SourceExtentKind.Hole));
            return follows;
        }

        if (absent.Count > 0 && absent[^1].Offset + absent[^1].Length > offset)
            return false;
        absent.Add(new SourceAbsence(offset, length, word == "unreadable", reason));
        return true;
    }

    /// <summary>Adds the bad sectors that no remark is about. Those of an export of this library are all of a remark, rounded to sectors.</summary>
    private void AddBadSectors(EwfSet set, long media)
    {
        long sector = set.Volume.BytesPerSector;
        var merged = new List<SourceAbsence>();
        int next = 0;
        foreach ((long first, long count) in Joined(set))
        {
            long start = first * sector;
            long end = (first + count) * sector;
            if (end > media)
            {
                set.Findings.Add("errors", set.Files[^1].Name, 0, $"Sectors {first} to {first + count - 1} are said to be bad, and the image has {set.Volume.Sectors}.");
                end = media;
            }

            for (; next < absent.Count && absent[next].Offset + absent[next].Length <= start; next++)
                merged.Add(absent[next]);
            long at = start;
            for (; next < absent.Count && absent[next].Offset < end; next++)
            {
                SourceAbsence remark = absent[next];
                // What is between a remark and the sector's edge was read: the list only knows whole sectors.
                if (remark.Offset - at >= sector)
                    merged.Add(new SourceAbsence(at, (remark.Offset - at) / sector * sector, IsUnreadable: true, BadSector));
                merged.Add(remark);
                at = remark.Offset + remark.Length;
            }

            at = (at + sector - 1) / sector * sector;
            if (at < end)
                merged.Add(new SourceAbsence(at, end - at, IsUnreadable: true, BadSector));
        }

        for (; next < absent.Count; next++)
            merged.Add(absent[next]);
        long size = Size ?? media;
        absent.Clear();
        absent.AddRange(merged.Where(a => a.Offset < size).Select(a => a with { Length = Math.Min(a.Length, size - a.Offset) }));
    }

    /// <summary>The list of bad sectors, in order, joined where entries touch or overlap.</summary>
    private static List<(long First, long Count)> Joined(EwfSet set)
    {
        var joined = new List<(long First, long Count)>();
        foreach ((long first, long count) in set.Errors.Where(e => e.Count > 0 && e.First < set.Volume.Sectors).OrderBy(e => e.First))
        {
            if (joined.Count > 0 && joined[^1].First + joined[^1].Count >= first)
                joined[^1] = joined[^1] with { Count = Math.Max(joined[^1].Count, first + count - joined[^1].First) };
            else
                joined.Add((first, count));
        }

        return joined;
    }
}
