using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation.Statements;

/// <summary>What a hold is, and by that how long the policy lets it bind.</summary>
public enum HoldForm
{
    /// <summary>Whoever may command it commands it.</summary>
    Order,

    /// <summary>A party demands it, and was answered.</summary>
    Request,

    /// <summary>A party asked for it by letter, and was never answered.</summary>
    Letter,
}

/// <summary>Demands that assets be kept.</summary>
/// <param name="Party">Who demands it.</param>
/// <param name="Form">What the hold is.</param>
/// <param name="Authority">On what authority, in words.</param>
/// <param name="Document">The SHA-256 of the order, request or letter; null where there is none.</param>
/// <param name="Selector">What the assets were chosen by; they are listed as of when the hold was recorded, and stay those.</param>
/// <param name="List">All assets of it.</param>
/// <param name="Since">Since when it is said to hold; null where nothing is said.</param>
/// <param name="Until">Until when; null for until it is released.</param>
public sealed record HoldStatement(
    string Party, HoldForm Form, string Authority, Sha256Digest? Document, string Selector, AssetList List, Instant? Since, Instant? Until) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Hold;

    internal override AssetList? Whole => List;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["party"] = Party,
        ["form"] = NameOf(Form),
        ["authority"] = Authority,
        ["document"] = Document?.ToString(),
        ["selector"] = Selector,
        ["list"] = List.ToJson(),
        ["since"] = Text(Since),
        ["until"] = Text(Until),
    };

    /// <summary>The name of a form, as entries have it.</summary>
    public static string NameOf(HoldForm form) => form switch
    {
        HoldForm.Order => "order",
        HoldForm.Request => "request",
        HoldForm.Letter => "letter",
        _ => throw new ArgumentOutOfRangeException(nameof(form), form, "This is no form of a hold."),
    };

    /// <summary>The form of a name.</summary>
    /// <exception cref="FormatException">There is no such form.</exception>
    public static HoldForm ParseForm(string name) => name switch
    {
        "order" => HoldForm.Order,
        "request" => HoldForm.Request,
        "letter" => HoldForm.Letter,
        _ => throw new FormatException($"'{name}' is no form of a hold: order, request, letter."),
    };

    internal static HoldStatement Read(JsonObject body)
    {
        body.RequireOnly("party", "form", "authority", "document", "selector", "list", "since", "until");
        return new HoldStatement(
            RequireName(body, "party"), ParseForm(body.RequireString("form")), body.RequireString("authority"), RequireNullableDigest(body, "document"),
            body.RequireString("selector"), AssetList.Read(body.RequireObject("list")), RequireNullableInstant(body, "since"), RequireNullableInstant(body, "until"));
    }
}

/// <summary>Lets assets go that a hold keeps, or overrules an objection. The entry's items are those that are let go.</summary>
/// <param name="Target">The leaf hash of the hold's entry, or of the objection's.</param>
/// <param name="Party">Who lets them go: who placed it, or a superior of theirs.</param>
/// <param name="Document">The SHA-256 of the paper that says so; null where the entry itself is signed by the party.</param>
/// <param name="Words">What else there is to say; null for nothing.</param>
public sealed record ReleaseStatement(Sha256Digest Target, string Party, Sha256Digest? Document, string? Words) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Release;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["target"] = Target.ToString(),
        ["party"] = Party,
        ["document"] = Document?.ToString(),
        ["text"] = Words,
    };

    internal static ReleaseStatement Read(JsonObject body)
    {
        body.RequireOnly("target", "party", "document", "text");
        return new ReleaseStatement(RequireDigest(body, "target"), RequireName(body, "party"), RequireNullableDigest(body, "document"), body.RequireNullableString("text"));
    }
}
