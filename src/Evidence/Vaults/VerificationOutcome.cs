using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>An image, and what a verification says of it.</summary>
/// <param name="Image">The image's id.</param>
/// <param name="Item">What people call it; empty where no entry names it.</param>
/// <param name="Content">The verdict in one word.</param>
public sealed record VerifiedImage(Sha256Digest Image, string Item, string Content);

/// <summary>What a verification entry says.</summary>
public sealed record VerificationOutcome
{
    /// <summary>More images than this are counted, not listed: an entry is bounded.</summary>
    private const int MostListed = 100;

    /// <summary>The verdict on all of it, in one word.</summary>
    public required string Content { get; init; }

    /// <summary>What was recomputed.</summary>
    public required string Scope { get; init; }

    /// <summary>The images that were verified.</summary>
    public required IReadOnlyList<VerifiedImage> Images { get; init; }

    /// <summary>The number of entries that the ledger had.</summary>
    public required long LedgerSize { get; init; }

    internal IReadOnlyList<string> Items => [.. Images.Take(MostListed).Select(i => i.Item).Where(i => i.Length > 0).Distinct(StringComparer.Ordinal)];

    internal JsonObject EncodeBody() => new()
    {
        ["content"] = Content,
        ["scope"] = Scope,
        ["images"] = new JsonArray([.. Images.Take(MostListed).Select(i => new JsonObject { ["image"] = i.Image.ToString(), ["content"] = i.Content })]),
        ["imageCount"] = DecimalText.Format(Images.Count),
        ["ledgerSize"] = DecimalText.Format(LedgerSize),
    };

    /// <summary>The end of the scope of a verification that read everything from the medium.</summary>
    internal const string FromMedium = ", from the medium";

    /// <summary>The images whose content was recomputed from the medium, each with the verdict on it, as far as an entry lists them; none where its body says no such thing.</summary>
    internal static IReadOnlyList<(Sha256Digest Image, string Content)> TryRead(JsonObject body)
    {
        try
        {
            if (!body.RequireString("scope").EndsWith(FromMedium, StringComparison.Ordinal))
                return [];
            return
            [
                .. body.RequireArray("images").Select(image => JsonFields.RequireObject(image, "An image of the verification"))
                    .Select(image => (Sha256Digest.Parse(image.RequireDigest("image")), image.RequireString("content"))),
            ];
        }
        catch (FormatException)
        {
            // Another program's entry of that kind.
            return [];
        }
    }
}
