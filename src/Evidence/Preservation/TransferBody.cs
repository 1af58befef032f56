using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// What a <see cref="EntryKind.Transfer"/> entry says. A handover is two entries, each signed by its own party: an offer, and the answer to it, which names the
/// offer's leaf hash.
/// </summary>
public abstract record TransferBody
{
    /// <summary>The longest of the texts in it, in characters.</summary>
    public const int LongestText = 2000;

    private protected TransferBody()
    {
    }

    /// <summary>The entry's body.</summary>
    public abstract JsonObject ToJson();

    /// <summary>Reads the body of a transfer entry.</summary>
    /// <exception cref="FormatException">A field is missing, or is not what it must be.</exception>
    public static TransferBody Parse(JsonObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        string act = body.RequireString("act");
        return act switch
        {
            TransferOffer.Act => TransferOffer.Read(body),
            TransferAnswer.Acceptance => TransferAnswer.Read(body, accepted: true),
            TransferAnswer.Refusal => TransferAnswer.Read(body, accepted: false),
            TransferWithdrawal.Act => TransferWithdrawal.Read(body),
            _ => throw new FormatException($"An act of transfer '{act}' is not known."),
        };
    }

    private protected static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}

/// <summary>Offers items to another party, who has them from the offer's acceptance on, and not before.</summary>
/// <param name="Origin">The log that it is made in.</param>
/// <param name="Recipient">Who they are offered to, as the offerer calls them.</param>
/// <param name="RecipientKey">The id of the key that the answer must be signed with; null where the offerer knows none.</param>
public sealed record TransferOffer(string Origin, string Recipient, string? RecipientKey) : TransferBody
{
    internal const string Act = "offer";

    /// <summary>An offer names at most this many images, seals and containers, each: entries are bounded.</summary>
    public const int MostListed = 40;

    /// <summary>The images of the items, as they are known to the offerer.</summary>
    public IReadOnlyList<TransferredImage> Images { get; init; } = [];

    /// <summary>The seals on what is handed over.</summary>
    public IReadOnlyList<string> Seals { get; init; } = [];

    /// <summary>What it is handed over in: disks, boxes, bags, by their marks.</summary>
    public IReadOnlyList<string> Containers { get; init; } = [];

    /// <summary>Why, or under what terms; null where nothing is said.</summary>
    public string? Terms { get; init; }

    /// <summary>By when an answer is asked for; null where no time is set.</summary>
    public Instant? AnswerBy { get; init; }

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = Act,
        ["origin"] = Origin,
        ["to"] = new JsonObject { ["name"] = Recipient, ["key"] = RecipientKey },
        ["images"] = new JsonArray([.. Images.Select(image => image.ToJson())]),
        ["seals"] = Strings(Seals),
        ["containers"] = Strings(Containers),
        ["terms"] = Terms,
        ["answerBy"] = AnswerBy is { } instant ? Timestamps.Format(instant) : null,
    };

    internal static TransferOffer Read(JsonObject body)
    {
        body.RequireOnly("act", "origin", "to", "images", "seals", "containers", "terms", "answerBy");
        JsonObject to = body.RequireObject("to");
        string? key = to.RequireNullableString("key");
        return key is null || ActorKey.IsKeyId(key)
            ? new TransferOffer(body.RequireString("origin"), to.RequireString("name"), key)
            {
                Images = [.. body.RequireArray("images").Select(image => TransferredImage.Read(JsonFields.RequireObject(image, "An image of the offer")))],
                Seals = body.RequireStrings("seals"),
                Containers = body.RequireStrings("containers"),
                Terms = body.RequireNullableString("terms"),
                AnswerBy = body.RequireNullableString("answerBy") is null ? null : body.RequireInstant("answerBy"),
            }
            : throw new FormatException("The field 'key' is not a key id.");
    }
}

/// <summary>An image that is handed over.</summary>
/// <param name="Image">Its id.</param>
/// <param name="Root">Its map's root.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Verified">What a verification for this handover said of it, in one word; null where there was none.</param>
public sealed record TransferredImage(Sha256Digest Image, Sha256Digest Root, long Size, string? Verified)
{
    internal JsonObject ToJson() => new()
    {
        ["image"] = Image.ToString(),
        ["root"] = Root.ToString(),
        ["size"] = DecimalText.Format(Size),
        ["verified"] = Verified,
    };

    internal static TransferredImage Read(JsonObject image)
    {
        image.RequireOnly("image", "root", "size", "verified");
        return new TransferredImage(
            Sha256Digest.Parse(image.RequireDigest("image")), Sha256Digest.Parse(image.RequireDigest("root")), image.RequireDecimal("size"),
            image.RequireNullableString("verified"));
    }
}

/// <summary>Accepts or refuses what was offered.</summary>
/// <param name="IsAccepted">Whether it is accepted.</param>
/// <param name="Origin">The log that the offer is an entry of.</param>
/// <param name="Offer">The offer's leaf hash.</param>
public sealed record TransferAnswer(bool IsAccepted, string Origin, Sha256Digest Offer) : TransferBody
{
    internal const string Acceptance = "acceptance";
    internal const string Refusal = "refusal";

    /// <summary>Why it is refused, or in what state things were found: seals, containers, damage. Null where nothing is said.</summary>
    public string? Text { get; init; }

    /// <summary>The images that the recipient verified from the medium before answering, and what came of it; empty where none was at hand.</summary>
    public IReadOnlyList<TransferredImage> Verified { get; init; } = [];

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = IsAccepted ? Acceptance : Refusal,
        ["origin"] = Origin,
        ["offer"] = Offer.ToString(),
        ["text"] = Text,
        ["verified"] = new JsonArray([.. Verified.Select(image => image.ToJson())]),
    };

    internal static TransferAnswer Read(JsonObject body, bool accepted)
    {
        body.RequireOnly("act", "origin", "offer", "text", "verified");
        return new TransferAnswer(accepted, body.RequireString("origin"), Sha256Digest.Parse(body.RequireDigest("offer")))
        {
            Text = body.RequireNullableString("text"),
            Verified = [.. body.RequireArray("verified").Select(image => TransferredImage.Read(JsonFields.RequireObject(image, "An image of the answer")))],
        };
    }
}

/// <summary>Takes an offer back that was not answered.</summary>
/// <param name="Offer">The offer's leaf hash.</param>
/// <param name="Text">Why; null where nothing is said.</param>
public sealed record TransferWithdrawal(Sha256Digest Offer, string? Text) : TransferBody
{
    internal const string Act = "withdrawal";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new() { ["act"] = Act, ["offer"] = Offer.ToString(), ["text"] = Text };

    internal static TransferWithdrawal Read(JsonObject body)
    {
        body.RequireOnly("act", "offer", "text");
        return new TransferWithdrawal(Sha256Digest.Parse(body.RequireDigest("offer")), body.RequireNullableString("text"));
    }
}
