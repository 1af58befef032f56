using Evidence.Hashing;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Whether content is what was recorded. Ordered: of several, the highest counts.</summary>
public enum ContentVerdict
{
    /// <summary>Every byte of content, map and ledger was recomputed and is equal.</summary>
    Verified,

    /// <summary>Equal, with ranges that the source refused or that were not attempted.</summary>
    Incomplete,

    /// <summary>There is nothing to compare with, or nobody known who vouches for it.</summary>
    Unverifiable,

    /// <summary>Something is not what was recorded.</summary>
    Refuted,
}

/// <summary>What vouches for the ledger from outside the vault.</summary>
public enum AnchorVerdict
{
    /// <summary>Nothing: the vault's own administrator could have written all of it anew.</summary>
    None,

    /// <summary>A time-stamp authority.</summary>
    Timestamped,

    /// <summary>Witnesses.</summary>
    Witnessed,
}

/// <summary>Something that a verification found.</summary>
/// <param name="What">Its kind: <c>vault</c>, <c>ledger</c>, <c>entry</c>, <c>key</c>, <c>timestamp</c>, <c>pack</c>, <c>segment</c>, <c>manifest</c>, <c>map</c>, <c>digest</c>, <c>document</c>, <c>opening</c>, <c>destroyed</c>,
/// <c>unread</c>, <c>unrecorded</c>, <c>foreign</c>, <c>set-aside</c>, <c>image</c>, <c>absent</c>, <c>container</c>.</param>
/// <param name="File">The file, below the vault's folder; null where it is about a range of an image.</param>
/// <param name="Offset">The first byte: of the file, or of the image where <paramref name="File"/> is null; null where none can be named.</param>
/// <param name="Length">The number of bytes, likewise.</param>
/// <param name="Detail">In words.</param>
/// <param name="Verdict">What it makes of the content; <see cref="ContentVerdict.Verified"/> for a mere remark.</param>
public sealed record Finding(string What, string? File, long? Offset, long? Length, string Detail, ContentVerdict Verdict = ContentVerdict.Refuted);

/// <summary>The verdict on one image.</summary>
/// <param name="Image">Its id.</param>
/// <param name="Item">What people call it; empty for an image that no ledger entry names.</param>
/// <param name="Findings">What was found.</param>
public sealed record ImageVerdict(Sha256Digest Image, string Item, IReadOnlyList<Finding> Findings)
{
    /// <summary>What others said, who were sent a replica and verified it; it changes nothing of this verdict.</summary>
    public IReadOnlyList<ImageReceipt> Receipts { get; init; } = [];

    /// <summary>Whether its content is what was recorded.</summary>
    public ContentVerdict Content => Findings.Select(f => f.Verdict).DefaultIfEmpty(ContentVerdict.Verified).Max();
}

/// <summary>The verdict on the ledger.</summary>
/// <param name="Origin">Its origin, where it could be read.</param>
/// <param name="Size">The number of entries that its checkpoint commits to.</param>
/// <param name="Root">The root over them; null where there is no checkpoint that could be read.</param>
/// <param name="WitnessedSize">The number of entries, from the first, that witnesses vouch for, by the verifier's policy.</param>
/// <param name="KeysPinned">Whether its keys were known on this machine; otherwise they are what the vault says of itself.</param>
/// <param name="Findings">What was found.</param>
public sealed record LedgerVerdict(string? Origin, long Size, Sha256Digest? Root, long WitnessedSize, bool KeysPinned, IReadOnlyList<Finding> Findings)
{
    /// <summary>Whether its content is what was recorded.</summary>
    public ContentVerdict Content => Findings.Select(f => f.Verdict).DefaultIfEmpty(ContentVerdict.Verified).Max();

    /// <summary>The time stamps that are kept with it, by the sizes that they are over.</summary>
    public IReadOnlyList<KeptTimestamp> Timestamps { get; init; } = [];

    /// <summary>The time stamp that reaches furthest of those that hold, by an authority that the verifier trusts; null where there is none.</summary>
    public TimestampVerdict? Timestamped => Timestamps.LastOrDefault(kept => kept.Counts)?.Verdict;

    /// <summary>What the policy says of the newest checkpoint with cosignatures; null without a policy, or where nothing could be judged.</summary>
    public PolicyVerdict? Witnesses { get; init; }

    /// <summary>The unwitnessed tail: entries that only the vault's own keeper vouches for.</summary>
    public long UnwitnessedTail => Size - WitnessedSize;
}

/// <summary>The outcome of a verification.</summary>
/// <param name="Ledger">The verdict on the ledger.</param>
/// <param name="Images">The verdict on each image.</param>
/// <param name="Findings">What was found in the vault's other files.</param>
/// <param name="BytesChecked">The bytes of packs and documents that were read.</param>
/// <param name="StoredBytesOnly">Whether only stored bytes were held against their checksums, and no content recomputed.</param>
public sealed record VerificationReport(
    LedgerVerdict Ledger, IReadOnlyList<ImageVerdict> Images, IReadOnlyList<Finding> Findings, long BytesChecked, bool StoredBytesOnly)
{
    /// <summary>Whether all content is what was recorded.</summary>
    public ContentVerdict Content =>
        Images.Select(i => i.Content).Append(Ledger.Content).Concat(Findings.Select(f => f.Verdict)).Max();

    /// <summary>What vouches for the ledger from outside the vault.</summary>
    public AnchorVerdict Anchor => Ledger.WitnessedSize > 0 ? AnchorVerdict.Witnessed
        : Ledger.Timestamped is not null ? AnchorVerdict.Timestamped
        : AnchorVerdict.None;

    /// <summary>What the ledger records of it (<see cref="VaultLedger.RecordVerification"/>).</summary>
    /// <param name="options">What was verified.</param>
    public VerificationOutcome ToOutcome(VerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new VerificationOutcome
        {
            Content = NameOf(Content),
            Scope = (StoredBytesOnly ? "stored bytes" : options.Digests ? "content and whole-image digests" : "content") +
                (options.FromMedium && !StoredBytesOnly ? VerificationOutcome.FromMedium : ""),
            Images = [.. Images.Select(i => new VerifiedImage(i.Image, i.Item, NameOf(i.Content)))],
            LedgerSize = Ledger.Size,
        };
    }

    private static string NameOf(ContentVerdict verdict) => verdict.ToString().ToLowerInvariant();
}
