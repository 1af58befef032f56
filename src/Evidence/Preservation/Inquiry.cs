using Evidence.Preservation.Rules;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>What the gate is asked, and all that its rules look at.</summary>
internal sealed class Inquiry
{
    internal Inquiry(Docket docket, GateMaterial material, Recorded<PolicyStatement> policyAct, PreservationPolicy policy, Asset asset, Instant at)
    {
        Docket = docket;
        Material = material;
        PolicyEntry = docket.Policies.First(policy => policy.IsOfFirm).Entry;
        PolicyAct = policyAct;
        Policy = policy;
        Asset = asset;
        Objections = docket.ObjectionsTo(asset);
        At = at;
        Times = material.TimesFor(policy);
        Doubts = new ActDoubts(docket, material, policy, Times);
    }

    internal Docket Docket { get; }

    internal GateMaterial Material { get; }

    /// <summary>The entry of the first policy: what was done before had none to go by.</summary>
    internal long PolicyEntry { get; }

    internal Recorded<PolicyStatement> PolicyAct { get; }

    internal PreservationPolicy Policy { get; }

    internal Asset Asset { get; }

    /// <summary>The objections that are about the asset.</summary>
    internal IReadOnlyList<Recorded<ResponseStatement>> Objections { get; }

    internal Instant At { get; }

    internal OutsideTimes Times { get; }

    internal ActDoubts Doubts { get; }

    /// <summary>The earliest that it can be now, as outsiders prove it; and never later than the instant that is asked for.</summary>
    internal Instant Reached => Times.Latest is { } latest ? Instant.Min(latest.NotBefore, At) : Instant.MinValue;

    /// <summary>
    /// The role by which a party may let something go: the first that the firm named, if it did before a place of the log. Null where it did not.
    /// </summary>
    internal PartyRole? RoleOf(string party, long entry = long.MaxValue) =>
        Docket.Parties.GetValueOrDefault(party) is { Introduction.Entry: var first, Role: var role } && first < entry ? role : null;

    /// <summary>
    /// Whether a party ever had one of some roles, by whoever's word, or is not on the record by the firm's: what speaks against a wipe is not taken from it by calling it something
    /// else later.
    /// </summary>
    internal bool MayBe(string party, IReadOnlyCollection<PartyRole> roles) =>
        Docket.Parties.GetValueOrDefault(party) is not { Role: not null } known || known.Statements.Any(said => roles.Contains(said.Statement.Role));

    /// <summary>
    /// Everyone who has a say in the asset: those that were named for it, those that hold it, and those that answered. Who let it go again, and has no other part in it, has no say.
    /// </summary>
    internal IReadOnlyList<string> PartiesWithSay =>
    [
        .. Asset.Parties.Concat(Asset.Holds.Where(hold => HoldsRule.Over(this, hold) is null).Select(hold => hold.Statement.Party)).Concat(Asset.Responses.Concat(Objections).Select(response => response.Statement.Party))
            .Distinct(StringComparer.Ordinal).Where(party => MayBe(party, Policy.Notices.To)),
    ];

    /// <summary>Whether a role may let go what another demanded.</summary>
    internal bool IsSuperior(PartyRole? superior, PartyRole? other) =>
        superior is { } one && other is { } two && Policy.Superiors.TryGetValue(one, out IReadOnlyList<PartyRole>? below) && below.Contains(two);

    /// <summary>Whether something was said for this log: what was said for another proves nothing here, whoever carried it over.</summary>
    internal bool IsHere(string origin) => string.Equals(origin, Docket.Ledger.Checkpoint.Origin, StringComparison.Ordinal);
}
