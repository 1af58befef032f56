using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// Why an act does not count towards a clearance, though its signature is valid at its place: its own word of its time cannot be true, its key was in other hands, or it is
/// another's. What speaks against a wipe is not asked: it counts as it stands.
/// </summary>
internal sealed class ActDoubts(Docket docket, GateMaterial material, PreservationPolicy policy, OutsideTimes times)
{
    private readonly Hindsight hindsight = new(docket.Registry, times.Proved);

    /// <summary>
    /// The same of an act. What a party, or an approver, signs on a machine of their own travels, and may come in long after: an instant before that gains them nothing. Of what the firm
    /// says it did, a notice, say, an instant that is too early would.
    /// </summary>
    internal string? Of(IRecorded act) => Of(act.Entry, act.Signer, act.Time, act is Recorded<ResponseStatement> or Recorded<ReleaseStatement> or Recorded<Approval>);

    /// <summary>Why an entry does not count; null where it does.</summary>
    /// <param name="entry">Its index.</param>
    /// <param name="signer">Who signed it.</param>
    /// <param name="claimed">The instant that it claims.</param>
    /// <param name="mayTravel">Whether it may have been signed elsewhere, and put in later.</param>
    internal string? Of(long entry, ActorIdentity signer, Instant claimed, bool mayTravel = false)
    {
        if (times.Contradiction(entry, claimed, policy.Time.Tolerance, mayTravel) is { } contradiction)
            return contradiction;
        return Stolen(entry, signer) ?? OfIntroduction(signer.KeyId);
    }

    /// <summary>Why a party's key, or a provider's, may not be one: what put it on the record may be of a key that was in other hands. Null where nothing says so.</summary>
    internal string? OfIntroduction(string key) => docket.PartiesWith(key)
        .SelectMany(party => party.Statements.Where(said => said == party.Introduction || said.Entry == party.KeyEntry))
        .Select(said => Stolen(said.Entry, said.Signer)).FirstOrDefault(doubt => doubt is not null);

    private string? Stolen(long entry, ActorIdentity signer) => hindsight.Find(entry, EntrySignatureStatus.Valid, signer.KeyId) is { IsProvedBefore: false } later
        ? $"entry {entry} may not be {signer.Name}'s. {later.ToString().TrimEnd('.')}"
        : null;

    /// <summary>Why an act of the firm's does not count; null where it does. Anybody may say that they sent a notice, or that a server was switched off.</summary>
    internal string? OfFirm(IRecorded act) => act.IsOfFirm ? Of(act) : $"entry {act.Entry} is signed by {act.Signer.Name}, who does not speak for the firm";

    /// <summary>Why an act is not a party's, though it says so: neither its key signed it, nor, where it has none, does a paper show it. Null where it is.</summary>
    /// <param name="act">The act.</param>
    /// <param name="party">The party.</param>
    /// <param name="document">The paper that the act names; null where it names none.</param>
    /// <param name="keyedBefore">The place in the log before which the party's key must have been on the record, for its signature alone to be enough.</param>
    internal string? OfParty(IRecorded act, string party, Sha256Digest? document, long keyedBefore = long.MaxValue)
    {
        if (Of(act) is { } doubt)
            return doubt;
        if (docket.Parties.GetValueOrDefault(party) is not { Introduction: { } introduced } known || introduced.Entry > act.Entry)
            return $"entry {act.Entry} speaks for '{party}', who was not on the record then";
        bool isOwn = docket.IsOwn(act, party);
        if (isOwn && known.KeyEntry < keyedBefore)
            return null;
        if (known.KeyEntry is { } keyed && keyed < keyedBefore && keyed < act.Entry)
            return $"entry {act.Entry} is not signed by the key of {party}, but by {act.Signer.Name}";
        return document is not { } paper ? $"entry {act.Entry} is recorded by {act.Signer.Name} for {party}, and names no paper that shows it"
            : !material.HasPaper(paper) ? $"entry {act.Entry} is recorded by {act.Signer.Name} for {party}, and the paper that shows it, sha256:{paper}, is not in the vault"
            : act.IsOfFirm || isOwn ? null
            : $"entry {act.Entry} is recorded for {party} by {act.Signer.Name}, who does not speak for the firm";
    }

    /// <summary>The approvals of an act that count: each of another person, whom the policy names, and none of whoever made it.</summary>
    internal IReadOnlyList<Recorded<Approval>> ApprovalsOf(IRecorded act, IReadOnlyList<string> approvers) =>
        OfEachPerson(docket.ApprovalsOf(act.LeafHash).Where(approval => RefusalOf(approval, act, approvers) is null));

    /// <summary>Of some approvals each person's first.</summary>
    internal IReadOnlyList<Recorded<Approval>> OfEachPerson(IEnumerable<Recorded<Approval>> approvals)
    {
        var first = new List<Recorded<Approval>>();
        foreach (Recorded<Approval> approval in approvals)
        {
            if (!first.Exists(other => docket.IsSamePerson(other.Signer.KeyId, approval.Signer.KeyId)))
                first.Add(approval);
        }

        return first;
    }

    /// <summary>Why an approval does not count; null where it does.</summary>
    internal string? RefusalOf(Recorded<Approval> approval, IRecorded act, IReadOnlyList<string> approvers) =>
        Of(approval) is { } doubt ? doubt
        : approval.Entry < act.Entry ? $"entry {approval.Entry} approves what came after it"
        : docket.Registry.IsSameActor(approval.Signer.KeyId, act.Signer.KeyId) ? $"entry {approval.Entry} is {approval.Signer.Name}'s approval of their own request"
        : docket.IsSamePerson(approval.Signer.KeyId, act.Signer.KeyId) ? $"entry {approval.Entry} is signed by {approval.Signer.Name}, and whoever requests it goes by that name, too, with another key: whether they are two people, nobody can tell"
        : !approvers.Any(approver => docket.Registry.IsSameActor(approver, approval.Signer.KeyId)) ? $"entry {approval.Entry} is signed by {approval.Signer.Name}, whom the policy does not name among those who may approve"
        : null;
}
