using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Preservation;

/// <summary>
/// What an entry is about, in the docket's sense: under which keys it is found, and to which others it leads. Whoever follows them from an asset comes to all that the gate
/// looks at for it, and to little else.
/// </summary>
internal static class DocketKeys
{
    /// <summary>What bears on every asset: who is who, which policy, what time.</summary>
    internal const string All = "*";

    /// <summary>The receipts that count.</summary>
    internal const string Receipts = "receipt";

    /// <summary>All acquisitions, by which a receipt is judged.</summary>
    internal const string Acquisitions = "acquisition";

    internal static string Asset(string asset) => "asset:" + asset;

    private static string Item(string item) => "item:" + item;

    /// <summary>Who has a disk of an id.</summary>
    private static string Disk(string disk) => "disk:" + disk;

    /// <summary>Who has a serial, on the machine or on a disk.</summary>
    private static string Serial(string serial) => "serial:" + AssetDeclaration.SerialKey(serial);

    private static string Image(Sha256Digest image) => "image:" + image;

    /// <summary>The entries of a notice that has more than one; null of one that has not.</summary>
    private static string? ListOf(LedgerEntry entry, NoticeStatement notice) => notice.List.Count > entry.Payload.Items.Count ? "list:" + notice.List.Digest : null;

    /// <summary>The answers to an entry of a notice; followed where the notice has more than one.</summary>
    private static string AnswerTo(Sha256Digest notice) => "answer:" + notice;

    /// <summary>What answers an act.</summary>
    private static string On(Sha256Digest act) => "on:" + act;

    /// <summary>The act itself.</summary>
    private static string Act(Sha256Digest act) => "act:" + act;

    /// <summary>The keys under which an entry is found. Receipts are not told here, for whether one counts takes the whole log.</summary>
    internal static IEnumerable<string> Of(LedgerEntry entry)
    {
        switch (entry.Payload.Kind)
        {
            case EntryKind.Identity:
            case EntryKind.Timestamp when TimestampDocument.FileOf(entry.Payload) is not null:
                return [All];
            case EntryKind.Acquisition:
                return [Acquisitions, .. entry.Payload.Items.Select(Item), .. From(entry)];
            case EntryKind.Verification:
                return VerificationOutcome.TryRead(entry.Payload.Body).Select(image => Image(image.Image));
            case EntryKind.Transfer:
                return TransferBook.TryParse(entry) switch
                {
                    TransferOffer => entry.Payload.Items.Select(Asset),
                    TransferAnswer answer => [On(answer.Offer)],
                    TransferWithdrawal withdrawal => [On(withdrawal.Offer)],
                    _ => [],
                };
            default:
                return Statement.TryParse(entry.Payload) switch
                {
                    PartyStatement or PolicyStatement => [All],
                    AssetDeclaration asset => [Asset(asset.Asset), .. asset.Disks.Select(disk => Disk(disk.Id)), .. asset.AllSerials.Select(Serial)],
                    AssetStatement asset => [Asset(asset.Asset)],
                    ClearanceGrant grant => [Asset(grant.Asset)],
                    WipeIntent intent => [Asset(intent.Asset)],
                    WipeReport report => [Asset(report.Asset)],
                    WipeAbandonment abandoned => [Asset(abandoned.Asset)],
                    DeliveryStatement delivery => [On(delivery.Notice)],
                    Approval approval => [On(approval.Target)],
                    NoticeStatement notice => [Act(entry.LeafHash), .. entry.Payload.Items.Select(Asset), .. ListOf(entry, notice) is { } list ? (string[])[list] : []],
                    ResponseStatement { Notice: { } notice } => [Act(entry.LeafHash), .. entry.Payload.Items.Select(Asset), AnswerTo(notice)],
                    null => [],
                    _ => [Act(entry.LeafHash), .. entry.Payload.Items.Select(Asset)],
                };
        }
    }

    /// <summary>The keys to which an entry leads.</summary>
    internal static IEnumerable<string> From(LedgerEntry entry) => entry.Payload.Kind switch
    {
        EntryKind.Acquisition => ImageRecord.TryRead(0, entry.Payload, EntrySignatureStatus.Valid) is { } image ? [Image(image.Image)] : [],
        EntryKind.Transfer => TransferBook.TryParse(entry) is TransferOffer ? [On(entry.LeafHash)] : [],
        _ => Statement.TryParse(entry.Payload) switch
        {
            AssetDeclaration asset => [.. asset.Disks.SelectMany(disk => (string[])[Item(disk.Id), Disk(disk.Id), Asset(disk.Id)]), .. asset.AllSerials.Select(Serial)],
            PolicyStatement or ClearanceRequest => [On(entry.LeafHash)],
            NoticeStatement notice => ListOf(entry, notice) is { } list ? [On(entry.LeafHash), list, AnswerTo(entry.LeafHash)] : [On(entry.LeafHash)],
            ReleaseStatement release => [Act(release.Target)],
            ResponseStatement { Notice: { } notice } => [Act(notice)],
            _ => [],
        },
    };
}
