using Evidence.Ledger;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// What a clearance says to a machine that is about to be wiped, where no vault is at hand: only the clearance's entry, a clock, and the serials of the machine. That the entry
/// stands in a ledger, and whose it is, its proof shows. What came into the ledger afterwards nobody can see here: a hold, say, or an intent that used the clearance up; so the
/// gate is asked once more before the wipe begins (<see cref="WipeDesk.Begin"/>).
/// </summary>
/// <param name="Grant">The clearance; null where the entry is none.</param>
/// <param name="Refusals">Why it is worth nothing, or not for this machine; none where it may be used.</param>
public sealed record ClearanceCheck(ClearanceGrant? Grant, IReadOnlyList<string> Refusals)
{
    /// <summary>Whether the clearance is for this machine, and in time.</summary>
    public bool IsGood => Grant is not null && Refusals.Count == 0;

    /// <summary>Checks.</summary>
    /// <param name="entry">The entry, judged at its place.</param>
    /// <param name="serials">The serials as they were read from the machine; each of the asset's must be among them.</param>
    /// <param name="now">What the checker's clock says.</param>
    public static ClearanceCheck Run(JudgedEntry entry, IReadOnlyCollection<string> serials, Instant now)
    {
        ArgumentNullException.ThrowIfNull(serials);
        if (entry.Entry is not { } said || Statement.TryParse(said.Payload) is not ClearanceGrant grant)
            return new ClearanceCheck(null, [$"Entry {entry.Index} is no clearance."]);
        var refusals = new List<string>();
        if (entry.Verdict?.Status != EntrySignatureStatus.Valid)
            refusals.Add($"Entry {entry.Index} is signed by nobody whose signature counts.");
        if (now >= grant.Expires)
            refusals.Add($"It expired at {Words.Of(grant.Expires)}; it is {Words.Of(now)} by this clock.");
        if (now < grant.At)
            refusals.Add($"It was given at {Words.Of(grant.At)}, and it is {Words.Of(now)} by this clock, which is wrong, or was when it was given.");
        if (grant.Serials.Count == 0)
            refusals.Add("It names no serial, and so no machine.");
        if (grant.Serials.Except(serials, StringComparer.Ordinal).Any())
            refusals.Add($"It is for the machine with the serials {Words.Of(grant.Serials)}, and this one has {Words.Of(serials)}.");
        return new ClearanceCheck(grant, refusals);
    }
}
