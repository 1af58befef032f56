using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>How far witnesses vouch for a ledger, by a verifier's own policy.</summary>
public sealed class LedgerWitnessing
{
    /// <summary>Puts together what a policy says of the ledger's checkpoints that have cosignatures.</summary>
    /// <param name="ledgerSize">The ledger's entries.</param>
    /// <param name="verdicts">The checkpoints' sizes, and what the policy says of each.</param>
    internal LedgerWitnessing(long ledgerSize, IReadOnlyList<(long Size, PolicyVerdict Verdict)> verdicts)
    {
        (long Size, PolicyVerdict Verdict)[] witnessed = [.. verdicts.Where(one => one.Verdict.IsWitnessed).OrderByDescending(one => one.Size)];
        LedgerSize = ledgerSize;
        Size = witnessed is [var newest, ..] ? newest.Size : 0;
        Verdict = witnessed is [var first, ..] ? first.Verdict : verdicts is [var other, ..] ? other.Verdict : null;
        // Each size with its own instant: the larger one was not there when the smaller one was witnessed. Cosignatures tell whole seconds, cut.
        ProvedTimes = new ProvedTimes(witnessed.Select(
            one => new ProvedTime(one.Size, one.Verdict.WitnessedBy!.Value + Duration.FromSeconds(1), "the witnesses of the verifier's policy")));
    }

    /// <summary>The ledger's entries.</summary>
    public long LedgerSize { get; }

    /// <summary>How many of them, from the first, are witnessed; 0 where none is.</summary>
    public long Size { get; }

    /// <summary>What the policy says of the newest checkpoint that is witnessed, or else of one that is not; null without a policy, or where there is no checkpoint.</summary>
    public PolicyVerdict? Verdict { get; }

    /// <summary>The unwitnessed tail: the entries past the last witnessed checkpoint. The vault's own keeper could still exchange them unseen.</summary>
    public long Tail => LedgerSize - Size;

    /// <summary>What that proves of the time: that by then the witnessed entries were at their places.</summary>
    public ProvedTimes ProvedTimes { get; }
}
