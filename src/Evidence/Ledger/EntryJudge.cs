using System.Runtime.ExceptionServices;

namespace Evidence.Ledger;

/// <summary>
/// Judges entries in the log's order. To parse them and to compute their signatures is nearly all of the work, and hangs on no entry before: it is done ahead for a part of them
/// at a time, on all cores.
/// </summary>
internal static class EntryJudge
{
    /// <summary>How many entries are a part. The longest ones are 16 MiB together.</summary>
    private const int Part = 256;

    /// <summary>Judges entries.</summary>
    /// <param name="entries">Their bytes.</param>
    /// <param name="first">The index of the first.</param>
    /// <param name="registry">What the log declares before them; takes in what they declare.</param>
    internal static IEnumerable<JudgedEntry> Judge(IEnumerable<byte[]> entries, long first, KeyRegistry registry)
    {
        long index = first;
        using IEnumerator<byte[]> source = entries.GetEnumerator();
        while (true)
        {
            (List<byte[]> part, ExceptionDispatchInfo? damage) = Take(source);
            var parsed = new (LedgerEntry? Entry, string? Defect)[part.Count];
            Parallel.For(0, part.Count, i => parsed[i] = Parse(part[i]));
            registry.VerifyAhead([.. parsed.Select(one => one.Entry).OfType<LedgerEntry>()]);
            for (int i = 0; i < part.Count; i++)
            {
                yield return parsed[i] is { Entry: { } entry }
                    ? new JudgedEntry(index, part[i], entry, registry.Fold(index, entry), null)
                    : new JudgedEntry(index, part[i], null, null, parsed[i].Defect);
                index++;
            }

            damage?.Throw();
            if (part.Count < Part)
                yield break;
        }
    }

    /// <summary>The next part. What comes before a damage is judged before that is told.</summary>
    private static (List<byte[]> Part, ExceptionDispatchInfo? Damage) Take(IEnumerator<byte[]> source)
    {
        var part = new List<byte[]>(Part);
        try
        {
            while (part.Count < Part && source.MoveNext())
                part.Add(source.Current);
            return (part, null);
        }
        catch (EvidenceException e)
        {
            return (part, ExceptionDispatchInfo.Capture(e));
        }
    }

    private static (LedgerEntry? Entry, string? Defect) Parse(byte[] bytes)
    {
        try
        {
            return (LedgerEntry.Parse(bytes), null);
        }
        catch (FormatException e)
        {
            return (null, e.Message);
        }
    }
}
