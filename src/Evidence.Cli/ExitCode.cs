using Evidence.Verification;

namespace Evidence.Cli;

/// <summary>The command's exit codes. Where several apply: 130, then 3, then 1, then 5, then 4.</summary>
internal static class ExitCode
{
    internal const int Done = 0;
    internal const int Failed = 1;
    internal const int Usage = 2;
    internal const int Refuted = 3;
    internal const int Incomplete = 4;
    internal const int Refused = 5;
    internal const int Interrupted = 130;

    internal static int Of(string errorCode) => errorCode switch
    {
        ErrorCode.Usage => Usage,
        ErrorCode.ContentRefuted or ErrorCode.LedgerDamaged or ErrorCode.LedgerFork or ErrorCode.LedgerRollback => Refuted,
        ErrorCode.Interrupted => Interrupted,
        ErrorCode.GateRefused => Refused,
        _ => Failed,
    };

    internal static int Of(ContentVerdict verdict) => verdict switch
    {
        ContentVerdict.Verified => Done,
        ContentVerdict.Refuted => Refuted,
        _ => Incomplete,
    };

    /// <summary>The one that counts of several.</summary>
    internal static int Worst(IEnumerable<int> codes)
    {
        int[] order = [Interrupted, Refuted, Failed, Usage, Refused, Incomplete, Done];
        return codes.DefaultIfEmpty(Done).MinBy(c => Array.IndexOf(order, c));
    }
}
