using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Preservation;
using NodaTime;

namespace Evidence.Cli;

/// <summary>Chains of custody as sentences and as JSON.</summary>
internal static class CustodyText
{
    internal static JsonArray ToJson(CustodyChain chain, Func<long, EntryBounds?> boundsOf) => new([.. chain.Intervals.Select(interval => new JsonObject
    {
        ["state"] = interval.State switch { CustodyState.Held => "held", CustodyState.InTransit => "in-transit", _ => "unexplained" },
        ["from"] = ToJson(interval.From),
        ["to"] = interval.To is { } end ? ToJson(end) : null,
        ["seconds"] = interval.Length is { } length ? Seconds(length) : null,
        ["provedSeconds"] = interval.IsUnattended && Proved(interval, boundsOf) is { } proved ? Seconds(proved.To.Instant - proved.From.NoLaterThan) : null,
        ["offer"] = interval.Transfer is { } transfer ? DecimalText.Format(transfer.Entry) : null,
    })]);

    internal static void Print(TextWriter text, string indent, CustodyChain chain, Func<long, EntryBounds?> boundsOf)
    {
        if (chain.Intervals.Count == 0)
        {
            text.WriteLine($"{indent}No entry says that anybody had {chain.Item}.");
            return;
        }

        text.WriteLine($"{indent}Who had {chain.Item}, by what each party claims:");
        foreach (CustodyInterval interval in chain.Intervals)
        {
            text.WriteLine($"{indent}  {(interval.IsUnattended ? "UNATTENDED" : "held"),-10}  {Sentence(interval)}");
            if (interval.Transfer is { } transfer)
                text.WriteLine($"{indent}              {Marks(transfer)}");
            if (interval.IsUnattended && Proved(interval, boundsOf) is var (from, to))
            {
                text.WriteLine(
                    $"{indent}              of that {Time(to.Instant - from.NoLaterThan)} are proved from outside: entry {interval.From.Entry} was in the ledger by {from.NoLaterThan}, " +
                    $"entry {interval.To!.Entry} not before {to.Instant}");
            }
        }
    }

    private static JsonObject ToJson(CustodyAct act) => new()
    {
        ["entry"] = DecimalText.Format(act.Entry),
        ["time"] = Timestamps.Format(act.Time),
        ["actor"] = act.Actor.Name,
        ["key"] = act.Actor.KeyId,
    };

    private static string Sentence(CustodyInterval interval)
    {
        CustodyAct from = interval.From;
        if (interval.To is not { } to)
            return $"by {from.Actor.Name} since entry {from.Entry}, {from.Time}";
        string between = $"from entry {from.Entry}, {from.Time}, to entry {to.Entry}, {to.Time}";
        return interval.State switch
        {
            CustodyState.Held => $"by {from.Actor.Name} {between}",
            CustodyState.InTransit => $"{Time(interval.Length!.Value)}, {between}: {from.Actor.Name} offered it, and {to.Actor.Name} accepted it only then",
            _ => $"{Time(interval.Length!.Value)}, {between}: {from.Actor.Name} had it, then {to.Actor.Name}, with no handover between them",
        };
    }

    /// <summary>What of an interval others than the parties prove; null where they prove nothing.</summary>
    private static (ProvedTime From, NamedTime To)? Proved(CustodyInterval interval, Func<long, EntryBounds?> boundsOf) =>
        boundsOf(interval.From.Entry)?.NoLaterThan is { } from && boundsOf(interval.To!.Entry)?.NotBefore is { } to && to.Instant > from.NoLaterThan ? (from, to) : null;

    private static string Seconds(Duration length) => ((long)length.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static string Marks(Transfer transfer)
    {
        string[] marks = [.. transfer.Offer.Seals.Select(seal => $"seal {seal}"), .. transfer.Offer.Containers.Select(container => $"in {container}")];
        string found = transfer.Outcome is { Statement: TransferAnswer { Text: { } words } } ? $"found: \"{words}\"" : "what was found, the recipient does not say";
        return $"offered with {(marks.Length == 0 ? "no seal named" : string.Join(", ", marks))}; {found}";
    }

    private static string Time(Duration length)
    {
        if (length < Duration.Zero)
            return "of no known length, for the claimed times run backwards";
        return length.TotalMinutes < 1 ? string.Create(CultureInfo.InvariantCulture, $"{length.TotalSeconds:0} s")
            : length.TotalHours < 1 ? string.Create(CultureInfo.InvariantCulture, $"{(long)length.TotalMinutes} min")
            : length.TotalDays < 1 ? string.Create(CultureInfo.InvariantCulture, $"{(long)length.TotalHours} h {length.Minutes} min")
            : string.Create(CultureInfo.InvariantCulture, $"{(long)length.TotalDays} d {length.Hours} h");
    }
}
