using Evidence.Platform;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>Why bytes are not there, as far as is known. May be told by the reading thread while another asks.</summary>
internal sealed class Absences
{
    private const string NotAttempted = "not attempted";
    private const string TimeOver = "the time was over";
    private const string Gone = "the source was gone";

    private readonly Lock gate = new();
    private readonly RangeMap<(RunKind Kind, string Reason)> known = new();
    private string otherwise = NotAttempted;

    /// <summary>Takes over what an earlier image, or an earlier run, says.</summary>
    internal void Note(AbsentRange range)
    {
        lock (gate)
            known.Set(range.Offset, range.Length, (range.Kind, range.Reason));
    }

    /// <summary>A read failed. A single sector that does is unreadable; of a longer range nothing is known of each sector yet.</summary>
    internal void Note(long offset, long length, RescueStatus status, string reason) =>
        Note(new AbsentRange(status == RescueStatus.BadSector ? RunKind.Unreadable : RunKind.Unread, offset, length, reason));

    /// <summary>The name of an error as a reason.</summary>
    /// <param name="error">The error; null where the range was not asked for by itself.</param>
    internal static string ReasonOf(SourceReadException? error) => error switch
    {
        null => "between bad sectors, and not tried",
        { Reason: { } words } => words,
        { Errno: { } errno } => Posix.ErrorName(errno),
        _ => "error",
    };

    /// <summary>The source is gone, or ends here.</summary>
    internal void Lose(EvidenceException error)
    {
        lock (gate)
            otherwise = error is SourceChangedException { Change: SourceChange.Shorter } ? "the source ended" : Gone;
    }

    /// <summary>The time that there was for reading is used up.</summary>
    internal void EndTime()
    {
        lock (gate)
            otherwise = TimeOver;
    }

    /// <summary>What a missing byte counts as, and up to where.</summary>
    internal (RunKind Kind, long Until) At(long offset)
    {
        lock (gate)
            return known.Find(offset, out long next) is { } range ? (range.Value.Kind, range.End) : (RunKind.Unread, next);
    }

    /// <summary>The absent ranges of a map, each with its reason; ranges of one kind with different reasons are several.</summary>
    internal List<AbsentRange> Explain(IEnumerable<AbsentRange> absent)
    {
        var explained = new List<AbsentRange>();
        lock (gate)
        {
            foreach (AbsentRange range in absent)
            {
                for (long offset = range.Offset; offset < range.End;)
                {
                    ValueRange<(RunKind Kind, string Reason)>? found = known.Find(offset, out long next);
                    long end = Math.Min(range.End, found?.End ?? next);
                    string reason = found?.Value.Reason ?? otherwise;
                    if (explained.Count > 0 && explained[^1] is var last && last.End == offset && last.Kind == range.Kind && string.Equals(last.Reason, reason, StringComparison.Ordinal))
                        explained[^1] = last with { Length = last.Length + end - offset };
                    else
                        explained.Add(range with { Offset = offset, Length = end - offset, Reason = reason });
                    offset = end;
                }
            }
        }

        return explained;
    }
}
