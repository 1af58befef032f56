using System.Globalization;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>
/// What the log says later of a key that signed an entry: that it was compromised as of an instant. It changes nothing of what the entry is worth at its place;
/// it is a second statement, and the reader weighs it.
/// </summary>
/// <param name="Revocation">The later entry that says so; of several the one that names the earliest instant.</param>
/// <param name="Proved">What proves from outside by when the entry was at its place; null where nothing does.</param>
public sealed record LaterKnowledge(RecordedRevocation Revocation, ProvedTime? Proved)
{
    /// <summary>Since when the key is said to be compromised.</summary>
    public Instant CompromisedSince => Revocation.Statement.CompromisedSince!.Value;

    /// <summary>Whether the entry was at its place, provably, before the key was compromised.</summary>
    public bool IsProvedBefore => Proved?.NoLaterThan < CompromisedSince;

    /// <summary>The statement in words.</summary>
    public override string ToString()
    {
        string place = Proved switch
        {
            null => "nothing outside the vault proves that this entry was at its place before that, so whoever else had the key may have signed it",
            { } proved when IsProvedBefore => Told(proved) + ", so before that",
            { } proved => Told(proved) + ", which is not before that, so whoever else had the key may have signed it",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Signed by a key that {Revocation.Revoker.Name} declared compromised as of {Timestamps.Format(CompromisedSince)}, later, in entry {Revocation.Entry}; {place}.");
    }

    private static string Told(ProvedTime proved) =>
        $"this entry's place is proved no later than {Timestamps.Format(proved.NoLaterThan)} by {proved.By}";
}
