using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>That it is one known asset, in the firm's hands, and not wiped already.</summary>
internal static class AssetRule
{
    internal const string Name = "asset";

    internal static GateRule Judge(Inquiry inquiry)
    {
        Asset asset = inquiry.Asset;
        if (asset.Declarations.Count == 0)
        {
            string claims = string.Concat(asset.Claims.Select(claim => $" Entry {claim.Entry} does not count: {claim.Signer.Name} does not speak for the firm."));
            return GateRule.Of(Name,
            [
                new GateReason($"No entry declares an asset '{asset.Id}'.{claims}", [.. asset.Claims.Select(claim => claim.Entry)], "Somebody of the firm declares it: 'evidence asset add' or 'evidence asset import'."),
            ]);
        }

        long declared = asset.Declarations[0].Entry;
        var reasons = new List<GateReason>
        {
            asset.Serials.Count > 0
                ? new GateReason($"{asset.Id} is the machine with the serials {Words.Of(asset.Serials)}, by entry {declared}.", [declared], null)
                : new GateReason($"{asset.Id} was declared without a serial, so that nobody can tell which machine it is.", [declared], "Somebody of the firm declares it under a name of its own, with its serials."),
        };
        foreach (Recorded<AssetDeclaration> other in asset.Conflicts)
        {
            reasons.Add(new GateReason(
                $"Entry {other.Entry} declares another machine, or another disk, under the same name: serials {Words.Of(other.Statement.Serials)}.", [declared, other.Entry],
                "Each machine is declared under a name of its own; under this one nothing is cleared any more."));
        }

        reasons.AddRange(Namesakes(inquiry));
        if (asset.Wiped is { } wiped)
            reasons.Add(new GateReason($"It was wiped already, by entry {wiped.Entry}.", [wiped.Entry], "There is nothing left to clear."));
        else if (asset.OpenIntent is { } intent)
            reasons.Add(new GateReason($"Entry {intent.Entry} says that a wipe of it began, and none says how that ended.", [intent.Entry], $"{intent.Signer.Name} records it: 'evidence wipe done' or 'evidence wipe abandon'."));
        if (asset.InService is { } used)
            reasons.Add(new GateReason($"It is in service, by entry {used.Entry}.", [used.Entry], "When it is not any more, somebody of the firm says so: 'evidence asset state ... isolated'."));
        reasons.AddRange(Hands(inquiry));
        return GateRule.Of(Name, reasons);
    }

    /// <summary>A machine has one name, and a disk one machine: under a second name it would be another's to hold, and nobody's to answer for.</summary>
    private static IEnumerable<GateReason> Namesakes(Inquiry inquiry)
    {
        foreach (string serial in inquiry.Asset.Declarations.SelectMany(declared => declared.Statement.AllSerials).Distinct(StringComparer.Ordinal))
        {
            if (inquiry.Docket.DeclarationsOfSerial(serial).FirstOrDefault(declared => declared.Statement.Asset != inquiry.Asset.Id) is { } other)
            {
                yield return new GateReason(
                    $"The serial {serial} is declared of {other.Statement.Asset}, too, by entry {other.Entry}: which of them a machine is, nobody can tell.", [other.Entry],
                    "Each machine, and each disk, is declared under one name; under these nothing is cleared any more.");
            }
        }
    }

    /// <summary>What an authority took away, or was handed over, is not the firm's to wipe; the duty to preserve it went along.</summary>
    private static IEnumerable<GateReason> Hands(Inquiry inquiry)
    {
        Asset asset = inquiry.Asset;
        Recorded<AssetStateChange>? seized = asset.States.LastOrDefault(state => state.Statement.State == AssetState.Seized);
        Recorded<AssetStateChange>? returned = asset.States.LastOrDefault(state => state.Statement.State == AssetState.Returned);
        if (seized is not null && !(returned?.Entry > seized.Entry))
            yield return new GateReason($"It was seized, by entry {seized.Entry}: whoever has it has the duty to preserve it.", [seized.Entry], "When it is back, somebody of the firm says so: 'evidence asset state ... returned'.");
        string[] parts = [asset.Id, .. asset.Disks.Select(disk => disk.Id)];
        Transfer? given = inquiry.Docket.Transfers.LastOrDefault(transfer =>
            transfer.State == TransferState.Accepted && transfer.Items.Intersect(parts, StringComparer.Ordinal).Any() &&
            transfer.Offer.Origin == inquiry.Docket.Ledger.Checkpoint.Origin && !(returned?.Entry > transfer.Outcome!.Entry));
        if (given is not null)
        {
            yield return new GateReason(
                $"{(given.Items.Contains(asset.Id, StringComparer.Ordinal) ? "It" : $"Its disk {given.Items.Intersect(parts, StringComparer.Ordinal).First()}")} was handed over to {given.Offer.Recipient}, who accepted by entry {given.Outcome!.Entry}: the duty to preserve it went along.", [given.Entry, given.Outcome.Entry],
                "When it is back, somebody of the firm says so: 'evidence asset state ... returned'.");
        }
    }
}
