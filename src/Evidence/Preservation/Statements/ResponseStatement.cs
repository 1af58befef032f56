using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>What a party answers, or says unasked.</summary>
public enum ResponseAct
{
    /// <summary>It has the notice, and says nothing for or against.</summary>
    Acknowledgement,

    /// <summary>It does not want the assets wiped.</summary>
    Objection,

    /// <summary>It has nothing against it.</summary>
    Consent,

    /// <summary>It takes its own objections to these assets back.</summary>
    Withdrawal,

    /// <summary>It takes an image as it is, with what could not be read of the disk.</summary>
    Acceptance,
}

/// <summary>
/// A party's answer. It counts as the party's own where the entry is signed by the party's key; else it is recorded by whoever signed, and needs a document.
/// </summary>
/// <param name="Act">What it is.</param>
/// <param name="Party">Whose it is.</param>
/// <param name="Origin">The log that it is for, so that it cannot be carried into another.</param>
/// <param name="Notice">The leaf hash of the notice that it answers; null where it answers none.</param>
/// <param name="Image">For an acceptance, the image; else null.</param>
/// <param name="Words">What it says; null for nothing.</param>
/// <param name="Document">The SHA-256 of the letter; null where there is none.</param>
public sealed record ResponseStatement(
    ResponseAct Act, string Party, string Origin, Sha256Digest? Notice, Sha256Digest? Image, string? Words, Sha256Digest? Document) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Response;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["act"] = NameOf(Act),
        ["party"] = Party,
        ["origin"] = Origin,
        ["notice"] = Notice?.ToString(),
        ["image"] = Image?.ToString(),
        ["text"] = Words,
        ["document"] = Document?.ToString(),
    };

    /// <summary>The name of an act, as entries have it.</summary>
    public static string NameOf(ResponseAct act) => act switch
    {
        ResponseAct.Acknowledgement => "acknowledgement",
        ResponseAct.Objection => "objection",
        ResponseAct.Consent => "consent",
        ResponseAct.Withdrawal => "withdrawal",
        ResponseAct.Acceptance => "acceptance",
        _ => throw new ArgumentOutOfRangeException(nameof(act), act, "This is no act of a response."),
    };

    /// <summary>The act of a name.</summary>
    /// <exception cref="FormatException">There is no such act.</exception>
    public static ResponseAct ParseAct(string name) =>
        Enum.GetValues<ResponseAct>().Cast<ResponseAct?>().FirstOrDefault(act => NameOf(act!.Value) == name) ??
        throw new FormatException($"'{name}' is no act of a response: {string.Join(", ", Enum.GetValues<ResponseAct>().Select(NameOf))}.");

    internal static ResponseStatement Read(JsonObject body)
    {
        body.RequireOnly("act", "party", "origin", "notice", "image", "text", "document");
        var response = new ResponseStatement(
            ParseAct(body.RequireString("act")), RequireName(body, "party"), body.RequireString("origin"), RequireNullableDigest(body, "notice"),
            RequireNullableDigest(body, "image"), body.RequireNullableString("text"), RequireNullableDigest(body, "document"));
        return (response.Act == ResponseAct.Acceptance) == response.Image is not null
            ? response
            : throw new FormatException("An acceptance names the image that is accepted, and nothing else does.");
    }
}
