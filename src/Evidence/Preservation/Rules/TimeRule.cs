namespace Evidence.Preservation.Rules;

/// <summary>How far the time from outside reaches: what the ledger is silent about, it is silent about only up to there.</summary>
internal static class TimeRule
{
    internal const string Name = "time";

    private const string Ask = "Anyone with the vault asks for a time stamp of an authority that the policy names: 'evidence timestamp ask'.";

    internal static GateRule Judge(Inquiry inquiry) => GateRule.Of(Name, [Reach(inquiry), .. inquiry.Times.Lost.Select(Missed)]);

    private static GateReason Reach(Inquiry inquiry)
    {
        if (inquiry.Times.Latest is not { } latest)
            return new GateReason("No time stamp counts that an entry of the ledger names: how late it is, nobody outside says.", [], Ask);
        if (inquiry.At < latest.NotBefore - inquiry.Policy.Time.Tolerance)
        {
            return new GateReason(
                $"The gate is asked for {Words.Of(inquiry.At)}, and entry {latest.Entry} names a time stamp of {Words.Of(latest.NotBefore)}: the clock was set back, or an instant of the past is asked for.",
                [latest.Entry], "Whoever runs this machine sets its clock right.");
        }

        string reach = $"The outside time reaches to {Words.Of(latest.NotBefore)} ({latest.By}), over the first {latest.Size} of {inquiry.Docket.Size} entries. What was sent later, or not entered, is not known here.";
        return inquiry.At - latest.NotBefore > inquiry.Policy.Time.Fresh
            ? new GateReason($"{reach} That is more than {Words.Of(inquiry.Policy.Time.Fresh)} before {Words.Of(inquiry.At)}: either this is an old copy of the ledger, or none was asked for since.", [latest.Entry], Ask)
            : new GateReason(reach, [latest.Entry], null);
    }

    /// <summary>A stamp that is gone takes with it what it proves, also against a wipe: that it is later than a clock says, or that an entry is.</summary>
    private static GateReason Missed(LostStamp stamp) => new(
        $"Entry {stamp.Entry} names the time stamp ledger/{stamp.File}, {(stamp.IsThere ? "and the file of that name is another one: it was changed" : "which is not in the vault")}. What it proves is not known here.",
        [stamp.Entry], "Whoever has another copy of the vault brings the file back: the custodian of a replica, say, or whoever asked for the stamp.");
}
