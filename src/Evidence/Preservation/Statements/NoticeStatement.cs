using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>Tells a party that assets are to be wiped, and by when it can object.</summary>
/// <param name="Party">Who is told.</param>
/// <param name="Origin">The log that it stands in, so that whoever gets it in a file can answer for that log.</param>
/// <param name="Words">What is told, in short.</param>
/// <param name="Document">The SHA-256 of the notice as it was sent; null where it is not kept.</param>
/// <param name="Policy">The SHA-256 of the policy that the window is by.</param>
/// <param name="List">All assets of it.</param>
/// <param name="Window">How long the party has: computed here, once, so that the count never changes afterwards.</param>
public sealed record NoticeStatement(string Party, string Origin, string Words, Sha256Digest? Document, Sha256Digest Policy, AssetList List, ResponseWindow Window) : Statement
{
    private const string Wipe = "wipe";

    /// <inheritdoc/>
    public override string Kind => EntryKind.Notice;

    internal override AssetList? Whole => List;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["party"] = Party,
        ["origin"] = Origin,
        ["intent"] = Wipe,
        ["text"] = Words,
        ["document"] = Document?.ToString(),
        ["policy"] = Policy.ToString(),
        ["list"] = List.ToJson(),
        ["window"] = Window.ToJson(),
    };

    internal static NoticeStatement Read(JsonObject body)
    {
        body.RequireOnly("party", "origin", "intent", "text", "document", "policy", "list", "window");
        return body.RequireString("intent") == Wipe
            ? new NoticeStatement(
                RequireName(body, "party"), body.RequireString("origin"), body.RequireString("text"), RequireNullableDigest(body, "document"), RequireDigest(body, "policy"),
                AssetList.Read(body.RequireObject("list")), ResponseWindow.Parse(body.RequireObject("window")))
            : throw new FormatException("A notice of another intent than to wipe is not known.");
    }
}

/// <summary>What became of an attempt to deliver a notice.</summary>
public enum DeliveryOutcome
{
    /// <summary>It reached the party.</summary>
    Delivered,

    /// <summary>It was sent, and did not come back; that it arrived is not known.</summary>
    Attempted,

    /// <summary>It did not arrive.</summary>
    Failed,
}

/// <summary>An attempt to deliver a notice.</summary>
/// <param name="Notice">The leaf hash of the notice's entry.</param>
/// <param name="Method">How: by mail, courier, e-mail, portal.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Words">What else there is to say; null for nothing.</param>
/// <param name="Document">The SHA-256 of what shows it: the mail server's answer, the courier's receipt, the portal's log. Null where there is none.</param>
public sealed record DeliveryStatement(Sha256Digest Notice, string Method, DeliveryOutcome Outcome, string? Words, Sha256Digest? Document) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Delivery;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["notice"] = Notice.ToString(),
        ["method"] = Method,
        ["outcome"] = NameOf(Outcome),
        ["text"] = Words,
        ["document"] = Document?.ToString(),
    };

    /// <summary>The name of an outcome, as entries have it.</summary>
    public static string NameOf(DeliveryOutcome outcome) => outcome switch
    {
        DeliveryOutcome.Delivered => "delivered",
        DeliveryOutcome.Attempted => "attempted",
        DeliveryOutcome.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "This is no outcome of a delivery."),
    };

    /// <summary>The outcome of a name.</summary>
    /// <exception cref="FormatException">There is no such outcome.</exception>
    public static DeliveryOutcome ParseOutcome(string name) => name switch
    {
        "delivered" => DeliveryOutcome.Delivered,
        "attempted" => DeliveryOutcome.Attempted,
        "failed" => DeliveryOutcome.Failed,
        _ => throw new FormatException($"'{name}' is no outcome of a delivery: delivered, attempted, failed."),
    };

    internal static DeliveryStatement Read(JsonObject body)
    {
        body.RequireOnly("notice", "method", "outcome", "text", "document");
        return new DeliveryStatement(
            RequireDigest(body, "notice"), RequireName(body, "method"), ParseOutcome(body.RequireString("outcome")), body.RequireNullableString("text"),
            RequireNullableDigest(body, "document"));
    }
}
