using System.Globalization;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>Of what a compromise that was told later leaves open who did it.</summary>
public enum LaterSubject
{
    /// <summary>The signature of the entry.</summary>
    Signature,

    /// <summary>How the key that signed the entry came into the log: it is one by the word of the compromised key, at once or through others.</summary>
    Key,

    /// <summary>How the key that signed the entry was ended.</summary>
    End,
}

/// <summary>
/// What the log says later of a key on which an entry rests: that it was compromised as of an instant. It changes nothing of what the entry is worth at its place; it is
/// a second statement, and the reader weighs it.
/// </summary>
/// <param name="Revocation">The later entry that says so; of several the one that names the earliest instant.</param>
/// <param name="Place">The index of the entry that the compromised key signed, whose place decides whether that was before: the entry itself, or the one by which its key came in.</param>
/// <param name="Proved">What proves from outside by when that one was at its place; null where nothing does.</param>
public sealed record LaterKnowledge(RecordedRevocation Revocation, long Place, ProvedTime? Proved)
{
    /// <summary>What it leaves open.</summary>
    public LaterSubject Subject { get; init; }

    /// <summary>With <see cref="LaterSubject.End"/>: the index of the entry that ended the key.</summary>
    public long? EndedBy { get; init; }

    /// <summary>Since when the key is said to be compromised.</summary>
    public Instant CompromisedSince => Revocation.Statement.CompromisedSince!.Value;

    /// <summary>Whether what the key signed was at its place, provably, before the key was compromised.</summary>
    public bool IsProvedBefore => Proved?.NoLaterThan < CompromisedSince;

    /// <summary>The statement in words.</summary>
    public override string ToString() => Subject switch
    {
        LaterSubject.Signature => $"Signed by {Signer("a key", Place)}; {Standing("this entry")}{(IsProvedBefore ? "" : ", so whoever else had the key may have signed it")}.",
        LaterSubject.Key => $"Signed by {Signer("a key", null)}; {Standing()}, so whoever else had that one may have brought this one in, and signed with it.",
        _ => string.Create(
            CultureInfo.InvariantCulture, $"What ended the key, entry {EndedBy}, is signed by {Signer("a key", EndedBy!.Value)}; {Standing()}, so whoever else had that key may have ended this one."),
    };

    /// <summary>What is told of the key that signed an entry.</summary>
    /// <param name="key">What the key is called.</param>
    /// <param name="signed">The entry that it signed; null where it is one that only came in by <see cref="Place"/>.</param>
    internal string Signer(string key, long? signed)
    {
        string told = string.Create(
            CultureInfo.InvariantCulture, $"{Revocation.Revoker.Name} declared compromised as of {Timestamps.Format(CompromisedSince)}, later, in entry {Revocation.Entry}");
        return signed == Place ? $"{key} that {told}" : string.Create(CultureInfo.InvariantCulture, $"{key} that goes back, through entry {Place}, to one that {told}");
    }

    /// <summary>What is proved of the place that decides.</summary>
    internal string Standing(string? entry = null)
    {
        entry ??= string.Create(CultureInfo.InvariantCulture, $"entry {Place}");
        return Proved is not { } proved
            ? $"nothing at hand from outside the vault proves that {entry} was at its place before that"
            : $"{entry}'s place is proved no later than {Timestamps.Format(proved.NoLaterThan)} by {proved.By}, {(IsProvedBefore ? "so before that" : "which is not before that")}";
    }
}
