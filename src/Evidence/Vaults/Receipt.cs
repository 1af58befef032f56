using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>An image as whoever received a replica found it.</summary>
/// <param name="Image">Its id.</param>
/// <param name="Root">Its map's root, as the ledger says.</param>
/// <param name="Content">The verdict on it: <c>verified</c>, <c>incomplete</c>, <c>unverifiable</c>, <c>refuted</c>; <c>absent</c> where the replica does not hold it.</param>
public sealed record ReceiptImage(Sha256Digest Image, Sha256Digest Root, string Content);

/// <summary>
/// What a recipient says of a replica that they verified from the medium: the body of a <see cref="Ledger.EntryKind.Receipt"/> entry (<c>docs/format/ledger.md</c>).
/// It is about every image that the log's first entries name, held or not.
/// </summary>
public sealed record Receipt
{
    /// <summary>The content of an image that the replica does not hold.</summary>
    public const string Absent = "absent";

    /// <summary>The content of an image that is what was recorded.</summary>
    public const string Verified = "verified";

    /// <summary>How many images and damaged files an entry has room for.</summary>
    internal const int MostListed = 40;

    private const int MostDamaged = 20;

    private static readonly string[] Contents = [Verified, "incomplete", "unverifiable", "refuted", Absent];

    /// <summary>The log's origin.</summary>
    public required string Origin { get; init; }

    /// <summary>The size of the log that the replica had.</summary>
    public required long Size { get; init; }

    /// <summary>The root over those entries.</summary>
    public required Sha256Digest Root { get; init; }

    /// <summary>Which replica; null for a copy that is none.</summary>
    public string? Replica { get; init; }

    /// <summary>The verdict on the ledger and all images that the replica holds.</summary>
    public required string Content { get; init; }

    /// <summary>The images that are listed: first those whose content is not <see cref="Others"/>.</summary>
    public required IReadOnlyList<ReceiptImage> Images { get; init; }

    /// <summary>The content of all images that are not listed; null where nothing is said of them.</summary>
    public required string? Others { get; init; }

    /// <summary>How many images the log's first entries name.</summary>
    public required long ImageCount { get; init; }

    /// <summary>The digest over all of them (<see cref="DigestOf"/>).</summary>
    public required Sha256Digest ImageDigest { get; init; }

    /// <summary>The bytes of packs that were read.</summary>
    public required long Bytes { get; init; }

    /// <summary>When the verification ended, by the recipient's claim.</summary>
    public required Instant Ended { get; init; }

    /// <summary>Whether the recipient knew the log's keys from elsewhere; else they were taken from the replica.</summary>
    public required bool KeysPinned { get; init; }

    /// <summary>What the recipient's system says of the medium.</summary>
    public required JsonObject Medium { get; init; }

    /// <summary>The files that were found damaged, the first of them.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <summary>How many files were found damaged.</summary>
    public long DamagedCount { get; init; }

    /// <summary>The digest over images: the SHA-256 of a line for each, in the order of their ids: id, root, content, parted by spaces.</summary>
    public static Sha256Digest DigestOf(IEnumerable<ReceiptImage> images)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReceiptImage image in images.OrderBy(i => i.Image))
            hash.AppendData(Encoding.UTF8.GetBytes($"{image.Image} {image.Root} {image.Content}\n"));
        return new Sha256Digest(hash.GetHashAndReset());
    }

    /// <summary>Puts the images in: those that are as most are need not be listed.</summary>
    /// <param name="images">Every image that the log's first entries name, each once.</param>
    internal Receipt With(IReadOnlyCollection<ReceiptImage> images)
    {
        string most = images.GroupBy(i => i.Content, StringComparer.Ordinal).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).FirstOrDefault()?.Key ?? Absent;
        ReceiptImage[] order = [.. images.OrderBy(i => string.Equals(i.Content, most, StringComparison.Ordinal)).ThenBy(i => i.Image)];
        bool areAllOthersListed = images.Count(i => !string.Equals(i.Content, most, StringComparison.Ordinal)) <= MostListed;
        return this with
        {
            Images = [.. order.Take(MostListed)],
            Others = areAllOthersListed ? most : null,
            ImageCount = images.Count,
            ImageDigest = DigestOf(images),
        };
    }

    /// <summary>What it says of an image among those that it is about; null where it says nothing of it.</summary>
    public string? ContentOf(Sha256Digest image) => Images.FirstOrDefault(i => i.Image == image)?.Content ?? Others;

    internal JsonObject ToJson() => new()
    {
        ["origin"] = Origin,
        ["size"] = DecimalText.Format(Size),
        ["root"] = Root.ToString(),
        ["replica"] = Replica,
        ["content"] = Content,
        ["images"] = new JsonArray([.. Images.Select(i => new JsonObject { ["image"] = i.Image.ToString(), ["root"] = i.Root.ToString(), ["content"] = i.Content })]),
        ["others"] = Others,
        ["imageCount"] = DecimalText.Format(ImageCount),
        ["imageDigest"] = ImageDigest.ToString(),
        ["bytes"] = DecimalText.Format(Bytes),
        ["verified"] = Timestamps.Format(Ended),
        ["keys"] = KeysPinned ? "pinned" : "declared",
        ["medium"] = Medium.DeepClone(),
        ["damaged"] = new JsonArray([.. Damaged.Take(MostDamaged).Select(d => (JsonNode)d)]),
        ["damagedCount"] = DecimalText.Format(DamagedCount),
    };

    /// <summary>Reads the body of an entry.</summary>
    /// <exception cref="FormatException">It is not a receipt's.</exception>
    internal static Receipt Parse(JsonObject body)
    {
        string? replica = body.RequireNullableString("replica");
        if (replica is not null && !ReplicaIdentity.IsId(replica))
            throw new FormatException("The field 'replica' is not 32 hexadecimal digits.");
        ReceiptImage[] images = [.. body.RequireArray("images").Select(i => ParseImage(JsonFields.RequireObject(i, "An image of the receipt")))];
        if (images.Length > MostListed || images.DistinctBy(i => i.Image).Count() != images.Length)
            throw new FormatException($"The field 'images' has more than {MostListed} images, or one of them twice.");
        return new Receipt
        {
            Origin = body.RequireString("origin"),
            Size = body.RequireDecimal("size"),
            Root = Sha256Digest.Parse(body.RequireDigest("root")),
            Replica = replica,
            Content = ParseContent(body.RequireString("content")),
            Images = images,
            Others = body.RequireNullableString("others") is { } others ? ParseContent(others) : null,
            ImageCount = body.RequireDecimal("imageCount"),
            ImageDigest = Sha256Digest.Parse(body.RequireDigest("imageDigest")),
            Bytes = body.RequireDecimal("bytes"),
            Ended = body.RequireInstant("verified"),
            KeysPinned = body.RequireString("keys") switch
            {
                "pinned" => true,
                "declared" => false,
                _ => throw new FormatException("The field 'keys' is neither 'pinned' nor 'declared'."),
            },
            Medium = (JsonObject)body.RequireObject("medium").DeepClone(),
            Damaged = body.RequireStrings("damaged"),
            DamagedCount = body.RequireDecimal("damagedCount"),
        };
    }

    private static ReceiptImage ParseImage(JsonObject image) => new(
        Sha256Digest.Parse(image.RequireDigest("image")), Sha256Digest.Parse(image.RequireDigest("root")), ParseContent(image.RequireString("content")));

    private static string ParseContent(string content) =>
        Contents.Contains(content, StringComparer.Ordinal) ? content : throw new FormatException($"'{content}' is no verdict on an image: {string.Join(", ", Contents)}.");
}
