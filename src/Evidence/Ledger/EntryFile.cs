using Evidence.Platform;

namespace Evidence.Ledger;

/// <summary>
/// Signed entries that are carried from one party's machine to another's: one entry a line, each as it will stand in a log (<c>docs/format/ledger.md</c>, Carried
/// entries). Nothing vouches for them but their own signatures.
/// </summary>
internal static class EntryFile
{
    /// <summary>A file has at most this many entries.</summary>
    internal const int MostEntries = 16;

    private const int LargestFile = MostEntries * (LedgerEntry.MaximumLength + 1);

    /// <summary>Writes a file; one that is there is not overwritten.</summary>
    /// <exception cref="EvidenceException">There is a file of that name, or it cannot be written.</exception>
    internal static void Write(string path, IReadOnlyList<LedgerEntry> entries)
    {
        // Canonical JSON has no line feed in it.
        byte[] content = [.. entries.SelectMany(e => (byte[])[.. e.ToBytes(), (byte)'\n'])];
        if (!DurableFile.TryCreate(path, content))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already; name another.");
    }

    /// <summary>Reads a file. Signatures are not judged.</summary>
    /// <exception cref="EvidenceException">It cannot be read, or holds something else (<see cref="ErrorCode.EntriesInvalid"/>).</exception>
    internal static IReadOnlyList<LedgerEntry> Read(string path)
    {
        byte[] content = SmallFile.Read(path, LargestFile);
        if (content.Length > LargestFile)
            throw Invalid(path, "it is too long");
        if (content is not [.., (byte)'\n'])
            throw Invalid(path, "its last line does not end: it was cut short");
        var entries = new List<LedgerEntry>();
        ReadOnlySpan<byte> lines = content.AsSpan(0, content.Length - 1);
        foreach (Range line in lines.Split((byte)'\n'))
        {
            try
            {
                entries.Add(LedgerEntry.Parse(lines[line]));
            }
            catch (FormatException e)
            {
                throw Invalid(path, $"its line {entries.Count + 1} is no entry: {e.Message}", e);
            }
        }

        return entries.Count <= MostEntries ? entries : throw Invalid(path, $"it has more than {MostEntries} entries");
    }

    private static EvidenceException Invalid(string path, string why, Exception? cause = null) =>
        new(ErrorCode.EntriesInvalid, $"{path} does not hold entries to be taken into a ledger: {why}. Have it made anew, and carried whole.", cause);
}
