using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>How far witnesses vouch for a ledger, by a verifier's own policy.</summary>
/// <param name="LedgerSize">The ledger's entries.</param>
/// <param name="Size">How many of them, from the first, are witnessed; 0 where none is.</param>
/// <param name="Verdict">What the policy says of the newest checkpoint that has cosignatures; null without a policy, or where there is no such checkpoint.</param>
public sealed record LedgerWitnessing(long LedgerSize, long Size, PolicyVerdict? Verdict)
{
    /// <summary>The unwitnessed tail: the entries past the last witnessed checkpoint. The vault's own keeper could still exchange them unseen.</summary>
    public long Tail => LedgerSize - Size;

    /// <summary>What that proves of the time: that by then the witnessed entries were at their places. Cosignatures tell whole seconds, cut.</summary>
    public ProvedTimes ProvedTimes => Size > 0 && Verdict?.WitnessedBy is { } instant
        ? new ProvedTimes([new ProvedTime(Size, instant + Duration.FromSeconds(1), "the witnesses of the verifier's policy")])
        : ProvedTimes.None;
}
