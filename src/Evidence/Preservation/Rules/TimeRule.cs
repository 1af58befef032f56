namespace Evidence.Preservation.Rules;

/// <summary>How far the time from outside reaches: what the ledger is silent about, it is silent about only up to there.</summary>
internal static class TimeRule
{
    internal const string Name = "time";

    private const string Ask = "Anyone with the vault asks for a time stamp of an authority that the policy names: 'evidence timestamp ask'.";

    internal static GateRule Judge(Inquiry inquiry)
    {
        if (inquiry.Times.Latest is not { } latest)
            return GateRule.Of(Name, [new GateReason("No time stamp counts that an entry of the ledger names: how late it is, nobody outside says.", [], Ask)]);
        if (inquiry.At < latest.NotBefore - inquiry.Policy.Time.Tolerance)
        {
            return GateRule.Of(Name,
            [
                new GateReason(
                    $"The gate is asked for {Words.Of(inquiry.At)}, and entry {latest.Entry} names a time stamp of {Words.Of(latest.NotBefore)}: the clock was set back, or an instant of the past is asked for.",
                    [latest.Entry], "Whoever runs this machine sets its clock right."),
            ]);
        }

        string reach = $"The outside time reaches to {Words.Of(latest.NotBefore)} ({latest.By}), over the first {latest.Size} of {inquiry.Docket.Size} entries. What was sent later, or not entered, is not known here.";
        return GateRule.Of(Name,
        [
            inquiry.At - latest.NotBefore > inquiry.Policy.Time.Fresh
                ? new GateReason($"{reach} That is more than {Words.Of(inquiry.Policy.Time.Fresh)} before {Words.Of(inquiry.At)}: either this is an old copy of the ledger, or none was asked for since.", [latest.Entry], Ask)
                : new GateReason(reach, [latest.Entry], null),
        ]);
    }
}
