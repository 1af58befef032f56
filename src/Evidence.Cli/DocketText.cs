using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;

namespace Evidence.Cli;

/// <summary>What the preservation entries say, in sentences.</summary>
internal static class DocketText
{
    /// <summary>An entry in a sentence. What is of no form that is known here stands as it is.</summary>
    internal static string Sentence(string who, EntryPayload payload)
    {
        string assets = DocketOptions.Names(payload.Items);
        return Statement.TryParse(payload) switch
        {
            PartyStatement party => $"{who} put {party.Party} on the record: {party.Name}, {party.Role.ToName()}{(party.Represents is { } represented ? $" for {represented}" : "")}, in {party.Zone}.",
            AssetDeclaration asset => $"{who} declared {asset.Asset}: serials {Listed(asset.Serials)}, disks {Listed([.. asset.Disks.Select(disk => disk.Id)])}" +
                $"{(asset.Rack is { } rack ? $", in {rack}" : "")}{(asset.Parties.Count > 0 ? $"; {Listed(asset.Parties)} have a say in it" : "")}.",
            AssetStateChange state => $"{who} says of {state.Asset}: {AssetStateChange.NameOf(state.State)}{Said(state.Words)}",
            HoldStatement hold => $"{who} placed a hold of {hold.Party} over {assets}: {HoldStatement.NameOf(hold.Form)}, {hold.Authority}" +
                $"{(hold.Until is { } until ? $", until {until}" : "")}{(hold.List.Count > payload.Items.Count ? $" (of {Units.Count(hold.List.Count)} in all)" : "")}.",
            ReleaseStatement release => $"{who} let {assets} go for {release.Party}{Said(release.Words)}",
            NoticeStatement notice => $"{who} told {notice.Party} that {assets} are to be wiped: \"{notice.Words}\" {Window(notice.Window)}",
            DeliveryStatement delivery => $"{who} recorded how a notice about {assets} was delivered ({delivery.Method}): {DeliveryStatement.NameOf(delivery.Outcome)}{Said(delivery.Words)}",
            ResponseStatement response => $"{who} answered for {response.Party}, about {assets}: {ResponseStatement.NameOf(response.Act)}{Said(response.Words)}",
            PolicyStatement policy => $"{who} proposed the policy '{policy.Name}', sha256:{policy.Policy}.",
            ClearanceRequest request => $"{who} requests that {assets} may be wiped{Said(request.Words)}",
            Approval approval => $"{who} approves{(payload.Items.Count > 0 ? $" what is requested for {assets}" : " a change of policy")}{Said(approval.Words)}",
            ClearanceGrant grant => $"{who} gave a clearance for {grant.Asset}, serials {Listed(grant.Serials)}: {ClearanceGrant.NameOf(grant.Ground)}, until {grant.Expires}.",
            WipeIntent intent => $"{who} begins to wipe {intent.Asset}.",
            WipeReport report => $"{who} records that {report.Operator} wiped {report.Asset}: {report.Method}{(report.Standard is { } standard ? $" ({standard})" : "")}, serials {Listed(report.Serials)}{Said(report.Words)}",
            WipeAbandonment abandoned => $"{who} says that {abandoned.Asset} was not wiped{Said(abandoned.Words)}",
            _ => $"{who} recorded: {payload.Body.ToJsonString()}",
        };
    }

    /// <summary>What else an entry rests on, a line each.</summary>
    internal static IEnumerable<string> Details(EntryPayload payload)
    {
        Statement? statement = Statement.TryParse(payload);
        string? target = statement switch
        {
            ReleaseStatement release => $"what is let go is the entry with the leaf hash {release.Target}",
            DeliveryStatement delivery => $"the notice is the entry with the leaf hash {delivery.Notice}",
            ResponseStatement { Notice: { } notice } => $"the notice is the entry with the leaf hash {notice}",
            Approval approval => $"what is approved is the entry with the leaf hash {approval.Target}",
            ClearanceGrant grant => $"the gate had seen {Units.Count(grant.Size)} entries, root {grant.Root}; policy sha256:{grant.Policy}",
            WipeIntent intent => $"the gate was asked again over {Units.Count(intent.Size)} entries; the clearance is the entry with the leaf hash {intent.Clearance}",
            _ => null,
        };
        if (target is not null)
            yield return target;
        if (statement is PartyStatement { Key: { } key })
            yield return $"key {key}";
        if (statement is ResponseStatement { Image: { } image })
            yield return $"image sha256:{image}";
        Hashing.Sha256Digest? document = statement switch
        {
            AssetStateChange state => state.Document,
            HoldStatement hold => hold.Document,
            ReleaseStatement release => release.Document,
            NoticeStatement notice => notice.Document,
            DeliveryStatement delivery => delivery.Document,
            ResponseStatement response => response.Document,
            WipeReport report => report.Document,
            _ => null,
        };
        if (document is { } paper)
            yield return $"document sha256:{paper}";
        foreach (ReadBackSample sample in (statement as WipeReport)?.ReadBack ?? [])
            yield return ReadBackLine(sample);
    }

    internal static string Window(ResponseWindow window) =>
        $"It can answer until {window.Deadline}, the end of {window.LastDay:uuuu-MM-dd} in {window.Zone}: {window.Days} {ResponseWindow.NameOf(window.Unit)} days from {window.From}.";

    internal static string ReadBackLine(ReadBackSample sample) =>
        $"read back {sample.Disk}: {Units.Count(sample.Sectors)} sectors, {Units.Count(sample.Blank)} of one repeated byte, {Units.Count(sample.Unreadable)} unreadable" +
        $"{(sample.Direct ? "" : ", through the page cache")}; sha256 {sample.Digest}";

    private static string Said(string? words) => words is null ? "." : $": {words}";

    private static string Listed(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
