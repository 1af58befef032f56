using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Preservation.Rules;

/// <summary>That all that is on the asset is preserved: an image of each disk, verified afterwards from the medium, in as many hands as the policy asks for.</summary>
internal static class PreservedRule
{
    internal const string Name = "preserved";

    private const string Keeper = "the vault's keeper";

    internal static GateRule Judge(Inquiry inquiry)
    {
        if (inquiry.Asset.Disks.Count == 0)
            return GateRule.Of(Name, [new GateReason("The ledger names no disk of it, so nothing shows that all of it is preserved.", [], "Somebody of the firm declares its disks: 'evidence asset add'.")], RuleOutcome.NotMet);
        return GateRule.Of(Name, [.. inquiry.Asset.Disks.Select(disk => Judge(inquiry, disk))], RuleOutcome.NotMet);
    }

    /// <summary>The answer for a disk: of its images the one that is best off speaks.</summary>
    private static GateReason Judge(Inquiry inquiry, AssetDisk disk)
    {
        if (inquiry.Docket.DeclarationsOf(disk.Id).FirstOrDefault(declared => declared.Statement.Asset != inquiry.Asset.Id) is { } other)
        {
            return new GateReason(
                $"A disk {disk.Id} is declared of {other.Statement.Asset}, too, by entry {other.Entry}: whose image it is, nobody can tell.", [other.Entry],
                "Each disk is declared under an id of its own, and imaged as that.");
        }

        GateReason? best = null;
        foreach (ImageRecord image in inquiry.Docket.ImagesOf(disk.Id).Reverse())
        {
            GateReason reason = Judge(inquiry, disk, image);
            if (!reason.IsObstacle)
                return reason;
            best ??= reason;
        }

        return best ?? new GateReason($"There is no image of the disk {disk.Id}.", [], $"Whoever has the disk images it: 'evidence acquire DEVICE --item {disk.Id}'.");
    }

    private static GateReason Judge(Inquiry inquiry, AssetDisk disk, ImageRecord image)
    {
        string what = $"The disk {disk.Id} is imaged as sha256:{image.Image.ToString()[..16]} (entry {image.Entry})";
        if (disk.Serial is { } serial && image.Serial is { } imaged && serial != imaged)
            return new GateReason($"{what}, from a disk with the serial {imaged}; this one has {serial}.", [image.Entry], $"Whoever has the disk images it: 'evidence acquire DEVICE --item {disk.Id}'.");
        if (disk.Size is { } size && size != image.Size)
            return new GateReason($"{what}, of {image.Size} bytes; the disk has {size}.", [image.Entry], $"Whoever has the disk images all of it: 'evidence acquire DEVICE --item {disk.Id}'.");
        if (image.IsLive == true)
            return new GateReason($"{what}, while it was in use.", [image.Entry], $"Whoever has the machine images it switched off: 'evidence acquire DEVICE --item {disk.Id}'.");
        if (inquiry.Asset.LastUse is { } use && (image.Entry < use.Entry || inquiry.Asset.InService is not null))
        {
            return new GateReason(
                $"{what}, and by entry {use.Entry} the machine {(use.Statement.State switch { AssetState.InService => "is in service", AssetState.Returned => "came back after that", _ => "was in service until after that" })}: what was written since is not in it.",
                [image.Entry, use.Entry], $"Whoever has the machine images it once more, switched off: 'evidence acquire DEVICE --item {disk.Id}'.");
        }

        if (Lacking(inquiry, disk, image, out Recorded<ResponseStatement>? acceptance) is { } lacking)
            return new GateReason($"{what}, {lacking}", [image.Entry], $"Whoever has the disk images it from the device, or brings more of it by 'evidence acquire --resume'; or one of those accepts it as it is: {string.Join(", ", inquiry.Policy.Preserved.AcceptedBy.Select(PartyRoles.ToName))} ('evidence response accept --image').");
        (IReadOnlyList<string> custodians, IReadOnlyList<long> entries, IReadOnlyList<string> doubts) = Custodians(inquiry, image, acceptance is not null || image.AbsentBytes > 0);
        int wanted = inquiry.Policy.Preserved.Copies;
        string verified = custodians.Count == 0 ? "verified by nobody from the medium" : $"verified from the medium by {Words.Of(custodians)}";
        string accepted = acceptance is null ? "" : $", accepted as it is by {acceptance.Statement.Party} (entry {acceptance.Entry})";
        return new GateReason(
            $"{what}{accepted}, {verified}: {custodians.Count} of {wanted} within {Words.Of(inquiry.Policy.Preserved.Verified)}.{string.Concat(doubts.Select(doubt => $" One does not count: {doubt}."))}",
            [image.Entry, .. acceptance is null ? [] : (long[])[acceptance.Entry], .. entries],
            custodians.Count >= wanted ? null
                : $"{(custodians.Contains(Keeper, StringComparer.Ordinal) ? "" : "The vault's keeper verifies it from the medium ('evidence verify --from-medium'); ")}others with a copy send receipts ('evidence replicate')");
    }

    /// <summary>What an image lacks, or its entry does not say, and nobody who may has accepted it without; null where that is nothing.</summary>
    private static string? Lacking(Inquiry inquiry, AssetDisk disk, ImageRecord image, out Recorded<ResponseStatement>? acceptance)
    {
        acceptance = null;
        if (image.AbsentBytes is not { } absent)
            return "and its entry does not say how much of the disk was read.";
        var lacking = new List<string>();
        if (disk.Serial is { } serial && image.Serial is null)
            lacking.Add($"and its entry does not say from which disk; this one has the serial {serial}");
        if (image.IsLive is null)
            lacking.Add("and its entry does not say whether it was in use then");
        if ((Int128)absent + image.HiddenBytes > inquiry.Policy.Preserved.Unreadable)
            lacking.Add($"and {absent} bytes of the disk were not read{(image.HiddenBytes > 0 ? $", and {image.HiddenBytes} more are hidden by the drive" : "")}; the policy allows {inquiry.Policy.Preserved.Unreadable}");
        if (lacking.Count == 0)
            return null;
        acceptance = inquiry.Asset.Responses.FirstOrDefault(response =>
            response.Statement.Act == ResponseAct.Acceptance && response.Statement.Image == image.Image && inquiry.IsHere(response.Statement.Origin) &&
            inquiry.RoleOf(response.Statement.Party, response.Entry) is { } role && inquiry.Policy.Preserved.AcceptedBy.Contains(role) &&
            inquiry.Doubts.OfParty(response, response.Statement.Party, response.Statement.Document) is null);
        return acceptance is null ? $"{string.Join(", ", lacking)}." : null;
    }

    /// <summary>
    /// Who verified an image, each once: what was said last of each copy is what counts, and of several what each said last. A replica is one copy, through however many hands it
    /// went: whoever said something of it last has it. Of receipts that name none nobody can tell how many copies they are of, so they are of one.
    /// </summary>
    private static (IReadOnlyList<string> Custodians, IReadOnlyList<long> Entries, IReadOnlyList<string> Doubts) Custodians(Inquiry inquiry, ImageRecord image, bool mayBeIncomplete)
    {
        var copies = new Dictionary<string, ImageStatement>(StringComparer.Ordinal);
        var doubts = new List<string>();
        foreach (ImageStatement statement in AsMade(inquiry.Docket.StatementsOn(image.Image).Where(statement => statement.Entry > image.Entry)))
        {
            string copy = !statement.IsReceipt ? Keeper : statement.Replica is { } replica ? $"the replica {replica}" : "a copy that is no replica";
            _ = copies.TryGetValue(copy, out ImageStatement? before);
            // Anybody can leave an entry that the vault was verified; that it was refuted counts whoever says it, until the firm verifies it again.
            if (!statement.IsReceipt && !statement.IsOfFirm && IsGood(statement, mayBeIncomplete))
            {
                doubts.Add($"the verification in entry {statement.Entry} is signed by {statement.Signer.Name}, who does not speak for the firm");
                continue;
            }

            // What a copy does not hold, or is not said to, is none. One that never held it is no matter.
            if (statement.Content is Receipt.Absent or ImageStatement.Untold)
            {
                if (copies.Remove(copy))
                    doubts.Add($"by the receipt in entry {statement.Entry}, {copy} {(statement.Content == Receipt.Absent ? "does not hold it any more" : "has it in a state that is not told")}");
                continue;
            }

            if (before is not null && CustodianOf(inquiry, before) != CustodianOf(inquiry, statement))
                doubts.Add($"the receipt in entry {before.Entry} is of {copy}, and so is that of {statement.Signer.Name} after it, in entry {statement.Entry}");
            copies[copy] = statement;
        }

        var last = new Dictionary<string, ImageStatement>(StringComparer.Ordinal);
        foreach (ImageStatement statement in AsMade(copies.Values))
        {
            if (CustodianOf(inquiry, statement) is not { } custodian)
                doubts.Add($"the receipt in entry {statement.Entry} is signed by {statement.Signer.Name}, who is no party on the record");
            else
                last[custodian] = statement;
        }

        var counted = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach ((string custodian, ImageStatement statement) in last)
        {
            string? doubt = !IsGood(statement, mayBeIncomplete) ? $"{custodian} found it {statement.Content} (entry {statement.Entry})"
                : TooOld(inquiry, statement) is { } old ? $"what {custodian} says {old} (entry {statement.Entry})"
                : inquiry.Doubts.Of(statement.Entry, statement.Signer, statement.Time, mayTravel: statement.IsReceipt);
            if (doubt is null)
                counted.Add(custodian, statement.Entry);
            else
                doubts.Add(doubt);
        }

        return ([.. counted.Keys], [.. counted.Values], doubts);
    }

    /// <summary>Statements by when they were made, and not by when they came in: whoever keeps the ledger could hold a good word back, and put it after a bad one.</summary>
    private static IEnumerable<ImageStatement> AsMade(IEnumerable<ImageStatement> statements) =>
        statements.OrderBy(statement => statement.After).ThenBy(statement => statement.Time).ThenBy(statement => statement.Entry);

    private static bool IsGood(ImageStatement statement, bool mayBeIncomplete) => statement.Content == Receipt.Verified || (statement.Content == "incomplete" && mayBeIncomplete);

    /// <summary>Whether a statement may be older than the policy allows: it may be as old as the outside time before what it was made over.</summary>
    private static string? TooOld(Inquiry inquiry, ImageStatement statement) => inquiry.Times.Oldest(statement.After, statement.Time) switch
    {
        null => "may be of any age, for no entry before it names a time stamp",
        { } oldest when oldest < inquiry.At - inquiry.Policy.Preserved.Verified => $"may be of {Words.Of(oldest)}, by what is proved and by its own word",
        _ => null,
    };

    /// <summary>
    /// Whose copy a statement is about. Of this vault's, all its people speak with one voice, and so do they of copies that they keep themselves, under whatever name; of another's,
    /// only a party that is on the record with its key.
    /// </summary>
    private static string? CustodianOf(Inquiry inquiry, ImageStatement statement)
    {
        if (!statement.IsReceipt || statement.IsOfFirm)
            return Keeper;
        Party? party = inquiry.Docket.PartiesWith(statement.Signer.KeyId).FirstOrDefault(party => party.KeyEntry < statement.Entry);
        return party is null ? null : party.Statements.Any(said => said.Statement.Role == PartyRole.Provider) ? Keeper : party.Id;
    }
}
